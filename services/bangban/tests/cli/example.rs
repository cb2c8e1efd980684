//! The example client, as its README runs it: by strangers, from the .proto files alone.

use std::{
    path::Path,
    process::{Command, Output},
};

use crate::{bangban, running::Running, text, tls};

/// A member of staff of the sample district, and who moves the demonstration clock.
const AGENT: [&str; 8] = [
    "--role",
    "agent",
    "--subject",
    "hu-yulian",
    "--site",
    "yandengbao-village-station",
    "--region",
    "420527106206",
];
const CLOCK: [&str; 4] = ["--role", "operator", "--subject", "example"];

fn token(data: &Path, person: &[&str]) -> String {
    let signed = bangban(data, &[&["token"], person].concat()).output();
    text(&signed.expect("the binary runs").stdout)
        .trim()
        .to_owned()
}

fn example(data: &Path, arguments: &[&str]) -> Output {
    Command::new("infra/scripts/example")
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .env("AGENT_TOKEN", token(data, &AGENT))
        .env("CLOCK_TOKEN", token(data, &CLOCK))
        .output()
        .expect("bash runs the script")
}

fn walked(done: &Output) -> String {
    let told = text(&done.stdout);
    assert!(done.status.success(), "{told}\n{}", text(&done.stderr));
    // A refusal is read with its requirement and in both languages, and the same request makes no second case.
    let refusal = "CONSENT_MISSING (BB-4.1a): 须先取得服务对象同意 / the applicant's consent";
    assert!(told.contains(refusal), "{told}");
    assert!(told.contains("The same request again: the same case."));
    assert!(told.contains("CASE_STATE_FILED_AWAY"), "{told}");
    told
}

#[test]
fn the_example_client_walks_in_plain_text_and_through_tls() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let mut running = Running::start(bangban(data, &["run", "--listen", "127.0.0.1:0"]));
    let told = running.until_ready();
    let (_, ready) = told.rsplit_once("ready: grpc ").expect("an address");
    let address = ready.split(' ').next().unwrap_or_default();

    let ledger = data.join("example.jsonl").display().to_string();
    walked(&example(data, &["--address", address, "--ledger", &ledger]));
    let verified = bangban(data, &["ledger", "verify", &ledger]).output();
    let verified = text(&verified.expect("the binary runs").stdout);
    assert!(verified.contains("ledgers verified: 1"), "{verified}");

    let front = tls::Front::before(address, data);
    let server = ["--address", &front.address, "--ca", &front.authority];
    let named = [&server[..], &["--name", tls::NAME]].concat();
    let certified = ["--certificate", &front.certificate, "--key", &front.key];
    walked(&example(data, &[&named[..], &certified].concat()));
    for lacking in [named, [&server[..], &certified].concat()] {
        let refused = example(data, &lacking);
        let said = text(&refused.stderr);
        assert!(!refused.status.success(), "{lacking:?}");
        assert!(said.contains("UNAVAILABLE"), "{said}");
    }
}
