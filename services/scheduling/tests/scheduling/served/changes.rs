//! Changes of capacity: seen before they are made, made once, by who has read what there is, and taken back (BB-9.2b).

use bangban_proto::bangban::scheduling::v1::{
    self as v1, Exception, ExceptionKind, Hours, Publication, Template,
};
use chrono::{Days, NaiveDate};
use tonic::Status;

use super::{
    ask::{beside, day, exception, id, put_exception, put_template},
    planned::open,
    world::{
        ADMIN, DISTRICT, ELSEWHERE, GROUP, LI_NA, SITE, World, reason, slot, template, worlds,
        written,
    },
};

const USUAL: [&str; 4] = ["09:00", "09:30", "10:00", "10:30"];

/// Puts a template down by who has read this etag, and has not seen whom it touches.
async fn put(world: &World, template: Template, etag: &str) -> Result<v1::TemplateChange, Status> {
    let request = v1::PutTemplateRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        etag: etag.to_owned(),
        template: Some(template),
        ..v1::PutTemplateRequest::default()
    };
    let request = world.by(&ADMIN, request);
    let answer = world.capacity().put_template(request).await;
    answer.map(tonic::Response::into_inner)
}

async fn remove(
    world: &World,
    template: &str,
    (from, etag): (&str, &str),
    affects_bookings: bool,
) -> Result<v1::TemplateChange, Status> {
    let request = v1::RemoveTemplateRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        etag: etag.to_owned(),
        template: template.to_owned(),
        from: from.to_owned(),
        affects_bookings,
        ..v1::RemoveTemplateRequest::default()
    };
    let request = world.by(&ADMIN, request);
    let answer = world.capacity().remove_template(request).await;
    answer.map(tonic::Response::into_inner)
}

async fn templates(world: &World) -> Vec<Template> {
    let request = v1::ListTemplatesRequest {
        district: DISTRICT.to_owned(),
        site: SITE.to_owned(),
        after: String::new(),
    };
    let request = world.by(&ADMIN, request);
    let answer = world.capacity().list_templates(request).await;
    answer.expect("templates").into_inner().templates
}

async fn except(
    world: &World,
    exception: Exception,
    etag: &str,
) -> Result<v1::ExceptionChange, Status> {
    let request = v1::PutExceptionRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        etag: etag.to_owned(),
        exception: Some(exception),
        ..v1::PutExceptionRequest::default()
    };
    let request = world.by(&ADMIN, request);
    let answer = world.capacity().put_exception(request).await;
    answer.map(tonic::Response::into_inner)
}

async fn take_back(
    world: &World,
    exception: &str,
    etag: &str,
    affects_bookings: bool,
) -> Result<v1::ExceptionChange, Status> {
    let request = v1::RemoveExceptionRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        etag: etag.to_owned(),
        exception: exception.to_owned(),
        affects_bookings,
        ..v1::RemoveExceptionRequest::default()
    };
    let request = world.by(&ADMIN, request);
    let answer = world.capacity().remove_exception(request).await;
    answer.map(tonic::Response::into_inner)
}

/// Extra hours of an hour's length.
fn extra(id: &str, date: NaiveDate, (from, to): (&str, &str)) -> Exception {
    let mut extra = exception(id, date, ExceptionKind::ExtraHours);
    extra.group = GROUP.to_owned();
    extra.hours = vec![Hours {
        from: from.to_owned(),
        to: to.to_owned(),
        slot_minutes: 30,
        capacity: 1,
        ..Hours::default()
    }];
    extra
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_template_holds_no_more_from_a_day_on_and_one_that_is_over_is_not_prolonged() {
    for world in worlds("removed").await {
        let date = world.published(1, 0).await;
        let later = world.working_day(3).await;
        world.publish(later).await;
        let from = later.to_string();
        let removed = remove(&world, "mornings", (&from, ""), false).await;
        let removed = removed.expect("removed");
        let last = (later - Days::new(1)).to_string();
        let until = |t: Option<Template>| t.expect("a template").valid_until;
        assert_eq!(removed.changed_days, [from]);
        assert_eq!(until(removed.template), last);
        assert_eq!(open(&world, date).await, USUAL);
        assert!(open(&world, later).await.is_empty());

        // It is over by then already: nothing changes.
        let before = written(&world).await;
        let far = (later + Days::new(30)).to_string();
        let again = remove(&world, "mornings", (&far, ""), false).await;
        let again = again.expect("is so already");
        assert_eq!(until(again.template), last);
        assert!(again.changed_days.is_empty() && again.position.is_empty());
        assert_eq!(written(&world).await, before);
        assert!(open(&world, later).await.is_empty());

        // It has not begun: nothing is left of it.
        let spring = Template {
            id: "spring".to_owned(),
            valid_from: far.clone(),
            ..template(1, 0)
        };
        put(&world, spring, "").await.expect("put");
        assert_eq!(templates(&world).await.len(), 2);
        let gone = remove(&world, "spring", (&far, ""), false).await;
        assert_eq!(gone.expect("removed").template, None);
        let left: Vec<String> = templates(&world).await.into_iter().map(|t| t.id).collect();
        assert_eq!(left, ["mornings"]);
        let unknown = remove(&world, "spring", (&far, ""), false).await;
        assert_eq!(reason(unknown), "TEMPLATE_UNKNOWN");
        let impossible = remove(&world, "mornings", ("2026-02-30", ""), false).await;
        assert_eq!(reason(impossible), "DATE_IMPOSSIBLE");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_extra_hours_are_put_down_again_with_other_hours_in_the_place_of_the_first() {
    for world in worlds("again").await {
        let date = world.published(1, 0).await;
        let evening = |hours| extra("evening", date, hours);
        put_exception(&world, evening(("17:30", "18:30"))).await;
        assert_eq!(open(&world, date).await[4..], ["17:30", "18:00"]);
        put_exception(&world, evening(("18:00", "19:00"))).await;
        assert_eq!(open(&world, date).await[4..], ["18:00", "18:30"]);
        let other = extra("night", date, ("18:30", "19:30"));
        let other = except(&world, other, "").await;
        assert_eq!(reason(other), "EXCEPTION_OVERLAPS");
    }
}

async fn preview(
    world: &World,
    request: v1::PreviewChangeRequest,
) -> Result<v1::PreviewChangeResponse, Status> {
    let request = v1::PreviewChangeRequest {
        district: DISTRICT.to_owned(),
        ..request
    };
    let request = world.by(&LI_NA, request);
    let answer = world.capacity().preview_change(request).await;
    answer.map(tonic::Response::into_inner)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_an_id_that_another_site_has_is_refused_also_when_both_want_it_at_once() {
    for world in worlds("ids").await {
        let date = world.published(1, 0).await;
        put_exception(&world, extra("evening", date, ("17:30", "18:30"))).await;
        let before = written(&world).await;
        let elsewhere = |mut template: Template| {
            template.site = ELSEWHERE.to_owned();
            template
        };
        let refused = put(&world, elsewhere(template(1, 0)), "").await;
        assert_eq!(reason(refused), "TEMPLATE_EXISTS");
        let seen = v1::PreviewChangeRequest {
            template: Some(elsewhere(template(1, 0))),
            ..v1::PreviewChangeRequest::default()
        };
        let seen = world.by(
            &ADMIN,
            v1::PreviewChangeRequest {
                district: DISTRICT.to_owned(),
                ..seen
            },
        );
        let seen = world.capacity().preview_change(seen).await;
        assert_eq!(reason(seen), "TEMPLATE_EXISTS");
        let mut evening = extra("evening", date, ("17:30", "18:30"));
        evening.site = ELSEWHERE.to_owned();
        let refused = except(&world, evening, "").await;
        assert_eq!(reason(refused), "EXCEPTION_EXISTS");
        assert_eq!(written(&world).await, before);

        for number in 0..8 {
            let here = Template {
                id: format!("race-{number}"),
                group: format!("race-{number}"),
                ..template(1, 0)
            };
            let there = elsewhere(here.clone());
            let (here, there) = tokio::join!(put(&world, here, ""), put(&world, there, ""));
            let (refused, put): (Vec<_>, Vec<_>) =
                [here, there].into_iter().partition(Result::is_err);
            assert_eq!((refused.len(), put.len()), (1, 1), "race {number}");
            for refused in refused {
                assert_eq!(reason(refused), "TEMPLATE_EXISTS");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_8d_what_was_read_before_somebody_changed_it_changes_no_template_and_no_exception() {
    for world in worlds("stale").await {
        let date = world.published(1, 0).await;
        let etag = |t: &v1::TemplateChange| t.template.clone().expect("a template").etag;
        let first = templates(&world).await[0].etag.clone();
        assert!(!first.is_empty());
        // Another one is none of its business.
        put_template(&world, beside(1)).await;
        let second = put(&world, template(2, 0), &first).await.expect("put");
        let second = etag(&second);
        assert_ne!(second, first);

        let before = written(&world).await;
        let stale = put(&world, template(3, 0), &first).await;
        assert_eq!(reason(stale), "STALE_ETAG");
        let never = Template {
            id: "never".to_owned(),
            ..template(3, 0)
        };
        assert_eq!(reason(put(&world, never, &first).await), "STALE_ETAG");
        let stale = remove(&world, "mornings", ("", &first), false).await;
        assert_eq!(reason(stale), "STALE_ETAG");
        assert_eq!(written(&world).await, before);
        let ended = remove(&world, "mornings", ("2200-01-01", &second), false).await;
        let ended = etag(&ended.expect("ended"));
        assert_ne!(ended, second, "it ends, which it did not");
        let stale = remove(&world, "mornings", ("2199-01-01", &second), false).await;
        assert_eq!(reason(stale), "STALE_ETAG");

        let etag = |e: &v1::ExceptionChange| e.exception.clone().expect("an exception").etag;
        let evening = |hours| extra("evening", date, hours);
        let first = except(&world, evening(("17:30", "18:30")), "").await;
        let first = etag(&first.expect("put"));
        let second = except(&world, evening(("18:00", "19:00")), &first).await;
        let second = etag(&second.expect("put"));
        let before = written(&world).await;
        let stale = except(&world, evening(("18:30", "19:30")), &first).await;
        assert_eq!(reason(stale), "STALE_ETAG");
        let stale = take_back(&world, "evening", &first, false).await;
        assert_eq!(reason(stale), "STALE_ETAG");
        assert_eq!(written(&world).await, before);
        let gone = take_back(&world, "evening", &second, false).await;
        gone.expect("taken back");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_8d_what_was_read_before_somebody_changed_it_changes_no_publication_and_no_slot() {
    for world in worlds("outdated").await {
        let date = world.published(1, 0).await;
        let publish_at = async |at: &str, etag: &str| {
            let request = v1::PutPublicationRequest {
                district: DISTRICT.to_owned(),
                request_id: id(),
                etag: etag.to_owned(),
                publication: Some(Publication {
                    site: SITE.to_owned(),
                    weeks_ahead: 1,
                    at: at.to_owned(),
                    ..Publication::default()
                }),
                ..v1::PutPublicationRequest::default()
            };
            let request = world.by(&ADMIN, request);
            let answer = world.capacity().put_publication(request).await;
            answer.map(|a| a.into_inner().publication.expect("a publication").etag)
        };
        let publish = async |date: NaiveDate, etag: &str| {
            let request = v1::PublishDaysRequest {
                district: DISTRICT.to_owned(),
                request_id: id(),
                etag: etag.to_owned(),
                site: SITE.to_owned(),
                from: date.to_string(),
                to: date.to_string(),
                ..v1::PublishDaysRequest::default()
            };
            let request = world.by(&ADMIN, request);
            world.capacity().publish_days(request).await
        };
        let first = publish_at("23:58", "").await.expect("put");
        let second = publish_at("23:59", &first).await.expect("put");
        let next = world.working_day(2).await;
        let before = written(&world).await;
        assert_eq!(reason(publish_at("08:00", &first).await), "STALE_ETAG");
        assert_eq!(reason(publish(next, &first).await), "STALE_ETAG");
        assert_eq!(written(&world).await, before);
        publish(next, &second).await.expect("published");

        let change = async |capacity: u32, etag: &str| {
            let request = v1::ChangeSlotRequest {
                district: DISTRICT.to_owned(),
                request_id: id(),
                etag: etag.to_owned(),
                slot: slot(date, 0),
                capacity,
                reason: "增加窗口".to_owned(),
                ..v1::ChangeSlotRequest::default()
            };
            let request = world.by(&ADMIN, request);
            let answer = world.capacity().change_slot(request).await;
            answer.map(|a| a.into_inner().day.expect("a day").slots[0].etag.clone())
        };
        let read = day(&world, SITE, date).await.expect("a day");
        let first = read.slots[0].etag.clone();
        assert!(!first.is_empty() && first == read.etag);
        // A seat that is taken is no change of the slot.
        world.booked(&slot(date, 0)).await;
        let second = change(2, &first).await.expect("changed");
        let before = written(&world).await;
        assert_eq!(reason(change(3, &first).await), "STALE_ETAG");
        assert_eq!(written(&world).await, before);
        let read = day(&world, SITE, date).await.expect("a day");
        assert_eq!((&read.slots[0].etag, read.slots[0].capacity), (&second, 2));
        change(3, &second).await.expect("changed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_whom_a_removal_or_another_slot_touches_is_seen_before() {
    for world in worlds("previews").await {
        let date = world.published(1, 0).await;
        put_exception(&world, extra("evening", date, ("17:30", "18:30"))).await;
        let (morning, evening) = (slot(date, 0), slot(date, 4));
        let early = world.booked(&morning).await;
        let late = world.booked(&evening).await;
        let before = written(&world).await;
        let touched = |affected: &[v1::Affected]| -> Vec<(String, bool)> {
            let told = affected.iter().map(|a| (a.booking.clone(), a.is_kept));
            told.collect()
        };
        let nothing = v1::PreviewChangeRequest::default();
        assert_eq!(reason(preview(&world, nothing).await), "CHANGE_MISSING");

        let closed = v1::PreviewChangeRequest {
            changed_slot: Some(v1::ChangedSlot {
                slot: morning,
                is_closed: true,
                ..v1::ChangedSlot::default()
            }),
            ..v1::PreviewChangeRequest::default()
        };
        let closed = preview(&world, closed).await.expect("told");
        assert_eq!(touched(&closed.affected), [(early.id.clone(), true)]);

        let removed = |template: &str| v1::PreviewChangeRequest {
            removed_template: Some(v1::RemovedTemplate {
                template: template.to_owned(),
                from: date.to_string(),
            }),
            ..v1::PreviewChangeRequest::default()
        };
        let unknown = preview(&world, removed("none")).await;
        assert_eq!(reason(unknown), "TEMPLATE_UNKNOWN");
        let seen = preview(&world, removed("mornings")).await.expect("told");
        assert_eq!(touched(&seen.affected), [(early.id.clone(), true)]);
        assert_eq!(seen.changed_days, [date.to_string()]);

        let taken_back = v1::PreviewChangeRequest {
            removed_exception: "evening".to_owned(),
            ..v1::PreviewChangeRequest::default()
        };
        let gone = preview(&world, taken_back).await.expect("told");
        assert_eq!(touched(&gone.affected), [(late.id.clone(), false)]);

        let from = date.to_string();
        let refused = remove(&world, "mornings", (&from, ""), false).await;
        assert_eq!(reason(refused), "CHANGE_AFFECTS_BOOKINGS");
        let refused = take_back(&world, "evening", "", false).await;
        assert_eq!(reason(refused), "CHANGE_AFFECTS_BOOKINGS");
        assert_eq!(written(&world).await, before, "seen, and nothing else");
        let done = take_back(&world, "evening", "", true).await;
        assert_eq!(done.expect("taken back").affected, gone.affected);
        let done = remove(&world, "mornings", (&from, ""), true).await;
        assert_eq!(done.expect("removed").affected, seen.affected);
        let over = preview(&world, removed("mornings")).await.expect("told");
        assert_eq!((over.affected.len(), over.changed_days.len()), (0, 0));
    }
}
