//! Texts over their limits, texts of odd characters, instants out of range.

use bangban::client::Client;
use bangban_kit::refusal;
use bangban_proto::bangban::{
    casework::v1::{
        GetCaseRequest, GiveNoticeRequest, ListCasesRequest, RecordCorrectionRequest,
        TakeMaterialRequest, case_service_client::CaseServiceClient,
    },
    directory::v1::{
        DocumentKind, FindApplicantsRequest, RegisterApplicantRequest,
        applicant_service_client::ApplicantServiceClient,
    },
    types::v1::Channel,
};
use bangban_tests::{
    World,
    case::{Story, refused},
    command,
    refusals::{Because, Refusals},
    request_id,
};

use crate::quiet::on_both_quietly;

use super::*;

#[test]
fn texts_and_messages_over_their_limits_are_refused_and_the_connection_stays_usable() {
    on_both_quietly(|world| async move {
        let mut story = Story::opened(world).await;
        let mut table = Refusals::watch(world).await;
        let field = |field| Because(INVALID, "FIELD_INVALID", "", field);
        out_of_order!(
            table,
            story,
            give_notice,
            GiveNoticeRequest {
                channel: Channel::Window.into(),
                receipt: "长".repeat(201),
            },
            field("receipt")
        );
        out_of_order!(
            table,
            story,
            give_notice,
            GiveNoticeRequest {
                channel: Channel::Window.into(),
                receipt: String::new(),
            },
            field("receipt")
        );
        out_of_order!(
            table,
            story,
            give_notice,
            GiveNoticeRequest {
                channel: 99,
                receipt: "按手印".to_owned(),
            },
            field("channel")
        );
        out_of_order!(
            table,
            story,
            take_material,
            TakeMaterialRequest {
                material: "IDENTITY CARD".to_owned(),
                supply: 1,
                copies: 100,
            },
            field("material")
        );
        let no_uuid = GetCaseRequest {
            district: "Zigui!".to_owned(),
            case: "1".to_owned(),
            ..GetCaseRequest::default()
        };
        let answer = story.cases.get_case(story.client.request(no_uuid)).await;
        table.expect("no ids", answer, field("district")).await;
        let long = ListCasesRequest {
            district: world.district.clone(),
            page_size: 501,
            ..ListCasesRequest::default()
        };
        let answer = story.cases.list_cases(story.client.request(long)).await;
        table
            .expect("a page of 501", answer, field("page_size"))
            .await;

        let large = GiveNoticeRequest {
            district: story.district.clone(),
            receipt: "x".repeat(2 << 20),
            ..GiveNoticeRequest::default()
        };
        let answer = story.cases.give_notice(story.client.request(large)).await;
        let because = Because(INVALID, "MESSAGE_TOO_LARGE", "", "");
        table.expect("two megabytes", answer, because).await;
        story.read("").await;
        assert_eq!(
            story.case.etag, "1",
            "the connection is usable, nothing was written"
        );
        table.end();
    });
}

/// Texts that people paste and attackers send.
fn odd_texts() -> Vec<(&'static str, String)> {
    vec![
        ("NUL", "a\0b".to_owned()),
        ("control characters", "a\u{1}\u{1b}[31m\u{7f}b".to_owned()),
        ("line ends", "一\r\n二\n三".to_owned()),
        (
            "a bidirectional override",
            "\u{202e}gpj.exe\u{202c}".to_owned(),
        ),
        ("zero width", "身\u{200b}份\u{feff}证".to_owned()),
        ("emoji", "👵🏽👩‍👩‍👧‍👦".to_owned()),
        ("a rare character", "𠮷\u{e000}\u{2ebf0}".to_owned()),
        ("combining marks", "e\u{301}\u{301}\u{301}".to_owned()),
        ("SQL", "'; DROP TABLE acts; --".to_owned()),
        ("LIKE", "%_\\".to_owned()),
        ("markup", "<script>alert(1)</script>".to_owned()),
        ("blanks", "   ".to_owned()),
        ("as long as may be", "长".repeat(200)),
        ("noncharacters", "\u{ffff}\u{10ffff}".to_owned()),
    ]
}

#[test]
fn odd_texts_are_kept_to_the_letter_or_refused() {
    on_both_quietly(|world| async move {
        for (what, text) in odd_texts() {
            let mut story = Story::opened(world).await;
            let told = command!(
                story,
                give_notice,
                GiveNoticeRequest {
                    channel: Channel::Window.into(),
                    receipt: text.clone(),
                }
            );
            match told {
                Ok(()) => {
                    story.read("").await;
                    let notice = story.case.notice.clone().unwrap_or_default();
                    assert_eq!(notice.receipt, text, "{what}: to the letter");
                }
                Err(status) => blames_the_caller(what, &status),
            }
            let corrected = command!(
                story,
                record_correction,
                RecordCorrectionRequest {
                    act: 1,
                    text: text.clone(),
                    reason: text.clone(),
                }
            );
            match corrected {
                Ok(()) => {
                    story.read("").await;
                    let correction = story.case.corrections.first().expect("a correction");
                    assert_eq!(
                        (&correction.text, &correction.reason),
                        (&text, &text),
                        "{what}"
                    );
                }
                Err(status) => blames_the_caller(what, &status),
            }
        }
    });
}

#[test]
fn odd_texts_in_personal_fields_are_kept_to_the_letter_or_refused() {
    on_both_quietly(|world| async move {
        let agent = world.agent();
        let mut people = ApplicantServiceClient::new(agent.channel());
        for (what, text) in odd_texts() {
            let base = RegisterApplicantRequest {
                document: "92420527MA0000007A".to_owned(),
                document_kind: DocumentKind::CreditCode.into(),
                ..somebody(world)
            };
            for request in [
                RegisterApplicantRequest {
                    request_id: request_id(),
                    name: text.clone(),
                    ..base.clone()
                },
                RegisterApplicantRequest {
                    request_id: request_id(),
                    document: text.clone(),
                    ..base.clone()
                },
                RegisterApplicantRequest {
                    request_id: request_id(),
                    telephone: text.clone(),
                    ..base.clone()
                },
                RegisterApplicantRequest {
                    request_id: request_id(),
                    address: text.clone(),
                    ..base.clone()
                },
            ] {
                // The sample has registered this document already: what is lawful is refused for that.
                let answer = people.register_applicant(agent.request(request)).await;
                blames_the_caller(what, &answer.expect_err("refused"));
            }
            let request = FindApplicantsRequest {
                district: world.district.clone(),
                telephone: text.chars().take(40).collect(),
                ..FindApplicantsRequest::default()
            };
            if let Err(status) = people.find_applicants(agent.request(request)).await {
                blames_the_caller(what, &status);
            }
        }
    });
}

/// Fields that go into queries: what they may hold is not what a database may choke on.
#[test]
fn odd_texts_in_heads_and_filters_are_refused() {
    on_both_quietly(|world| async move {
        let agent = world.agent();
        let cases = CaseServiceClient::new(agent.channel());
        let ask = async |what: &str, request: ListCasesRequest| {
            let answer = cases.clone().list_cases(agent.request(request)).await;
            if let Err(status) = answer {
                blames_the_caller(what, &status);
            }
        };
        for (what, text) in odd_texts() {
            let base = ListCasesRequest {
                district: world.district.clone(),
                ..ListCasesRequest::default()
            };
            let text: String = text.chars().take(40).collect();
            ask(
                what,
                ListCasesRequest {
                    district: text.clone(),
                    ..base.clone()
                },
            )
            .await;
            ask(
                what,
                ListCasesRequest {
                    agent: text.clone(),
                    ..base.clone()
                },
            )
            .await;
            ask(
                what,
                ListCasesRequest {
                    item: text.clone(),
                    ..base.clone()
                },
            )
            .await;
            ask(
                what,
                ListCasesRequest {
                    applicant: text.clone(),
                    ..base.clone()
                },
            )
            .await;
            ask(
                what,
                ListCasesRequest {
                    page_token: text.clone(),
                    ..base.clone()
                },
            )
            .await;
            ask(
                what,
                ListCasesRequest {
                    after: text.clone(),
                    ..base.clone()
                },
            )
            .await;
        }
    });
}

#[test]
fn a_position_of_no_log_that_is_lived_on_is_refused_at_once() {
    on_both_quietly(|world| async move {
        let agent = world.agent();
        let mut cases = CaseServiceClient::new(agent.channel());
        for (what, after) in [
            ("a log with a NUL", "a\0b.1.1.1"),
            ("a log that nobody keeps", "no-such-log.1.1.1"),
        ] {
            let request = ListCasesRequest {
                district: world.district.clone(),
                after: after.to_owned(),
                ..ListCasesRequest::default()
            };
            let answer = cases.list_cases(agent.request(request)).await;
            // Who waits for what never comes hears in the end that it is not seen yet, which blames nobody.
            blames_the_caller(what, &answer.expect_err("refused"));
        }
    });
}

#[test]
fn instants_out_of_range_are_refused() {
    on_both_quietly(|world| async move {
        let agent = world.agent();
        let mut cases = CaseServiceClient::new(agent.channel());
        for seconds in [i64::MAX, i64::MIN, 9_300_000_000_000, -62_135_596_801] {
            let request = ListCasesRequest {
                district: world.district.clone(),
                due_before: at(seconds),
                ..ListCasesRequest::default()
            };
            if let Err(status) = cases.list_cases(agent.request(request)).await {
                blames_the_caller(&format!("due before {seconds}"), &status);
            }
        }
        assert!(is_alive(&agent, world).await);
    });
}

async fn is_alive(client: &Client, world: &World) -> bool {
    let request = ListCasesRequest {
        district: world.district.clone(),
        ..ListCasesRequest::default()
    };
    CaseServiceClient::new(client.channel())
        .list_cases(client.request(request))
        .await
        .is_ok()
}

#[test]
fn an_unknown_district_and_an_unknown_case_are_not_found() {
    on_both_quietly(|world| async move {
        let agent = world.agent();
        let mut cases = CaseServiceClient::new(agent.channel());
        let get = |district: &str| GetCaseRequest {
            district: district.to_owned(),
            case: request_id(),
            ..GetCaseRequest::default()
        };
        let answer = cases.get_case(agent.request(get("nowhere"))).await;
        let status = refused(answer, "DISTRICT_UNKNOWN");
        assert_eq!(refusal::requirement(&status), "BB-1");
        let answer = cases.get_case(agent.request(get(&world.district))).await;
        let status = refused(answer, "CASE_UNKNOWN");
        assert_eq!(
            (status.code(), refusal::requirement(&status).as_str()),
            (NOT_FOUND, "BB-1")
        );
    });
}
