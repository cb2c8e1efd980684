//! What is free: the layouts of days from memory, the seats from the gate.

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::scheduling::v1::{
    Day, DayAvailability, GetAvailabilityRequest, GetAvailabilityResponse, SlotAvailability,
};
use bangban_slots::Free;
use bangban_store::Error;
use chrono::NaiveDate;
use tonic::{Request, Response, Status};

use super::{Rpc, taken};
use crate::{
    domain::outside::{dates, timestamp},
    store::DayKey,
};

/// Most days of all sites together.
const MOST_DAYS: i64 = 1000;

/// DAYS_TOO_MANY (BB-9.2b).
pub(super) fn too_many(most: i64) -> Refusal {
    Refusal::invalid(
        "DAYS_TOO_MANY",
        "BB-9.2b",
        format!("一次最多查询或开放 {most} 天，请分次进行"),
        format!("at most {most} days at once: ask in parts"),
    )
    .field("to", "too far away")
}

impl Rpc {
    pub(super) async fn availability(
        &self,
        request: Request<GetAvailabilityRequest>,
    ) -> Result<Response<GetAvailabilityResponse>, Status> {
        let (caller, _, r) = taken(request);
        let (first, last) = dates(&r.from, &r.to)?;
        let sites = i64::try_from(r.sites.len()).unwrap_or(MOST_DAYS);
        let span = (last - first).num_days() + 1;
        if span.saturating_mul(sites) > MOST_DAYS {
            return Err(too_many(MOST_DAYS).into());
        }
        if !r.after.is_empty() {
            self.store.wait_for(&r.after).await?;
            self.doors.look().await?;
        }
        self.scope(&caller, &r.district).await?;
        let mut days = Vec::new();
        for site in &r.sites {
            days.extend(
                self.free_days(&r.district, site, (first, last), &r.group)
                    .await?,
            );
        }
        Ok(Response::new(GetAvailabilityResponse { days }))
    }

    /// What is free of a site's days.
    pub(crate) async fn free_days(
        &self,
        district: &str,
        site: &str,
        (first, last): (NaiveDate, NaiveDate),
        group: &str,
    ) -> Result<Vec<DayAvailability>, Error> {
        let now = timestamp(self.doors.now());
        let layouts = self.doors.layouts(district, site).await?;
        let keys: Vec<DayKey> = layouts
            .range(first..=last)
            .map(|(date, _)| DayKey {
                site: site.to_owned(),
                date: *date,
            })
            .collect();
        let mut free = self.doors.free(district, &keys).await?.into_iter();
        let dates = first.iter_days().take_while(|date| *date <= last);
        let days = dates.map(|date| match layouts.get(&date) {
            Some(day) => shown(day, free.next().flatten().as_deref(), group, &now),
            None => DayAvailability {
                site: site.to_owned(),
                date: date.to_string(),
                ..DayAvailability::default()
            },
        });
        Ok(days.collect())
    }
}

fn shown(
    day: &Day,
    free: Option<&[Free]>,
    group: &str,
    now: &prost_types::Timestamp,
) -> DayAvailability {
    let starts = |at: Option<&prost_types::Timestamp>| at.map_or((0, 0), |t| (t.seconds, t.nanos));
    let slots = day.slots.iter().enumerate();
    let mut slots: Vec<_> = slots
        .filter(|(_, slot)| !slot.is_closed && (group.is_empty() || slot.group == group))
        .filter(|(_, slot)| starts(slot.starts_at.as_ref()) > (now.seconds, now.nanos))
        .map(|(number, slot)| {
            let free = free.and_then(|free| free.get(number));
            SlotAvailability {
                slot: slot.id.clone(),
                group: slot.group.clone(),
                starts_at: slot.starts_at,
                ends_at: slot.ends_at,
                free: free.map_or(0, |f| f.ordinary.into()),
                reserved_free: free.map_or(0, |f| (f.special - f.ordinary).into()),
            }
        })
        .collect();
    slots.sort_by_key(|slot| starts(slot.starts_at.as_ref()));
    DayAvailability {
        site: day.site.clone(),
        date: day.date.clone(),
        is_published: true,
        is_known: free.is_some(),
        slots,
    }
}
