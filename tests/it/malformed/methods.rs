//! The methods of every service that the server has, from the descriptors: one that is added is tested at once.

use std::collections::HashMap;

use prost::Message;
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};

use super::recursion::{Loop, loops};

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
    /// Where it holds what holds itself.
    pub loops: Vec<Loop>,
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
    let mut messages = HashMap::new();
    for file in files {
        for message in &file.message_type {
            collect(&format!(".{}", file.package()), message, &mut messages);
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
                    loops: loops(method.input_type(), &messages),
                });
            }
        }
    }
    methods
}

/// A message and those that are declared within it, such as the entries of maps.
fn collect(
    within: &str,
    message: &DescriptorProto,
    messages: &mut HashMap<String, DescriptorProto>,
) {
    let name = format!("{within}.{}", message.name());
    for inner in &message.nested_type {
        collect(&name, inner, messages);
    }
    messages.insert(name, message.clone());
}
