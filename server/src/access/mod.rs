//! Who may call: keys and certificates of callers, kept live, so that a key that is added, revoked or expired counts
//! within a second and without a restart.

mod bucket;
mod callers;
mod configured;
mod credential;
pub mod key;
mod limits;
mod own_limits;
mod records;
mod refused;
mod snapshot;

#[cfg(test)]
mod tests;

pub use self::{
    callers::{Anonymous, Callers, NoteUse, Refused},
    configured::Configured,
    credential::Credential,
    key::{Digest, Key, KeyId, Pepper},
    limits::{InFlight, Limits, Meters, OpenStream},
    own_limits::OwnLimits,
    records::{CallerRecord, KeyRecord},
};
