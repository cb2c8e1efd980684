//! Stale etags, reused request ids, page tokens of other queries.

use bangban_proto::bangban::{
    casework::v1::{
        ConsentForm, ConsentKind, GiveNoticeRequest, ListCasesRequest, RecordConsentRequest,
        case_service_client::CaseServiceClient,
    },
    directory::v1::{
        ListSitesRequest, RegisterApplicantRequest,
        applicant_service_client::ApplicantServiceClient, site_service_client::SiteServiceClient,
    },
    types::v1::Channel,
};
use bangban_tests::{
    case::Story,
    refusals::{Because, Refusals},
    request_id,
};
use tonic::Code;

use crate::quiet::on_both_quietly;

use super::*;

#[test]
fn a_stale_etag_and_a_reused_request_id_are_refused_and_a_repetition_is_answered() {
    on_both_quietly(|world| async move {
        let mut story = Story::opened(world).await;
        let before = story.case.etag.clone();
        let told = GiveNoticeRequest {
            district: story.district.clone(),
            request_id: request_id(),
            case: story.case.id.clone(),
            channel: Channel::Window.into(),
            receipt: "按手印".to_owned(),
            ..GiveNoticeRequest::default()
        };
        let first = story
            .cases
            .give_notice(story.client.request(told.clone()))
            .await
            .expect("told")
            .into_inner();
        let mut table = Refusals::watch(world).await;
        story.case = first.case.clone().unwrap_or_default();
        story.case.etag = before;
        out_of_order!(
            table,
            story,
            record_consent,
            RecordConsentRequest {
                kind: ConsentKind::Assistance.into(),
                form: ConsentForm::Written.into(),
            },
            Because(Code::Aborted, "STALE_ETAG", "BB-8d", "etag")
        );
        let again = story
            .cases
            .give_notice(story.client.request(told.clone()))
            .await
            .expect("repeated");
        assert_eq!(again.into_inner(), first, "the first answer");
        let upper = GiveNoticeRequest {
            request_id: told.request_id.to_uppercase(),
            ..told.clone()
        };
        let answer = story.cases.give_notice(story.client.request(upper)).await;
        if let Ok(again) = &answer {
            assert_eq!(again.get_ref(), &first, "the same id in capitals");
        } else {
            let because = Because(INVALID, "REQUEST_ID_REUSED", "", "request_id");
            table
                .expect("the same id in capitals", answer, because)
                .await;
        }
        let other = GiveNoticeRequest {
            receipt: "签字".to_owned(),
            ..told
        };
        let answer = story.cases.give_notice(story.client.request(other)).await;
        let because = Because(INVALID, "REQUEST_ID_REUSED", "", "request_id");
        table.expect("another body", answer, because).await;

        let agent = world.agent();
        let mut people = ApplicantServiceClient::new(agent.channel());
        let request = somebody(world);
        let first = people
            .register_applicant(agent.request(request.clone()))
            .await;
        table.rest().await;
        if let Ok(first) = first {
            let again = people
                .register_applicant(agent.request(request.clone()))
                .await
                .expect("repeated");
            assert_eq!(again.get_ref(), first.get_ref(), "the first answer");
            let other = RegisterApplicantRequest {
                name: "李建国".to_owned(),
                ..request
            };
            let answer = people.register_applicant(agent.request(other)).await;
            table.expect("another name", answer, because).await;
        }
        table.end();
    });
}

#[test]
fn page_tokens_of_other_queries_are_refused() {
    on_both_quietly(|world| async move {
        for _ in 0..2 {
            Story::opened(world).await;
        }
        let agent = world.agent();
        let mut cases = CaseServiceClient::new(agent.channel());
        let list = |page_token: &str, item: &str| ListCasesRequest {
            district: world.district.clone(),
            item: item.to_owned(),
            page_size: 1,
            page_token: page_token.to_owned(),
            ..ListCasesRequest::default()
        };
        let first = cases
            .list_cases(agent.request(list("", "old-age-allowance")))
            .await
            .expect("a page")
            .into_inner();
        let token = first.next_page_token;
        assert!(!token.is_empty(), "there are two cases at least");
        let mut table = Refusals::watch(world).await;
        let because = Because(INVALID, "PAGE_TOKEN_INVALID", "", "page_token");
        let answer = cases.list_cases(agent.request(list(&token, ""))).await;
        table.expect("of another filter", answer, because).await;
        let above = world.staff("zhou-wenjing");
        let answer = cases
            .list_cases(above.request(list(&token, "old-age-allowance")))
            .await;
        table
            .expect("of another caller's reach", answer, because)
            .await;
        for token in ["no token", &format!("A{}", bent(&token)[1..].to_owned())] {
            let answer = cases
                .list_cases(agent.request(list(token, "old-age-allowance")))
                .await;
            table.expect("tampered with", answer, because).await;
        }
        let mut sites = SiteServiceClient::new(agent.channel());
        let request = ListSitesRequest {
            district: world.district.clone(),
            page_size: 1,
            page_token: token,
            ..ListSitesRequest::default()
        };
        let answer = sites.list_sites(world.public.request(request)).await;
        table.expect("of another method", answer, because).await;
        table.end();
    });
}

#[test]
fn a_page_token_whose_key_was_bent_is_refused() {
    on_both_quietly(|world| async move {
        for _ in 0..2 {
            Story::opened(world).await;
        }
        let agent = world.agent();
        let mut cases = CaseServiceClient::new(agent.channel());
        let list = |page_token: &str| ListCasesRequest {
            district: world.district.clone(),
            page_size: 1,
            page_token: page_token.to_owned(),
            ..ListCasesRequest::default()
        };
        let first = cases.list_cases(agent.request(list(""))).await;
        let token = first.expect("a page").into_inner().next_page_token;
        let mut table = Refusals::watch(world).await;
        let because = Because(INVALID, "PAGE_TOKEN_INVALID", "", "page_token");
        // Four characters are three bytes: keys that are cut, keys that hold a NUL, and keys of too many parts.
        let cut = token[..16].to_owned();
        for (what, token) in [
            ("no key", cut.clone()),
            ("a cut key", token[..24].to_owned()),
            ("NUL bytes", format!("{cut}AAAA")),
            ("separators alone", format!("{cut}Hx8fHx8f")),
            ("a NUL for an id", format!("{cut}MB8xHwAA")),
            ("letters for numbers", format!("{cut}YR9hH2Fh")),
        ] {
            let answer = cases.list_cases(agent.request(list(&token))).await;
            table.expect(what, answer, because).await;
        }
        table.end();
    });
}

/// The last character of a page token, changed.
fn bent(token: &str) -> String {
    let (rest, last) = token.split_at(token.len() - 1);
    format!("{rest}{}", if last == "A" { "B" } else { "A" })
}
