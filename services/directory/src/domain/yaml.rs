//! A catalogue in YAML, read leniently: every mistake is named with its place, not only the first.

mod locate;
mod reader;

use bangban_proto::bangban::{
    directory::v1::{
        ClockStop, Condition, DeliveryForm, Department, ElectronicLicence, Fee, Handling,
        InPersonAct, ItemKind, ItemLimit, ItemVersion, LegalBasis, LimitName, LimitOwner,
        LimitStart, Material, MaterialForm, Place, Power, Remedies, Rule, Step,
    },
    types::v1::{Channel, Tier, TimeUnit},
};
use serde_yaml_ng::Value;

use self::reader::Reader;
pub use self::{locate::line, reader::Fault};

/// A thing, and where it stands in the text.
#[derive(Debug, Clone)]
pub struct Entry<T> {
    /// Its path, such as `items[0].versions[1]`.
    pub at: String,
    /// What a person calls it, such as `old-age-allowance 1`.
    pub about: String,
    /// It.
    pub thing: T,
}

/// What a catalogue holds.
#[derive(Debug, Default, Clone)]
pub struct Catalogue {
    /// Departments.
    pub departments: Vec<Entry<Department>>,
    /// Versions of items that are to be published.
    pub items: Vec<Entry<ItemVersion>>,
    /// Versions of rules.
    pub rules: Vec<Entry<Rule>>,
    /// Codes of items, once for each time that the text has one.
    pub codes: Vec<Entry<String>>,
    /// Versions that say `is_published: false`: they are read and left out.
    pub draft_count: u64,
}

/// A value of an enum, by the part of its name that follows the prefix.
macro_rules! named {
    ($reader:expr, $field:expr, $enum:ty, $prefix:literal) => {{
        let all: Vec<&str> = (1..32)
            .filter_map(|n| <$enum>::try_from(n).ok())
            .map(|v| v.as_str_name().trim_start_matches($prefix))
            .collect();
        $reader.named($field, &all, |name| {
            <$enum>::from_str_name(&format!("{}{name}", $prefix)).map_or(0, |v| v as i32)
        })
    }};
}

/// Reads a catalogue, with everything that cannot be read.
///
/// # Errors
/// When the text is no YAML: the line, and what the parser says.
pub fn read(text: &str) -> Result<(Catalogue, Vec<Fault>), (u64, String)> {
    let value: Value = serde_yaml_ng::from_str(text).map_err(|error| {
        let line = error.location().map_or(0, |at| at.line() as u64);
        (line, error.to_string())
    })?;
    let mut wrong = Vec::new();
    let catalogue = Reader::read(&value, String::new(), "", &mut wrong, catalogue);
    Ok((catalogue, wrong))
}

fn catalogue(top: &mut Reader<'_>) -> Catalogue {
    if !top.is_entry() {
        top.complain("", "不是事项目录", "this is no catalogue");
        return Catalogue::default();
    }
    let departments = top.list("departments", |r| {
        let id = r.text("id");
        r.about.clone_from(&id);
        let department = Department {
            id,
            name: r.text("name"),
            telephone: r.text("telephone"),
            complaint_telephone: r.text("complaint_telephone"),
            address: r.text("address"),
            closing_times: r.list("closing_times", |r| r.word()),
        };
        entry(r, department)
    });
    let mut codes = Vec::new();
    let mut draft_count = 0;
    let items = top.list("items", |r| {
        let (code, name) = (r.text("code"), r.text("name"));
        r.about.clone_from(&code);
        codes.push(entry(r, code.clone()));
        r.list("versions", |r| {
            r.about = format!("{code} {}", r.get("version").as_u64().unwrap_or_default());
            let version = item(r, &code, &name);
            if r.get("is_published").is_null() || r.flag("is_published") {
                return Some(entry(r, version));
            }
            draft_count += 1;
            None
        })
    });
    let rules = top.list("rules", |r| {
        let (code, title) = (r.text("code"), r.text("title"));
        r.about.clone_from(&code);
        r.list("versions", |r| {
            r.about = format!("{code} {}", r.get("version").as_u64().unwrap_or_default());
            let rule = Rule {
                code: code.clone(),
                version: r.number("version"),
                title: title.clone(),
                text: r.text("text"),
                effective_from: r.text("effective_from"),
                attested_by: Vec::new(),
            };
            entry(r, rule)
        })
    });
    Catalogue {
        departments,
        items: items.into_iter().flatten().flatten().collect(),
        rules: rules.into_iter().flatten().collect(),
        codes,
        draft_count,
    }
}

fn entry<T>(r: &Reader<'_>, thing: T) -> Entry<T> {
    Entry {
        at: r.at.clone(),
        about: r.about.clone(),
        thing,
    }
}

/// The path, within its entry of the text, of a field of a version; `None` for what stands with the item.
#[must_use]
pub fn field_of_version(field: &str) -> Option<String> {
    match field {
        "code" | "name" => None,
        "fee.amount_fen" | "fee.citation" => Some(field.to_owned()),
        "entitlement_age" => Some("entitlement.age".to_owned()),
        field => Some(field.replace(".is_on_the_spot", ".can_be_supplemented_on_the_spot")),
    }
}

fn item(r: &mut Reader<'_>, code: &str, name: &str) -> ItemVersion {
    ItemVersion {
        code: code.to_owned(),
        version: r.number("version"),
        name: name.to_owned(),
        effective_from: r.text("effective_from"),
        effective_until: r.optional("effective_until"),
        kind: named!(r, "kind", ItemKind, "ITEM_KIND_"),
        handling: named!(r, "handling", Handling, "HANDLING_"),
        department: r.text("department"),
        assisting_departments: r.list("assisting_departments", |r| r.word()),
        legal_basis: r.list("legal_basis", |r| LegalBasis {
            citation: r.text("citation"),
            text: r.text("text"),
        }),
        conditions: r.list("conditions", |r| Condition {
            code: r.text("code"),
            text: r.text("text"),
            citation: r.text("citation"),
        }),
        limits: r.list("limits", |r| ItemLimit {
            name: named!(r, "name", LimitName, "LIMIT_NAME_"),
            amount: r.number("amount"),
            unit: named!(r, "unit", TimeUnit, "TIME_UNIT_"),
            starts: named!(r, "starts", LimitStart, "LIMIT_START_"),
            owner: named!(r, "owner", LimitOwner, "LIMIT_OWNER_"),
            citation: r.text("citation"),
        }),
        clock_stops: r.list("clock_stops", |r| ClockStop {
            code: r.text("code"),
            citation: r.text("citation"),
        }),
        steps: r.list("steps", |r| Step {
            number: r.number("number"),
            name: r.text("name"),
            actor: r.text("actor"),
            text: r.text("text"),
        }),
        materials: r.list("materials", |r| Material {
            code: r.text("code"),
            name: r.text("name"),
            form: named!(r, "form", MaterialForm, "MATERIAL_FORM_"),
            copies: r.number("copies"),
            issuer: r.text("issuer"),
            how_to_get: r.text("how_to_get"),
            is_required: r.flag("is_required"),
            is_on_the_spot: r.flag("can_be_supplemented_on_the_spot"),
            may_come_later: r.flag("may_come_later"),
            reusable_for_days: r.number("reusable_for_days"),
        }),
        fee: r.within("fee", fee),
        channels: r.list("channels", |r| named!(r, "", Channel, "CHANNEL_")),
        tiers: r.list("tiers", |r| named!(r, "", Tier, "TIER_")),
        delivery_forms: r.list("delivery_forms", |r| {
            named!(r, "", DeliveryForm, "DELIVERY_FORM_")
        }),
        is_agency_allowed: r.flag("is_agency_allowed"),
        powers: r.list("powers", |r| named!(r, "", Power, "POWER_")),
        in_person_acts: r.list("in_person_acts", |r| InPersonAct {
            code: r.text("code"),
            citation: r.text("citation"),
        }),
        electronic_licence: r.within("electronic_licence", electronic_licence).flatten(),
        places: r.list("places", |r| Place {
            name: r.text("name"),
            address: r.text("address"),
            hours: r.text("hours"),
        }),
        remedies: r.within("remedies", |r| Remedies {
            reconsideration_days: r.number("reconsideration_days"),
            reconsideration_to: r.text("reconsideration_to"),
            suit_months: r.number("suit_months"),
            citation: r.text("citation"),
        }),
        entitlement_age: r
            .within("entitlement", |r| r.number("age"))
            .unwrap_or_default(),
        published_at: None,
        withdrawn_from: String::new(),
    }
}

fn fee(r: &mut Reader<'_>) -> Fee {
    let has_amount = !r.get("amount_fen").is_null();
    let amount_fen = match (r.flag("is_free"), has_amount) {
        (true, true) => {
            let en = "is given for what is free";
            r.complain("amount_fen", "与 is_free 矛盾", en);
            0
        }
        (true, false) => 0,
        (false, _) => u64::from(r.number("amount_fen")),
    };
    Fee {
        amount_fen,
        citation: r.text("citation"),
    }
}

fn electronic_licence(r: &mut Reader<'_>) -> Option<ElectronicLicence> {
    if r.flag("exists") {
        return Some(ElectronicLicence {
            how_to_download: r.text("how_to_download"),
            how_to_use: r.text("how_to_use"),
        });
    }
    r.optional("how_to_download");
    r.optional("how_to_use");
    None
}
