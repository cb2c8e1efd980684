//! What both walks walk with: clients, the case as it was last answered, the telling.

use bangban_kit::{identity::Person, refusal};
use bangban_ledger::Report;
use bangban_proto::bangban::{
    casework::v1::{
        Case, CaseChange, ExplainDueTimeRequest, ExportLedgerRequest, GetCaseRequest, SupplyForm,
        TakeMaterialRequest, case_service_client::CaseServiceClient,
    },
    clock::v1::{AdvanceClockRequest, GetClockRequest, clock_service_client::ClockServiceClient},
    directory::v1::{
        GetItemRequest, ItemVersion, Material, MaterialForm,
        catalogue_service_client::CatalogueServiceClient,
    },
    types::v1::DueTimeExplanation,
};
use prost_types::Timestamp;
use serde::Deserialize;
use tonic::{Code, Response, Status};
use uuid::Uuid;

use crate::{
    client::{Channel, Client, answered},
    failure::Failure,
    ledger,
    sample::{Sample, operator},
    tell,
    token::Signer,
};

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
                request_id: $crate::walk::engine::request_id(),
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
pub(super) use act;

/// The walk, as far as it has come.
pub(super) struct Walk<'a> {
    pub sample: &'a Sample,
    pub district: String,
    /// Who is responsible, as a token names them.
    pub person: Person,
    pub agent: Client,
    operator: Client,
    pub public: Client,
    pub cases: CaseServiceClient<Channel>,
    pub item: ItemVersion,
    pub case: Case,
    /// What casework must have seen before the next request.
    pub after: String,
    /// Where directory's log stood when the time was moved before there was a case: casework must have seen it before it
    /// is told an instant.
    moved: String,
    steps: u32,
}

/// What is shown of a line of the export.
#[derive(Debug, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
enum Line {
    Case {
        receipt: Option<String>,
        act_count: u64,
        head: String,
    },
    Act {
        number: u64,
        kind: String,
        acted_at: String,
        actor: String,
        hash: String,
        is_demonstration: bool,
    },
    #[serde(other)]
    Other,
}

/// An id for one request of this walk.
pub(super) fn request_id() -> String {
    Uuid::now_v7().to_string()
}

impl<'a> Walk<'a> {
    /// Nothing has happened yet; `person` will be responsible for the case of `item`.
    pub(super) async fn begin(
        sample: &'a Sample,
        public: &Client,
        signer: &Signer,
        person: Person,
        item: &str,
    ) -> Result<Self, Failure> {
        let agent = public.with(&signer.token(&person, 1)?)?;
        let operator = public.with(&signer.token(&operator(), 1)?)?;
        let wanted = GetItemRequest {
            district: sample.district.id.clone(),
            item: item.to_owned(),
            ..Default::default()
        };
        let mut catalogue = CatalogueServiceClient::new(public.channel());
        let item = answered(
            "the item cannot be read",
            catalogue.get_item(public.request(wanted)).await,
        )?;
        Ok(Self {
            sample,
            district: sample.district.id.clone(),
            person,
            cases: CaseServiceClient::new(agent.channel()),
            agent,
            operator,
            public: public.clone(),
            item,
            case: Case::default(),
            after: String::new(),
            moved: String::new(),
            steps: 0,
        })
    }

    /// Tells a step.
    pub(super) fn tell(&mut self, text: impl std::fmt::Display) {
        self.steps += 1;
        tell::line(format!("{:>2}. {text}", self.steps));
    }

    /// Tells more of the same step.
    pub(super) fn more(&self, text: impl std::fmt::Display) {
        tell::line(format!("    {text}"));
    }

    /// Takes what a command answered. True when it is to be made again, after the case was read again.
    pub(super) async fn take(
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
    pub(super) async fn read(&mut self) -> Result<(), Failure> {
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

    /// The time by which rules are judged, in casework as well.
    pub(super) async fn now(&self) -> Result<Timestamp, Failure> {
        if !self.case.id.is_empty() && !self.moved.is_empty() {
            let request = GetCaseRequest {
                district: self.district.clone(),
                case: self.case.id.clone(),
                after: self.moved.clone(),
            };
            let mut cases = self.cases.clone();
            answered(
                "the case cannot be read",
                cases.get_case(self.agent.request(request)).await,
            )?;
        }
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
    pub(super) async fn days_go_by(&mut self, days: u32) -> Result<(), Failure> {
        let seconds = i64::from(days) * 86_400;
        let by = prost_types::Duration { seconds, nanos: 0 };
        let now = self
            .advance(AdvanceClockRequest {
                by: Some(by),
                ..AdvanceClockRequest::default()
            })
            .await?;
        let plural = if days == 1 {
            "One day goes"
        } else {
            "Some days go"
        };
        self.tell(format!("{plural} by (演示时钟 +{days}d): it is {now}."));
        Ok(())
    }

    /// Lets time go by until an instant.
    pub(super) async fn until(&mut self, at: Timestamp) -> Result<(), Failure> {
        let now = self
            .advance(AdvanceClockRequest {
                to: Some(at),
                ..AdvanceClockRequest::default()
            })
            .await?;
        self.tell(format!("Time goes by (演示时钟): it is {now}."));
        Ok(())
    }

    async fn advance(&mut self, request: AdvanceClockRequest) -> Result<String, Failure> {
        let mut clock = ClockServiceClient::new(self.operator.channel());
        let request = AdvanceClockRequest {
            request_id: request_id(),
            ..request
        };
        let answer = answered(
            "the clock cannot be moved",
            clock.advance_clock(self.operator.request(request)).await,
        )?;
        self.after = answer.position;
        if self.case.id.is_empty() {
            self.moved.clone_from(&self.after);
        } else {
            self.read().await?;
            self.moved.clear();
        }
        Ok(tell::instant(answer.now.as_ref()))
    }

    /// The due time of the decision, and why.
    pub(super) async fn why_due(&mut self) -> Result<(), Failure> {
        let request = ExplainDueTimeRequest {
            district: self.district.clone(),
            case: self.case.id.clone(),
            clock: "decision".to_owned(),
            after: self.after.clone(),
        };
        let why = answered(
            "the due time cannot be explained",
            self.cases
                .explain_due_time(self.agent.request(request))
                .await,
        )?;
        self.explain(&why);
        Ok(())
    }

    fn explain(&mut self, why: &DueTimeExplanation) {
        let doubt = if why.is_provisional {
            " (provisional: next year's calendar is not out yet)"
        } else {
            ""
        };
        self.tell(format!(
            "The decision is due by {}{doubt}, because:",
            tell::instant(why.due_at.as_ref())
        ));
        if let Some(sentence) = &why.sentence {
            self.more(&sentence.zh);
            self.more(&sentence.en);
        }
        let counted = why.days.iter().filter(|d| d.is_counted).count();
        let first = why
            .days
            .iter()
            .find(|d| d.is_counted)
            .map_or("—", |d| d.date.as_str());
        let rest = why
            .days
            .iter()
            .find(|d| !d.is_counted && d.number == 0 && d.rule != "DAY_OF_EVENT");
        self.more(format!(
            "{} days looked at, {counted} counted, the first {first}.",
            why.days.len()
        ));
        if let Some((day, reason)) = rest.and_then(|d| d.reason.as_ref().map(|reason| (d, reason)))
        {
            self.more(format!(
                "Not counted, for example {}: {} / {}",
                day.date, reason.zh, reason.en
            ));
        }
    }

    /// A number of the department's for this case.
    pub(super) fn number(&self, kind: &str) -> String {
        let digits: String = self
            .case
            .receipt
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        format!("{kind}-{digits}")
    }
    /// Takes a material, against a receipt when there are originals.
    pub(super) async fn take_material(
        &mut self,
        material: &Material,
        supply: SupplyForm,
    ) -> Result<(), Failure> {
        let (originals, copies) = match MaterialForm::try_from(material.form) {
            Ok(MaterialForm::Original) => (1, 0),
            Ok(MaterialForm::OriginalAndCopy) => (1, material.copies.max(1)),
            Ok(MaterialForm::Electronic) => (0, 0),
            _ => (0, material.copies.max(1)),
        };
        let receipt = if originals > 0 {
            format!("收件回执 {}", material.code)
        } else {
            String::new()
        };
        act!(
            self,
            take_material,
            TakeMaterialRequest {
                material: material.code.clone(),
                supply: supply.into(),
                is_valid: true,
                originals: originals,
                copies: copies,
                receipt: receipt.clone(),
                reused_from: String::new(),
            }
        );
        Ok(())
    }
    /// The ledger of the case, told, and verified from its export alone.
    pub(super) async fn ledger(&mut self) -> Result<Report, Failure> {
        let request = ExportLedgerRequest {
            district: self.district.clone(),
            case: self.case.id.clone(),
            after: self.after.clone(),
        };
        let mut file = String::new();
        ledger::export(&self.agent, request, |line| {
            file.push_str(line);
            file.push('\n');
            Ok(())
        })
        .await?;
        self.tell("The ledger (台账), each act hashed with the one before it:");
        for line in file.lines() {
            match serde_json::from_str(line).unwrap_or(Line::Other) {
                Line::Case {
                    receipt,
                    act_count,
                    head,
                } => {
                    let receipt = receipt.unwrap_or_default();
                    self.more(format!(
                        "{receipt}  {act_count} acts, head {}…",
                        short(&head)
                    ));
                }
                Line::Act {
                    number,
                    kind,
                    acted_at,
                    actor,
                    hash,
                    is_demonstration,
                } => {
                    let mark = if is_demonstration { "  演示" } else { "" };
                    self.more(format!(
                        "{number:>3}  {acted_at}  {kind:<26} {actor:<18} {}…{mark}",
                        short(&hash)
                    ));
                }
                Line::Other => {}
            }
        }
        bangban_ledger::verify(file.as_bytes())
            .map_err(|e| Failure::of("the export cannot be verified; walk again", &e))
    }
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
