//! `tests/verify_ledger.py` was written from the document alone: both verifiers must say the same of every file.

use std::{collections::HashMap, fs, path::PathBuf, process::Command};

use bangban_ledger::Trust;

use crate::{
    district::{District, bytes, key, report},
    tamper::{KINDS, Random, tampered},
};

/// Files that were tampered with: each kind this often.
const ROUNDS: u64 = 8;

/// What the second verifier says of each file: whether it is good.
fn python(files: &[(PathBuf, Vec<u8>)], trust: &[String]) -> HashMap<String, bool> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/verify_ledger.py");
    let answer = Command::new("python3")
        .arg(script)
        .args(trust)
        .args(files.iter().map(|file| &file.0))
        .output()
        .expect(
            "this test runs a second verifier: install python3 (Debian: apt-get install python3)",
        );
    let told = String::from_utf8(answer.stdout).unwrap();
    let verdict = |line: &str| {
        let mut words = line.split_whitespace();
        let (file, verdict) = (words.next().unwrap(), words.next().unwrap());
        (file.to_owned(), verdict == "ok")
    };
    let verdicts: HashMap<String, bool> = told.lines().map(verdict).collect();
    let complaint = String::from_utf8_lossy(&answer.stderr);
    assert_eq!(verdicts.len(), files.len(), "{complaint}");
    verdicts
}

/// Both verdicts on files, with key and kept checkpoints and without, and whether they agree. Answers those with.
fn verdicts(files: &[(String, Vec<u8>)]) -> HashMap<String, bool> {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.jsonl");
    let trust = District::sample().trust();
    let lines = trust
        .kept
        .iter()
        .map(|kept| serde_json::to_string(kept).unwrap() + "\n");
    fs::write(&kept, lines.collect::<String>()).unwrap();
    let paths: Vec<(PathBuf, Vec<u8>)> = files
        .iter()
        .map(|(name, bytes)| (folder.path().join(name), bytes.clone()))
        .collect();
    for (path, bytes) in &paths {
        fs::write(path, bytes).unwrap();
    }
    let trusted = [
        "--key",
        &hex::encode(key().public()),
        "--kept",
        kept.to_str().unwrap(),
    ]
    .map(str::to_owned);
    let mut with_trust = HashMap::new();
    for (trust, words) in [(Trust::default(), &[][..]), (trust, &trusted[..])] {
        let theirs = python(&paths, words);
        for ((name, bytes), (path, _)) in files.iter().zip(&paths) {
            let ours = report(bytes, &trust);
            assert_eq!(
                ours.is_good(),
                theirs[path.to_str().unwrap()],
                "{name}: {ours:?}"
            );
            with_trust.insert(name.clone(), ours.is_good());
        }
    }
    with_trust
}

#[test]
fn bx_6_both_verifiers_find_whatever_was_tampered_with() {
    let all: Vec<_> = (0..KINDS * ROUNDS).map(tampered).collect();
    let files: Vec<_> = all
        .iter()
        .map(|one| (one.name.clone(), one.bytes.clone()))
        .collect();
    let verdicts = verdicts(&files);
    for one in &all {
        assert_eq!(verdicts[&one.name], !one.is_covered, "{}", one.name);
    }
    assert!(all.iter().filter(|one| one.is_covered).count() > 200);
}

#[test]
fn bx_6_both_verifiers_pass_what_is_good() {
    let sample = District::sample();
    let mut files = vec![("whole".to_owned(), sample.bytes())];
    for subject in sample.chains.keys() {
        let name = subject.replace('/', "-");
        files.push((name, bytes(&sample.lines(Some(subject)))));
    }
    assert!(verdicts(&files).values().all(|is_good| *is_good));
}

/// Districts of any size, with acts after the last checkpoint, hold as well; what is kept of the sample is not theirs.
#[test]
fn bx_6_both_verifiers_agree_on_districts_of_any_size() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for seed in 0..12 {
        let mut random = Random(seed);
        let names: Vec<String> = (0..random.below(40))
            .map(|n| format!("cases/{n}"))
            .collect();
        let mut district = District::empty();
        for _ in 0..random.below(6) {
            let mut day: Vec<(&str, u64)> = Vec::new();
            for name in &names {
                day.extend(
                    (random.below(3) == 0).then(|| (name.as_str(), 1 + random.below(3) as u64)),
                );
            }
            district.day(&day);
        }
        let path = folder.path().join(seed.to_string());
        fs::write(&path, district.bytes()).unwrap();
        assert!(report(&district.bytes(), &district.trust()).is_good());
        files.push((path, district.bytes()));
    }
    assert!(python(&files, &[]).values().all(|is_good| *is_good));
}
