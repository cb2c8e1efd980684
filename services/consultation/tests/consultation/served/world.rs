//! A served consultation on one database, with people who may call it.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use bangban_calendar::{Calendar, SHANGHAI};
use bangban_consultation::Consultation as Service;
use bangban_kit::{
    access::{Deadline, Regions},
    config::Config,
    identity::{ContextKey, Issuer, Person, Verifier},
    refusal::{self, Refusal},
};
use bangban_learned::revision;
use bangban_net::{
    client::{Channel, Local},
    peer::Peer,
    server::{self, Plan},
};
use bangban_proto::bangban::{
    casework::v1::CaseKind,
    consultation::v1::{
        self as v1, Consultation, ConsultationChange,
        consultation_service_client::ConsultationServiceClient,
    },
    directory::v1::{Applicant, District},
    types::v1::Channel as Through,
};
use bangban_store::{Store, clock, copy};
use chrono::{DateTime, FixedOffset, NaiveTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait as _;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status, service::RoutesBuilder};
use uuid::Uuid;

use super::doubles::Doubles;
use crate::story;

pub const DISTRICT: &str = "zigui";
pub const SITE: &str = "station-420527100";
pub const ELSEWHERE: &str = "station-420527200";

type Client = ConsultationServiceClient<Channel>;

pub struct World {
    pub store: Store,
    /// What the service has learned.
    pub learned: bangban_learned::known::Learned,
    pub casework: Peer,
    pub doubles: Doubles,
    pub applicant: String,
    channel: Channel,
    config: Config,
    issuer: Issuer,
    stop: CancellationToken,
    _folder: tempfile::TempDir,
}

struct Anywhere;

impl Regions for Anywhere {
    fn exists(
        &self,
        _: String,
        _: Option<Deadline>,
    ) -> Pin<Box<dyn Future<Output = Result<bool, Refusal>> + Send + '_>> {
        Box::pin(async { Ok(true) })
    }
}

/// A database of its own for each test: the demonstration clock is the whole database's.
async fn database(name: &str) -> Option<String> {
    let url = std::env::var("DATABASE_URL").ok()?;
    let db = sea_orm::Database::connect(&url).await.expect("postgresql");
    let own = format!("bangban_consultation_test_{name}");
    for sql in [
        format!("DROP DATABASE IF EXISTS {own} WITH (FORCE)"),
        format!("CREATE DATABASE {own}"),
    ] {
        db.execute_unprepared(&sql).await.expect("a database");
    }
    db.close().await.expect("closed");
    let (server, _) = url.rsplit_once('/').expect("a database in the URL");
    Some(format!("{server}/{own}"))
}

/// A world on each database there is; `name` is the test's.
pub async fn worlds(name: &str) -> Vec<World> {
    let mut worlds = vec![World::open("sqlite".to_owned()).await];
    match database(name).await {
        Some(url) => worlds.push(World::open(url).await),
        None => eprintln!("no DATABASE_URL: `make test` starts a PostgreSQL and sets it"),
    }
    worlds
}

impl World {
    async fn open(url: String) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config {
            data: folder.path().to_owned(),
            ..Config::default()
        };
        config.database.url = url;
        config.database.max_connections = 8;
        config.database.acquire_seconds = 60;
        config.server.listen = ([127, 0, 0, 1], 0).into();
        config.server.drain_notice_seconds = 0;
        let identity = config.identity.clone();
        let issuer = Issuer::open_or_create(
            &folder.path().join("issuer.key"),
            &config.jwks(),
            &identity.issuer,
            &identity.audience,
        )
        .expect("an issuer");
        let context = ContextKey::open_or_create(&config.context_key()).expect("a key");
        let (jwks, key) = (config.jwks(), context.clone());
        let verifier = Verifier::new(&jwks, &identity.issuer, &identity.audience, key);
        let local = Local::default();
        let channel = Channel::local(local.clone());
        let peer = Peer::new(channel.clone(), "consultation", context);
        let service = Service::open(&config, peer.clone(), peer.clone())
            .await
            .expect("opened");
        let doubles = Doubles::default();
        let mut routes = RoutesBuilder::default();
        let names = service.add_to(&mut routes);
        doubles.add_to(&mut routes);
        let stop = CancellationToken::new();
        let plan = Plan {
            routes: routes.routes(),
            names,
            conditions: Vec::new(),
            verifier: Arc::new(verifier.expect("a verifier")),
            regions: Arc::new(Anywhere),
            local,
            tls: None,
        };
        let listening = server::listen(&config.server).await.expect("an address");
        tokio::spawn({
            let (settings, stop) = (config.server.clone(), stop.clone());
            async move { server::serve(listening, &settings, plan, stop).await }
        });
        let world = Self {
            store: service.store(),
            learned: bangban_learned::known::Learned::new(service.store()),
            casework: peer,
            doubles,
            applicant: Uuid::now_v7().to_string(),
            channel,
            config,
            issuer,
            stop,
            _folder: folder,
        };
        world.furnish().await;
        world
    }

    /// What is learned from directory's feed, and who serves.
    async fn furnish(&self) {
        let db = &self.store.db;
        let district = District {
            id: DISTRICT.to_owned(),
            region: "420527".to_owned(),
            ..District::default()
        };
        let put = copy::put(db, DISTRICT, "district", DISTRICT, &district);
        put.await.expect("a district");
        revision::begin(db, self.store.backend, DISTRICT)
            .await
            .expect("a revision");
        for version in [1, 2] {
            let mut item = story::item(version, "2020-01-01");
            item.effective_until = if version == 1 { "2020-06-01" } else { "" }.to_owned();
            let id = format!("{}@{version}", item.code);
            copy::put(db, DISTRICT, "item", &id, &item)
                .await
                .expect("an item");
        }
        // Another item whose code begins alike.
        let mut alike = story::item(9, "2020-01-01");
        alike.code.push_str("-abroad");
        let id = format!("{}@9", alike.code);
        let put = copy::put(db, DISTRICT, "item", &id, &alike);
        put.await.expect("an item");
        for department in story::departments() {
            copy::put(db, DISTRICT, "department", &department.id, &department)
                .await
                .expect("a department");
        }
        revision::learned(db, self.store.backend, DISTRICT)
            .await
            .expect("a revision");
        for (agent, site) in [("li-na", SITE), ("wang-wei", SITE), ("chen-jun", ELSEWHERE)] {
            self.doubles.enrol(agent, site, &[]);
        }
        self.know(&self.applicant, "林*娥", "138****8000");
    }

    pub fn know(&self, id: &str, name: &str, telephone: &str) {
        self.doubles.know(Applicant {
            id: id.to_owned(),
            name_mask: name.to_owned(),
            telephone_mask: telephone.to_owned(),
            ..Applicant::default()
        });
    }

    /// A request of somebody: subject, role, region, site, department.
    pub fn by<T>(&self, who: &Who, body: T) -> Request<T> {
        let person = Person {
            subject: who.subject.to_owned(),
            roles: vec![who.role.to_owned()],
            region: who.region.to_owned(),
            site: who.site.to_owned(),
            department: who.department.to_owned(),
            case: String::new(),
        };
        let ttl = Duration::from_secs(600);
        let token = self.issuer.token(&self.config.jwks(), &person, ttl);
        let mut request = Request::new(body);
        let bearer = format!("Bearer {}", token.expect("a token"));
        let bearer = bearer.parse().expect("a header");
        request.metadata_mut().insert("authorization", bearer);
        request
    }

    pub fn client(&self) -> Client {
        Client::new(self.channel.clone())
    }

    /// What a clerk asks with when somebody comes to the window.
    pub fn contact(&self) -> v1::RegisterConsultationRequest {
        v1::RegisterConsultationRequest {
            district: DISTRICT.to_owned(),
            request_id: Uuid::now_v7().to_string(),
            site: SITE.to_owned(),
            channel: Through::Window.into(),
            kind: CaseKind::Assist.into(),
            applicant: self.applicant.clone(),
            item: "old-age-allowance".to_owned(),
            question: "八十岁以后每月有多少？".to_owned(),
            ..v1::RegisterConsultationRequest::default()
        }
    }

    pub async fn registered(&self) -> Consultation {
        let request = self.by(&LI_NA, self.contact());
        let answered = self.client().register_consultation(request).await;
        done(answered)
    }

    pub async fn get(&self, who: &Who, id: &str) -> Result<Consultation, Status> {
        let request = v1::GetConsultationRequest {
            district: DISTRICT.to_owned(),
            consultation: id.to_owned(),
            after: String::new(),
        };
        let mut client = self.client();
        let answered = client.get_consultation(self.by(who, request)).await;
        answered.map(tonic::Response::into_inner)
    }

    pub async fn refer(&self, id: &str, department: &str) -> Result<Consultation, Status> {
        let request = v1::ReferConsultationRequest {
            district: DISTRICT.to_owned(),
            request_id: Uuid::now_v7().to_string(),
            consultation: id.to_owned(),
            department: department.to_owned(),
            question: "外地户籍能领吗？".to_owned(),
            ..v1::ReferConsultationRequest::default()
        };
        let mut client = self.client();
        let answered = client.refer_consultation(self.by(&LI_NA, request)).await;
        answered.map(changed)
    }

    pub fn answering(&self, id: &str) -> v1::AnswerConsultationRequest {
        v1::AnswerConsultationRequest {
            district: DISTRICT.to_owned(),
            request_id: Uuid::now_v7().to_string(),
            consultation: id.to_owned(),
            ..story::told()
        }
    }

    pub async fn answer(&self, id: &str) -> Result<Consultation, Status> {
        let request = self.by(&LI_NA, self.answering(id));
        self.client()
            .answer_consultation(request)
            .await
            .map(changed)
    }

    /// Now, by the clock that rules are judged by.
    pub async fn now(&self) -> DateTime<FixedOffset> {
        self.store.now().await.expect("the time").local()
    }

    /// Moves the demonstration clock forward to ten o'clock of the next working day that another one follows at once.
    pub async fn on_a_working_day(&self) -> DateTime<FixedOffset> {
        let calendar = Calendar::national();
        let mut day = self.now().await.date_naive() + TimeDelta::days(1);
        let is_working = |day| calendar.is_working(day).expect("within the calendar");
        while !is_working(day) || !is_working(day + TimeDelta::days(1)) {
            day += TimeDelta::days(1);
        }
        let ten = NaiveTime::from_hms_opt(10, 0, 0).expect("ten o'clock");
        let at = day.and_time(ten).and_local_timezone(SHANGHAI);
        let at = at.single().expect("an instant");
        self.advance_to(at).await;
        at
    }

    /// Moves the demonstration clock forward to an instant.
    pub async fn advance_to(&self, at: DateTime<FixedOffset>) {
        let seconds = (at.with_timezone(&Utc) - Utc::now()).num_seconds() + 1;
        clock::set_offset(&self.store.db, self.store.backend, seconds)
            .await
            .expect("advanced");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Who calls.
pub struct Who {
    pub subject: &'static str,
    pub role: &'static str,
    pub region: &'static str,
    pub site: &'static str,
    pub department: &'static str,
}

const fn agent(subject: &'static str, region: &'static str, site: &'static str) -> Who {
    Who {
        subject,
        role: "agent",
        region,
        site,
        department: "",
    }
}

pub const LI_NA: Who = agent("li-na", "420527100", SITE);
pub const WANG_WEI: Who = agent("wang-wei", "420527100", SITE);
/// Serves in the town beside.
pub const CHEN_JUN: Who = agent("chen-jun", "420527200", ELSEWHERE);

/// Somebody without a site.
pub const fn officer(subject: &'static str, role: &'static str, region: &'static str) -> Who {
    Who {
        subject,
        role,
        region,
        site: "",
        department: "",
    }
}

/// A clerk of a department.
pub const fn clerk(department: &'static str) -> Who {
    Who {
        subject: "clerk",
        role: "department",
        region: "420527",
        site: "",
        department,
    }
}

pub fn changed(answer: tonic::Response<ConsultationChange>) -> Consultation {
    answer.into_inner().consultation.expect("a consultation")
}

pub fn done(answer: Result<tonic::Response<ConsultationChange>, Status>) -> Consultation {
    changed(answer.expect("done"))
}

/// The reason of a refusal.
pub fn reason<T>(answer: Result<T, Status>) -> String {
    match answer {
        Ok(_) => panic!("it was not refused"),
        Err(status) => refusal::reason(&status),
    }
}
