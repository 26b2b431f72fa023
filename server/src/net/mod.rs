//! Guarded listeners: first bytes, headers and bodies in time, connections counted, a drain with an end.

pub mod accept;
pub mod body;
pub mod client_address;
pub mod gate;
pub mod http;
pub mod progress;
pub mod socket;
pub mod tls;
mod transport;

#[cfg(test)]
mod tests;

pub use self::{
    accept::Acceptor,
    body::{BodyError, BodyReader},
    client_address::{ClientAddresses, Forwarding},
    gate::Gate,
    progress::RequestStart,
    socket::{Peer, Socket},
    tls::{PeerCertificate, Tls, TlsError, TlsFiles},
};
