//! Reads: each narrowed to what the caller may see.

use bangban_kit::{page::Page, refusal::Refusal};
use bangban_limits::time::day_start_us;
use bangban_proto::bangban::{
    consultation::v1::{
        Consultation, ExplainReplyTimeRequest, GetConsultationRatesRequest,
        GetConsultationRatesResponse, GetConsultationRequest, ListConsultationsRequest,
        ListConsultationsResponse,
    },
    types::v1::DueTimeExplanation,
};
use tonic::{Request, Response, Status};

use super::{Rpc, taken, unknown};
use crate::store;

impl Rpc {
    pub(super) async fn read_consultation(
        &self,
        request: Request<GetConsultationRequest>,
    ) -> Result<Response<Consultation>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let scope = self.scope(&caller, &r.district).await?;
        let found = store::find(&self.store, &scope, &caller, &r.consultation).await?;
        Ok(Response::new(found.ok_or_else(unknown)?))
    }

    pub(super) async fn read_consultations(
        &self,
        request: Request<ListConsultationsRequest>,
    ) -> Result<Response<ListConsultationsResponse>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let scope = self.scope(&caller, &r.district).await?;
        let filters = format!(
            "{:?} {} {} {} {} {:?}",
            scope, caller.subject, r.state, r.agent, r.applicant, r.due_before
        );
        let query = ["ListConsultations", &filters];
        let page = Page::new(r.page_size, &r.page_token, &query)?;
        let (mut consultations, has_more) =
            store::list(&self.store, &scope, &caller, &r, &page).await?;
        let next_page_token = match consultations.last().filter(|_| has_more) {
            None => String::new(),
            Some(last) => {
                let asked = last.asked_at.unwrap_or_default();
                let asked = asked.seconds * 1_000_000 + i64::from(asked.nanos) / 1000;
                page.token(&[
                    &i32::from(last.groups.is_empty()).to_string(),
                    &asked.to_string(),
                    &last.id,
                ])
            }
        };
        // The whole text of a notice is long: it is told with the one consultation.
        for consultation in &mut consultations {
            let answer = consultation.answer.as_mut();
            if let Some(notice) = answer.and_then(|a| a.notice.as_mut()) {
                notice.item = None;
                notice.department = None;
            }
        }
        Ok(Response::new(ListConsultationsResponse {
            consultations,
            next_page_token,
        }))
    }

    pub(super) async fn read_explained(
        &self,
        request: Request<ExplainReplyTimeRequest>,
    ) -> Result<Response<DueTimeExplanation>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let scope = self.scope(&caller, &r.district).await?;
        let found = store::find(&self.store, &scope, &caller, &r.consultation).await?;
        let consultation = found.ok_or_else(unknown)?;
        let mut clocks = consultation.clocks.iter();
        let clock = clocks.find(|c| c.id == r.clock).ok_or_else(|| {
            Refusal::not_found(
                "CLOCK_UNKNOWN",
                "BX-2",
                "该咨询没有此期限",
                "the consultation has no such clock",
            )
            .field("clock", "unknown")
        })?;
        let known = self.learned.now(&r.district).await?;
        let now = self.store.now().await?.local();
        Ok(Response::new(bangban_limits::clock::explained(
            clock,
            &known.calendar,
            now,
        )?))
    }

    pub(super) async fn read_rates(
        &self,
        request: Request<GetConsultationRatesRequest>,
    ) -> Result<Response<GetConsultationRatesResponse>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let scope = self.scope(&caller, &r.district).await?;
        let period = period(&r.from, &r.to)?;
        let now = self.store.now().await?.us();
        let [due_count, on_time_count, closed_count, complete_count] =
            store::rates(&self.store, &scope, &caller, period, now).await?;
        Ok(Response::new(GetConsultationRatesResponse {
            due_count,
            on_time_count,
            on_time_rate: rate(on_time_count, due_count),
            closed_count,
            complete_count,
            completeness_rate: rate(complete_count, closed_count),
        }))
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of consultations stay far below 2^52"
)]
fn rate(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

/// A period of days, both included, as microseconds since the epoch: the first instant, and the first one behind.
pub(super) fn period(from: &str, to: &str) -> Result<(i64, i64), Refusal> {
    let start = day_start_us("from", from)?;
    let end = day_start_us("to", to)? + 86_400_000_000;
    if end <= start {
        return Err(Refusal::invalid(
            "DATES_REVERSED",
            "BB-8d",
            "结束日期早于开始日期",
            "the last day lies before the first",
        )
        .field("to", "before `from`"));
    }
    Ok((start, end))
}
