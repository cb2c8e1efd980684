//! The example client, as its README runs it: by strangers, from the .proto files alone.

use std::{
    path::Path,
    process::{Command, Output},
};

use crate::{
    bangban,
    certificates::{Authority, SERVER},
    running::Running,
    text,
};

/// A member of staff of the sample district, and who moves the demonstration clock.
pub const AGENT: [&str; 8] = [
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

pub fn token(data: &Path, person: &[&str]) -> String {
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

/// Where a service is, by the line that says that they are ready.
pub fn address<'a>(ready: &'a str, service: &str) -> &'a str {
    let mut words = ready.split(' ').skip_while(|word| *word != service);
    words.nth(1).expect("an address")
}

/// The authority of the services of a folder.
pub fn authority(data: &Path) -> String {
    let authority = data.join("certificates/authority.pem");
    authority.display().to_string()
}

/// Walks through services as processes of their own, where the line says that they are ready.
pub fn walks_through(data: &Path, ready: &str) {
    let (directory, casework) = (address(ready, "directory"), address(ready, "casework"));
    let authority = authority(data);
    let addresses = ["--address", directory, "--casework", casework];
    walked(&example(
        data,
        &[&addresses[..], &["--ca", &authority]].concat(),
    ));
}

/// A demonstration that serves, with its address.
pub fn running(data: &Path, flags: &[&str]) -> (Running, String) {
    let arguments = [&["run", "--listen", "127.0.0.1:0"], flags].concat();
    let mut running = Running::start(bangban(data, &arguments));
    let told = running.until_ready();
    let (_, ready) = told.rsplit_once("ready: grpc ").expect("an address");
    let address = ready.split(' ').next().unwrap_or_default().to_owned();
    (running, address)
}

#[test]
fn the_example_client_walks_and_keeps_the_ledger() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let (_running, address) = running(data, &[]);
    let ledger = data.join("example.jsonl").display().to_string();
    walked(&example(
        data,
        &["--address", &address, "--ledger", &ledger],
    ));
    let verified = bangban(data, &["ledger", "verify", &ledger]).output();
    let verified = text(&verified.expect("the binary runs").stdout);
    assert!(verified.contains("ledgers verified: 1"), "{verified}");
}

#[test]
fn the_example_client_walks_through_tls_and_trusts_only_its_authority() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let authority = Authority::in_folder(data);
    authority.sign("server", &[SERVER, "127.0.0.1"]);
    authority.sign("caller", &["caller.example"]);
    let file = |name: &str| data.join(name).display().to_string();
    let setting = |key: &str, name: &str| format!("tls.{key}={}", file(name));
    let settings = [
        setting("certificate", "server.pem"),
        setting("key", "server.key"),
        setting("authority", "authority.pem"),
    ];
    let flags: Vec<&str> = settings.iter().flat_map(|s| ["--set", s]).collect();
    let (_running, address) = running(data, &flags);

    let trusting = |ca: &str, name: &str| -> Vec<String> {
        let ca = file(ca);
        ["--address", &address, "--ca", &ca, "--name", name]
            .map(str::to_owned)
            .to_vec()
    };
    let caller = [
        "--certificate",
        &file("caller.pem"),
        "--key",
        &file("caller.key"),
    ];
    let trusted = trusting("authority.pem", SERVER);
    let trusted: Vec<&str> = trusted.iter().map(String::as_str).collect();
    walked(&example(data, &[&trusted[..], &caller].concat()));

    for wrong in [
        trusting("caller.pem", SERVER),
        trusting("authority.pem", "another.internal"),
    ] {
        let wrong: Vec<&str> = wrong.iter().map(String::as_str).collect();
        let refused = example(data, &wrong);
        let said = text(&refused.stderr);
        assert!(!refused.status.success(), "{wrong:?}");
        assert!(said.contains("UNAVAILABLE"), "{said}");
    }
}
