//! What comments say of refusals.
//!
//! A method's comment ends with `Refuses: ITEM; ITEM; … .`, where an item is `REASON (BB-4.1, BX-2): when`, of which only the
//! reason is obligatory, or `what Service.Method refuses: when`. `Refuses: nothing of its own.` is said by those that
//! refuse only what every method can; that is a list of such items at the head of options.proto.

use std::collections::BTreeMap;

use prost_reflect::MethodDescriptor;

use crate::contract::Contract;

/// A part of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Its reason, the requirements that it may cite, and when.
    Reason(String, Vec<String>, String),
    /// Everything that another method refuses, and when.
    Of(String, String),
}

/// The list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusals(pub Vec<Item>);

impl Refusals {
    /// Reads `ITEM; ITEM; …`, without its full stop.
    fn read(text: &str) -> Result<Self, String> {
        text.split("; ")
            .map(item)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// With the reasons of another list.
    pub fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The reasons, each with all requirements that it cites.
    pub fn reasons(&self) -> impl Iterator<Item = (&String, Vec<&String>)> {
        let mut reasons: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
        for item in &self.0 {
            if let Item::Reason(reason, ids, _) = item {
                reasons.entry(reason).or_default().extend(ids);
            }
        }
        reasons.into_iter()
    }

    /// Whether a reason is listed with this requirement; with any where it is empty.
    pub fn has(&self, reason: &str, id: &str) -> bool {
        self.0.iter().any(|item| match item {
            Item::Reason(r, ids, _) => {
                r == reason && (id.is_empty() || ids.iter().any(|i| i == id))
            }
            Item::Of(..) => false,
        })
    }
}

fn item(text: &str) -> Result<Item, String> {
    let (what, when) = text.split_once(": ").unwrap_or((text, ""));
    let when = when.to_owned();
    if let Some(name) = what
        .strip_prefix("what ")
        .and_then(|w| w.strip_suffix(" refuses"))
    {
        return Ok(Item::Of(name.to_owned(), when));
    }
    let (reason, ids) = match what.split_once(" (") {
        None => (what, ""),
        Some((reason, ids)) => (
            reason,
            ids.strip_suffix(')')
                .ok_or(format!("no end of the requirements in {text:?}"))?,
        ),
    };
    let is_reason = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let ids: Vec<String> = ids
        .split(", ")
        .filter(|i| !i.is_empty())
        .map(str::to_owned)
        .collect();
    let are_ids = ids
        .iter()
        .all(|i| i.starts_with("BB-") || i.starts_with("BX-"));
    if reason.is_empty() || !reason.chars().all(is_reason) || !are_ids {
        return Err(format!("{text:?} is no `REASON (REQUIREMENT): when`"));
    }
    Ok(Item::Reason(reason.to_owned(), ids, when))
}

/// A comment's own words, and what follows `Refuses:`.
pub fn parts(comment: &str) -> (String, Option<String>) {
    match comment.rsplit_once("Refuses: ") {
        None => (comment.to_owned(), None),
        Some((before, list)) => {
            let list = list.split_whitespace().collect::<Vec<_>>().join(" ");
            (before.trim().to_owned(), Some(list))
        }
    }
}

/// What a method refuses.
pub fn of_method(contract: &Contract, method: &MethodDescriptor) -> Result<Refusals, String> {
    let (_, list) = parts(contract.of_method(method));
    let list = list.ok_or("its comment does not end with `Refuses: …`")?;
    let list = list
        .strip_suffix('.')
        .ok_or("the list does not end with a full stop")?;
    if list == "nothing of its own" {
        return Ok(Refusals::default());
    }
    let refusals = Refusals::read(list)?;
    for item in &refusals.0 {
        if let Item::Of(name, _) = item
            && contract.method(name).is_none()
        {
            return Err(format!("there is no method {name}"));
        }
    }
    let count = refusals
        .0
        .iter()
        .filter(|i| matches!(i, Item::Reason(..)))
        .count();
    if refusals.reasons().count() != count {
        return Err("a reason is listed twice".to_owned());
    }
    Ok(refusals)
}

/// The lines of the list at the head of options.proto.
pub fn common_lines(contract: &Contract) -> Vec<String> {
    let files = contract.files();
    let file = files.iter().find(|f| f.name().ends_with("options.proto"));
    let head = contract.of_file(file.expect("options.proto"));
    let lines = head.split("\n- ").skip(1);
    lines
        .map(|l| l.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

/// What every method can refuse.
pub fn common(contract: &Contract) -> Result<Refusals, String> {
    let mut all = Refusals::default();
    for line in common_lines(contract) {
        all.add(Refusals::read(line.trim_end_matches('.'))?);
    }
    Ok(all)
}

#[test]
fn lists_are_read_and_nonsense_is_not() {
    let read =
        Refusals::read("A_B (BB-4.1, BX-2): when; C; what X.Y refuses: of it").expect("a list");
    let reason = Item::Reason(
        "A_B".into(),
        vec!["BB-4.1".into(), "BX-2".into()],
        "when".into(),
    );
    assert_eq!(read.0[0], reason);
    assert_eq!(read.0[2], Item::Of("X.Y".into(), "of it".into()));
    assert!(read.has("A_B", "BX-2") && read.has("A_B", "") && !read.has("C", "BX-2"));
    for wrong in ["a", "A, B", "A (BB-1", "A (why)", ""] {
        assert!(Refusals::read(wrong).is_err(), "{wrong:?}");
    }
}
