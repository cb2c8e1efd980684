//! Exports of ledgers, and their verification.

use std::{
    fs::File,
    io::{BufReader, Write as _},
    path::Path,
};

use bangban_kit::{config::Config, identity::Person};
use bangban_ledger::Report;
use bangban_proto::bangban::casework::v1::{
    ExportLedgerRequest, ledger_service_client::LedgerServiceClient,
};

use crate::{cli, client::Client, failure::Failure, tell, token::Signer};

/// Does what was asked.
pub async fn answer(config: &Config, what: &cli::Ledger) -> Result<(), Failure> {
    match what {
        cli::Ledger::Verify { file } => verify_file(file),
        cli::Ledger::Export {
            district,
            case,
            out,
            address,
        } => {
            let auditor = Person {
                subject: "operator".to_owned(),
                roles: vec!["auditor".to_owned()],
                ..Person::default()
            };
            let client = Client::connect(config, address.as_deref())?
                .with(&Signer::open(config)?.token(&auditor, 1)?)?;
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

/// Verifies a file.
pub fn verify_file(path: &Path) -> Result<(), Failure> {
    let unreadable = |e: std::io::Error| {
        Failure::of(
            &format!(
                "{} cannot be read; name a file that `bangban ledger export` wrote",
                path.display()
            ),
            &e,
        )
    };
    let file = File::open(path).map_err(unreadable)?;
    let report = bangban_ledger::verify(BufReader::new(file)).map_err(unreadable)?;
    judge(&report)
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
        tell::line(format!(
            "line {} 行{subject}{number}: {} / {}",
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
