//! What a request names by its id alone, and is not there, or not for who asks (BB-9.2b).

use bangban_proto::bangban::scheduling::v1::{
    ExceptionChange, ExceptionKind, RemoveExceptionRequest, RemoveTemplateRequest, TemplateChange,
};
use tonic::{Response, Status};

use super::{
    ask::{exception, id, put_exception},
    world::{ADMIN, DISTRICT, Who, World, reason, worlds, written},
};

/// Administers the town beside.
const BESIDE: Who = Who {
    subject: "wu",
    role: "administrator",
    region: "420527200",
    site: "",
};

async fn remove_template(
    world: &World,
    who: &Who,
    template: &str,
) -> Result<TemplateChange, Status> {
    let request = RemoveTemplateRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        template: template.to_owned(),
        ..RemoveTemplateRequest::default()
    };
    let request = world.by(who, request);
    let answer = world.capacity().remove_template(request).await;
    answer.map(Response::into_inner)
}

async fn remove_exception(
    world: &World,
    who: &Who,
    exception: &str,
) -> Result<ExceptionChange, Status> {
    let request = RemoveExceptionRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        exception: exception.to_owned(),
        ..RemoveExceptionRequest::default()
    };
    let request = world.by(who, request);
    let answer = world.capacity().remove_exception(request).await;
    answer.map(Response::into_inner)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_template_that_is_not_there_or_of_a_site_out_of_reach_is_not_removed() {
    for world in worlds("no_template").await {
        let date = world.published(1, 0).await;
        let before = written(&world).await;
        for (who, template) in [(&ADMIN, "evenings"), (&BESIDE, "mornings")] {
            let refused = remove_template(&world, who, template).await;
            assert_eq!(reason(refused), "TEMPLATE_UNKNOWN", "{template}");
        }
        assert_eq!(written(&world).await, before);
        assert_eq!(world.free(date).await, [(1, 0); 4]);
        let removed = remove_template(&world, &ADMIN, "mornings").await;
        let removed = removed.expect("one that is there");
        assert_eq!(removed.changed_days, [date.to_string()]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_an_exception_that_is_not_there_or_of_a_site_out_of_reach_is_not_removed() {
    for world in worlds("no_exception").await {
        let date = world.published(1, 0).await;
        let holiday = exception("power-cut", date, ExceptionKind::Holiday);
        put_exception(&world, holiday).await;
        let before = written(&world).await;
        for (who, exception) in [(&ADMIN, "flood"), (&BESIDE, "power-cut")] {
            let refused = remove_exception(&world, who, exception).await;
            assert_eq!(reason(refused), "EXCEPTION_UNKNOWN", "{exception}");
        }
        assert_eq!(written(&world).await, before);
        let removed = remove_exception(&world, &ADMIN, "power-cut").await;
        let removed = removed.expect("one that is there");
        assert_eq!(removed.changed_days, [date.to_string()]);
        let again = remove_exception(&world, &ADMIN, "power-cut").await;
        assert_eq!(reason(again), "EXCEPTION_UNKNOWN", "it is gone");
    }
}
