//! What `infra/sample/district.yaml` says.

use bangban_kit::identity::Person;
use bangban_proto::bangban::{
    directory::v1::{DocumentKind, OpeningHours, ServiceArea, Site, Skill, Training, TrainingKind},
    options::v1::Role,
    scheduling::v1::{self as scheduling, Publication, Template, WeeklyHours},
    types::v1::{Channel, SpecialGroup, Tier},
};
use serde::Deserialize;

use crate::failure::Failure;

/// The applicant of the walk.
const APPLICANT: &str = "lin-guie";

/// The agent of the walk.
const AGENT: &str = "hu-yulian";

/// The file.
#[derive(Debug, Deserialize)]
pub struct Sample {
    /// The district.
    pub district: District,
    /// Its sites.
    pub sites: Vec<SampleSite>,
    /// Its staff.
    pub staff: Vec<SampleStaff>,
    /// People who come.
    pub applicants: Vec<Applicant>,
}

/// The district.
#[derive(Debug, Deserialize)]
pub struct District {
    pub id: String,
    pub name: String,
    pub region: String,
    pub number: u32,
}

/// A site.
#[derive(Debug, Deserialize)]
pub struct SampleSite {
    pub id: String,
    name: String,
    tier: String,
    pub region: String,
    address: String,
    telephone: String,
    opening_hours: Vec<Hours>,
    service_areas: Vec<Area>,
    /// What appointments are given during the opening hours.
    appointments: Option<Appointments>,
}

/// Appointments of a site.
#[derive(Debug, Deserialize)]
struct Appointments {
    group: String,
    slot_minutes: u32,
    capacity: u32,
    reserved: u32,
    reserved_until_minutes: u32,
    weeks_ahead: u32,
    at: String,
}

#[derive(Debug, Deserialize)]
struct Hours {
    weekday: u32,
    opens: String,
    closes: String,
}

#[derive(Debug, Deserialize)]
struct Area {
    name: String,
    counters: Vec<String>,
    evidence: String,
}

/// A member of staff.
#[derive(Debug, Deserialize)]
pub struct SampleStaff {
    pub id: String,
    pub name: String,
    pub site: String,
    roles: Vec<String>,
    status: String,
    pub suspended_reason: Option<String>,
    trainings: Vec<SampleTraining>,
    skill: Option<SampleSkill>,
    #[serde(default)]
    pub conflicts: Vec<SampleConflict>,
}

#[derive(Debug, Deserialize)]
struct SampleTraining {
    kind: String,
    completed_on: String,
    valid_until: String,
    certificate: String,
}

#[derive(Debug, Deserialize)]
struct SampleSkill {
    items: Vec<String>,
    channels: Vec<String>,
}

/// A conflict of interest.
#[derive(Debug, Deserialize)]
pub struct SampleConflict {
    /// Key of the applicant.
    pub applicant: String,
    pub relation: String,
}

/// Somebody who comes.
#[derive(Debug, Deserialize)]
pub struct Applicant {
    /// What the file calls them.
    pub key: String,
    /// Name, or that of the enterprise.
    pub name: String,
    document_kind: String,
    /// Number of the document.
    pub document: String,
    /// Telephone, as people write it.
    pub telephone: String,
    /// Where they live.
    pub address: String,
    groups: Vec<String>,
    /// Whether they asked to be reminded (BB-4.2c).
    pub wants_reminders: bool,
}

/// Who loads the sample and moves the clock.
pub fn operator() -> Person {
    Person {
        subject: "operator".to_owned(),
        roles: vec!["operator".to_owned(), "administrator".to_owned()],
        ..Person::default()
    }
}

fn named(what: &str, name: &str, number: Option<i32>) -> Result<i32, Failure> {
    number.ok_or_else(|| {
        Failure::new(format!(
            "infra/sample/district.yaml: {name} is no {what}; correct the file."
        ))
    })
}

fn channel(name: &str) -> Result<i32, Failure> {
    named(
        "channel",
        name,
        Channel::from_str_name(&format!("CHANNEL_{name}")).map(i32::from),
    )
}

impl Sample {
    /// The one that this program was built with.
    pub fn shipped() -> Result<Self, Failure> {
        serde_yaml_ng::from_str(include_str!("../../../../infra/sample/district.yaml"))
            .map_err(|e| Failure::of("infra/sample/district.yaml is not as this program wants it; correct it and build again", &e))
    }

    /// The applicant of this key.
    pub fn applicant(&self, key: &str) -> Result<&Applicant, Failure> {
        self.applicants
            .iter()
            .find(|a| a.key == key)
            .ok_or_else(|| missing("applicant", key))
    }

    /// The old woman of the walk.
    pub fn old_woman(&self) -> Result<&Applicant, Failure> {
        self.applicant(APPLICANT)
    }

    /// Name of the agent of the walk.
    pub fn agent_name(&self) -> Result<&str, Failure> {
        self.staff
            .iter()
            .find(|s| s.id == AGENT)
            .map(|s| s.name.as_str())
            .ok_or_else(|| missing("agent", AGENT))
    }

    /// The agent of the walk, as a token names her.
    pub fn agent(&self) -> Result<Person, Failure> {
        self.person(AGENT)
    }

    /// A member of staff as a token names them, with the region of their site.
    pub fn person(&self, id: &str) -> Result<Person, Failure> {
        let staff = self
            .staff
            .iter()
            .find(|s| s.id == id)
            .ok_or_else(|| missing("member of staff", id))?;
        let site = self
            .sites
            .iter()
            .find(|s| s.id == staff.site)
            .ok_or_else(|| missing("site", &staff.site))?;
        Ok(Person {
            subject: staff.id.clone(),
            roles: staff.roles.iter().map(|r| r.to_lowercase()).collect(),
            region: site.region.clone(),
            site: site.id.clone(),
            ..Person::default()
        })
    }
}

fn missing(what: &str, name: &str) -> Failure {
    Failure::new(format!(
        "infra/sample/district.yaml has no {what} {name}; put it back and build again."
    ))
}

impl SampleSite {
    /// What appointments are given, and when their days are published.
    pub fn appointments(&self) -> Option<(Template, Publication)> {
        let given = self.appointments.as_ref()?;
        let weekly = self.opening_hours.iter().map(|hours| WeeklyHours {
            weekday: hours.weekday,
            hours: Some(scheduling::Hours {
                from: hours.opens.clone(),
                to: hours.closes.clone(),
                slot_minutes: given.slot_minutes,
                capacity: given.capacity,
                reserved: given.reserved,
                reserved_until_minutes: given.reserved_until_minutes,
            }),
        });
        let template = Template {
            id: format!("{}-{}", self.id, given.group),
            site: self.id.clone(),
            group: given.group.clone(),
            weekly: weekly.collect(),
            valid_from: "2020-01-01".to_owned(),
            ..Template::default()
        };
        let publication = Publication {
            site: self.id.clone(),
            weeks_ahead: given.weeks_ahead,
            at: given.at.clone(),
            ..Publication::default()
        };
        Some((template, publication))
    }

    /// As the contract has it.
    pub fn site(&self) -> Result<Site, Failure> {
        let tier = Tier::from_str_name(&format!("TIER_{}", self.tier)).map(i32::from);
        let hours = self.opening_hours.iter().map(|h| OpeningHours {
            weekday: h.weekday,
            opens: h.opens.clone(),
            closes: h.closes.clone(),
        });
        let areas = self.service_areas.iter().map(|a| ServiceArea {
            name: a.name.clone(),
            counters: a.counters.clone(),
            evidence: a.evidence.clone(),
        });
        Ok(Site {
            id: self.id.clone(),
            name: self.name.clone(),
            tier: named("tier", &self.tier, tier)?,
            region: self.region.clone(),
            address: self.address.clone(),
            telephone: self.telephone.clone(),
            opening_hours: hours.collect(),
            service_areas: areas.collect(),
            ..Site::default()
        })
    }
}

impl SampleStaff {
    /// Roles as the contract numbers them.
    pub fn roles(&self) -> Result<Vec<i32>, Failure> {
        let number = |name: &String| {
            named(
                "role",
                name,
                Role::from_str_name(&format!("ROLE_{name}")).map(i32::from),
            )
        };
        self.roles.iter().map(number).collect()
    }

    /// Whether the person may work.
    pub fn is_active(&self) -> bool {
        self.status == "ACTIVE"
    }

    /// Trainings as the contract has them.
    pub fn trainings(&self) -> Result<Vec<Training>, Failure> {
        let training = |t: &SampleTraining| {
            let kind =
                TrainingKind::from_str_name(&format!("TRAINING_KIND_{}", t.kind)).map(i32::from);
            Ok(Training {
                kind: named("training", &t.kind, kind)?,
                completed_on: t.completed_on.clone(),
                valid_until: t.valid_until.clone(),
                certificate: t.certificate.clone(),
            })
        };
        self.trainings.iter().map(training).collect()
    }

    /// The skill as the contract has it.
    pub fn skill(&self) -> Result<Option<Skill>, Failure> {
        let Some(skill) = &self.skill else {
            return Ok(None);
        };
        let channels = skill
            .channels
            .iter()
            .map(|name| channel(name))
            .collect::<Result<_, _>>()?;
        Ok(Some(Skill {
            items: skill.items.clone(),
            channels,
        }))
    }
}

impl Applicant {
    /// The document's kind as the contract numbers it.
    pub fn document_kind(&self) -> Result<i32, Failure> {
        let kind = DocumentKind::from_str_name(&format!("DOCUMENT_KIND_{}", self.document_kind));
        named("kind of document", &self.document_kind, kind.map(i32::from))
    }

    /// Groups as the contract numbers them.
    pub fn groups(&self) -> Result<Vec<i32>, Failure> {
        let number = |name: &String| {
            let group = SpecialGroup::from_str_name(&format!("SPECIAL_GROUP_{name}"));
            named("group", name, group.map(i32::from))
        };
        self.groups.iter().map(number).collect()
    }

    /// The last six characters of the document, which prove an identity beside a receipt number.
    pub fn document_end(&self) -> String {
        let skip = self.document.chars().count().saturating_sub(6);
        self.document.chars().skip(skip).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_sample_is_read_and_has_the_people_of_the_walk() {
        let sample = Sample::shipped().expect("a sample");
        assert_eq!(
            sample.old_woman().expect("an applicant").document_end(),
            "08002X"
        );
        assert_eq!(sample.agent().expect("an agent").region, "420527106206");
        for staff in &sample.staff {
            staff
                .roles()
                .and(staff.trainings().map(|_| ()))
                .expect("names that exist");
            staff.skill().expect("channels that exist");
        }
        for site in &sample.sites {
            site.site().expect("a tier that exists");
        }
    }
}
