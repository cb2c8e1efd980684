//! The rules of a field (protovalidate), as a person says them. A rule that this does not know stops the test.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage as _, Value};

use crate::contract::Contract;

/// The rules of a field; empty where it has none.
pub fn of(contract: &Contract, field: &FieldDescriptor) -> String {
    let message = field.parent_message().options();
    let whole = contract.option(&message, "buf.validate.message");
    assert!(
        whole.is_none(),
        "{} has rules as a whole",
        field.full_name()
    );
    let rules = contract.option(&field.options(), "buf.validate.field");
    rules.map_or_else(String::new, |rules| said(&rules, field).join("; "))
}

fn said(rules: &DynamicMessage, of: &FieldDescriptor) -> Vec<String> {
    let mut words = Vec::new();
    let mut may_be_empty = false;
    for (field, value) in rules.fields() {
        match (field.name(), value) {
            ("required", _) => words.push("required".to_owned()),
            ("ignore", _) => may_be_empty = true,
            (_, Value::Message(kind)) => words.extend(of_kind(field.name(), kind, of)),
            (name, value) => panic!("a rule nobody can say: {name} {value:?}"),
        }
    }
    if may_be_empty {
        words.push("or empty".to_owned());
    }
    words
}

fn of_kind(kind: &str, rules: &DynamicMessage, of: &FieldDescriptor) -> Vec<String> {
    let get = |name: &str| {
        let field = rules.descriptor().get_field_by_name(name)?;
        rules
            .has_field(&field)
            .then(|| rules.get_field(&field).into_owned())
    };
    let number = |name: &str| get(name).map(|v| told(&v));
    let mut words = Vec::new();
    let what = match kind {
        "string" => " characters",
        "repeated" => " entries",
        "bytes" => " bytes",
        _ => "",
    };
    let (least, most) = match kind {
        "string" | "bytes" => ("min_len", "max_len"),
        "repeated" => ("min_items", "max_items"),
        _ => ("gte", "lte"),
    };
    match (number(least), number(most)) {
        (Some(a), Some(b)) if a == b => words.push(format!("{a}{what}")),
        (Some(a), Some(b)) => words.push(format!("{a} to {b}{what}")),
        (Some(a), None) => words.push(format!("at least {a}{what}")),
        (None, Some(b)) => words.push(format!("at most {b}{what}")),
        (None, None) => {}
    }
    for (field, value) in rules.fields() {
        match (field.name(), value) {
            (name, _) if name == least || name == most => {}
            ("gt", value) => words.push(format!("more than {}", told(value))),
            ("lt", value) => words.push(format!("less than {}", told(value))),
            ("len", value) => words.push(format!("{}{what}", told(value))),
            ("pattern", value) => words.push(format!("`{}`", told(value).replace('|', "\\|"))),
            ("uuid", _) => words.push("a UUID".to_owned()),
            ("unique", _) => words.push("each once".to_owned()),
            // The introduction says it of all of them.
            ("defined_only", _) => {}
            ("not_in", value) if told(value) == "0" => words.push("not UNSPECIFIED".to_owned()),
            ("not_in", value) => words.push(format!("not {}", named(value, of))),
            ("in", value) => words.push(format!("one of {}", named(value, of))),
            ("items", Value::Message(each)) => {
                words.push(format!("each: {}", said(each, of).join(", ")));
            }
            (name, value) => panic!("a rule nobody can say: {name} {value:?}"),
        }
    }
    words
}

/// Values of an enumeration, by their names.
fn named(value: &Value, of: &FieldDescriptor) -> String {
    let (Kind::Enum(of), Value::List(numbers)) = (of.kind(), value) else {
        return told(value);
    };
    let names = numbers.iter().map(|number| {
        let number = number.as_i32().expect("a number");
        format!("`{}`", of.get_value(number).expect("a value").name())
    });
    names.collect::<Vec<_>>().join(", ")
}

fn told(value: &Value) -> String {
    match value {
        Value::I32(n) => n.to_string(),
        Value::I64(n) => n.to_string(),
        Value::U32(n) => n.to_string(),
        Value::U64(n) => n.to_string(),
        Value::F64(n) => n.to_string(),
        Value::String(text) => text.clone(),
        Value::List(values) => values.iter().map(told).collect::<Vec<_>>().join(", "),
        Value::Message(duration) => {
            let seconds = duration.get_field_by_name("seconds").expect("a duration");
            format!("{} s", seconds.as_i64().expect("seconds"))
        }
        other => panic!("a value nobody can say: {other:?}"),
    }
}
