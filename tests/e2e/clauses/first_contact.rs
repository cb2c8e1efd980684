//! Consent, the notice, what is held already, and who comes first.

use bangban_kit::refusal;
use bangban_proto::{
    DESCRIPTORS,
    bangban::{
        casework::v1::{
            CaseState, ConsentForm, ConsentKind, ContactReason, ExplainConditionRequest,
            ListCasesRequest, ListReusableMaterialsRequest, ModeStep, OpenContactRequest,
            RecordConsentRequest, RecordCorrectionRequest, SupplyForm, TakeMaterialRequest,
            WithdrawConsentRequest, case_service_client::CaseServiceClient,
        },
        directory::v1::{GetItemRequest, catalogue_service_client::CatalogueServiceClient},
    },
};
use bangban_tests::{
    case::{ITEM, Story, refused},
    command, on_both, request_id,
};
use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorSet};
use tonic::Code;

#[test]
fn bb_4_1a_the_applicant_withdraws_consent_at_any_time_and_the_case_ends() {
    on_both(|world| async move {
        let mut story = Story::opened(world).await.accepted().await;
        let citizen = world.citizen(&story.case.id);
        let withdrawal = WithdrawConsentRequest {
            district: story.district.clone(),
            request_id: request_id(),
            case: story.case.id.clone(),
            kind: ConsentKind::Assistance.into(),
            ..WithdrawConsentRequest::default()
        };
        let ended = CaseServiceClient::new(citizen.channel())
            .withdraw_consent(citizen.request(withdrawal))
            .await;
        story.take(ended).expect("withdrawn, and no reason is owed");
        assert_eq!(story.case.state(), CaseState::Ended);
        assert!(story.case.clocks.iter().all(|c| c.ended_at.is_some()));
        let late = command!(
            story,
            open_contact,
            OpenContactRequest {
                reason: ContactReason::Progress.into(),
                text: "再劝一劝".to_owned(),
            }
        );
        refused(late, "OUT_OF_ORDER");
        command!(
            story,
            record_correction,
            RecordCorrectionRequest {
                act: 1,
                text: "应为家中".to_owned(),
                reason: "笔误".to_owned(),
            }
        )
        .expect("corrections stay possible");
        let other = world.citizen(&request_id());
        let foreign = WithdrawConsentRequest {
            district: story.district.clone(),
            request_id: request_id(),
            case: Story::opened(world).await.case.id,
            kind: ConsentKind::Assistance.into(),
            ..WithdrawConsentRequest::default()
        };
        let answer = CaseServiceClient::new(other.channel())
            .withdraw_consent(other.request(foreign))
            .await;
        assert_eq!(answer.expect_err("not theirs").code(), Code::NotFound);
    });
}

/// Names of all fields of a message and the messages in it.
fn fields(message: &DescriptorProto, names: &mut Vec<String>) {
    names.extend(
        message
            .field
            .iter()
            .map(|f| format!("{}.{}", message.name(), f.name())),
    );
    for nested in &message.nested_type {
        fields(nested, names);
    }
}

#[test]
fn bb_4_1b_nothing_can_be_charged_and_only_the_statutory_fee_is_shown() {
    let set = FileDescriptorSet::decode(DESCRIPTORS).expect("descriptors");
    let mut names = Vec::new();
    for file in set
        .file
        .iter()
        .filter(|f| f.package().starts_with("bangban."))
    {
        for message in &file.message_type {
            fields(message, &mut names);
        }
    }
    assert!(names.len() > 500);
    let words = [
        "fee", "fen", "price", "charge", "payment", "money", "gift", "tip", "password",
    ];
    let of_money = names.iter().filter(|name| {
        let field = name.rsplit('.').next().unwrap_or_default();
        field.split('_').any(|word| words.contains(&word))
    });
    let of_money: Vec<&String> = of_money.collect();
    assert_eq!(
        of_money,
        ["Fee.amount_fen", "ItemVersion.fee"],
        "what the government itself charges"
    );

    on_both(|world| async move {
        let request = GetItemRequest {
            district: world.district.clone(),
            item: ITEM.to_owned(),
            ..GetItemRequest::default()
        };
        let item = CatalogueServiceClient::new(world.public.channel())
            .get_item(world.public.request(request))
            .await
            .expect("an item")
            .into_inner();
        let fee = item.fee.expect("a fee is told, also when there is none");
        assert!(fee.amount_fen == 0 && !fee.citation.is_empty());
    });
}

#[test]
fn bb_4_1c_what_is_held_is_offered_and_visits_and_contacts_are_counted() {
    on_both(|world| async move {
        let first = Story::opened(world).await.pre_checked().await;
        let mut story = Story::opened(world).await.consented().await;
        let request = ListReusableMaterialsRequest {
            district: story.district.clone(),
            case: story.case.id.clone(),
            ..ListReusableMaterialsRequest::default()
        };
        let offered = story
            .cases
            .list_reusable_materials(story.client.request(request))
            .await;
        let offered = offered.expect("a list").into_inner().materials;
        let card = offered
            .iter()
            .find(|m| m.code == "identity-card" && m.case == first.case.id);
        assert!(
            card.is_some_and(|m| !m.usable_until.is_empty()),
            "{offered:?}"
        );
        assert!(
            offered.iter().all(|m| m.code != "application-form"),
            "a form is filled in anew"
        );

        let reuse = |from: &str| TakeMaterialRequest {
            material: "identity-card".to_owned(),
            supply: SupplyForm::Reused.into(),
            is_valid: true,
            reused_from: from.to_owned(),
            ..TakeMaterialRequest::default()
        };
        let reused = |story: &Story, from: &str| TakeMaterialRequest {
            district: story.district.clone(),
            request_id: request_id(),
            case: story.case.id.clone(),
            ..reuse(from)
        };
        let request = reused(&story, &first.case.id);
        let early = story
            .cases
            .take_material(story.client.request(request))
            .await;
        let status = refused(early, "CONSENT_MISSING");
        assert_eq!(refusal::requirement(&status), "BB-4.1c");
        command!(
            story,
            record_consent,
            RecordConsentRequest {
                kind: ConsentKind::Reuse.into(),
                form: ConsentForm::Written.into(),
            }
        )
        .expect("agreed");
        let agent = world.sample.agent().expect("in the sample");
        let stranger = Story::opened_by(world, &agent, "fang-shouyi")
            .await
            .pre_checked()
            .await;
        for (what, from) in [
            ("of somebody else", &stranger.case.id),
            ("of no case", &request_id()),
        ] {
            let request = reused(&story, from);
            let answer = story
                .cases
                .take_material(story.client.request(request))
                .await;
            let status = answer.expect_err(what);
            assert_eq!(refusal::reason(&status), "REUSE_NOT_POSSIBLE", "{what}");
        }
        let request = reused(&story, &first.case.id);
        let answer = story
            .cases
            .take_material(story.client.request(request))
            .await;
        story.take(answer).expect("used again");
        assert_eq!(
            story.case.materials.first().map(|m| &m.reused_from),
            Some(&first.case.id)
        );

        command!(
            story,
            open_contact,
            OpenContactRequest {
                reason: ContactReason::Supplement.into(),
                text: "请带户口簿".to_owned(),
            }
        )
        .expect("opened");
        assert_eq!((story.case.visit_count, story.case.contact_count), (1, 1));
    });
}

#[test]
fn bb_4_4a_the_notice_tells_everything_once_as_the_catalogue_has_it() {
    on_both(|world| async move {
        let mut story = Story::opened(world).await.consented().await;
        let told = story.notice().await;
        assert!(!told.name.is_empty() && !told.department.is_empty());
        assert!(!told.legal_basis.is_empty() && !told.conditions.is_empty());
        assert!(!told.limits.is_empty() && !told.steps.is_empty() && !told.places.is_empty());
        for material in &told.materials {
            assert!(
                !material.name.is_empty() && material.form != 0 && !material.how_to_get.is_empty()
            );
        }
        assert!(told.fee.is_some() && told.remedies.is_some());
        let request = GetItemRequest {
            district: world.district.clone(),
            item: ITEM.to_owned(),
            version: story.case.item_version,
            ..GetItemRequest::default()
        };
        let item = CatalogueServiceClient::new(world.public.channel())
            .get_item(world.public.request(request))
            .await;
        assert_eq!(item.expect("an item").into_inner(), told);
    });
}

#[test]
fn bb_4_4b_an_unmet_condition_is_explained_and_she_files_all_the_same() {
    on_both(|world| async move {
        let mut story = Story::opened(world).await.consented().await;
        command!(
            story,
            explain_condition,
            ExplainConditionRequest {
                condition: "AGE_80".to_owned(),
                text: "尚差三个月".to_owned(),
                files_anyway: true,
            }
        )
        .expect("explained");
        let explanation = story.case.explanations.first().cloned().unwrap_or_default();
        assert!(
            explanation.citation.contains("第三十三条"),
            "{explanation:?}"
        );
        let story = story
            .pre_checked_after_consent()
            .await
            .filed_by(&[ModeStep::Accompanied])
            .await;
        assert_eq!(story.case.state(), CaseState::Filed);
    });
}

#[test]
fn bb_7_1_1_special_groups_come_first_in_lists() {
    on_both(|world| async move {
        let agent = world.sample.person("liu-chunyan").expect("in the sample");
        let without = Story::opened_by(world, &agent, "luo-zhiqiang").await;
        let elderly = Story::opened_by(world, &agent, "lin-guie").await;
        assert!(without.case.groups.is_empty() && !elderly.case.groups.is_empty());
        let request = ListCasesRequest {
            district: world.district.clone(),
            agent: agent.subject.clone(),
            page_size: 500,
            ..ListCasesRequest::default()
        };
        let mut cases = CaseServiceClient::new(elderly.client.channel());
        let list = cases.list_cases(elderly.client.request(request)).await;
        let list = list.expect("a list").into_inner().cases;
        let at = |id: &str| list.iter().position(|c| c.id == id).expect("in the list");
        assert!(
            at(&elderly.case.id) < at(&without.case.id),
            "opened later, listed before"
        );
        let first_without = list
            .iter()
            .position(|c| c.groups.is_empty())
            .unwrap_or(list.len());
        assert!(list[first_without..].iter().all(|c| c.groups.is_empty()));
    });
}
