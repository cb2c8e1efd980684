//! Tables of the fields of messages.

use std::fmt::Write as _;

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::{
    contract::Contract,
    page::{ROLE, cell, first, link},
    rules,
};

/// Fields that the introduction explains for all requests.
const HEAD: [&str; 6] = [
    "district",
    "request_id",
    "etag",
    "after",
    "page_size",
    "page_token",
];

/// A request: what all share in one line, its own fields in a table.
pub fn request(contract: &Contract, message: &MessageDescriptor) -> String {
    let (head, own): (Vec<_>, Vec<_>) = message.fields().partition(|f| HEAD.contains(&f.name()));
    let head: Vec<String> = head.iter().map(|f| format!("`{}`", f.name())).collect();
    let mut text = match (head.is_empty(), own.is_empty()) {
        (true, true) => format!("`{}` is empty.\n\n", message.name()),
        (true, false) => format!("`{}`:\n\n", message.name()),
        (false, true) => format!(
            "`{}`: [{}](#what-requests-share).\n\n",
            message.name(),
            head.join(", ")
        ),
        (false, false) => {
            format!(
                "`{}`: [{}](#what-requests-share), and\n\n",
                message.name(),
                head.join(", ")
            )
        }
    };
    text.push_str(&table(contract, own));
    text
}

/// Fields, each with its rules.
pub fn table(contract: &Contract, fields: Vec<FieldDescriptor>) -> String {
    if fields.is_empty() {
        return String::new();
    }
    let mut text = String::from("| field | type | rules | meaning |\n| --- | --- | --- | --- |\n");
    for field in fields {
        let meaning = cell(meaning(contract, &field));
        let rules = rules::of(contract, &field);
        let _ = writeln!(
            text,
            "| `{}` | {} | {rules} | {meaning} |",
            field.name(),
            kind(&field)
        );
    }
    text.push('\n');
    text
}

/// Of a field without a comment the type says it.
fn meaning<'a>(contract: &'a Contract, field: &FieldDescriptor) -> &'a str {
    let said = contract.of_field(field);
    match field.kind() {
        Kind::Message(message) if said.is_empty() => first(contract.of_message(&message)),
        Kind::Enum(of) if said.is_empty() => first(contract.of_enum(&of)),
        _ => said,
    }
}

fn kind(field: &FieldDescriptor) -> String {
    let named = |name: &str, full: &str| {
        if full == ROLE {
            format!("[{name}](#who-you-are)")
        } else if full.starts_with("bangban.") {
            link(name, full)
        } else {
            name.to_owned()
        }
    };
    let one = match field.kind() {
        Kind::Message(message) => named(message.name(), message.full_name()),
        Kind::Enum(of) => named(of.name(), of.full_name()),
        scalar => format!("{scalar:?}").to_lowercase(),
    };
    assert!(!field.is_map(), "{}: a map", field.full_name());
    if field.is_list() {
        format!("list of {one}")
    } else {
        one
    }
}
