//! The demonstration clock.

use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_proto::bangban::{
    clock::v1::{AdvanceClockRequest, AdvanceClockResponse, GetClockRequest, GetClockResponse},
    directory::v1::{ClockAdvanced, directory_act::Act},
};
use bangban_store::{Error, Now};
use sea_orm::Statement;

use super::{On, Other};
use crate::{Directory, store::resource::Place};

/// Farthest that the clock moves at once: a leap year.
const MOST_SECONDS: i64 = 31_622_400;

fn invalid(reason: &'static str, zh: &str, en: &str) -> Refusal {
    Refusal::invalid(reason, "", zh, en).field("by", "or `to`: see the message")
}

/// By how many seconds the clock moves.
fn distance(request: &AdvanceClockRequest, now: Now) -> Result<i64, Refusal> {
    let seconds = match (&request.by, &request.to) {
        (Some(by), None) => by.seconds + i64::from(by.nanos > 0),
        (None, Some(to)) => to.seconds - now.at.timestamp(),
        _ => {
            return Err(invalid(
                "BY_OR_TO",
                "请在“前进多少”和“前进到”中选填一项",
                "give either `by` or `to`",
            ));
        }
    };
    match seconds {
        ..=0 => Err(invalid(
            "CLOCK_ONLY_FORWARD",
            "时钟只能向前",
            "the clock only moves forward",
        )),
        1..=MOST_SECONDS => Ok(seconds),
        _ => Err(invalid(
            "CLOCK_TOO_FAR",
            "一次最多前进一年",
            "at most a year at once",
        )),
    }
}

impl Directory {
    pub(crate) async fn get_clock(
        &self,
        _: &Caller,
        request: &GetClockRequest,
    ) -> Result<GetClockResponse, Error> {
        self.store.wait_for(&request.after).await?;
        let now = self.store.now().await?;
        Ok(GetClockResponse {
            now: Some(now.timestamp()),
            is_demonstration: self.config.demonstration.is_enabled,
        })
    }

    pub(crate) async fn advance_clock(
        &self,
        caller: &Caller,
        request: &AdvanceClockRequest,
    ) -> Result<AdvanceClockResponse, Error> {
        if !self.config.demonstration.is_enabled {
            return Err(Refusal::precondition(
                "NOT_A_DEMONSTRATION",
                "",
                "本系统不是演示环境，不能调整时钟",
                "this installation is no demonstration: its clock is not moved",
            )
            .into());
        }
        let decide = move |on: On| async move {
            let seconds = distance(request, on.now)?;
            let found = self
                .row::<ClockAdvanced>(&on.scope, "clock", "clock")
                .await?;
            let offset_seconds = self.offset_seconds().await? + seconds;
            // Judged and marked by the time that it leads to.
            let on = On {
                now: Now {
                    at: on.now.at + chrono::Duration::seconds(seconds),
                    is_demonstration: true,
                },
                ..on
            };
            let state = ClockAdvanced { offset_seconds };
            let place = Place::new(&on.scope, "clock", "clock");
            let step = on.put(&place, found.as_ref(), (Act::ClockAdvanced(state), state));
            Ok(step
                .answering(on.now.timestamp())
                .with([Other::Offset(offset_seconds)]))
        };
        self.change_installation(caller, request, decide).await
    }

    async fn offset_seconds(&self) -> Result<i64, Error> {
        let sql = "SELECT offset_seconds FROM clock WHERE id = 1";
        let query = Statement::from_string(self.store.backend, sql);
        let row = self.store.row(query).await?;
        Ok(row.map_or(Ok(0), |r| r.try_get_by_index(0))?)
    }
}
