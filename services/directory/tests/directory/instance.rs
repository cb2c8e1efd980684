//! A directory to test against, what stands in it, and who calls.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bangban_directory::Directory;
use bangban_kit::{config::Config, identity::Caller, refusal};
use bangban_proto::bangban::{
    directory::v1::{
        applicant_service_server::ApplicantService as _,
        catalogue_service_server::CatalogueService as _,
        district_service_server::DistrictService as _, site_service_server::SiteService as _,
        staff_service_server::StaffService as _, *,
    },
    options::v1::Role,
    types::v1::{Channel, Tier},
};
use sea_orm::{ConnectionTrait as _, Database};
use tonic::{Request, Response, Status};

/// The district of the tests.
pub const DISTRICT: &str = "zigui";

/// Runs each of these tests on both databases.
macro_rules! on_both {
    ($($test:ident)*) => { $(
        mod $test {
            #[tokio::test]
            async fn sqlite() {
                let at = crate::instance::Instance::sqlite().await;
                super::$test(&at).await;
            }

            #[tokio::test]
            async fn postgres() {
                if let Some(at) = crate::instance::Instance::postgres().await {
                    super::$test(&at).await;
                    at.drop_database().await;
                }
            }
        }
    )* };
}
pub(crate) use on_both;

/// A directory with a database of its own.
pub struct Instance {
    pub directory: Directory,
    pub config: Config,
    _folder: tempfile::TempDir,
    /// The server and the name of the database.
    database: Option<(String, String)>,
}

impl Instance {
    pub async fn sqlite() -> Self {
        Self::open(None).await
    }

    pub async fn postgres() -> Option<Self> {
        let server = std::env::var("DATABASE_URL").ok()?;
        let name = format!("directory_{}", uuid::Uuid::now_v7().simple());
        let db = Database::connect(&server).await.expect("connected");
        db.execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await
            .expect("a database");
        Some(Self::open(Some((server, name))).await)
    }

    async fn open(database: Option<(String, String)>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config {
            data: folder.path().to_owned(),
            ..Config::default()
        };
        config.demonstration.is_enabled = true;
        config.database.max_connections = 4;
        config.database.acquire_seconds = 60;
        if let Some((server, name)) = &database {
            let (server, _) = server.rsplit_once('/').expect("a database");
            config.database.url = format!("{server}/{name}");
        }
        Self {
            directory: Directory::open(&config).await.expect("opened"),
            config,
            _folder: folder,
            database,
        }
    }

    pub async fn drop_database(&self) {
        if let Some((server, name)) = &self.database {
            let db = Database::connect(server).await.expect("connected");
            db.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)"))
                .await
                .expect("dropped");
        }
    }

    /// Another process on the same database and files.
    pub async fn another(&self) -> Directory {
        Directory::open(&self.config).await.expect("opened again")
    }

    /// How many rows a table has.
    pub async fn count(&self, table: &str) -> i64 {
        let store = self.directory.store();
        let sql = format!("SELECT count(*) FROM {table}");
        let query = sea_orm::Statement::from_string(store.backend, sql);
        let row = store.row(query).await.expect("counted");
        row.expect("a row").try_get_by_index(0).expect("a number")
    }

    /// The sample's regions and its district.
    pub async fn found_district(&self) {
        self.directory
            .import_regions(&sample("regions"), |_, _| ())
            .await
            .expect("regions");
        let request = CreateDistrictRequest {
            district: DISTRICT.into(),
            request_id: id(),
            name: "秭归县".into(),
            region: "420527".into(),
            number: 42527,
        };
        let created = self.directory.create_district(by(&operator(), request));
        created.await.expect("a district");
    }

    pub async fn create_site(&self, site: Site) -> Site {
        let request = CreateSiteRequest {
            district: DISTRICT.into(),
            request_id: id(),
            site: Some(site),
        };
        let created = self.directory.create_site(by(&operator(), request));
        let change = created.await.expect("a site").into_inner();
        change.site.expect("a site")
    }

    /// The district with a county centre, a town centre and a village station.
    pub async fn open_sites(&self) {
        self.found_district().await;
        for site in [
            site("county", Tier::County, "420527"),
            site("town", Tier::Town, "420527101"),
            site("other-town", Tier::Town, "420527102"),
            site("village", Tier::Village, "420527101202"),
        ] {
            self.create_site(site).await;
        }
    }

    pub async fn enrol(&self, person: &str, site: &str) -> Staff {
        let request = EnrolStaffRequest {
            district: DISTRICT.into(),
            request_id: id(),
            staff: Some(Staff {
                id: person.into(),
                name: "胡玉莲".into(),
                site: site.into(),
                roles: vec![Role::Agent as i32],
                ..Staff::default()
            }),
        };
        let enrolled = self.directory.enrol_staff(by(&operator(), request));
        let change = enrolled.await.expect("enrolled").into_inner();
        change.staff.expect("a person")
    }

    pub async fn train(&self, person: &str, valid_until: &str) {
        let request = RecordTrainingRequest {
            district: DISTRICT.into(),
            request_id: id(),
            staff: person.into(),
            training: Some(Training {
                kind: TrainingKind::PreService as i32,
                completed_on: "2020-01-01".into(),
                valid_until: valid_until.into(),
                certificate: "GQ-1".into(),
            }),
            etag: String::new(),
        };
        let recorded = self.directory.record_training(by(&operator(), request));
        recorded.await.expect("recorded");
    }

    pub async fn grant(&self, person: &str, items: &[&str], channels: &[Channel]) {
        let request = GrantSkillRequest {
            district: DISTRICT.into(),
            request_id: id(),
            staff: person.into(),
            skill: Some(Skill {
                items: items.iter().map(|i| (*i).to_owned()).collect(),
                channels: channels.iter().map(|c| *c as i32).collect(),
            }),
            etag: String::new(),
        };
        let granted = self.directory.grant_skill(by(&operator(), request));
        granted.await.expect("granted");
    }

    /// Somebody who may be given cases.
    pub async fn agent(&self, person: &str, site: &str) {
        self.enrol(person, site).await;
        self.train(person, "2099-12-31").await;
        self.grant(person, &[], &[Channel::Window, Channel::HomeVisit])
            .await;
    }

    pub async fn register(&self, request: RegisterApplicantRequest) -> Applicant {
        let registered = self.directory.register_applicant(by(&operator(), request));
        let change = registered.await.expect("registered").into_inner();
        change.applicant.expect("an applicant")
    }

    pub async fn put_department(&self) {
        let request = PutDepartmentRequest {
            district: DISTRICT.into(),
            request_id: id(),
            department: Some(Department {
                id: "bureau".into(),
                name: "民政局".into(),
                telephone: "0717-00000201".into(),
                complaint_telephone: "12345".into(),
                address: "示例路1号".into(),
                closing_times: Vec::new(),
            }),
        };
        let put = self.directory.put_department(by(&operator(), request));
        put.await.expect("a department");
    }

    pub async fn publish(&self, item: ItemVersion) -> Result<Response<ItemVersionChange>, Status> {
        let request = PublishItemVersionRequest {
            district: DISTRICT.into(),
            request_id: id(),
            item: Some(item),
        };
        let published = self
            .directory
            .publish_item_version(by(&operator(), request));
        published.await
    }

    pub async fn check(&self, request: CheckAssignmentRequest) -> Assignment {
        self.directory
            .check_assignment(by(&operator(), request))
            .await
    }
}

pub type Assignment = Result<Response<CheckAssignmentResponse>, Status>;

/// A file or folder of the sample.
pub fn sample(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../infra/sample")
        .join(path)
}

/// A fresh request id.
pub fn id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// A request by somebody, as the access layer hands it on.
pub fn by<T>(caller: &Caller, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(Arc::new(caller.clone()));
    request
}

/// Whoever runs the installation.
pub fn operator() -> Caller {
    Caller {
        subject: "operator".into(),
        roles: vec![Role::Operator, Role::Administrator],
        ..Caller::public()
    }
}

/// Somebody with authority over a region alone.
pub fn from_region(region: &str) -> Caller {
    Caller {
        subject: format!("from-{region}"),
        roles: vec![Role::Agent, Role::Administrator],
        region: region.into(),
        ..Caller::public()
    }
}

/// Reason and requirement of a refusal.
pub fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> (String, String) {
    let status = answer.expect_err("refused");
    for language in ["zh-CN", "en"] {
        assert!(!refusal::sentence(&status, language).is_empty());
    }
    (refusal::reason(&status), refusal::requirement(&status))
}

/// What [`refused`] answers.
pub fn with(reason: &str, requirement: &str) -> (String, String) {
    (reason.to_owned(), requirement.to_owned())
}

pub fn site(name: &str, tier: Tier, region: &str) -> Site {
    Site {
        id: name.into(),
        name: "便民服务中心".into(),
        tier: tier as i32,
        region: region.into(),
        address: "示例街10号".into(),
        telephone: "0717-00000011".into(),
        ..Site::default()
    }
}

/// 林桂娥, 82 years old.
pub fn lin() -> RegisterApplicantRequest {
    RegisterApplicantRequest {
        district: DISTRICT.into(),
        request_id: id(),
        name: "林桂娥".into(),
        document_kind: DocumentKind::ResidentId as i32,
        document: "42052719440308002X".into(),
        telephone: "13900000082".into(),
        address: "湖北省宜昌市秭归县郭家坝镇烟灯堡村2组8号".into(),
        ..RegisterApplicantRequest::default()
    }
}

/// A question whether `agent` may be given a matter of `applicant` at the town centre.
pub fn assignment(applicant: &str) -> CheckAssignmentRequest {
    CheckAssignmentRequest {
        district: DISTRICT.into(),
        staff: "agent".into(),
        site: "town".into(),
        item: "old-age-allowance".into(),
        channel: Channel::Window as i32,
        applicant: applicant.into(),
    }
}

/// A version that lacks nothing.
pub fn item(code: &str, version: u32, from: &str, until: &str) -> ItemVersion {
    let citation = || "示例规定 第一条".to_owned();
    ItemVersion {
        code: code.into(),
        version,
        name: "示例事项".into(),
        effective_from: from.into(),
        effective_until: until.into(),
        kind: ItemKind::Benefit as i32,
        handling: Handling::OnTheSpot as i32,
        department: "bureau".into(),
        legal_basis: vec![LegalBasis {
            citation: citation(),
            text: "示例".into(),
        }],
        conditions: vec![Condition {
            code: "AGE".into(),
            text: "年满八十周岁".into(),
            citation: citation(),
        }],
        limits: vec![ItemLimit {
            name: LimitName::PromisedDecision as i32,
            amount: 5,
            unit: 1,
            starts: LimitStart::Acceptance as i32,
            owner: LimitOwner::Department as i32,
            citation: citation(),
        }],
        steps: vec![Step {
            number: 1,
            name: "受理".into(),
            actor: "民政局".into(),
            text: "示例".into(),
        }],
        materials: vec![Material {
            code: "form".into(),
            name: "申请表".into(),
            form: MaterialForm::Original as i32,
            copies: 1,
            how_to_get: "窗口领取".into(),
            is_required: true,
            ..Material::default()
        }],
        fee: Some(Fee {
            amount_fen: 0,
            citation: citation(),
        }),
        channels: vec![Channel::Window as i32],
        tiers: vec![Tier::Town as i32],
        delivery_forms: vec![DeliveryForm::InPerson as i32],
        places: vec![Place {
            name: "窗口".into(),
            address: "示例路1号".into(),
            hours: "工作日".into(),
        }],
        remedies: Some(Remedies {
            reconsideration_days: 60,
            reconsideration_to: "县人民政府".into(),
            suit_months: 6,
            citation: citation(),
        }),
        ..ItemVersion::default()
    }
}
