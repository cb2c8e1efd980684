//! A small district to tamper with.

use bangban_ledger::{Entry, Hash, Head, ProblemKind, Report, START, Writer, verify};
use sha2::{Digest, Sha256};

pub const NOON: i64 = 1_795_406_400_123_456;

pub fn head() -> Head {
    Head {
        district: "shu-he".to_owned(),
        exported_at_us: NOON,
        exporter: "staff/7".to_owned(),
        case_filter: None,
    }
}

pub fn case(subject: &str, act_count: u64) -> Vec<Entry> {
    (1..=act_count)
        .map(|number| entry(subject, number))
        .collect()
}

pub fn entry(subject: &str, number: u64) -> Entry {
    Entry {
        district: "shu-he".to_owned(),
        subject: subject.to_owned(),
        number,
        kind: "casework.v1.MaterialReceived".to_owned(),
        acted_at_us: NOON + i64::try_from(number).unwrap() * 60_000_000,
        actor: "staff/7".to_owned(),
        actor_site: if number == 1 {
            String::new()
        } else {
            "site/3".to_owned()
        },
        is_demonstration: number == 2,
        payload: format!("{subject}: 材料 {number}").into_bytes(),
    }
}

pub fn lines(cases: &[Vec<Entry>]) -> Vec<String> {
    let (mut writer, first) = Writer::new(&head());
    let mut lines = vec![first];
    for acts in cases {
        let mut chain: Vec<(Hash, Hash)> = Vec::new();
        for act in acts {
            let previous = chain.last().map_or(START, |link| link.1);
            chain.push((previous, act.hash(&previous)));
        }
        let end = chain.last().map_or(START, |link| link.1);
        let subject = acts.first().map_or("case/none", |act| &act.subject);
        lines.push(writer.case(subject, Some("00042-1234-5678-5"), acts.len() as u64, &end));
        for (act, (previous, hash)) in acts.iter().zip(&chain) {
            lines.push(writer.act(act, hash, previous, Some("收到材料\n\"1\" 份")));
        }
    }
    lines.push(writer.end());
    lines
}

pub fn good() -> Vec<String> {
    lines(&[case("case/a", 3), case("case/b", 1), case("case/c", 2)])
}

pub fn bytes(lines: &[String]) -> Vec<u8> {
    lines
        .iter()
        .flat_map(|line| [line.as_bytes(), b"\n"].concat())
        .collect()
}

pub fn report(lines: &[String]) -> Report {
    verify(&*bytes(lines)).unwrap()
}

pub fn kinds(report: &Report) -> Vec<ProblemKind> {
    report.problems.iter().map(|problem| problem.kind).collect()
}

/// Does what anybody can who edits an export: counts again and restates the digest in the end line.
pub fn reseal(lines: &mut [String]) {
    let Some((end, rest)) = lines.split_last_mut() else {
        return;
    };
    let count = |kind: &str| {
        rest.iter()
            .filter(|line| line.contains(&format!("\"line\":\"{kind}\"")))
            .count()
    };
    let (cases, acts) = (count("case"), count("act"));
    if end.contains("\"line\":\"end\"") {
        let sha256 = hex::encode(Sha256::digest(bytes(rest)));
        *end = format!(
            r#"{{"line":"end","case_count":{cases},"act_count":{acts},"sha256":"{sha256}"}}"#
        );
    }
}

/// Changes fields of one line, as an editor would.
pub fn edit(
    line: &mut String,
    change: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>),
) {
    let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
    change(value.as_object_mut().unwrap());
    *line = value.to_string();
}
