//! Reads: each narrowed to what the caller may see.

use bangban_kit::{identity::Caller, page::Page, refusal::Refusal, scope::Scope};
use bangban_limits::time::day_start_us;
use bangban_proto::bangban::{
    casework::v1::{
        Agreement, Case, CaseAct, CheckCompletenessRequest, CheckCompletenessResponse,
        ExplainDueTimeRequest, GetAgreementRequest, GetCaseByReceiptRequest, GetCaseRequest,
        GetNoticeRequest, GetQualityRatesRequest, GetQualityRatesResponse, ListCasesRequest,
        ListCasesResponse, ListReusableMaterialsRequest, ListReusableMaterialsResponse, Notice,
        ReusableMaterial, case_act::Act,
    },
    types::v1::DueTimeExplanation,
};
use bangban_store::act;
use prost::Message as _;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use tonic::{Request, Response, Status};

use super::{Rpc, case_unknown, taken};
use crate::{
    domain::{complete, material},
    store,
};

/// Most earlier cases that are looked through for materials.
const EARLIER_CASES: i32 = 100;

impl Rpc {
    async fn seen(
        &self,
        caller: &Caller,
        district: &str,
        id: &str,
        after: &str,
    ) -> Result<Case, Status> {
        self.store.wait_for(after).await?;
        let scope = self.scope(caller, district).await?;
        Ok(store::find(&self.store, &scope, store::By::Id, id)
            .await?
            .ok_or_else(case_unknown)?)
    }

    pub(super) async fn read_case(
        &self,
        request: Request<GetCaseRequest>,
    ) -> Result<Response<Case>, Status> {
        let (caller, _, r) = taken(request);
        Ok(Response::new(
            self.seen(&caller, &r.district, &r.case, &r.after).await?,
        ))
    }

    pub(super) async fn read_case_by_receipt(
        &self,
        request: Request<GetCaseByReceiptRequest>,
    ) -> Result<Response<Case>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let receipt = receipt(&r.receipt)?;
        let scope = self.scope(&caller, &r.district).await?;
        let case = store::find(&self.store, &scope, store::By::Receipt, &receipt).await?;
        Ok(Response::new(case.ok_or_else(case_unknown)?))
    }

    pub(super) async fn read_notice(
        &self,
        request: Request<GetNoticeRequest>,
    ) -> Result<Response<Notice>, Status> {
        let (caller, _, r) = taken(request);
        let case = self.seen(&caller, &r.district, &r.case, &r.after).await?;
        let found = act::Entity::find()
            .filter(act::Column::District.eq(&r.district))
            .filter(act::Column::Subject.eq(format!("cases/{}", case.id)))
            .filter(act::Column::Kind.eq("notice.given"))
            .one(&self.store.db)
            .await
            .map_err(bangban_store::Error::from)?;
        let given = found.and_then(|row| CaseAct::decode(row.payload.as_slice()).ok()?.act);
        let Some(Act::NoticeGiven(given)) = given else {
            return Err(Refusal::not_found(
                "NOTICE_MISSING",
                "BB-4.4a",
                "尚未一次性告知",
                "no notice has been given yet",
            )
            .into());
        };
        Ok(Response::new(given.notice.unwrap_or_default()))
    }

    pub(super) async fn read_agreement(
        &self,
        request: Request<GetAgreementRequest>,
    ) -> Result<Response<Agreement>, Status> {
        let (caller, _, r) = taken(request);
        let case = self.seen(&caller, &r.district, &r.case, &r.after).await?;
        let wanted = match r.number {
            0 => case.agreements.last(),
            number => case.agreements.iter().find(|a| a.number == number),
        };
        let unknown = || {
            Refusal::not_found(
                "AGREEMENT_UNKNOWN",
                "BB-10.2.2.1",
                "没有该委托代办协议",
                "there is no such agreement",
            )
        };
        let wanted = wanted.ok_or_else(unknown)?;
        let drafts = act::Entity::find()
            .filter(act::Column::District.eq(&r.district))
            .filter(act::Column::Subject.eq(format!("cases/{}", case.id)))
            .filter(act::Column::Kind.eq("delegation.drafted"))
            .all(&self.store.db)
            .await
            .map_err(bangban_store::Error::from)?;
        let texts = drafts.iter().find_map(|row| {
            let act = CaseAct::decode(row.payload.as_slice()).ok()?.act?;
            let Act::DelegationDrafted(drafted) = act else {
                return None;
            };
            drafted.agreement.filter(|a| a.number == wanted.number)
        });
        let texts = texts.ok_or_else(unknown)?;
        Ok(Response::new(Agreement {
            text: texts.text,
            authorisation: texts.authorisation,
            ..wanted.clone()
        }))
    }

    pub(super) async fn read_cases(
        &self,
        request: Request<ListCasesRequest>,
    ) -> Result<Response<ListCasesResponse>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let scope = self.scope(&caller, &r.district).await?;
        let filters = format!(
            "{:?} {} {} {} {} {:?}",
            scope, r.state, r.agent, r.item, r.applicant, r.due_before
        );
        let page = Page::new(r.page_size, &r.page_token, &["ListCases", &filters])?;
        let (cases, has_more) = store::list(&self.store, &scope, &r, &page).await?;
        let next_page_token = match cases.last().filter(|_| has_more) {
            None => String::new(),
            Some(last) => {
                let opened = last.opened_at.unwrap_or_default();
                let opened = opened.seconds * 1_000_000 + i64::from(opened.nanos) / 1000;
                page.token(&[
                    &i32::from(last.groups.is_empty()).to_string(),
                    &opened.to_string(),
                    &last.id,
                ])
            }
        };
        Ok(Response::new(ListCasesResponse {
            cases,
            next_page_token,
        }))
    }

    pub(super) async fn read_explain_due_time(
        &self,
        request: Request<ExplainDueTimeRequest>,
    ) -> Result<Response<DueTimeExplanation>, Status> {
        let (caller, _, r) = taken(request);
        let case = self.seen(&caller, &r.district, &r.case, &r.after).await?;
        let found = case
            .clocks
            .iter()
            .find(|c| c.id == r.clock)
            .ok_or_else(|| {
                Refusal::not_found(
                    "CLOCK_UNKNOWN",
                    "BX-2",
                    "该办件没有此期限",
                    "the case has no such clock",
                )
                .field("clock", "unknown")
            })?;
        let known = self.learned.now(&r.district).await?;
        let now = self.store.now().await?.local();
        Ok(Response::new(bangban_limits::clock::explained(
            found,
            &known.calendar,
            now,
        )?))
    }

    pub(super) async fn read_completeness(
        &self,
        request: Request<CheckCompletenessRequest>,
    ) -> Result<Response<CheckCompletenessResponse>, Status> {
        let (caller, _, r) = taken(request);
        let case = self.seen(&caller, &r.district, &r.case, &r.after).await?;
        let gaps = complete::gaps(&case);
        Ok(Response::new(CheckCompletenessResponse {
            is_complete: gaps.is_empty(),
            gaps,
        }))
    }

    pub(super) async fn read_reusable_materials(
        &self,
        request: Request<ListReusableMaterialsRequest>,
    ) -> Result<Response<ListReusableMaterialsResponse>, Status> {
        let (caller, _, r) = taken(request);
        let case = self.seen(&caller, &r.district, &r.case, &r.after).await?;
        let today = self.store.now().await?.local().date_naive();
        let earlier = ListCasesRequest {
            applicant: case.applicant.clone(),
            ..ListCasesRequest::default()
        };
        let page = Page::new(EARLIER_CASES, "", &["ListReusableMaterials"])?;
        let (earlier, _) =
            store::list(&self.store, &Scope::whole(&r.district), &earlier, &page).await?;
        let known = self.learned.now(&r.district).await?;
        let wanted = known.item(&case.item, case.item_version);
        let mut materials = Vec::new();
        for old in earlier.iter().filter(|old| old.id != case.id) {
            for held in &old.materials {
                let rule = wanted.materials.iter().find(|m| m.code == held.code);
                let until = rule.and_then(|rule| material::usable_until(&case, old, rule));
                if let Some(until) = until.filter(|until| *until >= today) {
                    materials.push(ReusableMaterial {
                        code: held.code.clone(),
                        case: old.id.clone(),
                        taken_at: held.taken_at,
                        usable_until: until.to_string(),
                    });
                }
            }
        }
        Ok(Response::new(ListReusableMaterialsResponse { materials }))
    }

    pub(super) async fn read_quality_rates(
        &self,
        request: Request<GetQualityRatesRequest>,
    ) -> Result<Response<GetQualityRatesResponse>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let scope = self.scope(&caller, &r.district).await?;
        let from = day_start_us("from", &r.from)?;
        let to = day_start_us("to", &r.to)? + 86_400_000_000;
        let now = self.store.now().await?.us();
        let [due_count, on_time_count, complete_count, closed_count] =
            store::quality(&self.store, &scope, from, to, now).await?;
        Ok(Response::new(GetQualityRatesResponse {
            due_count,
            on_time_count,
            on_time_rate: rate(on_time_count, due_count),
            complete_count,
            closed_count,
            completeness_rate: rate(complete_count, closed_count),
        }))
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of cases stay far below 2^52"
)]
fn rate(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

/// A receipt number as it is stored, from whatever was dictated.
pub(super) fn receipt(text: &str) -> Result<String, Refusal> {
    bangban_codes::ReceiptNumber::parse(text)
        .map(|r| r.to_string())
        .map_err(|e| {
            let reason = if e.reason() == "CHECKSUM_MISMATCH" {
                "RECEIPT_CHECK_DIGIT_WRONG"
            } else {
                e.reason()
            };
            Refusal::invalid(reason, "BB-4.2b", e.zh(), e.to_string())
                .field("receipt", e.to_string())
        })
}
