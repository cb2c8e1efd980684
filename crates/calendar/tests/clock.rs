//! Clocks that contradict themselves, findings, and the sentences that people read.

use bangban_calendar::{
    Calendar, Clock, Closing, Due, Error, Finding, FindingKind, Limit, MAX_AMOUNT, Stop, StopKind,
    Unit, due, explain, findings, remaining,
};
use chrono::{DateTime, FixedOffset, NaiveTime};

fn instant(text: &str) -> DateTime<FixedOffset> {
    text.parse().expect("an instant")
}

fn limit(amount: u32, unit: Unit, citation: &str) -> Limit {
    Limit {
        amount,
        unit,
        citation: citation.into(),
    }
}

fn stop(from: &str, to: Option<&str>) -> Stop {
    let citation = "检验通知第12号".into();
    Stop {
        from: instant(from),
        to: to.map(instant),
        citation,
        kind: StopKind::Inspection,
    }
}

fn decision() -> Clock {
    Clock::new(
        instant("2026-02-13T10:00:00+08:00"),
        limit(20, Unit::WorkingDay, "行政许可法第42条"),
    )
}

#[test]
fn clocks_that_contradict_themselves_are_refused() {
    let calendar = Calendar::national();
    let mixed = Clock {
        extensions: vec![limit(10, Unit::CalendarDay, "")],
        ..decision()
    };
    assert_eq!(due(&calendar, &mixed, None), Err(Error::MixedUnits));
    let long = Clock {
        limit: limit(u32::MAX, Unit::Hour, ""),
        extensions: vec![limit(9, Unit::Hour, "")],
        ..decision()
    };
    assert_eq!(
        due(&calendar, &long, None),
        Err(Error::TooLong(u64::from(u32::MAX) + 9))
    );
    let longest = Clock::new(
        instant("2026-02-13T10:00:00+08:00"),
        limit(MAX_AMOUNT, Unit::WorkingDay, ""),
    );
    assert!(due(&calendar, &longest, None).is_ok());
    let backward = Clock {
        stops: vec![stop(
            "2026-02-25T10:00:00+08:00",
            Some("2026-02-25T09:00:00+08:00"),
        )],
        ..decision()
    };
    assert!(matches!(
        due(&calendar, &backward, None),
        Err(Error::BackwardStop { .. })
    ));
    let early = Clock::new(
        instant("2003-12-31T10:00:00+08:00"),
        limit(1, Unit::WorkingDay, ""),
    );
    assert!(matches!(
        due(&calendar, &early, None),
        Err(Error::OutOfRange(_))
    ));
}

#[test]
fn short_uncited_and_overlapping_stops_are_found() {
    let mut clock = decision();
    clock.stops = vec![
        stop(
            "2026-02-25T10:00:00+08:00",
            Some("2026-02-25T11:00:00+08:00"),
        ),
        stop(
            "2026-03-02T00:00:00+08:00",
            Some("2026-03-03T00:00:00+08:00"),
        ),
        Stop {
            citation: " ".into(),
            ..stop("2026-03-02T12:00:00+08:00", None)
        },
    ];
    let found = |kind, stop| Finding { kind, stop };
    assert_eq!(
        findings(&clock),
        [
            found(FindingKind::ShortStop, 0),
            found(FindingKind::UncitedStop, 2),
            found(FindingKind::OverlappingStop, 2),
        ]
    );
    // In UTC the first stop spans one date as well, but the local one decides.
    clock.stops = vec![stop("2026-02-24T15:00:00Z", Some("2026-02-24T17:00:00Z"))];
    assert_eq!(findings(&clock), []);
    // A limit in hours takes stops out exactly: short ones are normal.
    clock.limit.unit = Unit::Hour;
    clock.stops = vec![stop(
        "2026-02-25T10:00:00+08:00",
        Some("2026-02-25T11:00:00+08:00"),
    )];
    assert_eq!(findings(&clock), []);
}

#[test]
fn an_extension_is_the_only_thing_that_adds() {
    let calendar = Calendar::national();
    let now = instant("2026-03-10T09:00:00+08:00");
    let left = |clock: &Clock| {
        remaining(&calendar, clock, None, now)
            .expect("what is left")
            .amount
    };
    // 14, 24-28 February and 2-6, 9 March are twelve days.
    assert_eq!(left(&decision()), 8);
    let extended = Clock {
        extensions: vec![limit(10, Unit::WorkingDay, "批准")],
        ..decision()
    };
    assert_eq!(left(&extended), 18);
    let stopped = Clock {
        stops: vec![stop("2026-03-10T08:00:00+08:00", None)],
        ..decision()
    };
    assert_eq!(left(&stopped), 8);
    assert!(
        remaining(&calendar, &stopped, None, now)
            .expect("what is left")
            .is_stopped
    );
}

#[test]
fn a_sentence_tells_the_applicant_in_two_languages() {
    let closing = NaiveTime::from_hms_opt(17, 30, 0);
    let now = instant("2026-02-13T10:00:00+08:00");
    let clock = Clock {
        stops: vec![stop(
            "2026-03-04T14:00:00+08:00",
            Some("2026-03-05T10:00:00+08:00"),
        )],
        extensions: vec![limit(10, Unit::WorkingDay, "延期批准第3号")],
        ..decision()
    };
    let told = explain(&Calendar::national(), &clock, closing, now).expect("an explanation");
    assert_eq!(
        told.sentence_zh,
        "期限为30个工作日（行政许可法第42条），其中延长10个工作日（延期批准第3号），从2026年2月13日的次日起计算，当日不计入；\
         其间休息日21天不计入；停止计算2天（检验通知第12号）。到期时间为2026年4月7日17:30。"
    );
    assert_eq!(
        told.sentence_en,
        "The limit is 30 working days (行政许可法第42条), 10 working days of it by extension (延期批准第3号). \
         It starts on the day after 13 February 2026; 21 rest days did not count; on 2 days the clock stood still \
         (检验通知第12号). It is due by 17:30 on 7 April 2026."
    );
}

#[test]
fn a_sentence_tells_of_a_stop_a_move_a_provisional_year_and_a_breach() {
    let calendar = Calendar::national();
    let held = Clock {
        stops: vec![stop("2026-03-04T14:00:00+08:00", None)],
        ..decision()
    };
    let told = explain(&calendar, &held, None, instant("2026-03-06T09:00:00+08:00"))
        .expect("an explanation");
    assert!(
        told.sentence_zh.ends_with(
            "自2026年3月4日14:00起停止计算，恢复后还剩12个工作日，届时才能确定到期时间。"
        )
    );
    assert!(
        told.sentence_en
            .contains("12 working days will be left when it runs again"),
        "{}",
        told.sentence_en
    );

    let moved = Clock::new(
        instant("2026-03-05T09:00:00+08:00"),
        limit(30, Unit::CalendarDay, ""),
    );
    let told = explain(
        &calendar,
        &moved,
        None,
        instant("2026-04-08T00:00:01+08:00"),
    )
    .expect("an explanation");
    assert!(told.sentence_zh.contains(
        "最后一日是休息日，顺延至下一个工作日。到期时间为2026年4月7日24:00。现已超过期限。"
    ));
    assert!(
        told.sentence_en
            .ends_with("It is due by 24:00 on 7 April 2026. It is overdue."),
        "{}",
        told.sentence_en
    );

    let provisional = Clock::new(
        instant("2026-12-30T09:00:00+08:00"),
        limit(2, Unit::WorkingDay, ""),
    );
    let told = explain(
        &calendar,
        &provisional,
        None,
        instant("2026-12-30T09:00:00+08:00"),
    )
    .expect("an explanation");
    assert!(
        told.provisional
            && told.sentence_zh.contains("尚未公布")
            && told.sentence_en.contains("may change")
    );

    let hours = Clock::new(
        instant("2026-03-06T16:00:00+08:00"),
        limit(24, Unit::Hour, ""),
    );
    let told = explain(&calendar, &hours, None, hours.start).expect("an explanation");
    assert_eq!(
        told.sentence_zh,
        "期限为24小时，从2026年3月6日16:00起计算。到期时间为2026年3月7日16:00。"
    );
}

#[test]
fn bb_8a_the_last_day_ends_when_the_office_closes_on_that_weekday() {
    let time = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0);
    let late = time(17, 30);
    let week = Closing::of_week([late, late, late, late, time(16, 0), None, None]);
    let calendar = Calendar::national();
    let due_at = |start: &str| {
        let limit = Limit {
            amount: 1,
            unit: Unit::WorkingDay,
            citation: "a rule".to_owned(),
        };
        let clock = Clock::new(start.parse().expect("an instant"), limit);
        match due(&calendar, &clock, week).expect("countable") {
            Due::At { at, .. } => at.format("%F %H:%M").to_string(),
            Due::Stopped { .. } => panic!("nothing stops it"),
        }
    };
    assert_eq!(due_at("2026-03-04T10:00:00+08:00"), "2026-03-05 17:30");
    assert_eq!(due_at("2026-03-05T10:00:00+08:00"), "2026-03-06 16:00");
    // 2026-02-28 is a Saturday that is worked: the office's hours of Saturday say nothing.
    assert_eq!(due_at("2026-02-27T10:00:00+08:00"), "2026-02-28 17:30");
}
