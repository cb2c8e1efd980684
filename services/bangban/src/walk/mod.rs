//! A walk: an old woman of the sample district, helped by the agent of her village, from the first contact to the
//! ledger. A pure client of the contracts; each step is told as a person would tell it.
//!
//! To add a step: an [`act!`] and a [`Walk::tell`] in the file of its chapter.

mod department;
mod finish;
mod gather;

use std::time::Duration;

use bangban_kit::{config::Config, refusal};
use bangban_proto::bangban::{
    casework::v1::{Case, CaseChange, GetCaseRequest, case_service_client::CaseServiceClient},
    clock::v1::{AdvanceClockRequest, GetClockRequest, clock_service_client::ClockServiceClient},
    directory::v1::ItemVersion,
};
use prost_types::Timestamp;
use tonic::{Code, Response, Status, transport::Channel};
use uuid::Uuid;

use crate::{
    client::{Client, answered},
    failure::Failure,
    sample::{Sample, operator},
    tell,
    token::Signer,
};

/// The item of the walk.
const ITEM: &str = "old-age-allowance";

/// How often a command is made again because the platform itself has just written to the case.
const ATTEMPTS: u32 = 5;

/// A command on the case, with what all commands share. A stale etag is read again.
macro_rules! act {
    ($walk:expr, $method:ident, $request:ident { $($field:ident: $value:expr),* $(,)? }) => {{
        let mut attempt = 0;
        loop {
            attempt += 1;
            let request = $request {
                district: $walk.district.clone(),
                request_id: $crate::walk::request_id(),
                case: $walk.case.id.clone(),
                etag: $walk.case.etag.clone(),
                after: $walk.after.clone(),
                $($field: $value),*
            };
            let answer = $walk.cases.$method($walk.agent.request(request)).await;
            if !$walk.take(stringify!($method), answer, attempt).await? {
                break;
            }
        }
    }};
}
use act;

/// The walk, as far as it has come.
struct Walk<'a> {
    sample: &'a Sample,
    district: String,
    agent: Client,
    operator: Client,
    public: Client,
    cases: CaseServiceClient<Channel>,
    item: ItemVersion,
    case: Case,
    /// What casework must have seen before the next request.
    after: String,
    steps: u32,
}

/// Walks through an instance that runs at `address`, or where the configuration listens.
pub async fn against(config: &Config, address: Option<&str>) -> Result<(), Failure> {
    let client = Client::connect(config, address)?;
    walk(
        &Sample::shipped()?,
        &client,
        &Signer::open(config)?,
        String::new(),
    )
    .await
}

/// Walks through an instance whose issuer is `signer`, when it has seen `after`.
pub async fn walk(
    sample: &Sample,
    public: &Client,
    signer: &Signer,
    after: String,
) -> Result<(), Failure> {
    let agent = public.with(&signer.token(&sample.agent()?, 1)?)?;
    let operator = public.with(&signer.token(&operator(), 1)?)?;
    let mut walk = Walk {
        sample,
        district: sample.district.id.clone(),
        cases: CaseServiceClient::new(agent.channel()),
        agent,
        operator,
        public: public.clone(),
        item: ItemVersion::default(),
        case: Case::default(),
        after,
        steps: 0,
    };
    walk.open().await?;
    walk.notice_and_consent().await?;
    walk.materials().await?;
    walk.assist_online().await?;
    walk.file().await?;
    walk.acceptance().await?;
    walk.decision().await?;
    walk.deliver().await?;
    walk.file_away().await?;
    walk.progress().await?;
    walk.ledger().await
}

/// An id for one request of this walk.
fn request_id() -> String {
    Uuid::now_v7().to_string()
}

impl Walk<'_> {
    /// Tells a step.
    fn tell(&mut self, text: impl std::fmt::Display) {
        self.steps += 1;
        tell::line(format!("{:>2}. {text}", self.steps));
    }

    /// Tells more of the same step.
    fn more(&self, text: impl std::fmt::Display) {
        tell::line(format!("    {text}"));
    }

    /// Takes what a command answered. True when it is to be made again, after the case was read again.
    async fn take(
        &mut self,
        what: &str,
        answer: Result<Response<CaseChange>, Status>,
        attempt: u32,
    ) -> Result<bool, Failure> {
        match answer {
            Ok(change) => {
                let change = change.into_inner();
                self.case = change.case.unwrap_or_default();
                self.after = change.position;
                Ok(false)
            }
            Err(status)
                if status.code() == Code::Aborted
                    && attempt < ATTEMPTS
                    && !self.case.id.is_empty() =>
            {
                tracing::debug!(
                    what,
                    reason = refusal::reason(&status),
                    "the case is read again"
                );
                self.read().await?;
                Ok(true)
            }
            Err(status) => Err(Failure::refused(
                &format!("step {}, {what}", self.steps + 1),
                &status,
            )),
        }
    }

    /// Reads the case, with what the platform wrote meanwhile.
    async fn read(&mut self) -> Result<(), Failure> {
        let request = GetCaseRequest {
            district: self.district.clone(),
            case: self.case.id.clone(),
            after: self.after.clone(),
        };
        self.case = answered(
            "the case cannot be read",
            self.cases.get_case(self.agent.request(request)).await,
        )?;
        Ok(())
    }

    /// The time by which rules are judged.
    async fn now(&self) -> Result<Timestamp, Failure> {
        let mut clock = ClockServiceClient::new(self.operator.channel());
        let request = GetClockRequest {
            after: String::new(),
        };
        let answer = answered(
            "the clock cannot be read",
            clock.get_clock(self.operator.request(request)).await,
        )?;
        answer.now.ok_or_else(|| {
            Failure::new("the clock answered no time: this instance is broken, report it.")
        })
    }

    /// Lets days go by, and makes casework see it.
    async fn days_go_by(&mut self, days: u32) -> Result<(), Failure> {
        let mut clock = ClockServiceClient::new(self.operator.channel());
        let by = Duration::from_secs(u64::from(days) * 86_400);
        let request = AdvanceClockRequest {
            request_id: request_id(),
            by: Some(prost_types::Duration {
                seconds: i64::try_from(by.as_secs()).unwrap_or_default(),
                nanos: 0,
            }),
            to: None,
        };
        let answer = answered(
            "the clock cannot be moved",
            clock.advance_clock(self.operator.request(request)).await,
        )?;
        self.after = answer.position;
        self.read().await?;
        let plural = if days == 1 {
            "One day goes"
        } else {
            "Some days go"
        };
        self.tell(format!(
            "{plural} by (演示时钟 +{days}d): it is {}.",
            tell::instant(answer.now.as_ref())
        ));
        Ok(())
    }
}
