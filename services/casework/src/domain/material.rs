//! Materials: taken, returned, listed as missing once, and our own pre-check (BB-4.1c, BB-10.1.2.1).

use bangban_kit::refusal::Refusal;
use bangban_limits::time;
use bangban_proto::bangban::{
    casework::v1::{
        Breach, BreachKind, BreachRecorded, Case, CaseKind, CaseMaterial, CaseState, ConsentKind,
        ListMissingMaterialsRequest, MaterialReturned, MaterialTaken, MissingList, MissingListed,
        MissingMaterial, PassPreCheckRequest, PreCheckPassed, ReturnMaterialRequest, SupplyForm,
        TakeMaterialRequest,
    },
    directory::v1::{ItemVersion, Material},
};
use chrono::{NaiveDate, TimeDelta};

use super::{
    Act, Outside,
    consent::needs_consent,
    outside::{going_on, in_state, local, next_number},
};

/// A material of the item.
///
/// # Errors
/// MATERIAL_UNKNOWN.
pub fn known<'a>(code: &str, item: &'a ItemVersion) -> Result<&'a Material, Refusal> {
    item.materials
        .iter()
        .find(|m| m.code == code)
        .ok_or_else(|| {
            Refusal::invalid(
                "MATERIAL_UNKNOWN",
                "BB-4.4a",
                format!("该事项不需要材料 {code}"),
                format!("the item knows no material {code}"),
            )
            .field("material", "unknown to the item")
        })
}

/// Records a material.
///
/// # Errors
/// CONSENT_MISSING, MATERIAL_UNKNOWN, NOT_ON_THE_SPOT, REUSE_NOT_POSSIBLE.
pub fn take(
    case: &Case,
    request: &TakeMaterialRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    going_on(case)?;
    needs_consent(case, ConsentKind::Assistance)?;
    let material = known(&request.material, outside.item)?;
    if request.supply() == SupplyForm::OnTheSpot && !material.is_on_the_spot {
        return Err(Refusal::invalid(
            "NOT_ON_THE_SPOT",
            "BB-10.1.2.1.2",
            "该材料不能当场填写或补充",
            "this material cannot be made on the spot",
        )
        .field("supply", "not possible for this material"));
    }
    if request.supply() == SupplyForm::Reused {
        needs_consent(case, ConsentKind::Reuse)?;
        let today = time::today(outside.now);
        let usable = outside
            .earlier
            .and_then(|earlier| usable_until(case, earlier, material));
        if usable.is_none_or(|until| until < today) {
            return Err(Refusal::invalid(
                "REUSE_NOT_POSSIBLE",
                "BB-4.1c",
                "该材料不能复用，请重新提供",
                "this material cannot be used again: ask for a new one",
            )
            .field("supply", "cannot be used again"));
        }
    }
    if case.kind() == CaseKind::Agency && request.originals > 0 {
        receipted(&request.receipt)?;
    }
    Ok(vec![Act::MaterialTaken(MaterialTaken {
        material: Some(CaseMaterial {
            code: material.code.clone(),
            name: material.name.clone(),
            is_required: material.is_required,
            is_present: true,
            is_valid: request.is_valid,
            supply: request.supply,
            originals: request.originals,
            copies: request.copies,
            taken_at: outside.at(),
            receipt: request.receipt.clone(),
            returned_at: None,
            is_on_the_spot: request.supply() == SupplyForm::OnTheSpot,
            reused_from: request.reused_from.clone(),
        }),
    })])
}

/// In agency originals change hands against receipts.
fn receipted(receipt: &str) -> Result<(), Refusal> {
    if !receipt.trim().is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid(
        "RECEIPT_MISSING",
        "BB-10.2.3",
        "代办中收取、退还原件须有收据",
        "in agency originals are taken and returned against a receipt",
    )
    .field("receipt", "missing"))
}

/// The last day on which a material of an earlier case may be used again: one of the same applicant, valid and still
/// held, whose rule allows it (BB-4.1c).
#[must_use]
pub fn usable_until(case: &Case, earlier: &Case, material: &Material) -> Option<NaiveDate> {
    if earlier.id == case.id || earlier.applicant != case.applicant {
        return None;
    }
    let held = earlier
        .materials
        .iter()
        .find(|m| m.code == material.code && stays(m))?;
    let taken_on = held.taken_at.as_ref().and_then(local)?.date_naive();
    let days = TimeDelta::days(i64::from(material.reusable_for_days));
    (material.reusable_for_days > 0)
        .then(|| taken_on.checked_add_signed(days))
        .flatten()
}

/// Records that originals went back.
///
/// # Errors
/// MATERIAL_NOT_HELD.
pub fn give_back(
    case: &Case,
    request: &ReturnMaterialRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    known(&request.material, outside.item)?;
    let is_held = case
        .materials
        .iter()
        .any(|m| m.code == request.material && m.is_present && m.returned_at.is_none());
    if !is_held {
        return Err(Refusal::precondition(
            "MATERIAL_NOT_HELD",
            "BB-8d",
            "我方未留存该材料",
            "we do not hold this material",
        )
        .field("material", "not held"));
    }
    if case.kind() == CaseKind::Agency {
        receipted(&request.receipt)?;
    }
    Ok(vec![Act::MaterialReturned(MaterialReturned {
        code: request.material.clone(),
        receipt: request.receipt.clone(),
    })])
}

/// Valid, and with us: the original, or a copy when the original went back.
fn stays(material: &CaseMaterial) -> bool {
    material.is_present
        && material.is_valid
        && (material.copies > 0 || material.returned_at.is_none())
}

/// Whether we hold a valid material of this code, so that it can be filed for somebody.
#[must_use]
pub fn is_held(case: &Case, code: &str) -> bool {
    case.materials.iter().any(|m| m.code == code && stays(m))
}

/// Required materials that are not there, or not valid.
#[must_use]
pub fn lacking<'a>(case: &Case, item: &'a ItemVersion) -> Vec<&'a Material> {
    item.materials
        .iter()
        .filter(|m| m.is_required)
        .filter(|m| {
            !case
                .materials
                .iter()
                .any(|c| c.code == m.code && c.is_present && c.is_valid)
        })
        .collect()
}

/// Lists everything that is missing, once; a second list without changed facts is a breach of the one who lists.
///
/// # Errors
/// NOTHING_MISSING, MATERIAL_UNKNOWN, LIST_INCOMPLETE.
pub fn list_missing(
    case: &Case,
    request: &ListMissingMaterialsRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    in_state(
        case,
        &[CaseState::Open, CaseState::PreChecked],
        "提交后由部门补正",
        "after filing the department lists",
    )?;
    needs_consent(case, ConsentKind::Assistance)?;
    let lacking = lacking(case, outside.item);
    if lacking.is_empty() {
        return Err(Refusal::precondition(
            "NOTHING_MISSING",
            "BB-10.1.2.1.1",
            "材料已齐全，无需补正，请通过预审",
            "nothing is missing: pass the pre-check",
        ));
    }
    let mut materials = Vec::new();
    for line in &request.materials {
        let material = known(&line.code, outside.item)?;
        let way = if line.how_to_supplement.is_empty() {
            &material.how_to_get
        } else {
            &line.how_to_supplement
        };
        materials.push(MissingMaterial {
            code: material.code.clone(),
            name: material.name.clone(),
            reason: line.reason.clone(),
            how_to_supplement: way.clone(),
            can_be_done_on_the_spot: material.is_on_the_spot,
        });
    }
    let left_out: Vec<&str> = lacking
        .iter()
        .filter(|m| !materials.iter().any(|l| l.code == m.code))
        .map(|m| m.code.as_str())
        .collect();
    if !left_out.is_empty() {
        return Err(Refusal::invalid(
            "LIST_INCOMPLETE",
            "BB-10.1.2.1.2",
            format!("须一次性列全，还缺：{}", left_out.join("、")),
            format!(
                "everything is listed at once; left out: {}",
                left_out.join(", ")
            ),
        )
        .field("materials", "left out a required material"));
    }
    let number = next_number(&case.missing_lists);
    let mut acts = vec![Act::MissingListed(MissingListed {
        list: Some(MissingList {
            number,
            materials,
            changed_facts: request.changed_facts.clone(),
            listed_at: outside.at(),
            listed_by: outside.actor(),
        }),
    })];
    if number > 1 && request.changed_facts.trim().is_empty() {
        acts.push(Act::BreachRecorded(BreachRecorded {
            breach: Some(Breach {
                kind: BreachKind::SecondList.into(),
                clock: String::new(),
                subject: outside.caller.subject.clone(),
                requirement: "BB-10.1.2.1.2".to_owned(),
                recorded_at: outside.at(),
            }),
        }));
    }
    Ok(acts)
}

/// Records that our own pre-check has passed.
///
/// # Errors
/// OUT_OF_ORDER, CONSENT_MISSING, MATERIALS_MISSING.
pub fn pass_pre_check(
    case: &Case,
    _: &PassPreCheckRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    in_state(
        case,
        &[CaseState::Open],
        "预审已通过",
        "the pre-check has passed already",
    )?;
    needs_consent(case, ConsentKind::Assistance)?;
    let lacking = lacking(case, outside.item);
    if !lacking.is_empty() {
        let names: Vec<&str> = lacking.iter().map(|m| m.name.as_str()).collect();
        let codes: Vec<&str> = lacking.iter().map(|m| m.code.as_str()).collect();
        return Err(Refusal::precondition(
            "MATERIALS_MISSING",
            "BB-10.1.2.1.2",
            format!("材料不齐全：{}；请一次性列出", names.join("、")),
            format!(
                "materials are missing: {}; list them all at once",
                codes.join(", ")
            ),
        ));
    }
    Ok(vec![Act::PreCheckPassed(PreCheckPassed {
        materials: case
            .materials
            .iter()
            .filter(|m| m.is_present)
            .map(|m| m.code.clone())
            .collect(),
    })])
}
