//! What processes tell of a walk: one trace through services and into statements, metrics of calls, cases and feeds.

use std::{path::Path, process::Stdio, time::Duration};

use bangban::{cli::Service, sample::find_or_register};
use bangban_proto::bangban::{
    casework::v1::{CaseKind, GetCaseByReceiptRequest, case_service_client::CaseServiceClient},
    consultation::v1::{
        ConvertConsultationRequest, RegisterConsultationRequest,
        consultation_service_client::ConsultationServiceClient,
    },
    types::v1::Channel,
};
use bangban_tests::{
    PATIENCE, block_on,
    case::ITEM,
    cluster::{Cluster, metrics::page},
    receiver::{Receiver, text},
    request_id,
};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use sea_orm::ConnectionTrait as _;
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

const CONVERT: &str = "bangban.consultation.v1.ConsultationService/ConvertConsultation";
const OPEN: &str = "bangban.casework.v1.CaseService/OpenCase";

/// Walks both cases as a process of its own.
async fn walk(cluster: &Cluster) {
    let mut walk = Command::new(&cluster.plan.program);
    walk.arg("walk").arg("--config").arg(cluster.plan.file());
    let walk = walk.stdin(Stdio::null()).output().await.expect("it runs");
    let told = String::from_utf8_lossy(&walk.stdout);
    assert!(told.contains("ledgers verified: 2"), "{walk:?}");
}

type Told = (String, Span);

/// The span of a service, of this kind and name, right below a parent.
fn child<'a>(
    spans: &'a [Told],
    parent: &Span,
    service: &str,
    kind: SpanKind,
    name: &str,
) -> Option<&'a Span> {
    let is_it = |(told, span): &&Told| {
        told == service
            && span.kind == kind as i32
            && span.name == name
            && span.parent_span_id == parent.span_id
            && span.trace_id == parent.trace_id
    };
    spans.iter().find(is_it).map(|(_, span)| span)
}

/// A statement of a service somewhere below a span.
fn statement<'a>(spans: &'a [Told], above: &Span, service: &str) -> Option<&'a Span> {
    let below: Vec<&Told> = spans
        .iter()
        .filter(|(_, span)| span.parent_span_id == above.span_id)
        .collect();
    below.iter().find_map(|(told, span)| {
        let system = text(&span.attributes, "db.system.name");
        let is_it = told == service && system.as_deref() == Some("postgresql");
        if is_it {
            Some(span)
        } else {
            statement(spans, span, service)
        }
    })
}

/// The whole way: consultation is asked, asks casework, which asks the database.
fn way(receiver: &Receiver) -> Option<(Span, Span)> {
    let spans = receiver.spans();
    let mut asked = spans.iter().filter(|(_, span)| span.name == CONVERT);
    asked.find_map(|(service, asked)| {
        assert_eq!(
            (service.as_str(), asked.kind),
            ("bangban-consultation", SpanKind::Server as i32)
        );
        assert!(asked.parent_span_id.is_empty(), "who walks has no trace");
        below(&spans, asked)
    })
}

/// What a question to consultation led to.
fn below(spans: &[Told], asked: &Span) -> Option<(Span, Span)> {
    let own = statement(spans, asked, "bangban-consultation")?;
    let call = child(spans, asked, "bangban-consultation", SpanKind::Client, OPEN)?;
    let called = text(&call.attributes, "server.address");
    assert_eq!(called.as_deref(), Some("casework"));
    let opened = child(spans, call, "bangban-casework", SpanKind::Server, OPEN)?;
    let written = statement(spans, opened, "bangban-casework")?;
    let check = "bangban.directory.v1.StaffService/CheckAssignment";
    let call = child(spans, opened, "bangban-casework", SpanKind::Client, check)?;
    let checked = child(spans, call, "bangban-directory", SpanKind::Server, check)?;
    statement(spans, checked, "bangban-directory")?;
    Some((own.clone(), written.clone()))
}

fn has(page: &str, line: &str) {
    assert!(
        page.lines().any(|l| l.starts_with(line)),
        "no {line}\n{page}"
    );
}

/// The page of scheduling, once its gate is not degraded: Redis that answers late is, until the next look.
async fn undegraded(log: &Path) -> String {
    let until = Instant::now() + PATIENCE;
    loop {
        let page = page(log).await;
        if page.lines().any(|line| line == "bangban_gate_degraded 0") {
            return page;
        }
        assert!(Instant::now() < until, "{page}");
        sleep(Duration::from_millis(200)).await;
    }
}

/// What is on the pages of all services after a walk, whose cases are both filed away.
async fn pages(logs: &Path) {
    let casework = page(&logs.join("casework-1.log")).await;
    let consultation = page(&logs.join("consultation-1.log")).await;
    let supervision = page(&logs.join("supervision-1.log")).await;
    let directory = page(&logs.join("directory-1.log")).await;
    let scheduling = undegraded(&logs.join("scheduling-1.log")).await;
    has(&scheduling, "bangban_gate_answers_total{answer=\"seat\"} ");
    has(&scheduling, "bangban_gate_drift_found_total 0");
    has(
        &casework,
        "bangban_admission_refused_total{class=\"people\"} ",
    );
    has(&casework, "bangban_cases{state=\"open\"} ");
    has(&casework, "bangban_cases{state=\"delivered\"} ");
    has(
        &consultation,
        "bangban_consultations{state=\"converting\"} ",
    );
    for (page, consumer, log) in [
        (&casework, "casework", "directory"),
        (&consultation, "consultation", "directory"),
        (&supervision, "supervision", "casework"),
        (&scheduling, "scheduling", "directory"),
    ] {
        for name in ["lag_seconds", "silence_seconds", "behind"] {
            has(
                page,
                &format!("bangban_feed_{name}{{consumer=\"{consumer}\",log=\"{log}\"}} "),
            );
        }
    }
    let opened =
        format!("rpc_method=\"{OPEN}\",rpc_response_status_code=\"OK\",rpc_system_name=\"grpc\"");
    has(
        &casework,
        &format!("rpc_server_call_duration_seconds_count{{{opened}}} "),
    );
    has(
        &consultation,
        &format!("rpc_client_call_duration_seconds_count{{{opened},server_address=\"casework\"}} "),
    );
    has(&directory, "rpc_server_call_duration_seconds_count{");
    for (page, name) in [(casework, "casework"), (directory, "directory")] {
        assert!(
            page.contains(&format!("service_name=\"bangban-{name}\"")),
            "{page}"
        );
    }
}

/// Three cases more, as rows of what was walked: one without a due time, one that is due in two hours, one overdue.
async fn counted(cluster: &Cluster) {
    const MORE: &str = "INSERT INTO cases SELECT (jsonb_populate_record(walked, jsonb_build_object('id', 'tests-' || more.n, \
           'receipt', 'tests-' || more.n, 'state', more.n, 'due_at_us', more.due, 'ended_at_us', NULL, 'attention_at_us', NULL))).* \
         FROM cases AS walked, (SELECT max(acted_at_us) AS at_us FROM acts) AS last, \
           LATERAL (VALUES (1, NULL::bigint), (2, last.at_us + 7200000000), (3, 1)) AS more(n, due) \
         WHERE walked.id = (SELECT min(id) FROM cases)";
    let db = cluster.database(Service::Casework).await;
    db.execute_unprepared(MORE).await.expect("written");
    let district = &cluster.sample.district.id;
    let expected = [
        "bangban_cases{state=\"open\"} 1".to_owned(),
        "bangban_cases{state=\"pre_checked\"} 1".to_owned(),
        "bangban_cases{state=\"filed\"} 1".to_owned(),
        "bangban_cases{state=\"delivered\"} 0".to_owned(),
        format!("bangban_cases_due_soon{{district=\"{district}\"}} 1"),
        format!("bangban_cases_overdue{{district=\"{district}\"}} 1"),
    ];
    let log = cluster.plan.logs().join("casework-1.log");
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let page = page(&log).await;
        let is_there = |line: &String| page.lines().any(|told| told == line);
        if expected.iter().all(is_there) {
            return;
        }
        assert!(Instant::now() < until, "{expected:#?}\n{page}");
        sleep(Duration::from_millis(200)).await;
    }
}

#[test]
fn one_trace_goes_from_consultation_through_casework_into_the_database() {
    block_on(async {
        let (receiver, endpoint) = Receiver::start().await;
        let cluster = Cluster::start_with(1, |config| {
            config.telemetry.otlp_endpoint = endpoint;
            config.telemetry.sample_ratio = 1.0;
            config.telemetry.prometheus_listen = "127.0.0.1:0".to_owned();
            config.telemetry.metrics_seconds = 5;
        })
        .await;
        let Some(cluster) = cluster else { return };
        walk(&cluster).await;
        let (own, written) = receiver.until("the way of a conversion", way).await;
        for statement in [&own, &written] {
            assert!(text(&statement.attributes, "db.query.summary").is_some());
            assert!(text(&statement.attributes, "db.query.text").is_none());
        }
        // Whoever is refused is counted, with what the trailers or headers say.
        let agent = cluster.agent();
        let nothing = GetCaseByReceiptRequest {
            district: cluster.sample.district.id.clone(),
            receipt: "4252700000001".to_owned(),
            ..GetCaseByReceiptRequest::default()
        };
        let refused = CaseServiceClient::new(agent.channel())
            .get_case_by_receipt(agent.request(nothing))
            .await;
        refused.expect_err("there is no such case");
        pages(cluster.plan.logs().as_path()).await;
        counted(&cluster).await;
        for name in [
            "bangban.cases",
            "bangban.cases.overdue",
            "bangban.consultations.due_soon",
            "bangban.feed.lag",
        ] {
            let is_told = |r: &Receiver| {
                r.metrics()
                    .iter()
                    .any(|(_, m)| m.name == name)
                    .then_some(())
            };
            receiver.until(name, is_told).await;
        }
        let names: Vec<String> = cluster
            .sample
            .applicants
            .iter()
            .map(|a| a.name.clone())
            .collect();
        assert!(!names.is_empty());
        cluster.end().await;
        let said = receiver.bytes();
        for name in &names {
            assert!(
                !said.windows(name.len()).any(|w| w == name.as_bytes()),
                "{name} was told"
            );
        }
    });
}

#[test]
fn a_log_line_names_the_trace_of_its_call_where_nobody_collects_traces() {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    block_on(async {
        let Some(mut cluster) = Cluster::start(1).await else {
            return;
        };
        let district = cluster.sample.district.id.clone();
        let agent = cluster.sample.agent().expect("in the sample");
        let client = cluster.person(&agent);
        let known = cluster.sample.applicant("mo-xiuying").expect("a sample");
        let found = find_or_register(&client, &district, known, request_id()).await;
        let mut service = ConsultationServiceClient::new(client.channel());
        let registered = service
            .register_consultation(client.request(RegisterConsultationRequest {
                district: district.clone(),
                request_id: request_id(),
                site: agent.site.clone(),
                channel: Channel::Phone.into(),
                kind: CaseKind::Assist.into(),
                applicant: found.expect("found").applicant.unwrap_or_default().id,
                item: ITEM.to_owned(),
                question: "办理需要什么材料".to_owned(),
                after: cluster.loaded.clone(),
                ..RegisterConsultationRequest::default()
            }))
            .await
            .expect("registered");
        let consultation = registered.into_inner().consultation.unwrap_or_default();
        cluster.member(Service::Casework, 1).terminate().await;
        let mut request = client.request(ConvertConsultationRequest {
            district,
            request_id: request_id(),
            consultation: consultation.id,
            mode: Channel::Window.into(),
            ..ConvertConsultationRequest::default()
        });
        let trace = format!("00-{TRACE}-b7ad6b7169203331-01");
        let trace = trace.parse().expect("a header");
        request.metadata_mut().insert("traceparent", trace);
        let waits = service.convert_consultation(request).await;
        waits.expect_err("casework is not there");
        let log = cluster.plan.logs().join("consultation-1.log");
        let log = std::fs::read_to_string(log).expect("a log");
        let is_it = |line: &&str| line.contains("casework could not be asked");
        let ours = format!("trace_id={TRACE} span_id=b7ad6b7169203331");
        assert!(
            log.lines().filter(is_it).any(|line| line.ends_with(&ours)),
            "{log}"
        );
        cluster.end().await;
    });
}
