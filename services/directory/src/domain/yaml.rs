//! A catalogue in YAML, read leniently: every mistake is named, not only the first.

use bangban_proto::bangban::{
    directory::v1::{
        ClockStop, Condition, DeliveryForm, Department, ElectronicLicence, Fee, Handling,
        InPersonAct, ItemKind, ItemLimit, ItemVersion, LegalBasis, LimitName, LimitOwner,
        LimitStart, Material, MaterialForm, Place, Remedies, Rule, Step,
    },
    types::v1::{Channel, Tier, TimeUnit},
};
use serde_yaml_ng::Value;

/// What a catalogue holds.
#[derive(Debug, Default, Clone)]
pub struct Catalogue {
    /// Departments.
    pub departments: Vec<Department>,
    /// Versions of items.
    pub items: Vec<ItemVersion>,
    /// Versions of rules.
    pub rules: Vec<Rule>,
}

/// An entry, where it stands, and what is wrong so far.
struct Reader<'a> {
    value: &'a Value,
    at: String,
    wrong: &'a mut Vec<String>,
}

static NULL: Value = Value::Null;

impl Reader<'_> {
    fn get(&self, field: &str) -> &Value {
        self.value.get(field).unwrap_or(&NULL)
    }

    fn complain(&mut self, field: &str, what: &str) {
        self.wrong.push(format!("{}: {field}: {what}", self.at));
    }

    fn optional(&mut self, field: &str) -> String {
        match self.get(field) {
            Value::Null => String::new(),
            Value::String(text) => text.trim_end().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => {
                self.complain(field, "is no text");
                String::new()
            }
        }
    }

    fn text(&mut self, field: &str) -> String {
        let text = self.optional(field);
        if text.is_empty() {
            self.complain(field, "is missing");
        }
        text
    }

    fn number(&mut self, field: &str) -> u32 {
        let number = self.get(field).as_u64().and_then(|n| u32::try_from(n).ok());
        number.unwrap_or_else(|| {
            self.complain(field, "is missing or no number");
            0
        })
    }

    fn flag(&mut self, field: &str) -> bool {
        self.get(field).as_bool().unwrap_or_else(|| {
            self.complain(field, "is missing or neither true nor false");
            false
        })
    }

    /// A value of an enum, whose names begin with `prefix`.
    fn named(
        &mut self,
        value: &Value,
        field: &str,
        prefix: &str,
        of: fn(&str) -> Option<i32>,
        all: &[&str],
    ) -> i32 {
        let name = value.as_str().unwrap_or_default();
        let found = of(&format!("{prefix}{name}")).filter(|number| *number > 0);
        found.unwrap_or_else(|| {
            let known = all.join(", ");
            self.complain(
                field,
                &format!("unknown value {name:?}; write one of {known}"),
            );
            0
        })
    }

    fn list<T>(&mut self, field: &str, mut each: impl FnMut(&mut Reader<'_>) -> T) -> Vec<T> {
        let value = self.value;
        let Some(entries) = value.get(field).and_then(Value::as_sequence) else {
            return Vec::new();
        };
        let mut all = Vec::with_capacity(entries.len());
        for (number, entry) in entries.iter().enumerate() {
            let at = format!("{}.{field}[{number}]", self.at);
            all.push(each(&mut Reader {
                value: entry,
                at,
                wrong: self.wrong,
            }));
        }
        all
    }

    fn within<T>(&mut self, field: &str, each: impl FnOnce(&mut Reader<'_>) -> T) -> Option<T> {
        let value = self.value;
        let inner = value.get(field).filter(|v| !v.is_null())?;
        Some(each(&mut Reader {
            value: inner,
            at: format!("{}.{field}", self.at),
            wrong: self.wrong,
        }))
    }
}

macro_rules! named {
    ($reader:expr, $field:expr, $enum:ty, $prefix:literal) => {{
        let value = $reader.get($field).clone();
        $reader.named(
            &value,
            $field,
            $prefix,
            |n| <$enum>::from_str_name(n).map(|v| v as i32),
            &all!($enum, $prefix),
        )
    }};
}

macro_rules! all {
    ($enum:ty, $prefix:literal) => {
        (1..32)
            .filter_map(|n| <$enum>::try_from(n).ok())
            .map(|v| v.as_str_name().trim_start_matches($prefix))
            .collect::<Vec<_>>()
    };
}

macro_rules! every {
    ($reader:expr, $field:literal, $enum:ty, $prefix:literal) => {
        $reader.list($field, |r| {
            let value = r.value.clone();
            r.named(
                &value,
                "",
                $prefix,
                |n| <$enum>::from_str_name(n).map(|v| v as i32),
                &all!($enum, $prefix),
            )
        })
    };
}

/// Reads a catalogue, with everything that cannot be read.
#[must_use]
pub fn read(text: &str) -> (Catalogue, Vec<String>) {
    let mut wrong = Vec::new();
    let mut catalogue = Catalogue::default();
    let value: Value = match serde_yaml_ng::from_str(text) {
        Ok(value) => value,
        Err(error) => return (catalogue, vec![error.to_string()]),
    };
    let mut top = Reader {
        value: &value,
        at: "catalogue".to_owned(),
        wrong: &mut wrong,
    };
    catalogue.departments = top.list("departments", |r| Department {
        id: r.text("id"),
        name: r.text("name"),
        telephone: r.text("telephone"),
        complaint_telephone: r.text("complaint_telephone"),
        address: r.text("address"),
    });
    let items = top.list("items", |r| {
        let (code, name) = (r.text("code"), r.text("name"));
        r.list("versions", |r| {
            r.at = format!(
                "item {code} version {}",
                r.get("version").as_u64().unwrap_or_default()
            );
            item(r, &code, &name)
        })
    });
    catalogue.items = items.into_iter().flatten().collect();
    let rules = top.list("rules", |r| {
        let (code, title) = (r.text("code"), r.text("title"));
        r.list("versions", |r| {
            r.at = format!(
                "rule {code} version {}",
                r.get("version").as_u64().unwrap_or_default()
            );
            Rule {
                code: code.clone(),
                version: r.number("version"),
                title: title.clone(),
                text: r.text("text"),
                effective_from: r.text("effective_from"),
                attested_by: Vec::new(),
            }
        })
    });
    catalogue.rules = rules.into_iter().flatten().collect();
    (catalogue, wrong)
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
        assisting_departments: r.list("assisting_departments", |r| {
            r.value.as_str().unwrap_or_default().to_owned()
        }),
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
        fee: r.within("fee", |r| Fee {
            amount_fen: if r.flag("is_free") {
                0
            } else {
                u64::from(r.number("amount_fen"))
            },
            citation: r.text("citation"),
        }),
        channels: every!(r, "channels", Channel, "CHANNEL_"),
        tiers: every!(r, "tiers", Tier, "TIER_"),
        delivery_forms: every!(r, "delivery_forms", DeliveryForm, "DELIVERY_FORM_"),
        is_agency_allowed: r.flag("is_agency_allowed"),
        in_person_acts: r.list("in_person_acts", |r| InPersonAct {
            code: r.text("code"),
            citation: r.text("citation"),
        }),
        electronic_licence: r
            .within("electronic_licence", |r| {
                r.flag("exists").then(|| ElectronicLicence {
                    how_to_download: r.text("how_to_download"),
                    how_to_use: r.text("how_to_use"),
                })
            })
            .flatten(),
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
