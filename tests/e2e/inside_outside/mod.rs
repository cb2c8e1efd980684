//! Every method that reads, asked by those inside, beside, above and outside a case: nobody learns what is not theirs.
//!
//! A method of the contract that reads and has no row in [`ask`] fails the test.

/// A request about the matter.
macro_rules! about {
    ($m:ident, $client:ident, $request:ident { $($field:ident: $value:expr),* $(,)? }) => {
        $client.request($request { district: $m.district.clone(), $($field: $value,)* ..$request::default() })
    };
}

mod ask;
mod ask_appointments;
mod ask_questions;
mod table;

use std::{collections::BTreeSet, path::Path};

use bangban::client::Client;
use bangban_kit::{
    identity::{Caller, ContextKey, Person},
    refusal,
};
use bangban_proto::{
    METHODS,
    bangban::{
        casework::v1::{
            Case, CaseKind, GetCaseRequest, OfferHandoverRequest,
            case_service_client::CaseServiceClient,
        },
        clock::v1::GetClockRequest,
        directory::v1::{
            CreateDistrictRequest, Power, RevealApplicantRequest,
            applicant_service_client::ApplicantServiceClient,
            district_service_client::DistrictServiceClient,
        },
        options::v1::Role,
    },
    codec::ValidatingCodec,
};
use bangban_tests::{
    World,
    case::{ITEM, Story},
    command, on_both, on_both_alone,
    question::Question,
    request_id,
};
use tonic::{Code, client::Grpc};

use ask::{Asked, ask};
use ask_appointments::Appointment;
use table::TABLE;

/// Who asks: the columns of the table, in this order.
const WHO: [&str; 16] = [
    "the station's agent",
    "an agent beside",
    "the town's supervisor",
    "the county's supervisor",
    "the operator",
    "the county's auditor",
    "the province's auditor",
    "an agent of another district",
    "a supervisor of another district",
    "a clerk of the department",
    "a clerk of another department",
    "a clerk of the department's namesake in another district",
    "the applicant",
    "another applicant",
    "the public",
    "a service",
];

/// What is asked about.
struct Matter {
    district: String,
    case: String,
    receipt: String,
    /// A case of agency, whose agreement is drawn up.
    agency: String,
    consultation: String,
    applicant: String,
    document: String,
    telephone: String,
    today: String,
    /// An appointment at the agent's site, and one that was given up.
    appointment: Appointment,
}

fn someone(subject: &str, role: &str, region: &str) -> Person {
    Person {
        subject: subject.to_owned(),
        roles: vec![role.to_owned()],
        region: region.to_owned(),
        ..Person::default()
    }
}

fn everybody(world: &World, matter: &Matter) -> Vec<Client> {
    let person =
        |subject: &str, role: &str, region: &str| world.person(&someone(subject, role, region));
    let namesake = Person {
        department: "civil-affairs-bureau".to_owned(),
        ..someone("clerk-elsewhere", "department", "420528")
    };
    let beside = Person {
        roles: vec!["agent".to_owned()],
        ..world.sample.person("shen-xia").expect("in the sample")
    };
    vec![
        world.agent(),
        world.person(&beside),
        person("town-supervisor", "supervisor", "420527106"),
        world.staff("tan-lihua"),
        world.operator(),
        person("county-auditor", "auditor", "420527"),
        person("province-auditor", "auditor", "42"),
        person("agent-elsewhere", "agent", "420528101201"),
        person("supervisor-elsewhere", "supervisor", "420528"),
        world.clerk("civil-affairs-bureau"),
        world.clerk("market-supervision-bureau"),
        world.person(&namesake),
        world.citizen(&matter.case),
        world.citizen(&request_id()),
        world.public.clone(),
        world.service(),
    ]
}

/// The region tree of the sample, and a county beside it.
async fn regions_beside(world: &World) {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/sample/regions");
    let folder = tempfile::tempdir().expect("a folder");
    for (file, more) in [
        ("provinces.csv", ""),
        ("cities.csv", ""),
        ("areas.csv", "420528,\"长阳土家族自治县\",4205,42\n"),
        ("streets.csv", "420528101,\"示例镇\",420528,42,4205\n"),
        (
            "villages.csv",
            "420528101201,\"示例村\",420528101,42,4205,420528\n",
        ),
    ] {
        let text = std::fs::read_to_string(sample.join(file)).expect("a file");
        std::fs::write(folder.path().join(file), text + more).expect("written");
    }
    world.import_regions(folder.path()).await.expect("imported");
}

/// A case of the sample district that is filed away, and a district beside.
async fn matter(world: &World) -> Matter {
    regions_beside(world).await;
    let operator = world.operator();
    let district = CreateDistrictRequest {
        district: "changyang".to_owned(),
        request_id: request_id(),
        name: "长阳土家族自治县".to_owned(),
        region: "420528".to_owned(),
        number: 42528,
    };
    DistrictServiceClient::new(operator.channel())
        .create_district(operator.request(district))
        .await
        .expect("founded");
    let mut story = Story::opened(world)
        .await
        .delivered()
        .await
        .filed_away()
        .await;
    story.read("").await;
    let reveal = RevealApplicantRequest {
        district: world.district.clone(),
        request_id: request_id(),
        applicant: story.case.applicant.clone(),
        purpose: "核对回执地址".to_owned(),
    };
    ApplicantServiceClient::new(story.client.channel())
        .reveal_applicant(story.client.request(reveal))
        .await
        .expect("revealed");
    let agent = world.sample.agent().expect("in the sample");
    let filing = ("mo-xiuying", "prepackaged-food-filing");
    let agency = Story::opened_about(world, &agent, filing, CaseKind::Agency).await;
    let agency = agency.pre_checked().await;
    let agency = agency.drafted(world, &[Power::Submit]).await;
    let asked = ("lin-guie", ITEM);
    let question = Question::asked_by(world, &agent, asked, CaseKind::Assist).await;
    let mut question = question.referred_to("civil-affairs-bureau").await;
    let clerk = world.clerk("civil-affairs-bureau");
    let told = question.told_by(&clerk, world.now().await).await;
    told.expect("told");
    let question = question.answered().await;
    let appointment = Appointment::made(world, &story.case).await;
    let woman = world.sample.old_woman().expect("in the sample");
    Matter {
        agency: agency.case.id,
        consultation: question.consultation.id,
        district: world.district.clone(),
        case: story.case.id.clone(),
        receipt: story.case.receipt.clone(),
        applicant: story.case.applicant.clone(),
        document: woman.document.clone(),
        telephone: woman.telephone.clone(),
        today: world.today().await,
        appointment,
    }
}

fn mark(asked: &Asked) -> char {
    match asked {
        Ok(true) => 'S',
        Ok(false) => '0',
        Err(status) => match status.code() {
            Code::NotFound => 'N',
            Code::PermissionDenied => 'D',
            Code::Unauthenticated => 'U',
            _ => '?',
        },
    }
}

#[test]
fn bb_1_every_read_answers_each_caller_no_more_than_is_theirs() {
    on_both_alone(|world| async move {
        let matter = matter(&world).await;
        let everybody = everybody(&world, &matter);
        let almighty = almighty(&world);
        let mut wrong = Vec::new();
        for (path, expected) in TABLE {
            assert_eq!(expected.len(), WHO.len(), "{path}");
            if !is_served(&almighty, method(path)).await {
                continue;
            }
            for ((who, client), expected) in WHO.iter().zip(&everybody).zip(expected.chars()) {
                let asked = ask(path, client, &matter).await;
                let asked = asked.unwrap_or_else(|| panic!("nobody asks {path}: add it to `ask`"));
                let told = mark(&asked);
                if told != expected {
                    let why = asked.err().map(|s| s.message().to_owned());
                    wrong.push(format!("{path}: {who}: {told} and not {expected} {why:?}"));
                }
            }
        }
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
        world
    });
}

/// A caller with every role, in the whole country.
fn almighty(world: &World) -> Client {
    let key = ContextKey::open_or_create(&world.config.context_key()).expect("a key");
    let caller = Caller {
        subject: "almighty".to_owned(),
        roles: (1..9).filter_map(|n| Role::try_from(n).ok()).collect(),
        ..Caller::system("tests")
    };
    world.bearing(&key.context("tests", &caller).expect("a context"))
}

/// What reads, and may write who has read.
const ALSO_READS: [&str; 1] = ["/bangban.consultation.v1.ConsultationService/ExportRegister"];

/// The path of a row.
fn method(row: &'static str) -> &'static str {
    row.split_once(' ').map_or(row, |(path, _)| path)
}

/// Whether this process serves a method of the contract.
async fn is_served(client: &Client, path: &'static str) -> bool {
    let mut grpc = Grpc::new(client.channel());
    grpc.ready().await.expect("a connection");
    let codec = ValidatingCodec::<GetClockRequest, Case>::default();
    let request = client.request(GetClockRequest::default());
    let answer = grpc
        .unary(request, path.parse().expect("a path"), codec)
        .await;
    answer.map_or_else(|s| refusal::reason(&s) != "METHOD_UNKNOWN", |_| true)
}

#[test]
fn every_method_that_reads_and_is_served_has_a_row() {
    on_both(|world| async move {
        let rows: BTreeSet<&str> = TABLE.iter().map(|(path, _)| method(path)).collect();
        let reads: BTreeSet<&str> = METHODS
            .iter()
            .filter(|m| m.is_read || ALSO_READS.contains(&m.path))
            .map(|m| m.path)
            .collect();
        let almighty = almighty(world);
        let mut missing = Vec::new();
        for path in reads.difference(&rows) {
            if is_served(&almighty, path).await {
                missing.push(path);
            }
        }
        assert!(
            missing.is_empty(),
            "say in TABLE who sees what of {missing:?}, and ask it in `ask`"
        );
        let gone: Vec<_> = rows.difference(&reads).collect();
        assert!(gone.is_empty(), "no reads of the contract: {gone:?}");
        assert!(is_served(&almighty, "/bangban.casework.v1.CaseService/GetCase").await);
    });
}

#[test]
fn bb_4_2a_the_receiver_of_an_offer_reads_the_case_and_nobody_beside_does() {
    on_both(|world| async move {
        let mut story = Story::opened(world).await;
        let receiver = world.sample.person("xu-aizhen").expect("in the sample");
        command!(
            story,
            offer_handover,
            OfferHandoverRequest {
                to_agent: receiver.subject.clone(),
                to_site: receiver.site.clone(),
                reason: "她家离那边近".to_owned(),
            }
        )
        .expect("offered");
        let get = GetCaseRequest {
            district: story.district.clone(),
            case: story.case.id.clone(),
            ..GetCaseRequest::default()
        };
        let client = world.person(&receiver);
        let read = CaseServiceClient::new(client.channel())
            .get_case(client.request(get.clone()))
            .await;
        assert!(
            read.is_ok(),
            "who is to decide on an offer must see it: {read:?}"
        );
        let beside = world.staff("shen-xia");
        let read = CaseServiceClient::new(beside.channel())
            .get_case(beside.request(get))
            .await;
        assert_eq!(read.expect_err("not theirs").code(), Code::NotFound);
    });
}

#[test]
fn bb_1_a_clerk_whose_token_names_no_department_sees_no_case() {
    on_both(|world| async move {
        let story = Story::opened(world).await;
        let nobody = world.person(&someone("clerk-of-nothing", "department", "420527"));
        let get = GetCaseRequest {
            district: story.district.clone(),
            case: story.case.id.clone(),
            ..GetCaseRequest::default()
        };
        let read = CaseServiceClient::new(nobody.channel())
            .get_case(nobody.request(get))
            .await;
        let status = read.expect_err("takes part in nothing");
        assert!(
            matches!(status.code(), Code::NotFound | Code::PermissionDenied),
            "{status:?}"
        );
    });
}
