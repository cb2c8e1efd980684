//! A world to put load on: districts with a site, agents who may be given cases, applicants.

use std::path::PathBuf;

use bangban::{
    client::{Client, answered},
    failure::Failure,
    sample::{Sample, find_or_register, operator},
};
use bangban_kit::identity::Person;
use bangban_proto::bangban::{
    casework::v1::case_service_client::CaseServiceClient,
    directory::v1::{
        CreateDistrictRequest, CreateSiteRequest, EnrolStaffRequest, GrantSkillRequest,
        ListRegionsRequest, OpeningHours, RecordTrainingRequest, Region, Site, Skill, Staff,
        Training, TrainingKind, district_service_client::DistrictServiceClient,
        region_service_client::RegionServiceClient, site_service_client::SiteServiceClient,
        staff_service_client::StaffServiceClient,
    },
    options::v1::Role,
    types::v1::{Channel, Tier},
};

use crate::{agent::Agent, note, place::Place};

/// What the cases are about.
pub const ITEM: &str = "old-age-allowance";

/// The sites' id; each district has one.
pub const SITE: &str = "town-centre";

/// The county whose towns become districts.
const COUNTY: &str = "420527";

/// Districts of a measurement under load.
pub const DISTRICTS: usize = 8;

/// Agents of each district: with that many districts, 32 clients.
pub const AGENTS: usize = 4;

fn sample(file: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../infra/sample");
    folder.join(file).display().to_string()
}

/// The folder of the sample's region tree.
pub fn regions() -> String {
    sample("regions")
}

/// An id for one request, as random as the reference's.
pub fn request_id() -> String {
    uuid::Builder::from_random_bytes(rand::random())
        .into_uuid()
        .to_string()
}

/// Districts that are ready, and their agents.
pub struct World {
    /// All agents, those of different districts in turn.
    pub agents: Vec<Agent>,
    /// Position of directory's log behind which all of it is there.
    pub loaded: String,
}

impl World {
    /// Loads so many districts through an instance that has the sample's regions, each with [`AGENTS`].
    pub async fn load(place: &Place<'_>, districts: usize) -> Result<Self, Failure> {
        Self::load_with(place, districts, AGENTS).await
    }

    /// The same with so many agents in each.
    pub async fn load_with(
        place: &Place<'_>,
        districts: usize,
        agents: usize,
    ) -> Result<Self, Failure> {
        let operator = place.client(&operator())?;
        let people = Sample::shipped()?.applicants;
        let towns = towns(&operator).await?;
        let mut teams = Vec::new();
        let mut position = String::new();
        for (number, town) in (0..districts).zip(&towns) {
            note(format!(
                "district {} of {districts}: {}",
                number + 1,
                town.name
            ));
            let district = District {
                id: format!("bench-{number}"),
                number: u32::try_from(90_000 + number).unwrap_or_default(),
                town,
                operator: &operator,
            };
            district.found().await?;
            let catalogue = sample("catalogue.yaml");
            let import = [
                "import",
                "catalogue",
                &catalogue,
                "--district",
                &district.id,
            ];
            place.chore(&import).await?;
            district.site().await?;
            let mut applicants = Vec::new();
            for applicant in &people {
                let found =
                    find_or_register(&operator, &district.id, applicant, request_id()).await?;
                applicants.push(found.applicant.unwrap_or_default().id);
            }
            let mut team = Vec::new();
            for agent in 0..agents {
                let id = format!("agent-{number}-{agent}");
                position = district.staff(&id).await?;
                let person = Person {
                    subject: id,
                    roles: vec!["agent".to_owned()],
                    region: town.code.clone(),
                    site: SITE.to_owned(),
                    ..Person::default()
                };
                // Each has a connection of its own, as pgbench's clients have.
                let client = place.client(&person)?;
                team.push(Agent {
                    cases: CaseServiceClient::new(client.channel()),
                    client,
                    district: district.id.clone(),
                    applicants: applicants.clone(),
                    opened: 0,
                });
            }
            teams.push(team);
        }
        let mut agents: Vec<Agent> = teams.into_iter().flatten().collect();
        // Casework lives on directory's feed: the first cases wait until it has heard of everything.
        for agent in &mut agents {
            agent.open(&position).await?;
        }
        Ok(Self {
            agents,
            loaded: position,
        })
    }
}

async fn towns(client: &Client) -> Result<Vec<Region>, Failure> {
    let request = ListRegionsRequest {
        parent: COUNTY.to_owned(),
        page_size: 50,
        page_token: String::new(),
    };
    let mut service = RegionServiceClient::new(client.channel());
    let answer = service.list_regions(client.request(request)).await;
    Ok(answered("the towns cannot be listed", answer)?.regions)
}

struct District<'a> {
    id: String,
    number: u32,
    town: &'a Region,
    operator: &'a Client,
}

impl District<'_> {
    async fn found(&self) -> Result<(), Failure> {
        let request = CreateDistrictRequest {
            district: self.id.clone(),
            request_id: request_id(),
            name: self.town.name.clone(),
            region: self.town.code.clone(),
            number: self.number,
        };
        let mut service = DistrictServiceClient::new(self.operator.channel());
        let answer = service
            .create_district(self.operator.request(request))
            .await;
        answered("the district", answer).map(|_| ())
    }

    async fn site(&self) -> Result<(), Failure> {
        let hours = |weekday| OpeningHours {
            weekday,
            opens: "08:30".to_owned(),
            closes: "17:30".to_owned(),
        };
        let site = Site {
            id: SITE.to_owned(),
            name: self.town.name.clone(),
            tier: Tier::Town.into(),
            region: self.town.code.clone(),
            address: self.town.name.clone(),
            telephone: "0717-00000011".to_owned(),
            opening_hours: (1..=5).map(hours).collect(),
            ..Site::default()
        };
        let request = CreateSiteRequest {
            district: self.id.clone(),
            request_id: request_id(),
            site: Some(site),
        };
        let mut service = SiteServiceClient::new(self.operator.channel());
        let answer = service.create_site(self.operator.request(request)).await;
        answered("the site", answer).map(|_| ())
    }

    /// Somebody who is trained and skilled; answers the position of the last act.
    async fn staff(&self, id: &str) -> Result<String, Failure> {
        let mut service = StaffServiceClient::new(self.operator.channel());
        let staff = Staff {
            id: id.to_owned(),
            name: "示例".to_owned(),
            site: SITE.to_owned(),
            roles: vec![Role::Agent.into()],
            ..Staff::default()
        };
        let request = EnrolStaffRequest {
            district: self.id.clone(),
            request_id: request_id(),
            staff: Some(staff),
        };
        let answer = service.enrol_staff(self.operator.request(request)).await;
        answered("a member of staff", answer)?;
        let training = Training {
            kind: TrainingKind::PreService.into(),
            completed_on: "2025-12-05".to_owned(),
            valid_until: "2036-01-01".to_owned(),
            certificate: id.to_owned(),
        };
        let request = RecordTrainingRequest {
            district: self.id.clone(),
            request_id: request_id(),
            staff: id.to_owned(),
            training: Some(training),
            etag: String::new(),
        };
        let answer = service
            .record_training(self.operator.request(request))
            .await;
        answered("a training", answer)?;
        let skill = Skill {
            items: vec![ITEM.to_owned()],
            channels: vec![Channel::Window.into(), Channel::Online.into()],
        };
        let request = GrantSkillRequest {
            district: self.id.clone(),
            request_id: request_id(),
            staff: id.to_owned(),
            skill: Some(skill),
            etag: String::new(),
        };
        let answer = service.grant_skill(self.operator.request(request)).await;
        answered("a skill", answer).map(|done| done.position)
    }
}
