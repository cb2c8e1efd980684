//! Exports of ledgers and their verification, and the checkpoints that are kept of them.

use std::{
    fs::File,
    io::{BufReader, Write as _},
    path::Path,
};

use bangban_kit::{config::Config, identity::Person};
use bangban_ledger::{Kept, PublicKey, Report, Trust};
use bangban_proto::bangban::{
    casework::v1::{
        Checkpoint, ExportLedgerRequest, GetLedgerKeyRequest, ListCheckpointsRequest,
        ledger_service_client::LedgerServiceClient,
    },
    supervision::v1::{
        ListKeptCheckpointsRequest, checkpoint_service_client::CheckpointServiceClient,
    },
};

use crate::{
    cli,
    client::{Client, answered},
    failure::Failure,
    tell,
    token::Signer,
};

/// Does what was asked.
pub async fn answer(config: &Config, what: &cli::Ledger) -> Result<(), Failure> {
    match what {
        cli::Ledger::Verify(what) => verify(what),
        cli::Ledger::Checkpoints {
            district,
            kept,
            behind,
            address,
        } => {
            checkpoints(
                &auditor(config, address.as_deref())?,
                district,
                *kept,
                *behind,
            )
            .await
        }
        cli::Ledger::Key { address } => {
            let client = auditor(config, address.as_deref())?;
            let request = client.request(GetLedgerKeyRequest {});
            let answer = LedgerServiceClient::new(client.channel())
                .get_ledger_key(request)
                .await;
            let key = answered("the key cannot be had", answer)?;
            tell::line(hex(&key.public_key));
            Ok(())
        }
        cli::Ledger::Export {
            district,
            case,
            out,
            address,
        } => {
            let client = auditor(config, address.as_deref())?;
            let request = ExportLedgerRequest {
                district: district.clone(),
                case: case.clone().unwrap_or_default(),
                after: String::new(),
            };
            match out {
                Some(path) => {
                    let failed = |e: std::io::Error| {
                        Failure::of(
                            &format!("{} cannot be written; choose another --out", path.display()),
                            &e,
                        )
                    };
                    let mut file = std::io::BufWriter::new(File::create(path).map_err(failed)?);
                    export(&client, request, |line| {
                        writeln!(file, "{line}").map_err(failed)
                    })
                    .await?;
                    file.flush().map_err(failed)?;
                    tell::line(format!(
                        "written to {}; verify it with `bangban ledger verify {0}`",
                        path.display()
                    ));
                    Ok(())
                }
                None => {
                    let mut out = std::io::stdout().lock();
                    let gone = |e: std::io::Error| {
                        Failure::of("standard output was closed; write to a file with --out", &e)
                    };
                    let mut lines = Vec::new();
                    export(&client, request, |line| {
                        lines.push(line.to_owned());
                        Ok(())
                    })
                    .await?;
                    lines
                        .iter()
                        .try_for_each(|line| writeln!(out, "{line}"))
                        .map_err(gone)
                }
            }
        }
    }
}

/// Calls as an auditor of the whole country.
fn auditor(config: &Config, address: Option<&str>) -> Result<Client, Failure> {
    let auditor = Person {
        subject: "operator".to_owned(),
        roles: vec!["auditor".to_owned()],
        ..Person::default()
    };
    Client::connect(config, address)?.with(&Signer::open(config)?.token(&auditor, 1)?)
}

/// Streams an export, line by line.
pub async fn export(
    client: &Client,
    request: ExportLedgerRequest,
    mut each: impl FnMut(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let refused =
        |status: tonic::Status| Failure::refused("the ledger cannot be exported", &status);
    let mut service = LedgerServiceClient::new(client.channel());
    let mut stream = service
        .export_ledger(client.stream_request(request))
        .await
        .map_err(refused)?
        .into_inner();
    while let Some(part) = stream.message().await.map_err(refused)? {
        part.lines.iter().try_for_each(|line| each(line))?;
    }
    Ok(())
}

/// Prints a district's checkpoints: casework's, or those that supervision has kept.
async fn checkpoints(
    client: &Client,
    district: &str,
    is_kept: bool,
    mut behind: u64,
) -> Result<(), Failure> {
    const PAGE: i32 = 500;
    const WHAT: &str = "the checkpoints cannot be listed";
    loop {
        let district = district.to_owned();
        let (found, has_more): (Vec<Checkpoint>, bool) = if is_kept {
            let request = ListKeptCheckpointsRequest {
                district,
                behind,
                page_size: PAGE,
                ..ListKeptCheckpointsRequest::default()
            };
            let answer = CheckpointServiceClient::new(client.channel())
                .list_kept_checkpoints(client.request(request))
                .await;
            let answer = answered(WHAT, answer)?;
            // What contradicts an earlier one was kept as evidence, and is not what to compare with.
            let sound = answer.checkpoints.into_iter().filter(|c| c.is_sound);
            (
                sound.filter_map(|c| c.checkpoint).collect(),
                answer.has_more,
            )
        } else {
            let request = ListCheckpointsRequest {
                district,
                behind,
                page_size: PAGE,
                ..ListCheckpointsRequest::default()
            };
            let answer = LedgerServiceClient::new(client.channel())
                .list_checkpoints(client.request(request))
                .await;
            let answer = answered(WHAT, answer)?;
            (answer.checkpoints, answer.has_more)
        };
        for checkpoint in &found {
            behind = behind.max(checkpoint.number);
            let line =
                serde_json::to_string(&kept(checkpoint)).map_err(|e| Failure::of(WHAT, &e))?;
            tell::line(line);
        }
        if !has_more || found.is_empty() {
            return Ok(());
        }
    }
}

/// A checkpoint as a line of a file.
fn kept(checkpoint: &Checkpoint) -> Kept {
    Kept {
        district: checkpoint.district.clone(),
        number: checkpoint.number,
        day: checkpoint.day.clone(),
        leaf_count: checkpoint.leaf_count,
        root: hex(&checkpoint.root),
        previous: hex(&checkpoint.previous),
        hash: hex(&checkpoint.hash),
        key: checkpoint.key.clone(),
        signature: hex(&checkpoint.signature),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A key in hexadecimal.
fn key(text: &str) -> Option<PublicKey> {
    let mut key = PublicKey::default();
    if text.len() != 2 * key.len() || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(key)
}

/// What the file is compared with.
fn trust(what: &cli::Verify) -> Result<Trust, Failure> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).map_err(|e| {
            Failure::of(
                &format!("{} cannot be read; name another file", path.display()),
                &e,
            )
        })
    };
    let mut trust = Trust::default();
    for given in &what.keys {
        if let Some(key) = key(given) {
            trust.keys.push(key);
            continue;
        }
        let text = read(Path::new(given))?;
        let keys: Option<Vec<PublicKey>> = text.split_whitespace().map(key).collect();
        let keys = keys.filter(|keys| !keys.is_empty()).ok_or_else(|| {
            Failure::new(format!(
                "{given} holds no public key: 64 hexadecimal digits, as `bangban ledger key` prints them"
            ))
        })?;
        trust.keys.extend(keys);
    }
    for path in &what.kept {
        let before = trust.kept.len();
        for (at, line) in (1..).zip(read(path)?.lines()) {
            let kept = Kept::parse(line).map_err(|e| {
                Failure::new(format!(
                    "{} line {at} is no checkpoint as `bangban ledger checkpoints` prints them: {e}",
                    path.display()
                ))
            })?;
            trust.kept.push(kept);
        }
        if trust.kept.len() == before {
            return Err(Failure::new(format!(
                "{} holds no checkpoint: nothing would be compared; name another file",
                path.display()
            )));
        }
    }
    Ok(trust)
}

/// Verifies a file.
pub fn verify(what: &cli::Verify) -> Result<(), Failure> {
    let trust = trust(what)?;
    let unreadable = |e: std::io::Error| {
        Failure::of(
            &format!(
                "{} cannot be read; name a file that `bangban ledger export` wrote",
                what.file.display()
            ),
            &e,
        )
    };
    let file = File::open(&what.file).map_err(unreadable)?;
    let report =
        bangban_ledger::verify_with(BufReader::new(file), &trust, |_| {}).map_err(unreadable)?;
    covered(&report, &trust);
    judge(&report)
}

/// Prints what stands behind the chains beside themselves.
fn covered(report: &Report, trust: &Trust) {
    if report.is_filtered() {
        tell::line(
            "only a part of the district was exported: whether another case is missing cannot be told. \
             仅导出部分办件，无法判断是否缺少其他办件。",
        );
    }
    if report.head.is_some() && report.checkpoints == 0 {
        tell::line(
            "no checkpoint in the file: a case or an end that was cut off before it was exported cannot be noticed. \
             文件不含检查点，无法发现导出前被截断的内容。",
        );
    }
    let Some((number, day)) = &report.last_checkpoint else {
        return;
    };
    let known = if trust.keys.is_empty() {
        " (not compared with a known key 未与已知密钥核对: --key)"
    } else {
        ""
    };
    tell::line(format!(
        "checkpoints 检查点: {}, the last is {number} of {day}; signed by {}{known}; cases compared with them: {}",
        report.checkpoints,
        report.signers.join(", "),
        report.covered
    ));
}

/// Prints what was verified and what is wrong.
pub fn judge(report: &Report) -> Result<(), Failure> {
    for problem in &report.problems {
        let subject = problem
            .subject
            .as_ref()
            .map(|s| format!(", case 办件 {s}"))
            .unwrap_or_default();
        let number = problem
            .number
            .map(|n| format!(", act 记录 {n}"))
            .unwrap_or_default();
        let checkpoint = problem
            .checkpoint
            .map(|n| format!(", checkpoint 检查点 {n}"))
            .unwrap_or_default();
        tell::line(format!(
            "line {} 行{subject}{number}{checkpoint}: {} / {}",
            problem.line, problem.zh, problem.en
        ));
    }
    tell::line(format!("ledgers verified: {}", report.verified));
    if report.is_good() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} problems, {} of {} cases verified: do not rely on this file; export it again and compare, and tell supervision. \
         此文件不可信，请重新导出比对。",
        report.problem_count, report.verified, report.cases
    )))
}
