//! Types that hold themselves, such as `google.protobuf.Struct`, wherever a request has one: found in the descriptors.

use std::collections::HashMap;

use prost_types::{DescriptorProto, field_descriptor_proto::Type};

/// A way to a message, and from there back to its type.
#[derive(Debug, Clone)]
pub struct Loop {
    /// The fields on it, for example `agent.settings.fields.value.struct_value`.
    pub name: String,
    /// Their numbers, as far as it leads there.
    pub way: Vec<u64>,
    /// Those that lead around.
    pub turn: Vec<u64>,
}

/// All loops in messages of the type `input`.
pub fn loops(input: &str, messages: &HashMap<String, DescriptorProto>) -> Vec<Loop> {
    let mut found = Vec::new();
    walk(
        &mut vec![input.to_owned()],
        &mut Vec::new(),
        messages,
        &mut found,
    );
    found
}

fn walk(
    types: &mut Vec<String>,
    fields: &mut Vec<(u64, String)>,
    messages: &HashMap<String, DescriptorProto>,
    found: &mut Vec<Loop>,
) {
    let message = types.last().and_then(|name| messages.get(name));
    for field in message.map_or(&[][..], |message| &message.field) {
        if field.r#type() != Type::Message {
            continue;
        }
        let inner = field.type_name();
        fields.push((
            u64::from(field.number().unsigned_abs()),
            field.name().to_owned(),
        ));
        if let Some(back) = types.iter().position(|name| name == inner) {
            let (numbers, names): (Vec<_>, Vec<_>) = fields.iter().cloned().unzip();
            found.push(Loop {
                name: names.join("."),
                way: numbers[..back].to_vec(),
                turn: numbers[back..].to_vec(),
            });
        } else {
            types.push(inner.to_owned());
            walk(types, fields, messages, found);
            types.pop();
        }
        fields.pop();
    }
}
