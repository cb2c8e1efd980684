//! Acts that were written stay readable for ever: one file for each kind of act, decoded by the contract of today and
//! compared field by field with what was written.
//!
//! A new kind of act needs a file of its own; with `BANGBAN_TESTS_WRITE_GOLDEN=1` this test writes those that are
//! missing into `tests/e2e/golden`, and never changes one that is there.

mod wire;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use bangban_casework::domain::fold;
use bangban_kit::refusal;
use bangban_proto::bangban::{
    casework::v1::{Case, CaseAct},
    directory::v1::DirectoryAct,
    events::v1::{TailRequest, event_feed_client::EventFeedClient},
};
use bangban_tests::{World, on_both};
use prost::Message as _;
use prost_types::{FieldDescriptorProto, Timestamp};
use serde_json::{Value, json};
use wire::{Contracts, delimited};

/// Set to write the files that are missing.
const WRITE: &str = "BANGBAN_TESTS_WRITE_GOLDEN";

/// The logs, each with the message that its acts are.
const LOGS: [(&str, &str); 2] = [
    ("casework", ".bangban.casework.v1.CaseAct"),
    ("directory", ".bangban.directory.v1.DirectoryAct"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/golden")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    let byte = |two: &[u32]| u8::try_from(two[0] << 4 | two[1]).expect("a byte");
    digits.chunks_exact(2).map(byte).collect()
}

/// The kinds of act of a log: the fields of its one-of.
fn kinds<'a>(contracts: &'a Contracts, message: &str) -> Vec<&'a FieldDescriptorProto> {
    contracts.messages[message].field.iter().collect()
}

/// The file of a kind as it would be written today.
fn written(contracts: &Contracts, message: &str, kind: &FieldDescriptorProto) -> Value {
    let mut bytes = Vec::new();
    let act = contracts.filled(kind.type_name());
    delimited(kind.number().unsigned_abs(), &act, &mut bytes);
    let fields = contracts
        .told(message, &bytes)
        .expect("what was just written");
    let lines: Vec<String> = hex(&bytes)
        .as_bytes()
        .chunks(100)
        .map(|l| String::from_utf8_lossy(l).into_owned())
        .collect();
    json!({"message": &message[1..], "kind": name(message, &bytes), "fields": fields, "bytes": lines})
}

/// The kind of an act as its log names it, where the service's crate says so.
fn name(message: &str, bytes: &[u8]) -> Value {
    if message != LOGS[0].1 {
        return Value::Null;
    }
    let act = CaseAct::decode(bytes).expect("an act").act;
    act.map_or(Value::Null, |act| fold::kind(&act).into())
}

/// Decodes by the types of today and writes again: what they do not know any more is lost on the way.
fn again(message: &str, bytes: &[u8]) -> Vec<u8> {
    if message == LOGS[0].1 {
        CaseAct::decode(bytes).expect("an act").encode_to_vec()
    } else {
        DirectoryAct::decode(bytes).expect("an act").encode_to_vec()
    }
}

fn strings(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

#[test]
fn every_kind_of_act_has_a_file_and_is_read_as_it_was_written() {
    let contracts = Contracts::current();
    let is_writing = std::env::var_os(WRITE).is_some();
    let mut wrong = Vec::new();
    for (log, message) in LOGS {
        for kind in kinds(&contracts, message) {
            let path = folder().join(log).join(format!("{}.json", kind.name()));
            if is_writing && !path.exists() {
                fs::create_dir_all(folder().join(log)).expect("a folder");
                let text = format!("{:#}\n", written(&contracts, message, kind));
                fs::write(&path, text).expect("written");
            }
            let Ok(text) = fs::read_to_string(&path) else {
                wrong.push(format!(
                    "{log}: {} has no golden file: run this test once with {WRITE}=1 and commit {}",
                    kind.name(),
                    path.display()
                ));
                continue;
            };
            let golden: Value = serde_json::from_str(&text).expect("JSON");
            let bytes = unhex(&strings(&golden["bytes"]).concat());
            match contracts.told(message, &bytes) {
                Ok(fields) if fields == strings(&golden["fields"]) => {}
                Ok(fields) => {
                    let was = strings(&golden["fields"]);
                    let differ = fields.iter().zip(was).find(|(is, was)| is != was);
                    wrong.push(format!("{log}: {}: is, and was: {differ:?}", kind.name()));
                }
                Err(error) => wrong.push(format!("{log}: {}: {error}", kind.name())),
            }
            if again(message, &bytes) != bytes {
                wrong.push(format!(
                    "{log}: {}: something is lost when it is decoded",
                    kind.name()
                ));
            }
            if golden["kind"] != name(message, &bytes) {
                wrong.push(format!(
                    "{log}: {} was {} in the log",
                    kind.name(),
                    golden["kind"]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_file_of_every_kind_that_was_ever_written_is_known_today() {
    let contracts = Contracts::current();
    for (log, message) in LOGS {
        let known: Vec<&str> = kinds(&contracts, message)
            .iter()
            .map(|k| k.name())
            .collect();
        for entry in fs::read_dir(folder().join(log)).expect("golden files") {
            let path = entry.expect("an entry").path();
            let kind = path
                .file_stem()
                .and_then(|s| s.to_str())
                .unwrap_or_default();
            assert!(
                known.contains(&kind),
                "{log}: {kind} was written once and is unknown today"
            );
        }
    }
}

#[test]
fn every_act_that_was_written_is_applied_and_none_is_refused() {
    let contracts = Contracts::current();
    let mut case = Case::default();
    for (applied, kind) in (1..).zip(kinds(&contracts, LOGS[0].1)) {
        let path = folder()
            .join("casework")
            .join(format!("{}.json", kind.name()));
        let text = fs::read_to_string(path).expect("a golden file");
        let golden: Value = serde_json::from_str(&text).expect("JSON");
        let bytes = unhex(&strings(&golden["bytes"]).concat());
        let act = CaseAct::decode(bytes.as_slice())
            .expect("an act")
            .act
            .expect("a kind");
        let before = case.act_count;
        fold::apply(&mut case, &act, Timestamp::default(), false);
        // The first one brings the whole case, with a count of its own.
        assert!(
            applied == 1 || case.act_count == before + 1,
            "{}",
            kind.name()
        );
    }
}

/// Whether this process serves the log of that name.
async fn is_served(world: &World, log: &str) -> bool {
    let service = world.service();
    let request = TailRequest {
        log: log.to_owned(),
        until_caught_up: true,
        ..TailRequest::default()
    };
    let tail = EventFeedClient::new(service.channel())
        .tail(service.request(request))
        .await;
    tail.map_or_else(|status| refusal::reason(&status) != "LOG_UNKNOWN", |_| true)
}

#[test]
fn every_log_that_is_served_has_golden_files() {
    on_both(|world| async move {
        let contracts = Contracts::current();
        for (name, message) in &contracts.messages {
            if !message.oneof_decl.iter().any(|one| one.name() == "act") {
                continue;
            }
            let log = name.split('.').nth(2).unwrap_or_default();
            let has_files = LOGS.iter().any(|(known, _)| *known == log);
            assert!(
                has_files || !is_served(world, log).await,
                "the acts of {log} need golden files: add {name} to LOGS"
            );
        }
        assert!(is_served(world, "casework").await);
    });
}
