//! A single slot that is changed by hand.

use bangban_kit::identity::Caller;
use bangban_learned::district;
use bangban_proto::bangban::scheduling::v1::{ChangeSlotRequest, Day, DayChange};
use bangban_store::{Error, Now};

use super::{Decide, Decided, Rpc, Step, site_of};
use crate::{
    domain::{change, slot},
    rpc::{command::fresh, hold::slot_of},
    work::{self, Effect},
};

/// A slot has the etag of its day, which each of its changes changes.
pub(in crate::rpc) fn tagged(day: &mut Day) {
    for slot in &mut day.slots {
        slot.etag.clone_from(&day.etag);
    }
}

/// What becomes of a day, and of whom, when a slot of it is changed; the day behind it.
pub(super) async fn changed(
    rpc: &Rpc,
    caller: &Caller,
    district: &str,
    (id, wish): (&str, (u32, u32, bool)),
    reason: &str,
    now: Now,
) -> Result<(Effect, Day), Error> {
    let key = slot_of(id)?;
    let known = rpc.learned.now(district).await?;
    let scope = district::of(&known, caller, district)?;
    site_of(&known, &scope, &key.day.site).map_err(|_| slot::unknown())?;
    let day = (district, &key.day);
    work::slot(&rpc.store, day, (id, wish), reason, caller, now).await
}

impl Decide for ChangeSlotRequest {
    type Answer = DayChange;

    async fn decide(&self, rpc: &Rpc, caller: &Caller, now: Now) -> Decided<Self::Answer> {
        let wish = (self.capacity, self.reserved, self.is_closed);
        let which = (self.slot.as_str(), wish);
        let reason = self.reason.as_str();
        let (effect, mut day) = changed(rpc, caller, &self.district, which, reason, now).await?;
        // What is written holds only while the day is the one before this act.
        fresh(self, &(day.act_count - 1).to_string())?;
        tagged(&mut day);
        change::seen(&effect.affected, self.affects_bookings)?;
        let answer = DayChange {
            day: Some(day),
            affected: effect.affected.clone(),
            position: String::new(),
        };
        Ok(Step::of(answer, effect))
    }
}
