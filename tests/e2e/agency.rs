//! Agency over gRPC: obtained for a shop owner within written powers, and what is refused with nothing written (BX-4).

use bangban_proto::bangban::{
    casework::v1::{
        AcceptHandoverRequest, Capacity, CaseKind, CaseState, ConfirmReceiptRequest,
        DecisionOutcome, DelegationEnd, DeliverResultRequest, DeliveryMeans,
        DraftDelegationRequest, FileApplicationRequest, FileAwayRequest, GetAgreementRequest,
        OfferHandoverRequest, PromptEvaluationRequest, ReceiveDocumentRequest,
        ReportAcceptanceRequest, ReportDecisionRequest, ReportDepartmentStatusRequest,
        RevokeDelegationRequest, SignDelegationRequest, Signature, SignatureForm,
        TellDepartmentRequest, case_service_client::CaseServiceClient,
    },
    directory::v1::{
        DeclareConflictRequest, GetStaffRequest, Power, staff_service_client::StaffServiceClient,
    },
    types::v1::Channel,
};
use bangban_tests::{
    World,
    agency::{POWERS, delegate, signature},
    case::{Story, refused},
    command, on_both, on_both_alone,
    refusals::{Because, Refusals},
    request_id,
};
use tonic::Code;

#[test]
fn bb_10_2_4_the_shop_owners_licence_is_obtained_posted_and_filed_away() {
    on_both(|world| async move {
        let story = Story::opened_for_agency(world).await;
        assert_eq!(story.case.kind(), CaseKind::Agency);
        let mut story = story.delegated(world).await.filed_for_principal().await;
        let at = Some(world.now().await);
        command!(
            story,
            report_department_status,
            ReportDepartmentStatusRequest {
                number: "食-1".to_owned(),
                status: "已收件".to_owned(),
            }
        )
        .expect("numbered");
        let filed_at = story.case.filing.clone().unwrap_or_default().filed_at;
        command!(
            story,
            report_acceptance,
            ReportAcceptanceRequest {
                number: "受-1".to_owned(),
                accepted_at: filed_at,
                issuer: "秭归县市场监督管理局".to_owned(),
                proof: "受理通知书".to_owned(),
            }
        )
        .expect("accepted");
        command!(
            story,
            report_decision,
            ReportDecisionRequest {
                outcome: DecisionOutcome::Granted.into(),
                number: "许-1".to_owned(),
                decided_at: filed_at,
                issuer: "秭归县市场监督管理局".to_owned(),
                proof: "决定书".to_owned(),
            }
        )
        .expect("granted");
        let early = command!(
            story,
            deliver_result,
            DeliverResultRequest {
                means: DeliveryMeans::Post.into(),
                carrier: "邮政".to_owned(),
                tracking_number: "E1".to_owned(),
                electronic_licence_guidance: "下载".to_owned(),
            }
        );
        refused(early, "DOCUMENT_MISSING");
        command!(
            story,
            receive_document,
            ReceiveDocumentRequest {
                number: "证-1".to_owned(),
                proof: "领证签字".to_owned(),
                received_at: at,
            }
        )
        .expect("received");
        command!(
            story,
            deliver_result,
            DeliverResultRequest {
                means: DeliveryMeans::Post.into(),
                carrier: "邮政".to_owned(),
                tracking_number: "E1".to_owned(),
                electronic_licence_guidance: "下载和使用".to_owned(),
            }
        )
        .expect("posted");
        let received_at = story.case.delivery.clone().unwrap_or_default().sent_at;
        command!(
            story,
            confirm_receipt,
            ConfirmReceiptRequest {
                proof: "签收".to_owned(),
                received_at: received_at,
            }
        )
        .expect("in his hands");
        command!(
            story,
            prompt_evaluation,
            PromptEvaluationRequest {
                channel: Channel::Phone.into(),
            }
        )
        .expect("prompted");
        command!(story, file_away, FileAwayRequest {}).expect("filed away");
        assert_eq!(story.case.state(), CaseState::FiledAway);
        let agreement = &story.case.agreements[0];
        assert_eq!(agreement.end(), DelegationEnd::Completed);
        let request = GetAgreementRequest {
            district: story.district.clone(),
            case: story.case.id.clone(),
            number: 1,
            after: String::new(),
        };
        let read = story.cases.get_agreement(story.client.request(request));
        let read = read.await.expect("read").into_inner();
        assert!(agreement.text.is_empty(), "texts stay with the act");
        for word in ["提交申请", "领取证件", "授权委托书", "liu-chunyan"] {
            assert!(read.authorisation.contains(word), "{word}");
        }
        assert!(read.text.contains("免费") && !read.text.contains('{'));
    });
}

#[test]
fn bb_10_1_2_1_3_an_assisted_case_becomes_agency_with_one_number_and_one_ledger() {
    on_both(|world| async move {
        let agent = delegate(world);
        let about = ("luo-snack-bar", "food-business-licence");
        let story = Story::opened_about(world, &agent, about, CaseKind::Assist).await;
        let (id, receipt) = (story.case.id.clone(), story.case.receipt.clone());
        let story = story.delegated(world).await;
        assert_eq!((&story.case.id, &story.case.receipt), (&id, &receipt));
        assert_eq!(story.case.kind(), CaseKind::Agency);
        let acts = story.case.act_count;
        let story = story.filed_for_principal().await;
        assert!(story.case.act_count > acts && story.case.filing.is_some());
    });
}

#[test]
fn bx_4_nothing_is_done_for_a_principal_after_the_end_of_a_delegation() {
    on_both(|world| async move {
        let mut story = Story::opened_for_agency(world).await.delegated(world).await;
        command!(story, revoke_delegation, RevokeDelegationRequest {}).expect("revoked");
        // In the same second.
        let filed = command!(story, file_application, FileApplicationRequest {});
        let status = refused(filed, "DELEGATION_ENDED");
        assert_eq!(bangban_kit::refusal::requirement(&status), "BX-4");
        let again = command!(story, revoke_delegation, RevokeDelegationRequest {});
        refused(again, "DELEGATION_ENDED");
        let told = command!(
            story,
            tell_department,
            TellDepartmentRequest {
                proof: "电话".to_owned()
            }
        );
        refused(told, "OUT_OF_ORDER");
        assert_eq!(story.case.kind(), CaseKind::Assist);
    });
}

/// A refusal of the domain, with its field.
fn because<'a>(code: Code, reason: &'a str, requirement: &'a str, field: &'a str) -> Because<'a> {
    Because(code, reason, requirement, field)
}

async fn bad_agreements(world: &World, table: &mut Refusals) {
    let clause = "BB-10.2.2.1";
    let mut story = Story::opened_for_agency(world).await.consented().await;
    let draft = story.drafting(world, &POWERS).await;
    table.rest().await;
    let early = command!(
        story,
        draft_delegation,
        DraftDelegationRequest {
            powers: draft.powers.clone(),
            from: draft.from.clone(),
            until: draft.until.clone(),
        }
    );
    let why = because(Code::FailedPrecondition, "PRE_CHECK_MISSING", clause, "");
    table.expect("before the pre-check", early, why).await;
    let mut story = story.pre_checked_after_consent().await;
    let story_draft = story.drafting(world, &POWERS).await;
    table.rest().await;
    let backwards = command!(
        story,
        draft_delegation,
        DraftDelegationRequest {
            powers: story_draft.powers,
            from: story_draft.until,
            until: story_draft.from,
        }
    );
    let why = because(Code::InvalidArgument, "TERM_IMPOSSIBLE", clause, "until");
    table.expect("a term that ends first", backwards, why).await;
    let mut story = story.drafted(world, &POWERS).await;
    table.rest().await;
    let now = world.now().await;
    let good = signature(now);
    let day_before = prost_types::Timestamp {
        seconds: now.seconds - 86_400,
        nanos: 0,
    };
    let cases = [
        (
            "a person's own signature for an enterprise",
            Signature {
                capacity: Capacity::Self_.into(),
                ..good.clone()
            },
            "CAPACITY_NOT_POSSIBLE",
            "signature.capacity",
        ),
        (
            "a capacity without proof",
            Signature {
                capacity_proof: String::new(),
                ..good.clone()
            },
            "CAPACITY_NOT_PROVED",
            "signature.capacity_proof",
        ),
        (
            "a representative's stamp",
            Signature {
                form: SignatureForm::Seal.into(),
                ..good.clone()
            },
            "SIGNATURE_FORM_NOT_POSSIBLE",
            "signature.form",
        ),
        (
            "the agent as witness",
            Signature {
                witness: "liu-chunyan".to_owned(),
                ..good.clone()
            },
            "WITNESS_IS_AGENT",
            "signature.witness",
        ),
        (
            "backdated",
            Signature {
                signed_at: Some(day_before),
                ..good.clone()
            },
            "SIGNED_BACKDATED",
            "signature.signed_at",
        ),
    ];
    for (what, signature, reason, field) in cases {
        let answer = command!(
            story,
            sign_delegation,
            SignDelegationRequest {
                number: 1,
                signature: Some(signature),
            }
        );
        let why = because(Code::InvalidArgument, reason, clause, field);
        table.expect(what, answer, why).await;
    }
    let mut story = story.signed(good.clone()).await;
    table.rest().await;
    let twice = command!(
        story,
        sign_delegation,
        SignDelegationRequest {
            number: 1,
            signature: Some(good),
        }
    );
    let why = because(Code::FailedPrecondition, "ALREADY_SIGNED", clause, "");
    table.expect("signed twice", twice, why).await;
}

async fn a_seal_for_a_person(world: &World, table: &mut Refusals) {
    let agent = delegate(world);
    let about = ("luo-zhiqiang", "food-business-licence");
    let story = Story::opened_about(world, &agent, about, CaseKind::Agency).await;
    let mut story = story.pre_checked().await.drafted(world, &POWERS).await;
    table.rest().await;
    let sealed = Signature {
        capacity: Capacity::Seal.into(),
        form: SignatureForm::Seal.into(),
        ..signature(world.now().await)
    };
    let answer = command!(
        story,
        sign_delegation,
        SignDelegationRequest {
            number: 1,
            signature: Some(sealed),
        }
    );
    let field = "signature.capacity";
    let why = because(
        Code::InvalidArgument,
        "CAPACITY_NOT_POSSIBLE",
        "BB-10.2.2.1",
        field,
    );
    table.expect("a seal for a person", answer, why).await;
}

async fn a_relative_as_principal(world: &World, table: &mut Refusals) {
    let agent = delegate(world);
    let about = ("mo-xiuying", "food-business-licence");
    let story = Story::opened_about(world, &agent, about, CaseKind::Agency).await;
    let mut story = story.pre_checked().await.drafted(world, &POWERS).await;
    let operator = world.operator();
    let mut staff = StaffServiceClient::new(operator.channel());
    let known = GetStaffRequest {
        district: world.district.clone(),
        staff: agent.subject.clone(),
        after: String::new(),
    };
    let known = staff.get_staff(operator.request(known)).await;
    let declared = DeclareConflictRequest {
        district: world.district.clone(),
        request_id: request_id(),
        staff: agent.subject.clone(),
        applicant: story.case.applicant.clone(),
        relation: "姐姐".to_owned(),
        etag: known.expect("known").into_inner().etag,
    };
    let declared = staff.declare_conflict(operator.request(declared)).await;
    declared.expect("declared");
    let draft = story.drafting(world, &POWERS).await;
    table.rest().await;
    let answer = command!(
        story,
        draft_delegation,
        DraftDelegationRequest {
            powers: draft.powers,
            from: draft.from,
            until: draft.until,
        }
    );
    let why = because(
        Code::FailedPrecondition,
        "CONFLICT_OF_INTEREST",
        "BB-6.1",
        "",
    );
    table.expect("a relative as principal", answer, why).await;
    // Drawn up before the relation was known.
    let answer = command!(
        story,
        sign_delegation,
        SignDelegationRequest {
            number: 1,
            signature: Some(signature(world.now().await)),
        }
    );
    table.expect("a relative who signs", answer, why).await;
}

async fn hand_overs(world: &World, table: &mut Refusals) {
    let mut story = Story::opened_for_agency(world).await.delegated(world).await;
    table.rest().await;
    let away = command!(
        story,
        offer_handover,
        OfferHandoverRequest {
            to_agent: "zhou-wenjing".to_owned(),
            to_site: "zigui-county-center".to_owned(),
            reason: "县里办更近".to_owned(),
        }
    );
    let field = "principal_consent";
    let reason = "PRINCIPAL_CONSENT_MISSING";
    let why = because(Code::FailedPrecondition, reason, "BB-10.2.2.1", field);
    table
        .expect("to another institution without consent", away, why)
        .await;
    command!(
        story,
        offer_handover,
        OfferHandoverRequest {
            to_agent: "zhou-wenjing".to_owned(),
            to_site: "zigui-county-center".to_owned(),
            reason: "县里办更近".to_owned(),
            principal_consent: "书面同意".to_owned(),
        }
    )
    .expect("offered");
    table.rest().await;
    let wrong = world.staff("song-jian");
    let accept = AcceptHandoverRequest {
        district: story.district.clone(),
        request_id: request_id(),
        case: story.case.id.clone(),
        ..AcceptHandoverRequest::default()
    };
    let mut others = CaseServiceClient::new(wrong.channel());
    let answer = others.accept_handover(wrong.request(accept.clone())).await;
    let why = because(Code::PermissionDenied, "NOT_THE_RECEIVER", "BB-4.2a", "");
    table
        .expect("accepted by the wrong person", answer, why)
        .await;
    let right = world.staff("zhou-wenjing");
    let mut others = CaseServiceClient::new(right.channel());
    let accept = AcceptHandoverRequest {
        request_id: request_id(),
        ..accept
    };
    let taken = others.accept_handover(right.request(accept)).await;
    let case = taken
        .expect("accepted")
        .into_inner()
        .case
        .unwrap_or_default();
    assert_eq!(
        case.agreements[0].agent, "zhou-wenjing",
        "the powers follow"
    );
    assert_eq!(case.contacts.len(), 1, "the principal is told");
}

async fn powers(world: &World, table: &mut Refusals) {
    let story = Story::opened_for_agency(world).await.pre_checked().await;
    let mut story = story.drafted(world, &[Power::Submit]).await;
    story = story.signed(signature(world.now().await)).await;
    let mut story = story.filed_for_principal().await;
    table.rest().await;
    let at = story.case.filing.clone().unwrap_or_default().filed_at;
    let accepted = command!(
        story,
        report_acceptance,
        ReportAcceptanceRequest {
            number: "受-2".to_owned(),
            accepted_at: at,
            issuer: "秭归县市场监督管理局".to_owned(),
            proof: "受理通知书".to_owned(),
        }
    );
    let why = because(Code::FailedPrecondition, "POWER_NOT_GRANTED", "BX-4", "");
    table
        .expect("a notice without the power", accepted, why)
        .await;
    let not_for_agency = ("lin-guie", "old-age-allowance");
    let agent = delegate(world);
    let mut story = Story::opened_about(world, &agent, not_for_agency, CaseKind::Assist)
        .await
        .pre_checked()
        .await;
    let draft = story.drafting(world, &[Power::Submit]).await;
    table.rest().await;
    let answer = command!(
        story,
        draft_delegation,
        DraftDelegationRequest {
            powers: draft.powers,
            from: draft.from,
            until: draft.until,
        }
    );
    let why = because(
        Code::FailedPrecondition,
        "AGENCY_NOT_ALLOWED",
        "BB-7.1.2",
        "item",
    );
    table
        .expect("an item that is not for agency", answer, why)
        .await;
}

#[test]
fn bb_10_2_2_1_bad_agreements_are_refused_and_nothing_is_written() {
    on_both_alone(|world| async move {
        let mut table = Refusals::watch(&world).await;
        bad_agreements(&world, &mut table).await;
        a_seal_for_a_person(&world, &mut table).await;
        powers(&world, &mut table).await;
        hand_overs(&world, &mut table).await;
        a_relative_as_principal(&world, &mut table).await;
        table.end();
        world
    });
}
