//! Messages with the shape of a descriptor, out of any bytes: a fuzzer that must find the wire format first seldom gets to
//! what stands in the fields.

use std::{collections::HashMap, sync::OnceLock};

use prost::Message;
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};

/// What a visitor says: it may be in no error.
pub const WORDS: &str = "words of a visitor";

/// What the checks care about.
const TEXTS: [&str; 32] = [
    "",
    WORDS,
    "demo",
    "c-1",
    " ",
    "a\0b",
    "\u{202e}",
    "de-CH",
    "https://example.org/a",
    "order_status",
    "acme.support",
    "1",
    "-1",
    "AQAAAAAAAAAHAAAAAAAAAA9CQBCy8Yw",
    "\u{1f600}",
    "{\"a\":[1]}",
    "platform",
    "zendesk",
    "api_key",
    "bot_id",
    "base_url",
    "webhook",
    "system",
    "messenger",
    "agent",
    "source",
    "settings",
    "settings.platform.zendesk.bot_id",
    "platform.zendesk.api_key",
    "env",
    "disabled",
    "scopes",
];

/// As deep as settings are: three tables, each a struct, an entry and a value, within an object within a request.
const DEPTH: usize = 12;

/// All messages and methods of the contract.
#[derive(Debug)]
pub struct Contract {
    messages: HashMap<String, DescriptorProto>,
    /// Path and type of the request, in order.
    pub methods: Vec<(String, String)>,
}

/// Bytes that decide; zero without end once they are used up.
#[derive(Debug)]
pub struct Dice<'a>(pub &'a [u8]);

/// The contract, read once.
pub fn contract() -> &'static Contract {
    static CONTRACT: OnceLock<Contract> = OnceLock::new();
    CONTRACT.get_or_init(Contract::read)
}

impl Contract {
    fn read() -> Self {
        let set = FileDescriptorSet::decode(parloir_proto::DESCRIPTORS).expect("a descriptor");
        let (mut messages, mut methods) = (HashMap::new(), Vec::new());
        for file in set.file {
            let package = file.package().to_owned();
            for service in &file.service {
                for method in &service.method {
                    let path = format!("/{package}.{}/{}", service.name(), method.name());
                    methods.push((path, method.input_type().to_owned()));
                }
            }
            for message in file.message_type {
                collect(&format!(".{package}"), message, &mut messages);
            }
        }
        Self { messages, methods }
    }

    /// A message of this type, encoded.
    pub fn shape(&self, name: &str, dice: &mut Dice<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.fill(name, dice, DEPTH, &mut bytes);
        bytes
    }

    fn fill(&self, name: &str, dice: &mut Dice<'_>, depth: usize, out: &mut Vec<u8>) {
        let fields = self
            .messages
            .get(name)
            .map_or(&[][..], |message| &message.field);
        for field in fields {
            let often = match (dice.next(), field.label()) {
                (0..=79, _) => 0,
                (250.., Label::Repeated) => 200,
                (dice, Label::Repeated) => usize::from(dice % 5),
                _ => 1,
            };
            for _ in 0..often {
                self.put(field, dice, depth, out);
            }
        }
    }

    fn put(
        &self,
        field: &FieldDescriptorProto,
        dice: &mut Dice<'_>,
        depth: usize,
        out: &mut Vec<u8>,
    ) {
        let number = u64::from(field.number().unsigned_abs());
        match field.r#type() {
            Type::Double | Type::Fixed64 | Type::Sfixed64 => {
                varint(number << 3 | 1, out);
                out.extend((0..8).map(|_| dice.next()));
            }
            Type::Float | Type::Fixed32 | Type::Sfixed32 => {
                varint(number << 3 | 5, out);
                out.extend((0..4).map(|_| dice.next()));
            }
            Type::String => long(number, dice.text().as_bytes(), out),
            Type::Bytes => long(number, &dice.bytes(), out),
            Type::Message | Type::Group => {
                let mut inner = Vec::new();
                if depth > 0 {
                    self.fill(field.type_name(), dice, depth - 1, &mut inner);
                }
                long(number, &inner, out);
            }
            _ => {
                varint(number << 3, out);
                varint(dice.number(), out);
            }
        }
    }
}

impl Dice<'_> {
    pub fn next(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn number(&mut self) -> u64 {
        match self.next() {
            dice @ 0..=199 => u64::from(dice % 20),
            200..=219 => u64::MAX,
            220..=229 => i64::MAX.unsigned_abs(),
            230..=239 => i64::MIN.cast_unsigned(),
            _ => (0..8).fold(0, |number, _| number << 8 | u64::from(self.next())),
        }
    }

    fn text(&mut self) -> String {
        match self.next() {
            dice @ 0..=199 => TEXTS[usize::from(dice) % TEXTS.len()].to_owned(),
            dice @ 200..=219 => TEXTS[usize::from(dice) % TEXTS.len()].repeat(600),
            _ => String::from_utf8_lossy(&self.bytes()).into_owned(),
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = usize::from(self.next()).min(self.0.len());
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes.to_vec()
    }
}

fn collect(
    within: &str,
    message: DescriptorProto,
    messages: &mut HashMap<String, DescriptorProto>,
) {
    let name = format!("{within}.{}", message.name());
    for inner in message.nested_type.clone() {
        collect(&name, inner, messages);
    }
    messages.insert(name, message);
}

fn long(number: u64, bytes: &[u8], out: &mut Vec<u8>) {
    varint(number << 3 | 2, out);
    varint(bytes.len() as u64, out);
    out.extend(bytes);
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number > 0x7f {
        out.push(u8::try_from(number & 0x7f).expect("seven bits") | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).expect("seven bits"));
}
