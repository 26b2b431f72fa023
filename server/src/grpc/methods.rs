//! The paths of all calls that there are: what a caller wrote becomes a metric's label only if it is one of them.

use std::collections::HashSet;

use prost::Message;
use prost_types::FileDescriptorSet;

/// The paths of all calls, for example `/parloir.v1.ConversationService/SendMessage`.
#[derive(Debug)]
pub(super) struct Methods(HashSet<String>);

/// One call that there is.
#[derive(Debug, Clone)]
pub(super) struct Method {
    pub path: String,
    /// Its answer is a stream.
    pub streams: bool,
}

impl Methods {
    pub(super) fn new() -> Self {
        Self(methods().into_iter().map(|method| method.path).collect())
    }

    /// The path itself, or `unknown`.
    pub(super) fn label<'a>(&self, path: &'a str) -> &'a str {
        if self.0.contains(path) {
            path
        } else {
            "unknown"
        }
    }
}

/// All calls that there are.
pub(super) fn methods() -> Vec<Method> {
    let sets = [
        parloir_proto::DESCRIPTORS,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ];
    sets.into_iter().flat_map(described).collect()
}

fn described(descriptors: &[u8]) -> Vec<Method> {
    let mut methods = Vec::new();
    for file in FileDescriptorSet::decode(descriptors)
        .unwrap_or_default()
        .file
    {
        for service in &file.service {
            for method in &service.method {
                methods.push(Method {
                    path: format!("/{}.{}/{}", file.package(), service.name(), method.name()),
                    streams: method.server_streaming(),
                });
            }
        }
    }
    methods
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_every_service_are_known_and_nothing_else_is() {
        let methods = Methods::new();
        for path in [
            "/parloir.v1.ConversationService/SendMessage",
            "/grpc.health.v1.Health/Watch",
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        ] {
            assert_eq!(methods.label(path), path);
        }
        assert_eq!(
            methods.label("/parloir.v1.ConversationService/Guess"),
            "unknown"
        );
    }
}
