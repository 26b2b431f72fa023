//! Keys: the master keys that an operator keeps, and the data keys that they wrap. What is kept of a visitor, an agent or
//! a credential is sealed under a data key or a master key; `docs/encryption.md` says what and why.

mod beside;
mod cipher;
mod command;
mod custody;
mod data_key;
mod line;
mod ring;
mod source;

#[cfg(test)]
mod tests;

pub use self::{
    cipher::{Place, Unopened, random as random_bytes},
    custody::{Custody, Looked},
    data_key::DataKey,
    line::{BadLine, new_line},
    ring::{KeyRing, MasterKeyId, NotOpened, Sealed},
    source::{KeySource, KeySourceError, Origin},
};
