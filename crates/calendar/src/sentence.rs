//! What a rule, a stop and a due time say to people, in Chinese and English.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, Timelike};

use crate::SHANGHAI;
use crate::clock::{Clock, StopKind, Unit};
use crate::closing::Closing;
use crate::due::{Due, Remaining};
use crate::explain::{DayExplained, Rule};

/// What a sentence is made of.
pub(crate) struct Facts<'a> {
    pub(crate) clock: &'a Clock,
    pub(crate) due: Due,
    pub(crate) days: &'a [DayExplained],
    pub(crate) left: Remaining,
    pub(crate) closing: Closing,
    pub(crate) total: u32,
}

/// Why a day counted or did not: Chinese, English.
pub(crate) fn reason(rule: Rule, name: Option<&str>, seconds: Option<i64>) -> (String, String) {
    let zh = name.unwrap_or("节假日");
    let en = english_name(name.unwrap_or("a holiday"));
    let (zh, en) = match rule {
        Rule::DayOfEvent => (
            "期限开始的当日，不计入".into(),
            "The day of the event does not count".into(),
        ),
        Rule::WorkingDay => ("工作日，计入".into(), "A working day, counted".into()),
        Rule::MakeUpWorkingDay => (
            format!("{zh}调休上班，计入"),
            format!("A make-up working day for {en}, counted"),
        ),
        Rule::DistrictWorkingDay => (
            format!("本地上班（{zh}），计入"),
            format!("A working day in this district ({en}), counted"),
        ),
        Rule::Weekend => ("周末，不计入".into(), "A weekend, not counted".into()),
        Rule::Holiday => (
            format!("{zh}放假，不计入"),
            format!("A day off for {en}, not counted"),
        ),
        Rule::ProvisionalHoliday => (
            format!("{zh}放假（当年放假安排尚未公布），不计入"),
            format!("A day off for {en} (this year's notice is not out yet), not counted"),
        ),
        Rule::DistrictRestDay => (
            format!("本地放假（{zh}），不计入"),
            format!("A day off in this district ({en}), not counted"),
        ),
        Rule::Stopped => (
            "期限停止计算，不计入".into(),
            "The clock stood still, not counted".into(),
        ),
        Rule::CalendarDay => ("自然日，计入".into(), "A calendar day, counted".into()),
        Rule::LastDayIsRest => (
            "期限的最后一日是休息日，顺延至下一个工作日".into(),
            "The last day is a rest day: the limit moves to the next working day".into(),
        ),
        Rule::RestAfterLastDay => (
            "休息日，期限继续顺延".into(),
            "A rest day: the limit moves on".into(),
        ),
        Rule::MovedToWorkingDay => (
            "顺延后的到期日".into(),
            "The working day to which the limit moved".into(),
        ),
        Rule::SameDay => (
            "当日办结的到期日".into(),
            "The limit is the same working day".into(),
        ),
        Rule::HoursRun => {
            let seconds = seconds.unwrap_or_default();
            (
                format!("计时{}", duration(seconds, true)),
                format!("The clock ran for {}", duration(seconds, false)),
            )
        }
    };
    (zh, en)
}

/// Why a day of a stop did not count: Chinese, English.
pub(crate) fn stopped(kind: StopKind) -> (String, String) {
    let (zh, en) = ground(kind);
    (
        format!("因{zh}停止计算，不计入"),
        format!("The clock stood still for {en}, not counted"),
    )
}

const fn ground(kind: StopKind) -> (&'static str, &'static str) {
    match kind {
        StopKind::Hearing => ("听证", "a hearing"),
        StopKind::Tender => ("招标", "a tender"),
        StopKind::Auction => ("拍卖", "an auction"),
        StopKind::Inspection => ("检验", "an inspection"),
        StopKind::Testing => ("检测", "testing"),
        StopKind::Quarantine => ("检疫", "quarantine"),
        StopKind::Appraisal => ("鉴定", "an appraisal"),
        StopKind::ExpertReview => ("专家评审", "an expert review"),
        StopKind::ItemRule => ("事项规定的情形", "a ground in the item's rules"),
    }
}

/// The explanation for the applicant in Chinese.
pub(crate) fn chinese(facts: &Facts<'_>) -> String {
    let clock = facts.clock;
    let (total, unit) = (facts.total, unit_zh(clock.limit.unit));
    let mut text = match (facts.total, clock.limit.unit) {
        (0, Unit::Hour) => format!("应当即时办理{}", cited_zh(&clock.limit.citation)),
        (0, _) => format!("期限为当日{}", cited_zh(&clock.limit.citation)),
        _ => format!("期限为{total}{unit}{}", cited_zh(&clock.limit.citation)),
    };
    for extension in &clock.extensions {
        text += &format!(
            "，其中延长{}{unit}{}",
            extension.amount,
            cited_zh(&extension.citation)
        );
    }
    let start = clock.start.with_timezone(&SHANGHAI);
    text += &match (clock.limit.unit, facts.total) {
        (Unit::Hour, _) => format!("，从{}起计算", instant_zh(start)),
        (_, 0) => format!("，从{}起计算", date_zh(start.date_naive())),
        _ => format!(
            "，从{}的次日起计算，当日不计入",
            date_zh(start.date_naive())
        ),
    };
    let skipped = Skipped::of(facts);
    if skipped.rest > 0 {
        text += &format!("；其间休息日{}天不计入", skipped.rest);
    }
    if skipped.stopped > 0 {
        text += &format!(
            "；停止计算{}天{}",
            skipped.stopped,
            cited_zh(&skipped.citations.join("；"))
        );
    }
    text += "。";
    match facts.due {
        Due::Stopped { since } => {
            let left = left_zh(&facts.left);
            text += &format!(
                "自{}起停止计算，恢复后还剩{left}，届时才能确定到期时间。",
                instant_zh(since)
            );
        }
        Due::At {
            at,
            on,
            provisional,
        } => {
            if skipped.is_moved {
                text += "最后一日是休息日，顺延至下一个工作日。";
            }
            text += &format!("到期时间为{}{}。", date_zh(on), time(facts, on, at));
            if provisional {
                text +=
                    "其中部分日期的国家放假安排尚未公布，公布后到期时间可能调整，届时另行告知。";
            }
            if facts.left.is_overdue {
                text += "现已超过期限。";
            }
        }
    }
    text
}

/// The explanation for the applicant in English.
pub(crate) fn english(facts: &Facts<'_>) -> String {
    let clock = facts.clock;
    let mut text = match (facts.total, clock.limit.unit) {
        (0, Unit::Hour) => format!("The limit is at once{}", cited_en(&clock.limit.citation)),
        (0, _) => format!(
            "The limit is the same working day{}",
            cited_en(&clock.limit.citation)
        ),
        (total, unit) => format!(
            "The limit is {}{}",
            units_en(total, unit),
            cited_en(&clock.limit.citation)
        ),
    };
    for extension in &clock.extensions {
        let units = units_en(extension.amount, extension.unit);
        text += &format!(
            ", {units} of it by extension{}",
            cited_en(&extension.citation)
        );
    }
    let start = clock.start.with_timezone(&SHANGHAI);
    text += &match (clock.limit.unit, facts.total) {
        (Unit::Hour, _) => format!(". It runs from {}", instant_en(start)),
        (_, 0) => format!(". It starts on {}", date_en(start.date_naive())),
        _ => format!(
            ". It starts on the day after {}",
            date_en(start.date_naive())
        ),
    };
    let skipped = Skipped::of(facts);
    if skipped.rest > 0 {
        text += &format!("; {} did not count", plural(skipped.rest, "rest day"));
    }
    if skipped.stopped > 0 {
        let citations = cited_en(&skipped.citations.join("; "));
        text += &format!(
            "; on {} the clock stood still{citations}",
            plural(skipped.stopped, "day")
        );
    }
    text += ".";
    match facts.due {
        Due::Stopped { since } => {
            let left = left_en(&facts.left);
            text += &format!(
                " It has stood still since {}. {left} will be left when it runs again; only then is the due time known.",
                instant_en(since)
            );
        }
        Due::At {
            at,
            on,
            provisional,
        } => {
            if skipped.is_moved {
                text += " The last day is a rest day, so the limit moves to the next working day.";
            }
            text += &format!(" It is due by {} on {}.", time(facts, on, at), date_en(on));
            if provisional {
                text += " The State Council has not yet announced all of these days: \
                         the due time may change, and you will be told.";
            }
            if facts.left.is_overdue {
                text += " It is overdue.";
            }
        }
    }
    text
}

/// What the days between start and due time amount to.
struct Skipped<'a> {
    rest: u32,
    stopped: u32,
    is_moved: bool,
    citations: Vec<&'a str>,
}

impl<'a> Skipped<'a> {
    fn of(facts: &Facts<'a>) -> Self {
        let mut skipped = Self {
            rest: 0,
            stopped: 0,
            is_moved: false,
            citations: Vec::new(),
        };
        let mut seen = BTreeSet::new();
        for day in facts.days {
            match day.rule {
                Rule::Weekend
                | Rule::Holiday
                | Rule::ProvisionalHoliday
                | Rule::DistrictRestDay => skipped.rest += 1,
                Rule::MovedToWorkingDay => skipped.is_moved = facts.total > 0,
                Rule::Stopped => {
                    skipped.stopped += 1;
                    if !day.source.is_empty() && seen.insert(&day.source) {
                        skipped.citations.push(&day.source);
                    }
                }
                _ => {}
            }
        }
        skipped
    }
}

fn english_name(name: &str) -> &str {
    match name {
        "元旦" => "New Year's Day",
        "春节" => "Spring Festival",
        "清明节" => "Qingming",
        "劳动节" => "Labour Day",
        "端午节" => "Dragon Boat Festival",
        "中秋节" => "Mid-Autumn Festival",
        "国庆节" => "National Day",
        "抗战胜利纪念日" => "the anniversary of the victory of 1945",
        other => other,
    }
}

const fn unit_zh(unit: Unit) -> &'static str {
    match unit {
        Unit::WorkingDay => "个工作日",
        Unit::CalendarDay => "日",
        Unit::Hour => "小时",
    }
}

fn units_en(count: u32, unit: Unit) -> String {
    plural(
        count,
        match unit {
            Unit::WorkingDay => "working day",
            Unit::CalendarDay => "calendar day",
            Unit::Hour => "hour",
        },
    )
}

fn plural(count: u32, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

fn left_zh(left: &Remaining) -> String {
    left.seconds.map_or_else(
        || format!("{}{}", left.amount, unit_zh(left.unit)),
        |seconds| duration(seconds, true),
    )
}

fn left_en(left: &Remaining) -> String {
    left.seconds.map_or_else(
        || units_en(left.amount, left.unit),
        |seconds| duration(seconds, false),
    )
}

fn duration(seconds: i64, is_chinese: bool) -> String {
    let (hours, minutes) = (seconds / 3600, seconds % 3600 / 60);
    match (is_chinese, minutes) {
        (true, 0) => format!("{hours}小时"),
        (true, _) => format!("{hours}小时{minutes}分钟"),
        (false, 0) => format!("{hours} h"),
        (false, _) => format!("{hours} h {minutes} min"),
    }
}

fn cited_zh(citation: &str) -> String {
    if citation.is_empty() {
        String::new()
    } else {
        format!("（{citation}）")
    }
}

fn cited_en(citation: &str) -> String {
    if citation.is_empty() {
        String::new()
    } else {
        format!(" ({citation})")
    }
}

fn date_zh(date: NaiveDate) -> String {
    format!("{}年{}月{}日", date.year(), date.month(), date.day())
}

fn date_en(date: NaiveDate) -> String {
    date.format("%-d %B %Y").to_string()
}

fn instant_zh(at: DateTime<FixedOffset>) -> String {
    format!("{}{}", date_zh(at.date_naive()), at.format("%H:%M"))
}

fn instant_en(at: DateTime<FixedOffset>) -> String {
    format!("{} on {}", at.format("%H:%M"), date_en(at.date_naive()))
}

/// The time of day at which the limit ends: that of a clock in hours, the closing time, or 24:00.
fn time(facts: &Facts<'_>, on: NaiveDate, at: DateTime<FixedOffset>) -> String {
    match (facts.clock.limit.unit, facts.closing.on(on)) {
        (Unit::Hour, _) => at.format("%H:%M").to_string(),
        (_, Some(closing)) => format!("{:02}:{:02}", closing.hour(), closing.minute()),
        (_, None) => "24:00".to_owned(),
    }
}
