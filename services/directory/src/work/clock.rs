//! The demonstration clock.

use bangban_kit::{identity::Caller, refusal::Refusal, scope::Scope};
use bangban_proto::bangban::{
    clock::v1::{AdvanceClockRequest, AdvanceClockResponse, GetClockRequest, GetClockResponse},
    directory::v1::{ClockAdvanced, directory_act::Act},
};
use bangban_store::{Error, Now};
use sea_orm::{ConnectionTrait as _, Statement};

use super::{Other, Step, chain};
use crate::{
    Directory,
    store::resource::{self, Place},
};

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
                "BB-10.1.5",
                "本系统不是演示环境，不能调整时钟",
                "this installation is no demonstration: its clock is not moved",
            )
            .into());
        }
        let decide = move |now: Now| async move {
            let scope = Scope::whole("");
            let seconds = distance(request, now)?;
            let found =
                resource::get::<ClockAdvanced>(&self.store.db, &scope, "clock", "clock").await?;
            let sql = "SELECT offset_seconds FROM clock WHERE id = 1";
            let row = self
                .store
                .db
                .query_one_raw(Statement::from_string(self.store.backend, sql))
                .await?;
            let before: i64 = row.map_or(Ok(0), |r| r.try_get_by_index(0))?;
            let offset_seconds = before + seconds;
            let state = ClockAdvanced { offset_seconds };
            // Judged and marked by the time that it leads to.
            let then = Now {
                at: now.at + chrono::Duration::seconds(seconds),
                is_demonstration: true,
            };
            let act = Act::ClockAdvanced(state);
            let chain = chain(
                &scope,
                "clock".to_owned(),
                found.as_ref(),
                act,
                caller,
                then,
            );
            let place = Place {
                kind: "clock",
                id: "clock".to_owned(),
                ..Place::default()
            };
            let states = vec![resource::put(
                &place,
                resource::tip(found.as_ref()).0,
                &chain,
                &state,
                then,
            )];
            let answer = AdvanceClockResponse {
                now: Some(then.timestamp()),
                position: String::new(),
            };
            Ok(Step::new(chain, answer, states).with(vec![Other::Offset(offset_seconds)]))
        };
        let (answer, position) = self.command(caller, request, decide).await?;
        Ok(AdvanceClockResponse {
            position: position.to_string(),
            ..answer
        })
    }
}
