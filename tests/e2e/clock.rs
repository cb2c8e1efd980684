//! Time passes, and calendars and the catalogue change while cases are open (BB-8a, BX-2, BX-3, BB-7.2).

use std::time::{Duration, Instant};

use bangban_kit::refusal;
use bangban_proto::bangban::{
    casework::v1::{
        BreachKind, Case, CaseAct, Clock, ClockRecomputed, ConsentKind, DecisionOutcome,
        ExplainDueTimeRequest, GetQualityRatesRequest, GetQualityRatesResponse,
        ReportDecisionRequest, WithdrawConsentRequest, case_act::Act,
    },
    directory::v1::{
        AmendCalendarRequest, Amendment, DayKind, GetCalendarRequest, GetItemRequest, ItemVersion,
        ListDaysRequest, PublishItemVersionRequest, WithdrawItemRequest,
        calendar_service_client::CalendarServiceClient,
        catalogue_service_client::CatalogueServiceClient,
    },
    types::v1::DueTimeExplanation,
};
use bangban_tests::{
    DAY, PATIENCE, World,
    case::{ITEM, Story},
    command, day, on_both, on_both_alone, request_id,
};
use prost::Message as _;
use prost_types::Timestamp;
use tonic::Status;

/// What is within seconds.
const SOON: Duration = Duration::from_secs(2);

/// Reads the case until it is as it should become.
async fn becomes(story: &mut Story, after: &str, what: &str, is_so: impl Fn(&Case) -> bool) {
    let begun = Instant::now();
    loop {
        story.read(after).await;
        if is_so(&story.case) {
            return;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "{what}: {:?}",
            story.case.clocks
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn decision(case: &Case) -> Clock {
    let clock = case.clocks.iter().find(|c| c.id == "decision");
    clock.cloned().expect("a decision clock")
}

fn due(case: &Case) -> i64 {
    decision(case).due_at.expect("a due time").seconds
}

async fn rates(story: &Story, from: i64, to: i64, after: &str) -> GetQualityRatesResponse {
    let request = GetQualityRatesRequest {
        district: story.district.clone(),
        from: day(from),
        to: day(to),
        after: after.to_owned(),
    };
    let mut cases = story.cases.clone();
    let answer = cases.get_quality_rates(story.client.request(request)).await;
    answer.expect("rates").into_inner()
}

#[expect(clippy::float_cmp, reason = "ratios of small counts are exact")]
fn is_rate(rate: f64, part: f64, whole: f64) -> bool {
    rate == part / whole
}

#[test]
fn bb_8a_the_sweep_warns_before_and_records_the_breach_after_and_rates_follow() {
    on_both_alone(|world| async move {
        let in_time = Story::opened(&world)
            .await
            .delivered()
            .await
            .filed_away()
            .await;
        let mut given_up = Story::opened(&world).await.consented().await;
        command!(
            given_up,
            withdraw_consent,
            WithdrawConsentRequest {
                kind: ConsentKind::Assistance.into(),
                reason: "改天再办".to_owned(),
            }
        )
        .expect("withdrawn");
        let mut story = Story::opened(&world).await.accepted().await;
        let started_at = decision(&story.case).started_at.expect("a start").seconds;
        let due_at = due(&story.case);
        let closed = rates(&story, started_at, started_at + DAY, "").await;
        assert_eq!((closed.complete_count, closed.closed_count), (1, 2));
        assert!(is_rate(closed.completeness_rate, 1.0, 2.0), "{closed:?}");

        let after = world.advance(due_at - DAY / 2).await;
        becomes(&mut story, &after, "warned", |case| {
            decision(case).warned_at.is_some()
        })
        .await;
        assert!(decision(&story.case).breached_at.is_none(), "not late yet");
        assert!(story.case.breaches.is_empty() && story.case.is_demonstration);

        let after = world.advance(due_at + 1).await;
        becomes(&mut story, &after, "late", |case| {
            decision(case).breached_at.is_some()
        })
        .await;
        let [breach] = story.case.breaches.as_slice() else {
            panic!("one breach: {:?}", story.case.breaches);
        };
        assert_eq!(
            (
                breach.kind(),
                breach.clock.as_str(),
                breach.requirement.as_str()
            ),
            (BreachKind::Late, "decision", "BB-8a")
        );
        assert_eq!(breach.subject, "civil-affairs-bureau", "whose limit it was");
        assert!(breach.recorded_at.is_some_and(|at| at.seconds >= due_at));

        // The case that was decided in time was due with this one.
        let both = rates(&story, due_at - DAY, due_at + DAY, &after).await;
        assert_eq!((both.on_time_count, both.due_count), (1, 2));
        assert!(is_rate(both.on_time_rate, 1.0, 2.0), "{both:?}");
        let nothing = rates(&story, due_at + 30 * DAY, due_at + 31 * DAY, "").await;
        assert_eq!((nothing.due_count, nothing.closed_count), (0, 0));
        assert!(is_rate(nothing.on_time_rate, 1.0, 1.0), "{nothing:?}");

        // A late decision ends the clock and mends nothing; another sweep records nothing twice.
        command!(
            story,
            report_decision,
            ReportDecisionRequest {
                outcome: DecisionOutcome::Granted.into(),
                number: "民政决-2".to_owned(),
                issuer: "秭归县民政局".to_owned(),
                decided_at: Some(Timestamp {
                    seconds: due_at + 1,
                    nanos: 0
                }),
            }
        )
        .expect("decided");
        let after = world.advance(due_at + 20 * DAY).await;
        let is_late = |case: &Case| case.breaches.iter().any(|b| b.clock == "delivery");
        becomes(&mut story, &after, "delivery is late", is_late).await;
        let of_decision = story.case.breaches.iter().filter(|b| b.clock == "decision");
        assert_eq!(of_decision.count(), 1);
        let both = rates(&story, due_at - DAY, due_at + DAY, &after).await;
        assert_eq!((both.on_time_count, both.due_count), (1, 2));
        drop(in_time);
        world
    });
}

/// Why the decision is due when it is.
async fn explained(story: &Story) -> DueTimeExplanation {
    let request = ExplainDueTimeRequest {
        district: story.district.clone(),
        case: story.case.id.clone(),
        clock: "decision".to_owned(),
        ..ExplainDueTimeRequest::default()
    };
    let mut cases = story.cases.clone();
    let answer = cases.explain_due_time(story.client.request(request)).await;
    answer.expect("an explanation").into_inner()
}

#[test]
fn bx_2_a_due_time_explains_itself_day_by_day() {
    on_both(|world| async move {
        let story = Story::opened(world).await.accepted().await;
        let clock = decision(&story.case);
        let told = explained(&story).await;
        assert_eq!(told.due_at, clock.due_at);
        assert_eq!(told.is_provisional, clock.is_provisional);
        let first = told.days.first().expect("a first day");
        let last = told.days.last().expect("a last day");
        let started_at = clock.started_at.expect("a start").seconds;
        assert_eq!(
            first.date,
            day(started_at),
            "the day of the event comes first"
        );
        assert!(!first.is_counted, "and does not count");
        assert_eq!(
            last.date,
            day(due(&story.case) - 1),
            "the last day ends the limit"
        );
        let numbers: Vec<u32> = told
            .days
            .iter()
            .filter(|d| d.is_counted)
            .map(|d| d.number)
            .collect();
        assert_eq!(numbers, (1..=clock.amount).collect::<Vec<_>>());
        assert!(told.days.iter().all(|d| d.is_counted == (d.number > 0)));

        // The public calendar of the district agrees with each day, and leaves none out.
        let public = &world.public;
        let mut calendar = CalendarServiceClient::new(public.channel());
        let request = ListDaysRequest {
            district: story.district.clone(),
            from: first.date.clone(),
            days: u32::try_from(told.days.len()).expect("few days"),
            ..ListDaysRequest::default()
        };
        let days = calendar
            .list_days(public.request(request))
            .await
            .expect("days")
            .into_inner();
        assert_eq!(days.calendar_version, told.calendar_version);
        for (explained, known) in told.days.iter().zip(&days.days).skip(1) {
            assert_eq!(
                (&explained.date, explained.is_counted),
                (&known.date, known.is_working)
            );
        }
        for explained in &told.days {
            let reason = explained.reason.clone().unwrap_or_default();
            let is_said = !reason.zh.is_ascii() && !reason.en.is_empty();
            assert!(is_said && !explained.rule.is_empty(), "{explained:?}");
        }
        let sentence = told.sentence.unwrap_or_default();
        assert!(
            sentence.zh.contains("20") && !sentence.en.is_empty(),
            "{sentence:?}"
        );
    });
}

/// The acts that counted a clock of the case anew, as the log tells them.
async fn recomputed(world: &World, case: &str) -> Vec<ClockRecomputed> {
    let acts = world.tail("casework").await;
    let of_case = acts
        .into_iter()
        .filter(|act| act.subject == format!("cases/{case}") && act.r#type == "clock.recomputed");
    of_case
        .filter_map(
            |act| match CaseAct::decode(act.payload.as_slice()).ok()?.act? {
                Act::ClockRecomputed(act) => Some(act),
                _ => None,
            },
        )
        .collect()
}

#[test]
fn bx_3_an_amended_calendar_moves_the_due_time_of_an_open_case_on_the_record() {
    on_both_alone(|world| async move {
        let ended = Story::opened(&world).await.delivered().await;
        let mut story = Story::opened(&world).await.accepted().await;
        let before = decision(&story.case);
        let told = explained(&story).await;
        let tenth = told
            .days
            .iter()
            .find(|d| d.number == 10)
            .expect("a tenth day");
        let operator = world.operator();
        let mut calendar = CalendarServiceClient::new(operator.channel());
        let amendment = AmendCalendarRequest {
            district: world.district.clone(),
            request_id: request_id(),
            amendment: Some(Amendment {
                date: tenth.date.clone(),
                kind: DayKind::Rest.into(),
                name: "防汛停工".to_owned(),
                citation: "秭归县人民政府通告（示例）".to_owned(),
                amended_at: None,
            }),
        };
        let amended = calendar
            .amend_calendar(operator.request(amendment))
            .await
            .expect("amended")
            .into_inner();
        let is_moved = |case: &Case| decision(case).due_at != before.due_at;
        becomes(&mut story, &amended.position, "moved", is_moved).await;

        let after = decision(&story.case);
        assert!(after.due_at.map(|at| at.seconds) > before.due_at.map(|at| at.seconds));
        let told = explained(&story).await;
        assert_eq!(told.due_at, after.due_at, "the explanation follows");
        let skipped = told
            .days
            .iter()
            .find(|d| d.date == tenth.date)
            .expect("the day");
        assert!(!skipped.is_counted);
        let version = calendar
            .get_calendar(operator.request(GetCalendarRequest {
                district: world.district.clone(),
                ..GetCalendarRequest::default()
            }))
            .await
            .expect("a calendar")
            .into_inner()
            .version;
        let acts = recomputed(&world, &story.case.id).await;
        let [act] = acts.as_slice() else {
            panic!("one clock was moved, once: {acts:?}");
        };
        assert_eq!(
            (act.clock.as_str(), act.before, act.after),
            ("decision", before.due_at, after.due_at)
        );
        assert_eq!(act.calendar_version, version);
        assert!(act.reason.contains("防汛停工"), "{:?}", act.reason);
        let [recount] = after.recounts.as_slice() else {
            panic!("the case shows how its due time moved: {after:?}");
        };
        assert_eq!(
            (recount.before, recount.after),
            (before.due_at, after.due_at)
        );
        assert!(
            recomputed(&world, &ended.case.id).await.is_empty(),
            "what has ended stays"
        );
        world
    });
}

/// Publishes another version of an item, in force from today on; answers the position.
async fn second_version(world: &World, item: &str) -> String {
    let operator = world.operator();
    let mut catalogue = CatalogueServiceClient::new(operator.channel());
    let request = GetItemRequest {
        district: world.district.clone(),
        item: item.to_owned(),
        ..GetItemRequest::default()
    };
    let first = catalogue.get_item(operator.request(request)).await;
    let second = ItemVersion {
        version: 2,
        effective_from: world.today().await,
        published_at: None,
        ..first.expect("an item").into_inner()
    };
    let publish = PublishItemVersionRequest {
        district: world.district.clone(),
        request_id: request_id(),
        item: Some(second),
    };
    let published = catalogue
        .publish_item_version(operator.request(publish))
        .await;
    published.expect("published").into_inner().position
}

/// Withdraws an item from today on; answers the position.
async fn withdraw(world: &World, item: &str) -> String {
    let operator = world.operator();
    let withdrawal = WithdrawItemRequest {
        district: world.district.clone(),
        request_id: request_id(),
        item: item.to_owned(),
        from: world.today().await,
        reason: "示例".to_owned(),
    };
    CatalogueServiceClient::new(operator.channel())
        .withdraw_item(operator.request(withdrawal))
        .await
        .expect("withdrawn")
        .into_inner()
        .position
}

/// Opens a case of an item at the county's centre, where somebody masters all.
async fn open(world: &World, item: &str, after: &str) -> Result<Story, Status> {
    let agent = world.sample.person("zhou-wenjing").expect("in the sample");
    let mut story = Story::before(world, world.person(&agent));
    let mut opening = story.opening(world, &agent, "lin-guie").await;
    opening.item = item.to_owned();
    opening.after = after.to_owned();
    let answer = story.cases.open_case(story.client.request(opening)).await;
    story.take(answer)?;
    Ok(story)
}

#[test]
fn bb_7_2_a_change_of_the_catalogue_reaches_casework_within_two_seconds() {
    on_both_alone(|world| async move {
        let mut before = Story::opened(&world).await.consented().await;
        // A machine may stand still for seconds, but not each time.
        let mut took = Vec::new();
        for item in [
            ITEM,
            "food-business-licence",
            "individual-business-registration",
        ] {
            let position = second_version(&world, item).await;
            let begun = Instant::now();
            let story = open(&world, item, &position).await.expect("opened");
            took.push(begun.elapsed());
            assert_eq!(story.case.item_version, 2);
        }
        assert!(took.iter().any(|took| *took < SOON), "{took:?}");
        let version = before.notice().await.version;
        assert_eq!(
            (before.case.item_version, version),
            (1, 1),
            "that of the first contact"
        );

        // Without a position it is there as soon, by itself.
        let mut took = Vec::new();
        for item in [
            "prepackaged-food-filing",
            "public-place-hygiene-licence",
            "food-business-licence",
        ] {
            withdraw(&world, item).await;
            let begun = Instant::now();
            let status = loop {
                match open(&world, item, "").await {
                    Err(status) => break status,
                    Ok(_) => assert!(begun.elapsed() < PATIENCE, "still opened"),
                }
            };
            took.push(begun.elapsed());
            assert_eq!(refusal::reason(&status), "ITEM_NOT_PUBLISHED");
        }
        assert!(took.iter().any(|took| *took < SOON), "{took:?}");
        world
    });
}

#[test]
fn bb_7_2_an_item_of_two_versions_that_was_withdrawn_opens_no_case() {
    on_both_alone(|world| async move {
        second_version(&world, ITEM).await;
        let position = withdraw(&world, ITEM).await;
        let opened = open(&world, ITEM, &position)
            .await
            .map(|story| story.case.item_version);
        let status = opened.expect_err("withdrawn");
        assert_eq!(refusal::reason(&status), "ITEM_NOT_PUBLISHED");
        world
    });
}
