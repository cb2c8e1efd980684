//! The first call of the README, as it stands there: in both languages, with grpcurl, which is told nothing but an address.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{
    example::{AGENT, address, authority, running, token},
    text,
};

/// What every process serves beside its own.
const STANDARD: [&str; 4] = [
    "bangban.events.v1.EventFeed",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// grpcurl, by the folder that it lies in; none on a machine without Go.
fn grpcurl() -> Option<PathBuf> {
    let installed = Command::new("infra/scripts/grpcurl")
        .current_dir(root())
        .output();
    let installed = installed.expect("bash runs the script");
    if installed.status.code() == Some(3) {
        eprintln!("skipped: {}", text(&installed.stderr));
        return None;
    }
    assert!(installed.status.success(), "{}", text(&installed.stderr));
    Some(root().join(".tools/go"))
}

/// The blocks of the first call in a README, by what they are written in.
fn blocks(readme: &str, heading: &str) -> [String; 2] {
    let readme = std::fs::read_to_string(root().join(readme)).expect("a README");
    let (_, section) = readme.split_once(heading).expect("its section");
    ["sh", "json"].map(|language| {
        let (_, block) = section
            .split_once(&format!("```{language}\n"))
            .expect("a block");
        let (block, _) = block.split_once("```").expect("its end");
        block.to_owned()
    })
}

#[test]
fn the_first_call_of_the_readme_does_what_it_says() {
    let [script, answer] = blocks("README.md", "\n## A first call\n");
    let chinese = blocks("README.zh-CN.md", "\n## 第一次调用\n");
    assert_eq!(chinese, [script.clone(), answer.clone()]);
    let Some(tools) = grpcurl() else { return };

    let folder = tempfile::tempdir().expect("a folder");
    let (_running, address) = running(folder.path(), &[]);
    let installs = |line: &&str| !line.starts_with("go install");
    let script: Vec<&str> = script.lines().filter(installs).collect();
    let program = env!("CARGO_BIN_EXE_bangban");
    let token = format!("{program} token --data {}", folder.path().display());
    let script = script
        .join("\n")
        .replace("target/debug/bangban token", &token)
        .replace("127.0.0.1:7400", &address);
    let path = std::env::var("PATH").unwrap_or_default();
    let called = Command::new("bash")
        .args(["-euc", &script])
        .env("PATH", format!("{}:{path}", tools.display()))
        .output()
        .expect("bash runs");
    let told = text(&called.stdout);
    let all = format!("{told}\n{}", text(&called.stderr));
    assert!(called.status.success(), "{all}");
    let (listed, read) = told.split_once('{').expect("an answer");
    let listed: Vec<&str> = listed.lines().collect();
    for service in STANDARD.iter().chain(&[
        "bangban.casework.v1.CaseService",
        "bangban.directory.v1.ApplicantService",
        "bangban.scheduling.v1.BookingService",
    ]) {
        assert!(listed.contains(service), "{service}\n{all}");
    }
    // It is cut short there, and these two are another case's.
    let read: Value = serde_json::from_str(&format!("{{{read}")).expect("JSON");
    let shown: Value = serde_json::from_str(&answer).expect("JSON");
    for (key, value) in shown.as_object().expect("an object") {
        let is_own = ["id", "receipt"].contains(&key.as_str());
        assert!(
            read[key] == *value || (is_own && read[key].is_string()),
            "{key}\n{all}"
        );
    }
}

/// Asks casework alone, over TLS as the README says, what it serves: its own services and no other's.
pub fn lists_what_casework_serves(data: &Path, ready: &str) {
    let Some(tools) = grpcurl() else { return };
    let bearer = format!("authorization: Bearer {}", token(data, &AGENT));
    let listed = Command::new(tools.join("grpcurl"))
        .args(["-cacert", &authority(data), "-H", &bearer])
        .args([address(ready, "casework"), "list"])
        .output()
        .expect("grpcurl runs");
    let told = text(&listed.stdout);
    assert!(listed.status.success(), "{told}\n{}", text(&listed.stderr));
    let (own, standard): (Vec<&str>, Vec<&str>) = told
        .lines()
        .partition(|service| service.starts_with("bangban.casework.v1."));
    assert_eq!(standard, STANDARD);
    assert!(own.contains(&"bangban.casework.v1.CaseService"), "{told}");
}
