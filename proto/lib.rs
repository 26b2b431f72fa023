//! The contract of Parloir as Rust types, generated from the `.proto` files beside this one.

/// Package `parloir.v1`.
#[expect(
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::doc_lazy_continuation,
    reason = "generated code"
)]
pub mod v1 {
    tonic::include_proto!("parloir.v1");
}

/// The encoded `FileDescriptorSet` of the contract, for server reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
