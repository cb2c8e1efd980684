//! A single slot that is changed by hand.

use bangban_kit::identity::Caller;
use bangban_learned::district;
use bangban_proto::bangban::scheduling::v1::{ChangeSlotRequest, DayChange};
use bangban_store::{Error, Now};

use super::{Decide, Rpc, Step, site_of};
use crate::{
    domain::{change, slot},
    rpc::hold::slot_of,
    work,
};

impl Decide for ChangeSlotRequest {
    type Answer = DayChange;

    async fn decide(
        &self,
        rpc: &Rpc,
        caller: &Caller,
        now: Now,
    ) -> Result<Step<Self::Answer>, Error> {
        let key = slot_of(&self.slot)?;
        let known = rpc.learned.now(&self.district).await?;
        let scope = district::of(&known, caller, &self.district)?;
        site_of(&known, &scope, &key.day.site).map_err(|_| slot::unknown())?;
        let day = (self.district.as_str(), &key.day);
        let wish = (self.capacity, self.reserved, self.is_closed);
        let (effect, day) = work::slot(
            &rpc.store,
            day,
            (&self.slot, wish),
            &self.reason,
            caller,
            now,
        )
        .await?;
        change::seen(&effect.affected, self.affects_bookings)?;
        let answer = DayChange {
            day: Some(day),
            affected: effect.affected.clone(),
            position: String::new(),
        };
        Ok(Step::of(answer, effect))
    }
}
