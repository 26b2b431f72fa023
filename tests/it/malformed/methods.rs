//! The methods of every service that the server has, from the descriptors: one that is added is tested at once.

use std::collections::HashMap;

use prost::Message;
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};

/// A method, and what it takes.
#[derive(Debug, Clone)]
pub struct Method {
    pub path: String,
    /// Of `parloir.v1`.
    pub is_ours: bool,
    /// The answer may never end.
    pub answers_for_long: bool,
    /// Both sides stream.
    pub is_conversation: bool,
    pub fields: Vec<FieldDescriptorProto>,
}

pub fn methods() -> Vec<Method> {
    let sets = [
        parloir_proto::DESCRIPTORS,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ];
    let files = sets.map(|set| FileDescriptorSet::decode(set).expect("a descriptor").file);
    let methods: Vec<_> = files.iter().flat_map(|files| of_files(files)).collect();
    assert!(methods.iter().filter(|method| method.is_ours).count() >= 15);
    methods
}

fn of_files(files: &[prost_types::FileDescriptorProto]) -> Vec<Method> {
    let mut messages: HashMap<String, &DescriptorProto> = HashMap::new();
    for file in files {
        for message in &file.message_type {
            messages.insert(format!(".{}.{}", file.package(), message.name()), message);
        }
    }
    let mut methods = Vec::new();
    for file in files {
        for service in &file.service {
            for method in &service.method {
                methods.push(Method {
                    path: format!("/{}.{}/{}", file.package(), service.name(), method.name()),
                    is_ours: file.package() == "parloir.v1",
                    answers_for_long: method.server_streaming() && !method.client_streaming(),
                    is_conversation: method.client_streaming(),
                    fields: messages[method.input_type()].field.clone(),
                });
            }
        }
    }
    methods
}
