//! Writes the page.

use std::fmt::Write as _;

use prost_reflect::{EnumDescriptor, FileDescriptor, MessageDescriptor, MethodDescriptor, Value};

use crate::{
    contract::Contract,
    fields::{request, table},
    refusals::{self, Item},
};

/// What stands before the reference: by hand.
const INTRO: &str = include_str!("intro.md");

/// What the introduction lists.
pub const ROLE: &str = "bangban.options.v1.Role";

/// The page.
pub fn write(contract: &Contract) -> String {
    let mut page = String::new();
    let mut add = |text: &str| {
        page.push_str(text);
        page.push('\n');
    };
    let files = contract.files();
    add(&INTRO
        .replace("<!-- contents -->\n", &contents(contract, &files))
        .replace("<!-- refusals -->\n", &common(contract))
        .replace("<!-- roles -->\n", &roles(contract)));
    for file in files.iter().filter(|f| f.services().len() > 0) {
        add(&services(contract, file));
    }
    add(
        "## Messages\n\nWhat requests and answers are made of. The acts that the feed carries stand in the files `acts.proto`.\n",
    );
    for file in files
        .iter()
        .filter(|f| !f.name().ends_with("acts.proto") && !f.name().contains("options"))
    {
        add(&messages(contract, file));
    }
    let lines = page.lines().map(str::trim_end);
    let mut tidy = String::new();
    for line in lines {
        if !(line.is_empty() && tidy.ends_with("\n\n")) {
            tidy.push_str(line);
            tidy.push('\n');
        }
    }
    format!("{}\n", tidy.trim_end())
}

fn contents(contract: &Contract, files: &[FileDescriptor]) -> String {
    let mut text = String::new();
    for service in files.iter().flat_map(FileDescriptor::services) {
        let name = link(service.full_name(), service.full_name());
        let what = paragraphs(contract.of_service(&service));
        let _ = writeln!(text, "- {name}: {}", first(&what));
    }
    text
}

pub fn link(text: &str, to: &str) -> String {
    format!("[{text}](#{to})")
}

fn anchor(of: &str) -> String {
    format!("<a id=\"{of}\"></a>")
}

/// In one line.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Paragraphs, each in one line.
fn paragraphs(text: &str) -> String {
    text.split("\n\n")
        .map(flat)
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// The first sentence.
pub fn first(text: &str) -> &str {
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let ends = paragraph.match_indices('.').map(|(at, _)| at + 1);
    let end = ends
        .filter(|at| paragraph[*at..].starts_with([' ', '\n']))
        .find(|at| {
            paragraph[*at..]
                .trim_start()
                .starts_with(char::is_uppercase)
        });
    &paragraph[..end.unwrap_or(paragraph.len())]
}

pub fn cell(text: &str) -> String {
    flat(text).replace('|', "\\|")
}

fn common(contract: &Contract) -> String {
    let mut text = String::from("| reason | when | code |\n| --- | --- | --- |\n");
    for line in refusals::common_lines(contract) {
        let (line, code) = line
            .trim_end_matches('.')
            .rsplit_once(". ")
            .expect("a code");
        let (reasons, when) = line.rsplit_once(": ").expect("when");
        let reasons: Vec<String> = reasons.split("; ").map(code_of).collect();
        let _ = writeln!(
            text,
            "| {} | {} | `{code}` |",
            reasons.join(", "),
            cell(when)
        );
    }
    text
}

/// `REASON (BB-1)` with the reason as code.
fn code_of(reason: &str) -> String {
    match reason.split_once(' ') {
        None => format!("`{reason}`"),
        Some((reason, rest)) => format!("`{reason}` {rest}"),
    }
}

fn roles(contract: &Contract) -> String {
    let mut text = String::from("| role | who |\n| --- | --- |\n");
    for value in contract
        .enumeration(ROLE)
        .values()
        .filter(|v| v.number() != 0)
    {
        let who = cell(contract.of_value(&value));
        let _ = writeln!(text, "| `{}` | {who} |", role(value.name()));
    }
    text
}

fn role(name: &str) -> String {
    name.trim_start_matches("ROLE_").to_lowercase()
}

fn services(contract: &Contract, file: &FileDescriptor) -> String {
    let mut text = String::new();
    for service in file.services() {
        let name = service.full_name();
        let _ = writeln!(text, "{}\n## {name}\n", anchor(name));
        if file.services().next().as_ref() == Some(&service) {
            let _ = writeln!(text, "{}\n", paragraphs(contract.of_file(file)));
        }
        let _ = writeln!(text, "{}\n", paragraphs(contract.of_service(&service)));
        text.push_str("| method | what it does | who may call it |\n| --- | --- | --- |\n");
        for method in service.methods() {
            let name = link(method.name(), method.full_name());
            let (words, _) = refusals::parts(contract.of_method(&method));
            let (what, who) = (cell(first(&words)), who(contract, &method));
            let who = who.split(';').next().unwrap_or_default();
            let _ = writeln!(text, "| {name} | {what} | {who} |");
        }
        text.push('\n');
        for method in service.methods() {
            text.push_str(&one(contract, &method));
        }
    }
    text
}

fn one(contract: &Contract, method: &MethodDescriptor) -> String {
    let name = method.full_name();
    let (words, _) = refusals::parts(contract.of_method(method));
    let mut text = format!(
        "{}\n### {}\n\n{}\n\n",
        anchor(name),
        method.name(),
        paragraphs(&words)
    );
    let service = method.parent_service();
    let kind = if method.is_server_streaming() {
        "one request, a stream of answers"
    } else {
        "one request, one answer"
    };
    let _ = writeln!(
        text,
        "- Call: `{}/{}`, {kind}.",
        service.full_name(),
        method.name()
    );
    let _ = writeln!(text, "- Who: {}.", who(contract, method));
    let _ = writeln!(text, "- Repeat: {}.", repeat(method));
    let _ = writeln!(text, "- Refuses: {}.", refused(contract, method));
    let _ = writeln!(
        text,
        "- Answers: {}.\n",
        link(method.output().name(), method.output().full_name())
    );
    text.push_str(&request(contract, &method.input()));
    text
}

fn who(contract: &Contract, method: &MethodDescriptor) -> String {
    let access = contract
        .option(&method.options(), "bangban.options.v1.access")
        .expect("access");
    let get = |name: &str| {
        access
            .get_field_by_name(name)
            .expect("a field")
            .into_owned()
    };
    if get("is_public") == Value::Bool(true) {
        return "everybody, without a token".to_owned();
    }
    let all = contract.enumeration(ROLE);
    let named = |value: &Value| {
        let number = value.as_enum_number().expect("a role");
        role(all.get_value(number).expect("a role").name())
    };
    let Value::List(roles) = get("roles") else {
        panic!("no roles")
    };
    let roles: Vec<String> = roles.iter().map(named).collect();
    if roles == ["service"] {
        return "only other services of the installation".to_owned();
    }
    let scope = match get("scope").as_enum_number() {
        Some(1) => "wherever they are",
        Some(2) => "within the region of the token",
        Some(3) => "for the whole country: the token names no region",
        Some(4) => "for the case that the token names",
        other => panic!("a scope nobody can say: {other:?}"),
    };
    format!("`{}`; {scope}", roles.join("`, `"))
}

fn repeat(method: &MethodDescriptor) -> &'static str {
    let options = method.options();
    let level = options
        .get_field_by_name("idempotency_level")
        .and_then(|v| v.as_enum_number());
    match (level, method.input().get_field_by_name("request_id")) {
        (Some(1), _) => "yes, it changes nothing",
        (_, Some(_)) => "yes, with the same `request_id` and the same body",
        _ => "yes",
    }
}

fn refused(contract: &Contract, method: &MethodDescriptor) -> String {
    let list = refusals::of_method(contract, method).expect("refusals");
    if list.0.is_empty() {
        return "nothing of its own".to_owned();
    }
    let said = list.0.iter().map(|item| {
        let (what, when) = match item {
            Item::Of(name, when) => {
                let other = contract.method(name).expect("a method");
                (
                    format!("what {} refuses", link(name, other.full_name())),
                    when,
                )
            }
            Item::Reason(reason, ids, when) if ids.is_empty() => (format!("`{reason}`"), when),
            Item::Reason(reason, ids, when) => (format!("`{reason}` ({})", ids.join(", ")), when),
        };
        if when.is_empty() {
            what
        } else {
            format!("{what}: {when}")
        }
    });
    said.collect::<Vec<_>>().join("; ")
}

fn messages(contract: &Contract, file: &FileDescriptor) -> String {
    let is_request =
        |message: &MessageDescriptor| contract.methods().any(|m| m.input() == *message);
    let mut text = String::new();
    for message in file.messages().filter(|m| !is_request(m)) {
        let name = message.full_name();
        let _ = writeln!(
            text,
            "{}\n### {name}\n\n{}\n",
            anchor(name),
            paragraphs(contract.of_message(&message))
        );
        text.push_str(&table(contract, message.fields().collect()));
    }
    for of in file.enums() {
        text.push_str(&values(contract, &of));
    }
    text
}

fn values(contract: &Contract, of: &EnumDescriptor) -> String {
    let name = of.full_name();
    let mut text = format!(
        "{}\n### {name}\n\n{}\n\n",
        anchor(name),
        paragraphs(contract.of_enum(of))
    );
    text.push_str("| value | meaning |\n| --- | --- |\n");
    for value in of.values().filter(|v| v.number() != 0) {
        let _ = writeln!(
            text,
            "| `{}` | {} |",
            value.name(),
            cell(contract.of_value(&value))
        );
    }
    text.push('\n');
    text
}
