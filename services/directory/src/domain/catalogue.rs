//! The catalogue of service items (BB-7.2, BB-8b). A version never changes; the next one takes its place from a date on.

use std::collections::HashSet;

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::directory::v1::{
    Department, DepartmentPut, Handling, ItemPublished, ItemVersion, ItemWithdrawn, LimitName,
    directory_act::Act,
};

use super::{Decision, day};

/// What the one-time notice tells and this version does not say. An item may have no conditions.
#[must_use]
pub fn missing(item: &ItemVersion) -> Vec<&'static str> {
    let has_promise = item.handling() != Handling::PromisedLimit
        || item
            .limits
            .iter()
            .any(|l| l.name() == LimitName::PromisedDecision);
    let told = [
        ("name", !item.name.is_empty()),
        ("department", !item.department.is_empty()),
        ("legal_basis", !item.legal_basis.is_empty()),
        ("limits", !item.limits.is_empty() && has_promise),
        ("steps", !item.steps.is_empty()),
        ("materials", !item.materials.is_empty()),
        ("fee", item.fee.is_some()),
        ("channels", !item.channels.is_empty()),
        ("tiers", !item.tiers.is_empty()),
        ("delivery_forms", !item.delivery_forms.is_empty()),
        ("places", !item.places.is_empty()),
        ("remedies", item.remedies.is_some()),
    ];
    told.into_iter()
        .filter(|(_, is_told)| !is_told)
        .map(|(field, _)| field)
        .collect()
}

/// Publishes a version beside the `versions` that there are.
///
/// # Errors
/// OBLIGATORY_FIELD_MISSING, DEPARTMENT_UNKNOWN (BB-8b); CODE_TWICE; VERSION_EXISTS, DATES_REVERSED, VERSIONS_OVERLAP
/// (BB-7.2); DATE_IMPOSSIBLE.
pub fn publish(
    item: &ItemVersion,
    versions: &[ItemVersion],
    departments: &[String],
    now: prost_types::Timestamp,
) -> Decision<ItemVersion> {
    if let Some(first) = faults(item, versions, departments).into_iter().next() {
        return Err(first);
    }
    let item = ItemVersion {
        published_at: Some(now),
        withdrawn_from: String::new(),
        ..item.clone()
    };
    let act = ItemPublished {
        item: Some(item.clone()),
    };
    Ok((Act::ItemPublished(act), item))
}

/// Everything for which [`publish`] refuses a version, each with the field that is to be changed.
#[must_use]
pub fn faults(
    item: &ItemVersion,
    versions: &[ItemVersion],
    departments: &[String],
) -> Vec<Refusal> {
    let mut faults = Vec::new();
    let missing = missing(item);
    if !missing.is_empty() {
        let refusal = Refusal::invalid(
            "OBLIGATORY_FIELD_MISSING",
            "BB-8b",
            format!("事项缺少应当公开的内容：{}", missing.join("、")),
            format!("what must be public is missing: {}", missing.join(", ")),
        );
        faults.push(missing.iter().fold(refusal, |r, field| {
            r.field(format!("item.{field}"), "is missing")
        }));
    }
    let assisting = item.assisting_departments.iter().enumerate();
    let assisting = assisting.map(|(at, id)| (format!("item.assisting_departments[{at}]"), id));
    for (field, id) in
        std::iter::once(("item.department".to_owned(), &item.department)).chain(assisting)
    {
        if !departments.contains(id) && !id.is_empty() {
            faults.push(department_unknown(id).field(field, "is unknown"));
        }
    }
    faults.extend(powers(item));
    faults.extend(twice("materials", item.materials.iter().map(|m| &m.code)));
    faults.extend(twice("conditions", item.conditions.iter().map(|c| &c.code)));
    faults.extend(faults_in_time(item, versions));
    faults
}

/// What may be delegated is said where agency is allowed, and nowhere else.
fn powers(item: &ItemVersion) -> Option<Refusal> {
    if item.is_agency_allowed != item.powers.is_empty() {
        return None;
    }
    Some(
        Refusal::invalid(
            "POWERS_CONTRADICT_AGENCY",
            "BB-7.1.2",
            "可代办的事项须列明可委托的权限，不可代办的事项不得列出",
            "an item for agency lists the powers that may be given; any other lists none",
        )
        .field("item.powers", "contradict is_agency_allowed"),
    )
}

fn department_unknown(id: &str) -> Refusal {
    Refusal::precondition(
        "DEPARTMENT_UNKNOWN",
        "BB-8b",
        format!("没有主管部门“{id}”，请先登记"),
        format!("there is no department {id:?}: put it first"),
    )
}

/// A code that a list of the version has twice: nobody could tell which is meant.
fn twice<'a>(list: &str, codes: impl Iterator<Item = &'a String>) -> Vec<Refusal> {
    let mut seen = HashSet::new();
    codes
        .enumerate()
        .filter(|(_, code)| !seen.insert(*code))
        .map(|(at, code)| {
            code_twice(code).field(format!("item.{list}[{at}].code"), "is there twice")
        })
        .collect()
}

/// CODE_TWICE.
#[must_use]
pub fn code_twice(code: &str) -> Refusal {
    Refusal::invalid(
        "CODE_TWICE",
        "",
        format!("“{code}”出现两次"),
        format!("{code:?} is there twice"),
    )
}

fn faults_in_time(item: &ItemVersion, versions: &[ItemVersion]) -> Vec<Refusal> {
    let mut faults = Vec::new();
    if versions.iter().any(|v| v.version == item.version) {
        let (zh, en) = ("该事项版本已发布", "this version of the item is published");
        let refusal = Refusal::exists("VERSION_EXISTS", "BB-7.2", zh, en);
        faults.push(refusal.field("item.version", "is published"));
    }
    let from = day(&item.effective_from, "item.effective_from");
    let until = match item.effective_until.as_str() {
        "" => Ok(None),
        until => day(until, "item.effective_until").map(Some),
    };
    match (&from, &until) {
        (Ok(from), Ok(Some(until))) if until <= from => faults.push(
            Refusal::invalid(
                "DATES_REVERSED",
                "BB-7.2",
                "失效日期须晚于生效日期",
                "the version ends before it begins",
            )
            .field("item.effective_until", "is not later than effective_from"),
        ),
        (Ok(_), Ok(_)) => {
            let others = versions.iter().filter(|v| v.version != item.version);
            faults.extend(others.filter_map(|other| overlap(item, other)));
        }
        _ => {}
    }
    faults.extend(from.err());
    faults.extend(until.err());
    faults
}

/// Refuses two versions that would be in force on one day, or in another order than their numbers'.
fn overlap(item: &ItemVersion, other: &ItemVersion) -> Option<Refusal> {
    let (early, late) = if other.version < item.version {
        (other, item)
    } else {
        (item, other)
    };
    let until = end(early);
    let is_apart = early.effective_from < late.effective_from
        && (until.is_empty() || until <= late.effective_from.as_str());
    if is_apart {
        return None;
    }
    let refusal = Refusal::precondition(
        "VERSIONS_OVERLAP",
        "BB-7.2",
        format!("第{}版与第{}版的有效期重叠", early.version, late.version),
        format!(
            "versions {} and {} of {} overlap",
            early.version, late.version, late.code
        ),
    );
    Some(refusal.field("item.effective_from", "lies within another version"))
}

/// Adds a department, or replaces what is said of it.
///
/// # Errors
/// CLOSING_TIMES_INCOMPLETE: what is said of some weekdays must be said of all.
pub fn put_department(department: &Department) -> Decision<Department> {
    if !matches!(department.closing_times.len(), 0 | 7) {
        return Err(Refusal::invalid(
            "CLOSING_TIMES_INCOMPLETE",
            "",
            "下班时间须从周一到周日填满七项，或者全部不填",
            "give a closing time, or none, for each of the seven weekdays, or leave them all out",
        )
        .field("department.closing_times", "has not seven entries"));
    }
    let act = DepartmentPut {
        department: Some(department.clone()),
    };
    Ok((Act::DepartmentPut(act), department.clone()))
}

/// What stands for an item over all versions.
#[must_use]
pub fn head(code: &str) -> ItemVersion {
    ItemVersion {
        code: code.to_owned(),
        ..ItemVersion::default()
    }
}

/// The first day on which a version is out of force; empty while open.
fn end(item: &ItemVersion) -> &str {
    match (item.effective_until.as_str(), item.withdrawn_from.as_str()) {
        (until, "") => until,
        ("", withdrawn) => withdrawn,
        (until, withdrawn) => until.min(withdrawn),
    }
}

/// The version in force on a day (YYYY-MM-DD, which sorts as text).
#[must_use]
pub fn in_force<'a>(versions: &'a [ItemVersion], on: &str) -> Option<&'a ItemVersion> {
    let begun = versions.iter().filter(|v| v.effective_from.as_str() <= on);
    begun
        .max_by(|a, b| a.effective_from.cmp(&b.effective_from))
        .filter(|v| end(v).is_empty() || on < end(v))
}

/// Withdraws an item from a date on. Answers the act, the versions that change, and the one that is told.
///
/// # Errors
/// ITEM_UNKNOWN; DATE_IMPOSSIBLE.
pub fn withdraw(
    versions: &[ItemVersion],
    from: &str,
    reason: &str,
) -> Result<(Act, Vec<ItemVersion>, ItemVersion), Refusal> {
    day(from, "from")?;
    let told = in_force(versions, from)
        .or_else(|| versions.iter().max_by_key(|v| v.version))
        .ok_or_else(item_unknown)?;
    let withdrawn = |v: &ItemVersion| ItemVersion {
        withdrawn_from: from.to_owned(),
        ..v.clone()
    };
    let touched = versions
        .iter()
        .filter(|v| end(v).is_empty() || from < end(v));
    let act = ItemWithdrawn {
        code: told.code.clone(),
        version: told.version,
        from: from.to_owned(),
        reason: reason.to_owned(),
    };
    Ok((
        Act::ItemWithdrawn(act),
        touched.map(withdrawn).collect(),
        withdrawn(told),
    ))
}

/// What is not public or not current of an item in force (BB-8b).
#[must_use]
pub fn gaps(item: &ItemVersion, departments: &[Department]) -> Vec<&'static str> {
    let mut gaps = missing(item);
    match departments.iter().find(|d| d.id == item.department) {
        None => gaps.push("department"),
        Some(d) if d.telephone.is_empty() || d.complaint_telephone.is_empty() => {
            gaps.push("department.telephone")
        }
        Some(_) => {}
    }
    gaps
}

/// ITEM_UNKNOWN.
#[must_use]
pub fn item_unknown() -> Refusal {
    Refusal::not_found(
        "ITEM_UNKNOWN",
        "BB-7.2",
        "目录中没有该事项",
        "there is no such item in the catalogue",
    )
}

/// ITEM_NOT_PUBLISHED.
#[must_use]
pub fn not_published() -> Refusal {
    Refusal::not_found(
        "ITEM_NOT_PUBLISHED",
        "BB-7.2",
        "该事项在该日没有有效版本",
        "no version of the item is in force on that day",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(version: u32, from: &str, until: &str) -> ItemVersion {
        ItemVersion {
            code: "x".into(),
            version,
            effective_from: from.into(),
            effective_until: until.into(),
            ..ItemVersion::default()
        }
    }

    #[test]
    fn what_must_be_public_is_demanded() {
        let refused = publish(
            &version(1, "2026-01-01", ""),
            &[],
            &[],
            prost_types::Timestamp::default(),
        )
        .expect_err("refused");
        assert_eq!(
            (refused.reason, refused.requirement),
            ("OBLIGATORY_FIELD_MISSING", "BB-8b")
        );
        assert!(refused.fields.iter().any(|(f, _)| f == "item.legal_basis"));
    }

    #[test]
    fn the_next_version_takes_over_and_withdrawal_ends_all() {
        let versions = [version(1, "2026-01-01", ""), version(2, "2026-07-01", "")];
        assert_eq!(in_force(&versions, "2025-12-31"), None);
        assert_eq!(
            in_force(&versions, "2026-06-30").map(|v| v.version),
            Some(1)
        );
        assert_eq!(
            in_force(&versions, "2026-07-01").map(|v| v.version),
            Some(2)
        );
        let (_, touched, told) = withdraw(&versions, "2026-06-01", "x").expect("withdrawn");
        assert_eq!((touched.len(), told.version), (2, 1));
        assert_eq!(in_force(&touched, "2026-05-31").map(|v| v.version), Some(1));
        assert_eq!(in_force(&touched, "2026-06-01"), None);
        assert_eq!(in_force(&touched, "2026-08-01"), None);
        assert_eq!(
            withdraw(&[], "2026-06-01", "x")
                .expect_err("refused")
                .reason,
            "ITEM_UNKNOWN"
        );
    }
}
