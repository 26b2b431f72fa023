//! What adapters have in common when they decide who sent a webhook: on its raw bytes, in constant time, before anything
//! of it is parsed.

mod encoding;
mod header;
mod secrets;

pub use self::{
    encoding::{from_base64, from_hex},
    header::one_header,
    secrets::Secrets,
};

use subtle::ConstantTimeEq;

/// Takes as long wherever the difference is; only the length can be told.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
