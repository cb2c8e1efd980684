//! A world to put load on, and the clients that do: districts with a site, agents who may be given cases, applicants.

use std::{path::PathBuf, time::Duration};

use bangban::{
    client::{Channel as Connection, Client, answered},
    failure::Failure,
    sample::{Sample, find_or_register, operator},
    token::Signer,
};
use bangban_kit::identity::Person;
use bangban_proto::bangban::{
    casework::v1::{CaseKind, OpenCaseRequest, case_service_client::CaseServiceClient},
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
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{
    note,
    server::{Installation, Serving},
};

/// What the cases are about.
const ITEM: &str = "old-age-allowance";

/// The sites' id; each district has one.
const SITE: &str = "town-centre";

/// The county whose towns become districts.
const COUNTY: &str = "420527";

/// Agents of each district.
pub const AGENTS: usize = 4;

fn sample(file: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../infra/sample");
    folder.join(file).display().to_string()
}

/// Loads the sample's region tree, by the command.
pub async fn regions(installation: &Installation) -> Result<(), Failure> {
    let folder = sample("regions");
    installation
        .run(&["import", "regions", &folder])
        .await
        .map(|_| ())
}

/// An id for one request, as random as the reference's.
fn request_id() -> String {
    uuid::Builder::from_random_bytes(rand::random())
        .into_uuid()
        .to_string()
}

/// Districts that are ready, and their agents.
pub struct World {
    /// All agents, those of different districts in turn.
    pub agents: Vec<Agent>,
}

impl World {
    /// Loads so many districts through an instance that has the sample's regions.
    pub async fn load(
        installation: &Installation,
        serving: &Serving,
        districts: usize,
    ) -> Result<Self, Failure> {
        let address = serving.address.to_string();
        let signer = Signer::open(&installation.config)?;
        let operator = Client::connect(&installation.config, Some(&address))?
            .with(&signer.token(&operator(), 1)?)?;
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
            installation
                .run(&[
                    "import",
                    "catalogue",
                    &catalogue,
                    "--district",
                    &district.id,
                ])
                .await?;
            district.site().await?;
            let mut applicants = Vec::new();
            for applicant in &people {
                let found =
                    find_or_register(&operator, &district.id, applicant, request_id()).await?;
                applicants.push(found.applicant.unwrap_or_default().id);
            }
            let mut team = Vec::new();
            for agent in 0..AGENTS {
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
                let client = Client::connect(&installation.config, Some(&address))?
                    .with(&signer.token(&person, 2)?)?;
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
        Ok(Self { agents })
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

/// Somebody who opens cases, one after the other.
pub struct Agent {
    client: Client,
    cases: CaseServiceClient<Connection>,
    district: String,
    applicants: Vec<String>,
    opened: usize,
}

impl Agent {
    /// Opens a case.
    async fn open(&mut self, after: &str) -> Result<(), Failure> {
        let applicant = self.applicants[self.opened % self.applicants.len()].clone();
        self.opened += 1;
        let request = OpenCaseRequest {
            district: self.district.clone(),
            request_id: request_id(),
            after: after.to_owned(),
            applicant,
            item: ITEM.to_owned(),
            site: SITE.to_owned(),
            channel: Channel::Window.into(),
            mode: Channel::Online.into(),
            kind: CaseKind::Assist.into(),
            consultation: String::new(),
        };
        let answer = self.cases.open_case(self.client.request(request)).await;
        answered("a case cannot be opened", answer).map(|_| ())
    }

    async fn open_until(mut self, end: Instant) -> Result<(Self, Vec<Duration>), Failure> {
        let mut took = Vec::new();
        loop {
            let began = Instant::now();
            if began >= end {
                return Ok((self, took));
            }
            self.open("").await?;
            took.push(began.elapsed());
        }
    }
}

/// What a turn of load did.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// Cases that were opened.
    pub count: usize,
    /// Of them in a second.
    pub rate: f64,
    /// Milliseconds that half of them took at most.
    pub middle: f64,
    /// Milliseconds that 99 of 100 took at most.
    pub most: f64,
}

/// All agents open cases, each one after the other, for so long. One that fails fails the turn.
pub async fn turn(agents: &mut Vec<Agent>, length: Duration) -> Result<Turn, Failure> {
    let began = Instant::now();
    let end = began + length;
    let mut working = JoinSet::new();
    for agent in agents.drain(..) {
        working.spawn(agent.open_until(end));
    }
    sleep_until(end).await;
    let mut took = Vec::new();
    while let Some(done) = working.join_next().await {
        let done = done.map_err(|e| Failure::of("a client broke off", &e))?;
        let (agent, of_one) = done?;
        took.extend(of_one);
        agents.push(agent);
    }
    let seconds = began.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |part: usize| {
        let index = (took.len() * part / 100).min(took.len().saturating_sub(1));
        took.get(index).map_or(f64::NAN, |t| t.as_secs_f64() * 1e3)
    };
    let rate = took.len() as f64 / seconds;
    Ok(Turn {
        count: took.len(),
        rate,
        middle: at(50),
        most: at(99),
    })
}
