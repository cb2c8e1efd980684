//! Messages in protobuf's wire format by their descriptors alone: written with content that is the same every time, and
//! read back field by field.

use std::collections::BTreeMap;

use bangban_proto::DESCRIPTORS;
use prost::{
    Message as _,
    bytes::Buf,
    encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint},
};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};

/// Deeper than any message of ours.
const DEEPEST: usize = 8;

/// All messages and enums of the contracts by their full names, with a dot in front.
pub struct Contracts {
    /// Messages.
    pub messages: BTreeMap<String, DescriptorProto>,
    enums: BTreeMap<String, EnumDescriptorProto>,
}

impl Contracts {
    /// Those of this build.
    pub fn current() -> Self {
        let set = FileDescriptorSet::decode(DESCRIPTORS).expect("descriptors");
        let mut contracts = Self {
            messages: BTreeMap::new(),
            enums: BTreeMap::new(),
        };
        for file in set.file {
            let package = format!(".{}", file.package());
            for message in file.message_type {
                contracts.add(&package, message);
            }
            for of in file.enum_type {
                contracts
                    .enums
                    .insert(format!("{package}.{}", of.name()), of);
            }
        }
        contracts
    }

    fn add(&mut self, within: &str, message: DescriptorProto) {
        let name = format!("{within}.{}", message.name());
        for nested in message.nested_type.clone() {
            self.add(&name, nested);
        }
        for of in message.enum_type.clone() {
            self.enums.insert(format!("{name}.{}", of.name()), of);
        }
        self.messages.insert(name, message);
    }

    fn message(&self, name: &str) -> &DescriptorProto {
        self.messages
            .get(name)
            .unwrap_or_else(|| panic!("the contracts have no {name}"))
    }

    /// A message in which every field is set, and every list has two entries.
    pub fn filled(&self, name: &str) -> Vec<u8> {
        self.fill(name, DEEPEST)
    }

    fn fill(&self, name: &str, deep: usize) -> Vec<u8> {
        assert!(deep > 0, "{name} is deeper than any message of ours");
        let mut fields: Vec<&FieldDescriptorProto> = self.message(name).field.iter().collect();
        fields.sort_by_key(|f| f.number());
        let mut bytes = Vec::new();
        for field in fields {
            self.fill_field(field, deep, &mut bytes);
        }
        bytes
    }

    fn fill_field(&self, field: &FieldDescriptorProto, deep: usize, bytes: &mut Vec<u8>) {
        let entries = if field.label() == Label::Repeated {
            2
        } else {
            1
        };
        let values = (0..entries).map(|entry| self.value(field, entry, deep));
        let tag = field.number().unsigned_abs();
        match wire_type(field) {
            WireType::LengthDelimited => {
                for value in values {
                    delimited(tag, &value, bytes);
                }
            }
            // Lists of numbers are packed.
            _ if entries > 1 => delimited(tag, &values.collect::<Vec<_>>().concat(), bytes),
            wire => {
                encode_key(tag, wire, bytes);
                values.for_each(|value| bytes.extend(value));
            }
        }
    }

    fn value(&self, field: &FieldDescriptorProto, entry: u64, deep: usize) -> Vec<u8> {
        let number = u64::from(field.number().unsigned_abs());
        let varint = |value: u64| {
            let mut bytes = Vec::new();
            encode_varint(value, &mut bytes);
            bytes
        };
        match field.r#type() {
            Type::String => format!("{} 甲{}", field.name(), number + entry).into_bytes(),
            Type::Bytes => vec![u8::try_from(number + entry).unwrap_or(u8::MAX); 3],
            Type::Message => self.fill(field.type_name(), deep - 1),
            Type::Bool => varint(1),
            Type::Double => (number as f64 + 0.5).to_le_bytes().to_vec(),
            Type::Enum => {
                let last = self.enums[field.type_name()].value.last().expect("a value");
                varint(u64::from(last.number().unsigned_abs()))
            }
            Type::Int32 | Type::Int64 | Type::Uint32 | Type::Uint64 => {
                varint(1000 + number + entry)
            }
            other => panic!("{}: teach this test to write {other:?}", field.name()),
        }
    }

    /// What stands in a message, a line a field: its path and its value.
    ///
    /// # Errors
    /// What the contracts do not know.
    pub fn told(&self, name: &str, bytes: &[u8]) -> Result<Vec<String>, String> {
        let mut lines = Vec::new();
        self.tell(name, "", bytes, &mut lines)?;
        Ok(lines)
    }

    fn tell(
        &self,
        name: &str,
        path: &str,
        mut bytes: &[u8],
        lines: &mut Vec<String>,
    ) -> Result<(), String> {
        let message = self.message(name);
        while bytes.has_remaining() {
            let (tag, wire) = decode_key(&mut bytes).map_err(|e| e.to_string())?;
            let known = message
                .field
                .iter()
                .find(|f| f.number().unsigned_abs() == tag);
            let field = known.ok_or_else(|| format!("{name} has no field {tag} any more"))?;
            let path = format!("{path}/{}", field.name());
            let mut part = match wire {
                WireType::LengthDelimited => {
                    let length = decode_varint(&mut bytes).map_err(|e| e.to_string())?;
                    bytes.copy_to_bytes(usize::try_from(length).map_err(|e| e.to_string())?)
                }
                WireType::SixtyFourBit => bytes.copy_to_bytes(8),
                _ => {
                    let before = bytes;
                    decode_varint(&mut bytes).map_err(|e| e.to_string())?;
                    let mut before = before;
                    before.copy_to_bytes(before.len() - bytes.len())
                }
            };
            match field.r#type() {
                Type::Message => self.tell(field.type_name(), &path, &part, lines)?,
                Type::String => lines.push(format!("{path} = {}", String::from_utf8_lossy(&part))),
                Type::Bytes => lines.push(format!("{path} = bytes {}", super::hex(&part))),
                Type::Double => lines.push(format!("{path} = {:?}", part.get_f64_le())),
                of => {
                    while part.has_remaining() {
                        let value = decode_varint(&mut part).map_err(|e| e.to_string())?;
                        lines.push(format!("{path} = {}", self.number(of, field, value)));
                    }
                }
            }
        }
        Ok(())
    }

    fn number(&self, of: Type, field: &FieldDescriptorProto, value: u64) -> String {
        match of {
            Type::Bool => (value != 0).to_string(),
            Type::Enum => {
                let values = &self.enums[field.type_name()].value;
                let named = values
                    .iter()
                    .find(|v| u64::from(v.number().unsigned_abs()) == value);
                named.map_or_else(
                    || format!("{value}, which has no name"),
                    |v| v.name().to_owned(),
                )
            }
            _ => value.to_string(),
        }
    }
}

fn wire_type(field: &FieldDescriptorProto) -> WireType {
    match field.r#type() {
        Type::String | Type::Bytes | Type::Message => WireType::LengthDelimited,
        Type::Double => WireType::SixtyFourBit,
        _ => WireType::Varint,
    }
}

/// A field of bytes, with its length in front.
pub fn delimited(tag: u32, value: &[u8], bytes: &mut Vec<u8>) {
    encode_key(tag, WireType::LengthDelimited, bytes);
    encode_varint(value.len() as u64, bytes);
    bytes.extend_from_slice(value);
}
