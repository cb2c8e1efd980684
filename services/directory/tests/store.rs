//! Against real databases: SQLite in a folder of its own and, where `DATABASE_URL` names one, PostgreSQL.

use std::{path::Path, sync::Arc};

use bangban_directory::{Directory, ImportError};
use bangban_kit::{config::Config, identity::Caller, refusal::reason};
use bangban_proto::bangban::{
    directory::v1::{
        applicant_service_server::ApplicantService as _,
        district_service_server::DistrictService as _, *,
    },
    options::v1::Role,
};
use sea_orm::ConnectionTrait as _;
use tonic::Request;

fn asked<T>(message: T) -> Request<T> {
    let caller = Caller {
        subject: "op".into(),
        roles: vec![Role::Operator, Role::Administrator],
        ..Caller::public()
    };
    let mut request = Request::new(message);
    request.extensions_mut().insert(Arc::new(caller));
    request
}

fn id() -> String {
    uuid::Uuid::now_v7().to_string()
}

async fn walk(directory: &Directory) {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/sample");
    let Err(ImportError::Wrong(wrong)) = directory
        .import_regions(&sample.join("bad/regions"), |_, _| ())
        .await
    else {
        panic!("bad rows are refused")
    };
    assert_eq!(wrong.len(), 10, "{wrong:#?}");
    let report = directory
        .import_regions(&sample.join("regions"), |_, _| ())
        .await
        .expect("imported");
    assert_eq!(report.written, 194);

    let create = CreateDistrictRequest {
        district: "zigui".into(),
        request_id: id(),
        name: "秭归县".into(),
        region: "420527".into(),
        number: 42527,
    };
    let first = directory
        .create_district(asked(create.clone()))
        .await
        .expect("created")
        .into_inner();
    let again = directory
        .create_district(asked(create.clone()))
        .await
        .expect("repeated")
        .into_inner();
    assert_eq!(first, again);
    let other = CreateDistrictRequest {
        district: "other".into(),
        request_id: id(),
        ..create
    };
    let refused = directory
        .create_district(asked(other))
        .await
        .expect_err("refused");
    assert_eq!(reason(&refused), "DISTRICT_NUMBER_TAKEN");

    let operator = Caller {
        subject: "op".into(),
        ..Caller::public()
    };
    let bad = std::fs::read_to_string(sample.join("bad/catalogue.yaml")).expect("read");
    assert!(matches!(
        directory.import_catalogue("zigui", &bad, &operator).await,
        Err(ImportError::Wrong(_))
    ));
    let good = std::fs::read_to_string(sample.join("catalogue.yaml")).expect("read");
    let report = directory
        .import_catalogue("zigui", &good, &operator)
        .await
        .expect("imported");
    assert_eq!((report.written, report.unchanged), (17, 0));
    let report = directory
        .import_catalogue("zigui", &good, &operator)
        .await
        .expect("imported again");
    assert_eq!((report.written, report.unchanged), (0, 17));

    let register = RegisterApplicantRequest {
        district: "zigui".into(),
        request_id: id(),
        name: "林桂娥".into(),
        document_kind: DocumentKind::ResidentId as i32,
        document: "42052719440308002X".into(),
        telephone: "13900000082".into(),
        address: "湖北省宜昌市秭归县".into(),
        ..RegisterApplicantRequest::default()
    };
    let change = directory
        .register_applicant(asked(register.clone()))
        .await
        .expect("registered")
        .into_inner();
    let person = change.applicant.expect("an applicant");
    assert_eq!(person.groups, [1], "age follows from the document");
    let twice = RegisterApplicantRequest {
        request_id: id(),
        ..register
    };
    let refused = directory
        .register_applicant(asked(twice))
        .await
        .expect_err("refused");
    assert_eq!(reason(&refused), "APPLICANT_EXISTS");
    let reveal = RevealApplicantRequest {
        district: "zigui".into(),
        request_id: id(),
        applicant: person.id.clone(),
        purpose: "核对".into(),
    };
    let shown = directory
        .reveal_applicant(asked(reveal))
        .await
        .expect("revealed")
        .into_inner();
    assert_eq!(shown.document, "42052719440308002X");
    let list = ListRevealsRequest {
        district: "zigui".into(),
        ..ListRevealsRequest::default()
    };
    assert_eq!(
        directory
            .list_reveals(asked(list))
            .await
            .expect("listed")
            .into_inner()
            .reveals
            .len(),
        1
    );
    let erase = EraseApplicantRequest {
        district: "zigui".into(),
        request_id: id(),
        applicant: person.id,
        reason: "本人要求".into(),
        etag: String::new(),
    };
    let gone = directory
        .erase_applicant(asked(erase))
        .await
        .expect("erased")
        .into_inner();
    assert!(
        gone.applicant
            .is_some_and(|a| a.is_erased && a.name_mask.is_empty())
    );
}

#[tokio::test]
async fn sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config {
        data: folder.path().to_owned(),
        ..Config::default()
    };
    walk(&Directory::open(&config).await.expect("opened")).await;
}

#[tokio::test]
async fn postgres() {
    let Ok(url) = std::env::var("DATABASE_URL") else {
        return;
    };
    let db = sea_orm::Database::connect(&url).await.expect("connected");
    db.execute_unprepared("DROP SCHEMA IF EXISTS directory CASCADE")
        .await
        .expect("dropped");
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = Config {
        data: folder.path().to_owned(),
        ..Config::default()
    };
    config.database.url = url;
    walk(&Directory::open(&config).await.expect("opened")).await;
}
