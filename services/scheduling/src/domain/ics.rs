//! An appointment for the applicant's own calendar: iCalendar (RFC 5545) as a scheduling message (RFC 5546).
//!
//! One UID per booking for all its life, a SEQUENCE that rises with every move and with the cancellation,
//! `METHOD:REQUEST` while it stands and `METHOD:CANCEL` when it was cancelled: so calendars move and remove the entry
//! instead of keeping two. Calendars are shared in families and shown on screens: an entry names neither the item nor
//! the person, is `CLASS:PRIVATE`, and says where, when and whom to telephone.
//!
//! The text is written here and not by a library: the one at hand folds lines to 76 octets where RFC 5545 allows 75 and
//! reads a clock. The tests read it with that library's parser, which is another author's.

mod line;

use bangban_calendar::SHANGHAI;
use bangban_proto::bangban::{
    directory::v1::Site,
    scheduling::v1::{Booking, BookingState},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::time;
use line::{Lines, quoted, text};

/// Media type of the text, with its method (RFC 5546, section 1.4).
#[must_use]
pub fn media_type(is_cancelled: bool) -> &'static str {
    if is_cancelled {
        "text/calendar; charset=utf-8; method=CANCEL"
    } else {
        "text/calendar; charset=utf-8; method=REQUEST"
    }
}

/// An appointment as a calendar shows it.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The district's id.
    pub district: &'a str,
    /// The booking's id.
    pub booking: &'a str,
    /// 0 when it was confirmed, one more with every move and with the cancellation.
    pub sequence: u32,
    /// When it was confirmed, last moved, or cancelled.
    pub changed_at: DateTime<Utc>,
    /// When the slot starts.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// Whether it was cancelled.
    pub is_cancelled: bool,
    /// Where it is.
    pub site: &'a Site,
    /// What people call the district, which is the organizer at whatever site: calendars may ignore an update that comes
    /// from another organizer (RFC 5546). Empty where it is not known.
    pub organizer: &'a str,
}

impl<'a> Entry<'a> {
    /// A booking as it stands, at its site, in a district that is called so.
    #[must_use]
    pub fn of(booking: &'a Booking, site: &'a Site, organizer: &'a str) -> Self {
        let is_cancelled = booking.state() == BookingState::Cancelled;
        let moved = booking
            .former_times
            .last()
            .and_then(|t| t.moved_at.as_ref());
        let cancelled = booking.cancelled_at.as_ref().filter(|_| is_cancelled);
        Self {
            district: &booking.district,
            booking: &booking.id,
            sequence: booking.sequence,
            changed_at: time::of(cancelled.or(moved).or(booking.confirmed_at.as_ref())),
            starts_at: time::of(booking.starts_at.as_ref()),
            ends_at: time::of(booking.ends_at.as_ref()),
            is_cancelled,
            site,
            organizer,
        }
    }

    /// The same for all versions of a booking, another one for every other booking (RFC 7986, section 5.3).
    #[must_use]
    pub fn uid(&self) -> Uuid {
        name(&["booking", self.district, self.booking])
    }

    /// The file, lines ended by CRLF. The same entry always gives the same file.
    #[must_use]
    pub fn calendar(&self) -> String {
        let (method, status) = if self.is_cancelled {
            ("CANCEL", "CANCELLED")
        } else {
            ("REQUEST", "CONFIRMED")
        };
        let site = self.site;
        // Calendar addresses are URIs of any scheme (RFC 5545, 3.3.3). Nobody is written to: these name, and no more.
        let organizer = name(&["district", self.district]).urn();
        let attendee = name(&["applicant of", self.district, self.booking]).urn();
        let mut lines = Lines::default();
        lines.push("BEGIN:VCALENDAR");
        lines.push("VERSION:2.0");
        lines.push("PRODID:-//bangban//scheduling//ZH");
        lines.push("CALSCALE:GREGORIAN");
        lines.push(&format!("METHOD:{method}"));
        for line in TIME_ZONE {
            lines.push(line);
        }
        lines.push("BEGIN:VEVENT");
        lines.push(&format!("UID:{}", self.uid()));
        lines.push(&format!("DTSTAMP:{}", utc(self.changed_at)));
        lines.push(&format!("LAST-MODIFIED:{}", utc(self.changed_at)));
        lines.push(&format!("SEQUENCE:{}", self.sequence));
        lines.push(&format!("STATUS:{status}"));
        lines.push(&format!("DTSTART;TZID={ZONE}:{}", local(self.starts_at)));
        lines.push(&format!("DTEND;TZID={ZONE}:{}", local(self.ends_at)));
        let called = quoted(self.organizer);
        lines.push(&format!("ORGANIZER;CN={called}:{organizer}"));
        // Who booked has accepted: no calendar asks again.
        lines.push(&format!(
            "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE:{attendee}"
        ));
        lines.push(&format!("SUMMARY;LANGUAGE=zh-CN:{}", text(SUMMARY)));
        let place = format!("{}，{}", site.name, site.address);
        lines.push(&format!("LOCATION;LANGUAGE=zh-CN:{}", text(&place)));
        lines.push(&format!(
            "DESCRIPTION;LANGUAGE=zh-CN:{}",
            text(&description(self.is_cancelled, &site.telephone))
        ));
        lines.push(&format!("CONTACT:{}", text(&site.telephone)));
        lines.push("CLASS:PRIVATE");
        lines.push(if self.is_cancelled {
            "TRANSP:TRANSPARENT"
        } else {
            "TRANSP:OPAQUE"
        });
        lines.push("END:VEVENT");
        lines.push("END:VCALENDAR");
        lines.into_text()
    }
}

/// What neighbours may read.
const SUMMARY: &str = "预约";

const ZONE: &str = "Asia/Shanghai";

/// Asia/Shanghai since the last summer time ended (tz database, rule PRC): UTC+8.
const TIME_ZONE: [&str; 9] = [
    "BEGIN:VTIMEZONE",
    "TZID:Asia/Shanghai",
    "BEGIN:STANDARD",
    "DTSTART:19910915T020000",
    "TZOFFSETFROM:+0900",
    "TZOFFSETTO:+0800",
    "TZNAME:CST",
    "END:STANDARD",
    "END:VTIMEZONE",
];

fn description(is_cancelled: bool, telephone: &str) -> String {
    if is_cancelled {
        format!("此预约已取消。如有疑问，请致电 {telephone}。")
    } else {
        format!("请按时到达，携带有效身份证件，到场后签到。需要改期或取消，请致电 {telephone}。")
    }
}

fn utc(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

fn local(at: DateTime<Utc>) -> String {
    at.with_timezone(&SHANGHAI)
        .format("%Y%m%dT%H%M%S")
        .to_string()
}

/// A name-based UUID (RFC 9562, version 5) that says nothing of the parts it was made of.
fn name(parts: &[&str]) -> Uuid {
    let name = format!("https://bangban/scheduling/{}", parts.join("/"));
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
}

#[cfg(test)]
mod tests;
