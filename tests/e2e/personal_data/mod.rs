//! Personal data are planted, a case is walked to its end, and everything that was stored, logged, told and answered is
//! searched for them: found nowhere but in what a reveal answers, which is on record.

mod appointments;
mod plants;

use std::process::Command;

use bangban::client::Client;
use bangban_kit::config::{Log, LogFormat, Telemetry};
use bangban_proto::bangban::{
    casework::v1::{
        Case, CaseKind, CheckCompletenessRequest, ExplainDueTimeRequest, ExportLedgerRequest,
        GetAgreementRequest, GetCaseByReceiptRequest, GetNoticeRequest, GetProgressRequest,
        ListCasesRequest, ListReusableMaterialsRequest, RevokeDelegationRequest,
        ledger_service_client::LedgerServiceClient,
    },
    consultation::v1::ExportRegisterRequest,
    directory::v1::{
        ApplicantRevealed, DirectoryAct, DocumentKind, EraseApplicantRequest,
        FindApplicantsRequest, GetApplicantRequest, ListRevealsRequest, ListStaffRequest,
        RegisterApplicantRequest, RevealApplicantRequest, UpdateApplicantRequest,
        applicant_service_client::ApplicantServiceClient, directory_act::Act,
        staff_service_client::StaffServiceClient,
    },
};
use bangban_rig::Server;
use bangban_tests::{
    Database, World,
    agency::{LICENCE, POWERS, delegate, own_signature},
    block_on,
    case::{Story, refused},
    command,
    question::{Question, registration},
    receiver::Receiver,
    request_id,
};
use plants::{ADDRESS, DOCUMENT, Forms, NAME, NEW_ADDRESS, NEW_TELEPHONE, TELEPHONE, unescaped};
use prost::Message;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use tonic::{Response, Status};

/// Set where a run of this test is one that logs everything to standard error.
const LOGS: &str = "BANGBAN_TESTS_LOG";

/// What was searched, and what was found there.
struct Search {
    forms: Forms,
    places: usize,
    leaks: Vec<String>,
}

impl Search {
    fn new() -> Self {
        Self {
            forms: Forms::new(),
            places: 0,
            leaks: Vec::new(),
        }
    }

    fn bytes(&mut self, place: &str, bytes: &[u8]) {
        self.places += 1;
        for what in self.forms.found(bytes) {
            self.leaks.push(format!("{place}: {what}"));
        }
    }

    fn answer<T: Message>(&mut self, place: &str, answer: Result<Response<T>, Status>) -> T {
        let answer = answer
            .unwrap_or_else(|status| panic!("{place}: {status:?}"))
            .into_inner();
        self.bytes(place, &answer.encode_to_vec());
        answer
    }

    fn refusal<T>(&mut self, place: &str, answer: Result<T, Status>) {
        let Err(status) = answer else {
            panic!("{place}: not refused")
        };
        self.bytes(place, status.message().as_bytes());
        self.bytes(place, status.details());
        self.bytes(place, format!("{status:?}").as_bytes());
    }

    fn end(self, at_least: usize) {
        assert!(
            self.places >= at_least,
            "{} places were searched",
            self.places
        );
        assert!(self.leaks.is_empty(), "\n{}", self.leaks.join("\n"));
    }
}

fn person(world: &World) -> RegisterApplicantRequest {
    RegisterApplicantRequest {
        district: world.district.clone(),
        request_id: request_id(),
        name: NAME.to_owned(),
        document_kind: DocumentKind::ResidentId.into(),
        document: DOCUMENT.to_owned(),
        telephone: TELEPHONE.to_owned(),
        address: ADDRESS.to_owned(),
        wants_reminders: true,
        ..RegisterApplicantRequest::default()
    }
}

/// Registers, changes, and refuses what is wrong about her; answers her id.
async fn plant(world: &World, agent: &Client, search: &mut Search) -> String {
    let mut people = ApplicantServiceClient::new(agent.channel());
    let registered = people
        .register_applicant(agent.request(person(world)))
        .await;
    let registered = search
        .answer("RegisterApplicant", registered)
        .applicant
        .unwrap_or_default();
    let again = people
        .register_applicant(agent.request(person(world)))
        .await;
    search.refusal("RegisterApplicant, registered already", again);
    for (what, wrong) in [
        (
            "a wrong check character",
            RegisterApplicantRequest {
                document: "420527194403087740".to_owned(),
                ..person(world)
            },
        ),
        (
            "a name with a digit",
            RegisterApplicantRequest {
                name: format!("{NAME}1"),
                ..person(world)
            },
        ),
        (
            "a telephone with a letter",
            RegisterApplicantRequest {
                telephone: format!("{TELEPHONE}x"),
                ..person(world)
            },
        ),
        (
            "a request id that is none",
            RegisterApplicantRequest {
                request_id: "1".to_owned(),
                ..person(world)
            },
        ),
        (
            "an address over its limit",
            RegisterApplicantRequest {
                address: ADDRESS.repeat(20),
                ..person(world)
            },
        ),
    ] {
        let answer = people.register_applicant(agent.request(wrong)).await;
        search.refusal(what, answer);
    }
    let update = UpdateApplicantRequest {
        district: world.district.clone(),
        request_id: request_id(),
        applicant: registered.id.clone(),
        telephone: NEW_TELEPHONE.to_owned(),
        address: NEW_ADDRESS.to_owned(),
        etag: registered.etag,
        ..UpdateApplicantRequest::default()
    };
    let updated = people.update_applicant(agent.request(update.clone())).await;
    search.answer("UpdateApplicant", updated);
    let stale = UpdateApplicantRequest {
        request_id: request_id(),
        ..update
    };
    let stale = people.update_applicant(agent.request(stale)).await;
    search.refusal("UpdateApplicant, stale", stale);
    registered.id
}

/// Walks her case to its end and reads all there is to read.
async fn walk(world: &World, applicant: &str, search: &mut Search) -> Case {
    let agent = world.sample.agent().expect("in the sample");
    let mut story = Story::before(world, world.person(&agent));
    let opening = story.opening_for(&agent, applicant.to_owned());
    let answer = story.cases.open_case(story.client.request(opening)).await;
    story.take(answer).expect("opened");
    let mut story = story.delivered().await.filed_away().await;
    story.read("").await;
    search.bytes("GetCase", &story.case.encode_to_vec());

    let (client, district) = (story.client.clone(), || story.district.clone());
    let case = || story.case.id.clone();
    let mut cases = story.cases.clone();
    let request = GetCaseByReceiptRequest {
        district: district(),
        receipt: story.case.receipt.clone(),
        ..Default::default()
    };
    let answer = cases.get_case_by_receipt(client.request(request)).await;
    search.answer("GetCaseByReceipt", answer);
    let request = GetNoticeRequest {
        district: district(),
        case: case(),
        ..Default::default()
    };
    let answer = cases.get_notice(client.request(request)).await;
    search.answer("GetNotice", answer);
    let request = ListCasesRequest {
        district: district(),
        page_size: 500,
        ..Default::default()
    };
    let answer = cases.list_cases(client.request(request)).await;
    search.answer("ListCases", answer);
    let request = CheckCompletenessRequest {
        district: district(),
        case: case(),
        ..Default::default()
    };
    let answer = cases.check_completeness(client.request(request)).await;
    search.answer("CheckCompleteness", answer);
    let request = ListReusableMaterialsRequest {
        district: district(),
        case: case(),
        ..Default::default()
    };
    let answer = cases.list_reusable_materials(client.request(request)).await;
    search.answer("ListReusableMaterials", answer);
    let clock = "decision".to_owned();
    let request = ExplainDueTimeRequest {
        district: district(),
        case: case(),
        clock,
        ..Default::default()
    };
    let answer = cases.explain_due_time(client.request(request)).await;
    search.answer("ExplainDueTime", answer);
    for (place, document_end) in [("by the whole", DOCUMENT), ("by the end", &DOCUMENT[12..])] {
        let receipt = story.case.receipt.clone();
        let request = GetProgressRequest {
            district: district(),
            receipt,
            document_end: document_end.to_owned(),
        };
        let answer = cases.get_progress(world.public.request(request)).await;
        search.answer(&format!("GetProgress {place}"), answer);
    }
    let wrong = GetProgressRequest {
        district: district(),
        receipt: story.case.receipt.clone(),
        document_end: DOCUMENT[..17].to_owned(),
    };
    let answer = cases.get_progress(world.public.request(wrong)).await;
    search.refusal("GetProgress by a wrong document", answer);

    let auditor = world.operator();
    let request = ExportLedgerRequest {
        district: district(),
        ..Default::default()
    };
    let mut lines = LedgerServiceClient::new(auditor.channel())
        .export_ledger(auditor.request(request))
        .await
        .expect("an export")
        .into_inner();
    while let Some(part) = lines.message().await.expect("a part") {
        search.bytes("ExportLedger", part.lines.join("\n").as_bytes());
    }
    story.case
}

async fn lists(world: &World, applicant: &str, search: &mut Search) {
    let client = world.operator();
    let mut people = ApplicantServiceClient::new(client.channel());
    let district = || world.district.clone();
    let request = GetApplicantRequest {
        district: district(),
        applicant: applicant.to_owned(),
        ..Default::default()
    };
    let answer = people.get_applicant(client.request(request)).await;
    search.answer("GetApplicant", answer);
    let request = FindApplicantsRequest {
        district: district(),
        document_kind: 1,
        document: DOCUMENT.to_owned(),
        ..Default::default()
    };
    let answer = people.find_applicants(client.request(request)).await;
    let of_document = search.answer("FindApplicants by document", answer);
    let request = FindApplicantsRequest {
        district: district(),
        telephone: NEW_TELEPHONE.to_owned(),
        ..Default::default()
    };
    let answer = people.find_applicants(client.request(request)).await;
    let of_telephone = search.answer("FindApplicants by telephone", answer);
    for answer in [of_document, of_telephone] {
        assert_eq!(
            answer.applicants.first().map(|a| a.id.as_str()),
            Some(applicant)
        );
    }
    let request = ListRevealsRequest {
        district: district(),
        ..Default::default()
    };
    let answer = people.list_reveals(client.request(request)).await;
    search.answer("ListReveals", answer);
    let request = ListStaffRequest {
        district: district(),
        ..Default::default()
    };
    let answer = StaffServiceClient::new(client.channel())
        .list_staff(client.request(request))
        .await;
    search.answer("ListStaff", answer);
}

/// The same person asks, is answered, and has something obtained by an agent.
async fn ask_and_delegate(world: &World, applicant: &str, search: &mut Search) {
    let agent = delegate(world);
    let mut question = Question::before(world, world.person(&agent));
    let request = registration(world, &agent, applicant.to_owned(), LICENCE);
    question.register(request).await.expect("registered");
    let mut question = question.referred().await.answered().await;
    question.read("").await;
    search.bytes("a consultation", &question.consultation.encode_to_vec());
    let request = ExportRegisterRequest {
        district: world.district.clone(),
        from: "2026-01-01".to_owned(),
        to: world.today().await,
        ..ExportRegisterRequest::default()
    };
    let request = question.client.request(request);
    let mut register = question.service.export_register(request).await;
    let register = register.as_mut().expect("the register").get_mut();
    while let Some(part) = register.message().await.expect("a part") {
        search.bytes("the register, masked", &part.encode_to_vec());
    }

    let mut story = Story::before(world, world.person(&agent));
    let mut request = story.opening_for(&agent, applicant.to_owned());
    LICENCE.clone_into(&mut request.item);
    request.set_kind(CaseKind::Agency);
    let answer = story.cases.open_case(story.client.request(request)).await;
    story.take(answer).expect("opened");
    let story = story.pre_checked().await.drafted(world, &POWERS).await;
    let mut story = story.signed(own_signature(world.now().await)).await;
    let request = GetAgreementRequest {
        district: world.district.clone(),
        case: story.case.id.clone(),
        number: 1,
        after: String::new(),
    };
    let answer = story.cases.get_agreement(story.client.request(request));
    search.answer("GetAgreement", answer.await);
    command!(story, revoke_delegation, RevokeDelegationRequest {}).expect("revoked");
    search.bytes("a case of agency", &story.case.encode_to_vec());
}

/// Reveals: the one place where it is told, and it is on record before.
async fn reveal(world: &World, agent: &Client, applicant: &str) {
    let request = RevealApplicantRequest {
        district: world.district.clone(),
        request_id: request_id(),
        applicant: applicant.to_owned(),
        purpose: "寄送决定书".to_owned(),
    };
    let told = ApplicantServiceClient::new(agent.channel())
        .reveal_applicant(agent.request(request))
        .await
        .expect("revealed")
        .into_inner();
    assert_eq!(
        (
            told.name.as_str(),
            told.document.as_str(),
            told.telephone.as_str(),
            told.address.as_str()
        ),
        (
            NAME,
            DOCUMENT,
            format!("+86{NEW_TELEPHONE}").as_str(),
            NEW_ADDRESS
        )
    );
    let acts = world.tail("directory").await;
    let subject = format!("applicants/{applicant}");
    let reveals: Vec<_> = acts
        .iter()
        .filter(|a| a.subject == subject && a.r#type == "applicant.revealed")
        .collect();
    let [act] = reveals.as_slice() else {
        panic!("one reveal is on record: {reveals:?}")
    };
    assert_eq!(
        act.actor.as_ref().map(|a| a.subject.as_str()),
        Some("hu-yulian")
    );
    let payload = DirectoryAct::decode(act.payload.as_slice())
        .expect("an act")
        .act;
    let purpose = "寄送决定书".to_owned();
    assert_eq!(
        payload,
        Some(Act::ApplicantRevealed(ApplicantRevealed { purpose })),
        "and says no more"
    );
}

/// Everything that the databases hold: files to the last byte, or every row of every table.
async fn stored(world: &World, search: &mut Search) {
    for entry in std::fs::read_dir(world.folder()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a file");
        search.bytes(&path.display().to_string(), &bytes);
    }
    let db = world.database("directory").await;
    if db.get_database_backend() != DbBackend::Postgres {
        return;
    }
    let sql = "SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) FROM information_schema.tables \
               WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')";
    let tables = db
        .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await
        .expect("tables");
    assert!(tables.len() > 10, "{} tables", tables.len());
    let mut filled = Vec::new();
    for table in tables {
        let table: String = table.try_get_by_index(0).expect("a name");
        let sql = format!("SELECT row::text FROM {table} AS row");
        let rows = db
            .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
            .await
            .expect("rows");
        for row in rows {
            let text: String = row.try_get_by_index(0).expect("a text");
            search.bytes(&table, text.as_bytes());
            search.bytes(&format!("{table}, its bytes"), &unescaped(&text));
            filled.push(table.clone());
        }
    }
    for table in ["bookings", "seats", "waiting", "persons", "acts"] {
        let table = format!("scheduling.{table}");
        assert!(filled.contains(&table), "nothing in {table}: {filled:?}");
    }
}

async fn story(world: World, redis: &Server) -> World {
    let agent = world.agent();
    let mut search = Search::new();
    let applicant = plant(&world, &agent, &mut search).await;
    let case = walk(&world, &applicant, &mut search).await;
    ask_and_delegate(&world, &applicant, &mut search).await;
    reveal(&world, &agent, &applicant).await;
    lists(&world, &applicant, &mut search).await;
    appointments::walk(&world, &case, &mut search).await;
    appointments::in_redis(redis, &mut search);
    for log in ["directory", "casework", "consultation", "scheduling"] {
        for act in world.tail(log).await {
            search.bytes(
                &format!("the feed of {log}: {}", act.r#type),
                &act.encode_to_vec(),
            );
        }
    }
    stored(&world, &mut search).await;

    // Forgotten: nothing is left to show.
    let operator = world.operator();
    let mut people = ApplicantServiceClient::new(operator.channel());
    let request = GetApplicantRequest {
        district: world.district.clone(),
        applicant: applicant.clone(),
        ..Default::default()
    };
    let etag = people
        .get_applicant(operator.request(request))
        .await
        .expect("read")
        .into_inner()
        .etag;
    let erasure = EraseApplicantRequest {
        district: world.district.clone(),
        request_id: request_id(),
        applicant: applicant.clone(),
        reason: "本人申请".to_owned(),
        etag,
    };
    let answer = people.erase_applicant(operator.request(erasure)).await;
    search.answer("EraseApplicant", answer);
    let again = RevealApplicantRequest {
        district: world.district.clone(),
        request_id: request_id(),
        applicant,
        purpose: "寄送决定书".to_owned(),
    };
    refused(
        people.reveal_applicant(operator.request(again)).await,
        "APPLICANT_ERASED",
    );
    search.end(50);
    world
}

/// The story on each database, with appointments behind a Redis.
async fn on_both() {
    for database in [Some(Database::Sqlite), Database::postgres()] {
        let Some(database) = database else { continue };
        let redis = Server::start(&[]);
        let world = World::open_with(&database, |config| config.redis.url = redis.url());
        story(world.await, &redis).await.end().await;
    }
}

/// Tells everything of a story, and searches the traces and metrics of it.
fn told(log: &Log, story: impl FnOnce()) {
    let (receiver, telemetry) = block_on(async {
        let (receiver, endpoint) = Receiver::start().await;
        let settings = Telemetry {
            otlp_endpoint: endpoint,
            sample_ratio: 1.0,
            metrics_seconds: 5,
            ..Telemetry::default()
        };
        let telemetry = bangban_telemetry::start(&settings, log, "bangban-tests");
        (receiver, telemetry.expect("a collector"))
    });
    story();
    block_on(telemetry.end());
    let spans = receiver.spans().len();
    assert!(spans > 1000, "{spans} spans were told");
    let names: Vec<String> = receiver
        .metrics()
        .into_iter()
        .map(|(_, m)| m.name)
        .collect();
    assert!(
        names.iter().any(|name| name == "bangban.cases"),
        "{names:?}"
    );
    let mut search = Search::new();
    search.bytes("traces and metrics", &receiver.bytes());
    search.end(1);
}

/// Runs once more as a process of its own, which logs all that it has to say at the level of debugging, and tells of every
/// call and statement.
#[test]
fn personal_data_are_found_nowhere_but_in_a_reveal_which_is_on_record() {
    if std::env::var_os(LOGS).is_some() {
        let log = Log {
            format: LogFormat::Json,
            level: "debug".to_owned(),
        };
        told(&log, || block_on(on_both()));
        return;
    }
    let itself = std::env::current_exe().expect("this program");
    let output = Command::new(itself)
        .args(["--exact", "--nocapture"])
        .arg(
            concat!(
                module_path!(),
                "::personal_data_are_found_nowhere_but_in_a_reveal_which_is_on_record"
            )
            .trim_start_matches("e2e::"),
        )
        .env(LOGS, "1")
        .output()
        .expect("run");
    let log = String::from_utf8_lossy(&output.stderr);
    let said: Vec<&str> = log.lines().filter(|line| !line.starts_with('{')).collect();
    assert!(output.status.success(), "{}", said.join("\n"));
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("1 passed"), "{told}");
    assert!(
        log.contains("\"level\":\"DEBUG\""),
        "the log says nothing: {log}"
    );
    let mut search = Search::new();
    search.bytes("the log", &output.stderr);
    search.bytes("what was told", &output.stdout);
    search.end(2);
}
