//! The refusals that the code makes, as far as a reader of its text can see them.

use std::{fs, path::Path};

/// What makes a refusal, up to where its reason stands.
const MAKERS: [&str; 7] = [
    "invalid(",
    "precondition(",
    "forbidden(",
    "not_found(",
    "exists(",
    "refused(",
    "unauthenticated(",
];

/// A file of Rust without its tests.
pub struct Source {
    /// Below the root.
    pub path: String,
    text: String,
}

/// Every file of services and of what they share.
pub fn read(root: &Path) -> Vec<Source> {
    let mut sources = Vec::new();
    for folder in ["services", "crates", "proto/src"] {
        collect(root, &root.join(folder), &mut sources);
    }
    assert!(sources.len() > 150, "{} files were found", sources.len());
    sources
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .strip_prefix(root)
            .expect("below the root")
            .display()
            .to_string();
        if path.is_dir() {
            collect(root, &path, sources);
        } else if name.ends_with(".rs") && name.contains("src/") {
            let text = fs::read_to_string(&path).expect("a file");
            let text = text
                .split("#[cfg(test)]")
                .next()
                .unwrap_or_default()
                .to_owned();
            sources.push(Source { path: name, text });
        }
    }
}

impl Source {
    /// Whether a service's methods can answer what is refused here; every service's where it is empty.
    pub fn is_seen_by(&self, service: &str) -> bool {
        !self.path.starts_with("services/")
            || self.path.starts_with("services/bangban/")
            || !service.is_empty() && self.path.starts_with(&format!("services/{service}/"))
    }

    /// Whether this text stands here as a string of its own.
    pub fn says(&self, text: &str) -> bool {
        self.text.contains(&format!("\"{text}\""))
    }

    /// Whether this is the other file, or a module within it.
    pub fn is_of(&self, other: &Self) -> bool {
        let room = other
            .path
            .trim_end_matches("/mod.rs")
            .trim_end_matches(".rs");
        let within = self.path.strip_prefix(room);
        self.path == other.path || within.is_some_and(|w| w.starts_with('/'))
    }

    /// Whether it judges numbers of documents and receipts: who asks cites the requirement.
    pub fn is_about_numbers(&self) -> bool {
        self.path.starts_with("crates/codes/")
    }

    /// Reasons with their requirement, empty where there is none beside it.
    pub fn refusals(&self) -> Vec<(&str, &str)> {
        let parts: Vec<&str> = self.text.split('"').collect();
        let mut found = Vec::new();
        for at in (1..parts.len()).step_by(2) {
            let before = parts[at - 1].trim_end();
            let kind = before.strip_suffix(',').and_then(|b| b.rsplit_once("::"));
            let is_new = kind.is_some_and(|(b, _)| {
                let b = b.trim_end_matches("Kind").trim_end_matches("Why");
                b.trim_end_matches("refusal::")
                    .trim_end_matches("bangban_kit::")
                    .trim_end()
                    .ends_with("Refusal::new(")
            });
            let is_reason = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            if !(is_new || MAKERS.iter().any(|m| before.ends_with(m)))
                || parts[at].is_empty()
                || !parts[at].chars().all(is_reason)
            {
                continue;
            }
            let is_beside = parts
                .get(at + 1)
                .is_some_and(|between| between.trim() == ",");
            let id = parts
                .get(at + 2)
                .filter(|_| is_beside)
                .copied()
                .unwrap_or_default();
            let is_id = id.starts_with("BB-") || id.starts_with("BX-");
            found.push((parts[at], if is_id { id } else { "" }));
        }
        found
    }
}

#[test]
fn refusals_are_found_with_and_without_a_requirement() {
    let text = r#"Refusal::new(Kind::Stale, "A_B", "BB-1", "x"), invalid("C", "field"), of("D", "BB-1"),
        bangban_kit::refusal::Refusal::new(
            bangban_kit::refusal::Kind::Unavailable,
            "E", "", "x") Refusal::exists("F", "BX-2", "Y")"#;
    let source = Source {
        path: "services/casework/src/x.rs".to_owned(),
        text: text.to_owned(),
    };
    assert_eq!(
        source.refusals(),
        [("A_B", "BB-1"), ("C", ""), ("E", ""), ("F", "BX-2")]
    );
    assert!(
        source.is_seen_by("casework") && !source.is_seen_by("directory") && !source.is_seen_by("")
    );
}
