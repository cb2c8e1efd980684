//! Progress for the applicant, at any time, for the receipt number and a proof of identity (BB-4.2b).

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use bangban_kit::{identity::Caller, refusal::Refusal, scope::Scope};
use bangban_proto::bangban::{
    casework::v1::{
        Case, CaseState, GetProgressRequest, GetProgressResponse, ProgressStep, Recount,
    },
    directory::v1::{ProveIdentityRequest, applicant_service_client::ApplicantServiceClient},
    types::v1::Text,
};
use prost_types::Timestamp;
use tonic::{Request, Response, Status};

use super::{Rpc, read::receipt, taken};
use crate::{
    domain::{clock, outside::local},
    store,
};

/// Wrong proofs after which a receipt is closed for a while.
const MOST_WRONG: u32 = 10;

/// For how long wrong proofs count, and a receipt stays closed.
const WINDOW: Duration = Duration::from_secs(3600);

/// Most receipts that are watched at once; beyond it the oldest are forgotten.
const MOST_WATCHED: usize = 100_000;

/// Wrong proofs of identity, by receipt: so that nobody guesses six characters.
#[derive(Debug, Default)]
pub struct Proofs(Mutex<HashMap<String, (u32, Instant)>>);

impl Proofs {
    fn is_closed(&self, receipt: &str) -> bool {
        let wrong = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        wrong
            .get(receipt)
            .is_some_and(|(count, since)| *count >= MOST_WRONG && since.elapsed() < WINDOW)
    }

    fn was_wrong(&self, receipt: &str) {
        let mut wrong = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if wrong.len() >= MOST_WATCHED {
            wrong.retain(|_, (_, since)| since.elapsed() < WINDOW);
        }
        let entry = wrong
            .entry(receipt.to_owned())
            .or_insert((0, Instant::now()));
        if entry.1.elapsed() >= WINDOW {
            *entry = (0, Instant::now());
        }
        entry.0 += 1;
    }
}

fn unknown() -> Refusal {
    Refusal::not_found(
        "PROGRESS_UNKNOWN",
        "BB-4.2b",
        "查询不到：请核对回执号和证件号码",
        "nothing found: check the receipt number and the document",
    )
}

impl Rpc {
    pub(super) async fn read_progress(
        &self,
        request: Request<GetProgressRequest>,
    ) -> Result<Response<GetProgressResponse>, Status> {
        let (_, deadline, r) = taken(request);
        let receipt = receipt(&r.receipt)?;
        if self.proofs.is_closed(&receipt) {
            return Err(unknown().into());
        }
        let found = store::find(
            &self.store,
            &Scope::whole(&r.district),
            store::By::Receipt,
            &receipt,
        )
        .await?;
        let Some(case) = found else {
            self.proofs.was_wrong(&receipt);
            return Err(unknown().into());
        };
        let proof = ProveIdentityRequest {
            district: r.district,
            applicant: case.applicant.clone(),
            document: r.document_end,
        };
        let proof = self
            .directory
            .request(&Caller::system("casework"), deadline, proof)?;
        let mut directory = ApplicantServiceClient::new(self.directory.channel.clone());
        if !directory
            .prove_identity(proof)
            .await?
            .into_inner()
            .is_proved
        {
            self.proofs.was_wrong(&receipt);
            return Err(unknown().into());
        }
        Ok(Response::new(told(&case)))
    }
}

/// A due time that moved, as the applicant is told (BX-3).
fn moved(recount: &Recount) -> ProgressStep {
    let day = |at: &Option<Timestamp>| {
        let at = at.as_ref().and_then(local);
        at.map(|at| at.format("%Y-%m-%d %H:%M").to_string())
    };
    let after = day(&recount.after).unwrap_or_default();
    let (zh, en) = match (recount.reason.as_str(), day(&recount.before)) {
        ("resumed", _) | (_, None) => (
            format!("期限恢复计算，办理期限至 {after}"),
            format!("the clock goes on: the decision is due by {after}"),
        ),
        ("extended", Some(before)) => (
            format!("经批准延长，办理期限由 {before} 延至 {after}"),
            format!("extended with approval: due by {after}, no longer by {before}"),
        ),
        (reason, Some(before)) => (
            format!("工作日历变化（{reason}），办理期限由 {before} 调整为 {after}"),
            format!("the calendar has changed ({reason}): due by {after}, no longer by {before}"),
        ),
    };
    ProgressStep {
        at: recount.recounted_at,
        text: Some(Text { zh, en }),
    }
}

/// What the applicant may know; neighbours reading along learn neither item nor person.
fn told(case: &Case) -> GetProgressResponse {
    let record = case.department_record.clone().unwrap_or_default();
    let mut steps = Vec::new();
    let mut step = |at: Option<Timestamp>, zh: &str, en: &str| {
        if at.is_some() {
            steps.push(ProgressStep {
                at,
                text: Some(Text {
                    zh: zh.to_owned(),
                    en: en.to_owned(),
                }),
            });
        }
    };
    step(case.opened_at, "已接待", "you were received");
    step(
        case.notice.as_ref().and_then(|n| n.given_at),
        "已一次性告知",
        "everything was told to you",
    );
    step(
        case.missing_lists.first().and_then(|l| l.listed_at),
        "已一次性列出缺少材料",
        "what is missing was listed",
    );
    step(
        case.pre_checked_at,
        "材料预审通过",
        "the materials are complete",
    );
    step(
        case.filing.as_ref().and_then(|f| f.filed_at),
        "已提交主管部门",
        "filed with the department",
    );
    step(
        record.acceptance.as_ref().and_then(|a| a.accepted_at),
        "主管部门已受理",
        "the department has accepted",
    );
    step(
        record.decision.as_ref().and_then(|d| d.decided_at),
        "主管部门已作出决定",
        "the department has decided",
    );
    step(
        case.delivery.as_ref().and_then(|d| d.sent_at),
        "结果已交付或寄出",
        "the result was handed over or sent",
    );
    step(
        case.delivery.as_ref().and_then(|d| d.received_at),
        "结果已签收",
        "the result was received",
    );
    step(
        case.evaluation.as_ref().and_then(|e| e.prompted_at),
        "请您评价",
        "you were asked for an evaluation",
    );
    for clock in case.clocks.iter().filter(|c| c.id == "decision") {
        steps.extend(clock.recounts.iter().map(moved));
    }
    steps.sort_by_key(|step| step.at.map(|at| (at.seconds, at.nanos)));
    let (zh, en) = match case.state() {
        CaseState::Open => ("请按清单准备材料", "prepare the materials on the list"),
        CaseState::PreChecked => ("即将提交申请", "the application is about to be filed"),
        CaseState::Filed => ("等待主管部门受理", "waiting for the department to accept"),
        CaseState::Accepted => ("等待主管部门决定", "waiting for the department to decide"),
        CaseState::Decided => ("等待交付结果", "the result is on its way to you"),
        _ => ("无需您办理", "nothing more is asked of you"),
    };
    GetProgressResponse {
        state: case.state,
        steps,
        due_at: clock::open(case, "decision").and_then(|c| c.due_at),
        next: Some(Text {
            zh: zh.to_owned(),
            en: en.to_owned(),
        }),
    }
}
