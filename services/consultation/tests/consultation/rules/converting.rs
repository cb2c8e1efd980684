use bangban_consultation::domain::conversion;
use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::{
    consultation::v1::{ConsultationState, ConvertConsultationRequest},
    options::v1::Role,
    types::v1::Channel,
};
use tonic::Status;
use uuid::Uuid;

use crate::story::{APPLICANT, Story, asked, refused, told};

fn meant() -> ConvertConsultationRequest {
    ConvertConsultationRequest {
        mode: Channel::Window.into(),
        ..ConvertConsultationRequest::default()
    }
}

#[test]
fn bb_4_2a_a_case_is_meant_first_and_the_giver_stays_responsible() {
    let mut story = Story::new();
    story.convert(&meant()).expect("meant");
    let c = &story.consultation;
    assert_eq!(c.state(), ConsultationState::Converting);
    assert_eq!(c.agent, "li-na");
    let request = conversion::request(c).expect("a request");
    let id = Uuid::parse_str(&request.request_id).expect("a UUID");
    assert_eq!(id.get_version_num(), 5);
    assert_eq!(request.request_id, conversion::request_id(&c.id));
    assert_eq!(
        (request.applicant.as_str(), request.item.as_str()),
        (APPLICANT, "old-age-allowance")
    );
    assert_eq!(request.consultation, c.id);
    let agent = conversion::agent(c);
    assert_eq!(agent.subject, "li-na");
    assert_eq!(
        (agent.site.as_str(), agent.region.as_str()),
        ("station", "420527100")
    );
    assert_eq!(agent.roles, [Role::Agent]);
    for step in [
        refused(story.offer("chen")),
        refused(story.end()),
        refused(story.answer(&told())),
        refused(story.convert(&meant())),
    ] {
        assert_eq!(step, ("OUT_OF_ORDER", "BB-8d"));
    }
}

#[test]
fn bb_4_2a_the_acknowledged_case_ends_the_consultation() {
    let mut story = Story::new();
    story.convert(&meant()).expect("meant");
    let act = conversion::acknowledge(&story.consultation, "case-1", "R-1").expect("new");
    story.happens(vec![act]);
    let c = &story.consultation;
    assert_eq!(c.state(), ConsultationState::Converted);
    assert_eq!(c.conversion.as_ref().expect("it").receipt, "R-1");
    assert!(c.ended_at.is_some() && c.clocks.iter().all(|c| c.ended_at.is_some()));
    assert_eq!(conversion::acknowledge(c, "case-1", "R-1"), None);
}

#[test]
fn bb_4_2a_after_a_refusal_everything_is_as_before() {
    for prepare in [
        |_: &mut Story| ConsultationState::Open,
        |s: &mut Story| {
            s.refer("health").expect("referred");
            ConsultationState::Referred
        },
        |s: &mut Story| {
            s.answer(&told()).expect("answered");
            ConsultationState::Answered
        },
    ] {
        let mut story = Story::new();
        let before = prepare(&mut story);
        story.convert(&meant()).expect("meant");
        let asked = story.consultation.conversion.clone().expect("it");
        let act = conversion::refuse(&story.consultation, &asked, "SKILL_MISSING").expect("new");
        story.happens(vec![act]);
        assert_eq!(story.consultation.state(), before);
        let told = story.consultation.conversion.as_ref().expect("it");
        assert_eq!(told.refused_reason, "SKILL_MISSING");
        // A refusal that comes a second time, or late, settles nothing.
        assert_eq!(conversion::refuse(&story.consultation, &asked, "X"), None);
        story.later(1).convert(&meant()).expect("meant again");
        assert_eq!(conversion::refuse(&story.consultation, &asked, "X"), None);
        let again = story.consultation.conversion.as_ref().expect("it");
        assert_eq!(again.request_id, asked.request_id);
    }
}

#[test]
fn bb_4_2a_a_case_that_was_opened_is_never_left_out() {
    let mut story = Story::new();
    story.convert(&meant()).expect("meant");
    let asked = story.consultation.conversion.clone().expect("it");
    let act = conversion::refuse(&story.consultation, &asked, "X").expect("new");
    story.happens(vec![act]);
    story.end().expect("ended");
    let act = conversion::acknowledge(&story.consultation, "case-1", "R-1").expect("new");
    story.happens(vec![act]);
    assert_eq!(story.consultation.state(), ConsultationState::Converted);
}

#[test]
fn bb_10_1_1c_an_anonymous_contact_becomes_a_case_only_of_somebody() {
    let mut request = asked();
    request.applicant.clear();
    request.anonymity = "不愿留名".to_owned();
    let mut story = Story::of(&request);
    let expected = ("ANONYMOUS_NOT_POSSIBLE", "BB-10.1.1c");
    assert_eq!(refused(story.convert(&meant())), expected);
    let named = ConvertConsultationRequest {
        applicant: APPLICANT.to_owned(),
        ..meant()
    };
    story.convert(&named).expect("meant");
    assert!(story.consultation.is_anonymous);
}

#[test]
fn bb_7_2_a_case_is_about_an_item() {
    let mut general = asked();
    general.item.clear();
    let mut story = Story::of(&general);
    let expected = ("ITEM_NOT_PUBLISHED", "BB-7.2");
    assert_eq!(refused(story.convert(&meant())), expected);
}

#[test]
fn a_no_of_casework_is_told_from_its_silence() {
    let no = Status::from(Refusal::precondition("SKILL_MISSING", "BB-6.3", "无", "no"));
    assert!(conversion::is_refusal(&no));
    for silence in [
        Status::unavailable("down"),
        Status::deadline_exceeded("slow"),
        Status::internal("broken"),
        Status::not_found("from a proxy"),
        Status::from(Refusal::not_found("METHOD_UNKNOWN", "", "无", "no")),
    ] {
        assert!(!conversion::is_refusal(&silence), "{silence:?}");
    }
}
