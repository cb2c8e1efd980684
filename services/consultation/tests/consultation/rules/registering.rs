use bangban_consultation::domain::{assignment, complete};
use bangban_proto::bangban::{
    casework::v1::CaseKind,
    consultation::v1::ConsultationState,
    directory::v1::{
        Applicant, Conflict, OpeningHours, Site, Staff, StaffStatus, Training, TrainingKind,
    },
};

use crate::story::{APPLICANT, Story, agent, asked, refused};

#[test]
fn bb_10_1_1c_a_contact_is_registered_with_name_contact_content() {
    let story = Story::new();
    let c = &story.consultation;
    assert_eq!(c.state(), ConsultationState::Open);
    assert_eq!((c.number, c.agent.as_str()), (1, "li-na"));
    assert_eq!(complete::gaps(c), ["RESULT"]);
    let entry = complete::entry(c, "138****5678".to_owned());
    assert_eq!(
        (entry.name.as_str(), entry.telephone.as_str()),
        ("林*娥", "138****5678")
    );
    assert_eq!(entry.content, asked().question);
}

#[test]
fn bb_10_1_1c_without_an_applicant_the_contact_says_how_it_is_anonymous() {
    let mut nobody = asked();
    nobody.applicant.clear();
    let mut story = Story::unwritten();
    let expected = ("APPLICANT_MISSING", "BB-10.1.1c");
    assert_eq!(refused(story.register(&nobody)), expected);
    nobody.anonymity = "   ".to_owned();
    assert_eq!(refused(story.register(&nobody)), expected);
    nobody.anonymity = "来电者不愿留名".to_owned();
    let story = Story::of(&nobody);
    assert!(story.consultation.is_anonymous);
    assert!(story.consultation.applicant.is_empty());
    let entry = complete::entry(&story.consultation, String::new());
    assert_eq!(entry.name, "来电者不愿留名");
    assert_eq!(entry.gaps, ["RESULT"]);
}

#[test]
fn bb_10_1_1c_an_anonymous_contact_names_no_applicant() {
    let mut both = asked();
    both.anonymity = "不愿留名".to_owned();
    let expected = ("ANONYMITY_CONTRADICTED", "BB-10.1.1c");
    assert_eq!(refused(Story::unwritten().register(&both)), expected);
}

#[test]
fn bb_7_2_a_contact_names_an_item_in_force_or_none() {
    let mut story = Story::unwritten();
    story.items[0].withdrawn_from = "2026-03-02".to_owned();
    let expected = ("ITEM_NOT_PUBLISHED", "BB-7.2");
    assert_eq!(refused(story.register(&asked())), expected);
    let mut general = asked();
    general.item.clear();
    story.items.clear();
    assert!(story.register(&general).is_ok());
}

#[test]
fn bb_8c_an_answer_is_owed_by_closing_time_of_the_same_working_day() {
    let story = Story::new();
    assert_eq!(story.due("answer"), "2026-03-02T17:00:00+08:00");
    assert_eq!(story.clock("answer").citation, "BB-8c、BB-10.1.1a");
}

#[test]
fn bb_8c_outside_working_hours_an_answer_is_owed_on_the_next_working_day() {
    for (asked_at, due) in [
        // After closing; on a Saturday; on the eve of Qingming, after closing (2026-04-04 to 06 are off).
        ("2026-03-02T09:30:00Z", "2026-03-03T17:00:00+08:00"),
        ("2026-03-07T02:00:00Z", "2026-03-09T17:00:00+08:00"),
        ("2026-04-03T10:00:00Z", "2026-04-07T17:00:00+08:00"),
        // A make-up working Saturday ends as the latest day of the week does (2026-02-28).
        ("2026-02-28T02:00:00Z", "2026-02-28T17:00:00+08:00"),
    ] {
        let mut story = Story::unwritten();
        story.at(asked_at).register(&asked()).expect("registered");
        assert_eq!(story.due("answer"), due, "asked at {asked_at}");
    }
}

#[test]
fn bb_10_2_1_a_consultation_about_agency_has_the_same_clock_under_its_own_clause() {
    let mut agency = asked();
    agency.kind = CaseKind::Agency.into();
    let story = Story::of(&agency);
    assert_eq!(story.due("answer"), "2026-03-02T17:00:00+08:00");
    assert_eq!(story.clock("answer").citation, "BB-8c、BB-10.2.1");
}

fn staff() -> Staff {
    Staff {
        id: "li-na".to_owned(),
        site: "station".to_owned(),
        status: StaffStatus::Active.into(),
        trainings: vec![Training {
            kind: TrainingKind::PreService.into(),
            completed_on: "2026-01-05".to_owned(),
            valid_until: "2026-12-31".to_owned(),
            certificate: "1".to_owned(),
        }],
        ..Staff::default()
    }
}

fn site() -> Site {
    let hours = |weekday, opens: &str, closes: &str| OpeningHours {
        weekday,
        opens: opens.to_owned(),
        closes: closes.to_owned(),
    };
    Site {
        id: "station".to_owned(),
        region: "420527100".to_owned(),
        opening_hours: vec![hours(1, "14:00", "17:30"), hours(1, "08:30", "12:00")],
        ..Site::default()
    }
}

#[test]
fn bb_5_2_bb_6_only_active_trained_staff_of_the_site_without_a_conflict_take_a_contact() {
    let today = "2026-03-02".parse().expect("a day");
    let applicant = Applicant {
        id: APPLICANT.to_owned(),
        ..Applicant::default()
    };
    let check = |staff: &Staff| assignment::check(staff, &site(), Some(&applicant), today);
    let word = check(&staff()).expect("may take it");
    assert_eq!(word.closing_times[..2], ["17:30".to_owned(), String::new()]);
    let suspended = Staff {
        status: StaffStatus::Suspended.into(),
        ..staff()
    };
    assert_eq!(refused(check(&suspended)), ("STAFF_NOT_ACTIVE", "BB-5.2"));
    let elsewhere = Staff {
        site: "centre".to_owned(),
        ..staff()
    };
    let expected = ("STAFF_OF_ANOTHER_SITE", "BB-5.2");
    assert_eq!(refused(check(&elsewhere)), expected);
    let mut lapsed = staff();
    lapsed.trainings[0].valid_until = "2026-03-01".to_owned();
    let expected = ("PRE_SERVICE_TRAINING_MISSING", "BB-6.2");
    assert_eq!(refused(check(&lapsed)), expected);
    let mut nephew = staff();
    nephew.conflicts.push(Conflict {
        applicant: APPLICANT.to_owned(),
        relation: "aunt".to_owned(),
    });
    assert_eq!(refused(check(&nephew)), ("CONFLICT_OF_INTEREST", "BB-6.1"));
    assert!(assignment::check(&nephew, &site(), None, today).is_ok());
}

#[test]
fn bb_4_2a_whoever_is_asked_is_responsible_whatever_their_skills() {
    let today = "2026-03-02".parse().expect("a day");
    assert!(staff().skill.is_none());
    assert!(assignment::check(&staff(), &site(), None, today).is_ok());
    let mut story = Story::unwritten();
    story.caller = agent("wang-wei");
    story.register(&asked()).expect("registered");
    assert_eq!(story.consultation.agent, "wang-wei");
}
