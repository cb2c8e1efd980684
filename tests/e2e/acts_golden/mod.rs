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

use bangban_casework::domain::fold as cases;
use bangban_consultation::domain::fold as consultations;
use bangban_kit::refusal;
use bangban_proto::bangban::{
    casework::v1::{Case, CaseAct, LedgerAct},
    consultation::v1::{Consultation, ConsultationAct},
    directory::v1::DirectoryAct,
    events::v1::{TailRequest, event_feed_client::EventFeedClient},
    scheduling::v1::SchedulingAct,
};
use bangban_scheduling::domain::fold as appointments;
use bangban_tests::{World, on_both};
use prost::Message as _;
use prost_types::{FieldDescriptorProto, Timestamp};
use serde_json::{Value, json};
use wire::{Contracts, delimited};

/// Set to write the files that are missing.
const WRITE: &str = "BANGBAN_TESTS_WRITE_GOLDEN";

const CASE: &str = ".bangban.casework.v1.CaseAct";
const CONSULTATION: &str = ".bangban.consultation.v1.ConsultationAct";
const DIRECTORY: &str = ".bangban.directory.v1.DirectoryAct";
const SCHEDULING: &str = ".bangban.scheduling.v1.SchedulingAct";
const LEDGER: &str = ".bangban.casework.v1.LedgerAct";

/// The messages that acts are, each with the folder of its files.
const LOGS: [(&str, &str); 5] = [
    ("casework", CASE),
    ("consultation", CONSULTATION),
    ("directory", DIRECTORY),
    ("ledger", LEDGER),
    ("scheduling", SCHEDULING),
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
    let kind = match message {
        CASE => {
            let act = CaseAct::decode(bytes).expect("an act").act;
            act.map(|act| cases::kind(&act))
        }
        CONSULTATION => {
            let act = ConsultationAct::decode(bytes).expect("an act").act;
            act.map(|act| consultations::kind(&act))
        }
        SCHEDULING => {
            let act = SchedulingAct::decode(bytes).expect("an act").act;
            act.map(|act| appointments::kind(&act))
        }
        _ => None,
    };
    kind.map_or(Value::Null, Value::from)
}

/// Decodes by the types of today and writes again: what they do not know any more is lost on the way.
fn again(message: &str, bytes: &[u8]) -> Vec<u8> {
    fn of<T: prost::Message + Default>(bytes: &[u8]) -> Vec<u8> {
        T::decode(bytes).expect("an act").encode_to_vec()
    }
    match message {
        CASE => of::<CaseAct>(bytes),
        CONSULTATION => of::<ConsultationAct>(bytes),
        DIRECTORY => of::<DirectoryAct>(bytes),
        LEDGER => of::<LedgerAct>(bytes),
        SCHEDULING => of::<SchedulingAct>(bytes),
        other => panic!("say here what {other} is decoded by"),
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

/// The acts of every kind as they were written, in the order of the contract.
fn written_once<T: prost::Message + Default>(folder_name: &str, message: &str) -> Vec<(String, T)> {
    let contracts = Contracts::current();
    let read = |kind: &&FieldDescriptorProto| {
        let file = format!("{}.json", kind.name());
        let text = fs::read_to_string(folder().join(folder_name).join(file));
        let golden: Value = serde_json::from_str(&text.expect("a golden file")).expect("JSON");
        let bytes = unhex(&strings(&golden["bytes"]).concat());
        let act = T::decode(bytes.as_slice()).expect("an act");
        (kind.name().to_owned(), act)
    };
    kinds(&contracts, message).iter().map(read).collect()
}

#[test]
fn every_act_that_was_written_is_applied_and_none_is_refused() {
    // The first one brings the whole, with a count of its own.
    let (mut case, mut count) = (Case::default(), None);
    for (kind, act) in written_once::<CaseAct>("casework", CASE) {
        let act = act.act.expect("a kind");
        cases::apply(&mut case, &act, Timestamp::default(), false);
        assert!(count.is_none_or(|c| case.act_count == c + 1), "{kind}");
        count = Some(case.act_count);
    }
    let (mut consultation, mut count) = (Consultation::default(), None);
    for (kind, act) in written_once::<ConsultationAct>("consultation", CONSULTATION) {
        let act = act.act.expect("a kind");
        consultations::apply(&mut consultation, &act, Timestamp::default(), false);
        let is_next = count.is_none_or(|c| consultation.act_count == c + 1);
        assert!(is_next, "{kind}");
        count = Some(consultation.act_count);
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
            let has_files = LOGS.iter().any(|(_, known)| known == name);
            assert!(
                has_files || !is_served(world, log).await,
                "the acts of {log} need golden files: add {name} to LOGS"
            );
        }
        assert!(is_served(world, "casework").await);
    });
}
