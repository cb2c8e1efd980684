use bangban_limits::time::timestamp;
use bangban_proto::bangban::scheduling::v1::FormerTime;
use icalendar::parser::{Component, read_calendar, unfold};
use proptest::prelude::*;

use super::*;

fn site() -> Site {
    Site {
        id: "quyuan".to_owned(),
        name: "屈原镇便民服务中心".to_owned(),
        address: "湖北省宜昌市秭归县屈原镇屈原路 1 号，政务服务大厅一楼".to_owned(),
        telephone: "0717-2886000".to_owned(),
        ..Site::default()
    }
}

fn elsewhere() -> Site {
    Site {
        id: "maoping".to_owned(),
        name: "茅坪镇便民服务中心".to_owned(),
        address: "湖北省宜昌市秭归县茅坪镇平湖大道 12 号".to_owned(),
        telephone: "0717-2882000".to_owned(),
        ..Site::default()
    }
}

fn entry(site: &Site) -> Entry<'_> {
    let at = |text: &str| text.parse::<DateTime<Utc>>().expect("an instant");
    Entry {
        district: "zigui",
        booking: "0198c0de-0000-7000-8000-000000000001",
        sequence: 0,
        changed_at: at("2026-11-26T02:30:00Z"),
        starts_at: at("2026-12-01T01:00:00Z"),
        ends_at: at("2026-12-01T01:30:00Z"),
        is_cancelled: false,
        site,
        organizer: "秭归县",
    }
}

/// Booked, moved, cancelled.
fn life(site: &Site) -> [Entry<'_>; 3] {
    let at = |text: &str| text.parse::<DateTime<Utc>>().expect("an instant");
    let booked = entry(site);
    let moved = Entry {
        sequence: 1,
        changed_at: at("2026-11-27T08:00:00Z"),
        starts_at: at("2026-12-03T07:00:00Z"),
        ends_at: at("2026-12-03T07:30:00Z"),
        ..booked
    };
    let cancelled = Entry {
        sequence: 2,
        changed_at: at("2026-11-30T00:15:00Z"),
        is_cancelled: true,
        ..moved
    };
    [booked, moved, cancelled]
}

/// The event of a calendar as the other author's parser reads it: name, parameters, value of each property.
fn event(calendar: &str) -> Vec<(String, String)> {
    let unfolded = unfold(calendar);
    let read = read_calendar(&unfolded).expect("a calendar");
    let is_event = |component: &&Component<'_>| component.name == "VEVENT";
    let event = read.components.iter().find(is_event).expect("an event");
    let of = |p: &icalendar::parser::Property<'_>| (p.name.to_string(), p.val.to_string());
    event.properties.iter().map(of).collect()
}

fn value(calendar: &str, name: &str) -> String {
    let found: Vec<_> = event(calendar)
        .into_iter()
        .filter(|property| property.0 == name)
        .collect();
    assert_eq!(found.len(), 1, "{name} stands once");
    found[0].1.clone()
}

#[test]
fn a_booking_that_is_made_moved_and_cancelled_gives_the_golden_files() {
    let site = site();
    let golden = [
        include_str!("../../../tests/golden/booked.ics"),
        include_str!("../../../tests/golden/moved.ics"),
        include_str!("../../../tests/golden/cancelled.ics"),
    ];
    for (entry, golden) in life(&site).iter().zip(golden) {
        assert_eq!(entry.calendar(), golden);
    }
}

#[test]
fn a_booking_that_is_moved_to_another_site_stays_one_entry_of_one_organizer() {
    let (site, other) = (site(), elsewhere());
    let [booked, moved, cancelled] = life(&site);
    let there = Entry {
        site: &other,
        ..moved
    };
    let golden = include_str!("../../../tests/golden/moved-elsewhere.ics");
    assert_eq!(there.calendar(), golden);
    let gone = Entry {
        site: &other,
        ..cancelled
    };
    for name in ["UID", "ORGANIZER", "ATTENDEE"] {
        let first = value(&booked.calendar(), name);
        for later in [&there, &gone] {
            assert_eq!(value(&later.calendar(), name), first);
        }
    }
    let line = |calendar: &str| {
        let unfolded = unfold(calendar);
        let mut lines = unfolded.lines();
        let line = lines.find(|line| line.starts_with("ORGANIZER"));
        line.map(str::to_owned).expect("an organizer")
    };
    assert_eq!(line(&there.calendar()), line(&booked.calendar()));
    assert!(value(&there.calendar(), "LOCATION").contains("茅坪镇"));
}

#[test]
fn one_uid_lives_as_long_as_the_booking_and_its_sequence_rises() {
    let site = site();
    let [booked, moved, cancelled] = life(&site).map(|entry| entry.calendar());
    for other in [&moved, &cancelled] {
        assert_eq!(value(&booked, "UID"), value(other, "UID"));
        assert_eq!(value(&booked, "ORGANIZER"), value(other, "ORGANIZER"));
        assert_eq!(value(&booked, "ATTENDEE"), value(other, "ATTENDEE"));
    }
    assert_eq!(value(&booked, "SEQUENCE"), "0");
    assert_eq!(value(&moved, "SEQUENCE"), "1");
    assert_eq!(value(&cancelled, "SEQUENCE"), "2");
    assert_eq!(value(&moved, "DTSTART"), "20261203T150000");
    assert_eq!(value(&moved, "DTEND"), "20261203T153000");
    assert_eq!(value(&moved, "STATUS"), "CONFIRMED");
    assert_eq!(value(&cancelled, "STATUS"), "CANCELLED");
    assert!(moved.contains("\r\nMETHOD:REQUEST\r\n"));
    assert!(cancelled.contains("\r\nMETHOD:CANCEL\r\n"));
    assert!(media_type(true).ends_with("=CANCEL") && media_type(false).ends_with("=REQUEST"));
}

#[test]
fn an_entry_says_what_its_booking_says() {
    let site = site();
    let [_, moved, cancelled] = life(&site);
    let at = |at| Some(timestamp(at));
    let mut booking = Booking {
        id: moved.booking.to_owned(),
        district: moved.district.to_owned(),
        state: BookingState::Confirmed.into(),
        confirmed_at: at(entry(&site).changed_at),
        former_times: vec![FormerTime {
            moved_at: at(moved.changed_at),
            ..FormerTime::default()
        }],
        starts_at: at(moved.starts_at),
        ends_at: at(moved.ends_at),
        sequence: 1,
        item: "old-age-allowance".to_owned(),
        applicant_mask: "王**".to_owned(),
        ..Booking::default()
    };
    assert_eq!(
        Entry::of(&booking, &site, moved.organizer).calendar(),
        moved.calendar()
    );
    booking.set_state(BookingState::Cancelled);
    booking.cancelled_at = at(cancelled.changed_at);
    booking.sequence = 2;
    assert_eq!(
        Entry::of(&booking, &site, moved.organizer).calendar(),
        cancelled.calendar()
    );
}

#[test]
fn no_two_bookings_share_a_uid() {
    let site = site();
    let one = entry(&site);
    for other in [
        Entry {
            booking: "0198c0de-0000-7000-8000-000000000002",
            ..one
        },
        Entry {
            district: "badong",
            ..one
        },
    ] {
        assert_ne!(one.uid(), other.uid());
        assert_ne!(
            value(&one.calendar(), "ATTENDEE"),
            value(&other.calendar(), "ATTENDEE")
        );
    }
}

/// What RFC 5546 (3.2.2, 3.2.5) asks of an event in a request and a cancellation, and what RFC 5545 (3.6.1) allows once.
#[test]
fn a_calendar_has_what_the_standards_ask_for() {
    let site = site();
    for entry in life(&site) {
        let calendar = entry.calendar();
        for name in [
            "UID",
            "DTSTAMP",
            "DTSTART",
            "DTEND",
            "ORGANIZER",
            "ATTENDEE",
            "SEQUENCE",
            "STATUS",
            "SUMMARY",
            "LOCATION",
            "DESCRIPTION",
            "CONTACT",
            "CLASS",
            "TRANSP",
            "LAST-MODIFIED",
        ] {
            value(&calendar, name);
        }
        let unfolded = unfold(&calendar);
        let read = read_calendar(&unfolded).expect("a calendar");
        let names: Vec<_> = read.components.iter().map(|c| c.name.to_string()).collect();
        assert_eq!(names, ["VTIMEZONE", "VEVENT"]);
        for name in ["VERSION", "PRODID", "METHOD"] {
            let count = read.properties.iter().filter(|p| p.name == name).count();
            assert_eq!(count, 1, "{name}");
        }
        assert_eq!(calendar.matches("DTSTART;TZID=Asia/Shanghai:").count(), 1);
        assert_eq!(calendar.matches("TZID:Asia/Shanghai").count(), 1);
    }
}

/// Nothing that neighbours can see (domain: who does what).
#[test]
fn neighbours_see_neither_item_nor_person() {
    let site = site();
    for entry in life(&site) {
        let calendar = entry.calendar();
        assert_eq!(value(&calendar, "SUMMARY"), "预约");
        assert_eq!(value(&calendar, "CLASS"), "PRIVATE");
        assert!(!calendar.contains(entry.booking), "the id opens links");
        assert!(!calendar.contains(entry.district));
    }
}

/// RFC 5545, 3.1, by hand: this does not trust the parser.
fn well_formed(calendar: &str) -> Result<(), TestCaseError> {
    prop_assert!(calendar.ends_with("\r\n"));
    for line in calendar.split_terminator("\r\n") {
        prop_assert!(line.len() <= 75, "{} octets: {line}", line.len());
        prop_assert!(!line.is_empty());
        prop_assert!(
            !line.chars().any(char::is_control),
            "no line break but CRLF: {line:?}"
        );
    }
    Ok(())
}

proptest! {
    /// Whatever a site is called: every line is short enough, the text is read back whole, and nothing can be smuggled in.
    #[test]
    fn any_site_gives_a_calendar_that_another_author_reads_back(
        name in "\\PC{1,100}", address in "[\\PC\n]{1,200}", telephone in "[0-9 ;,-]{1,30}",
        id in "[a-z0-9-]{1,64}", sequence: u32, is_cancelled: bool, minutes in 5_i64..240,
    ) {
        let site = Site { id, name, address, telephone, ..Site::default() };
        let entry = entry(&site);
        let ends_at = entry.starts_at + chrono::TimeDelta::minutes(minutes);
        let calendar = Entry { sequence, is_cancelled, ends_at, ..entry }.calendar();
        well_formed(&calendar)?;
        let place = format!("{}，{}", site.name, site.address);
        prop_assert_eq!(value(&calendar, "LOCATION"), place);
        prop_assert_eq!(value(&calendar, "CONTACT"), site.telephone);
        prop_assert_eq!(value(&calendar, "SEQUENCE"), sequence.to_string());
        prop_assert_eq!(event(&calendar).len(), 15, "no property but ours");
    }

    #[test]
    fn a_line_feed_in_a_name_starts_no_line(name in "[a-z\\r\\n\"^:;\\\\]{0,100}") {
        let site = Site { name: name.clone() + "\r\nATTENDEE:mailto:x@y", ..site() };
        let organizer = site.name.as_str();
        let calendar = Entry { organizer, ..entry(&site) }.calendar();
        well_formed(&calendar)?;
        prop_assert_eq!(event(&calendar).len(), 15);
        prop_assert!(!calendar.contains("\r\nATTENDEE:mailto"));
    }
}
