//! Server reflection, so that tools find the calls by themselves: v1, and v1alpha because many still ask for that.

use tonic_reflection::server::{
    Builder, Error,
    v1::{ServerReflection, ServerReflectionServer},
    v1alpha::{
        ServerReflection as ServerReflectionAlpha,
        ServerReflectionServer as ServerReflectionServerAlpha,
    },
};

/// Bytes of one question. It names something, and the name comes back in the answer's status: a long one would make a
/// header that cuts the caller's connection.
const MAX_QUESTION: usize = 1024;

/// Reflection v1.
///
/// # Errors
///
/// When the descriptors do not decode, which only a broken build brings about.
pub fn v1() -> Result<ServerReflectionServer<impl ServerReflection>, Error> {
    Ok(described()
        .build_v1()?
        .max_decoding_message_size(MAX_QUESTION))
}

/// Reflection v1alpha.
///
/// # Errors
///
/// As [`v1`].
pub fn v1alpha() -> Result<ServerReflectionServerAlpha<impl ServerReflectionAlpha>, Error> {
    Ok(described()
        .build_v1alpha()?
        .max_decoding_message_size(MAX_QUESTION))
}

fn described() -> Builder<'static> {
    Builder::configure()
        .register_encoded_file_descriptor_set(parloir_proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}
