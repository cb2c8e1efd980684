//! A consultation, the time, and the one who acts. No I/O.

use bangban_calendar::Calendar;
use bangban_consultation::domain::{
    Act, Assigned, Outside, answer, conversion, end, fold, outside::timestamp, referral, register,
    responsibility,
};
use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_proto::bangban::{
    casework::v1::{CaseKind, Clock},
    consultation::v1::{self as v1, Consultation, ConsultationAct},
    directory::v1::{Department, ItemVersion},
    options::v1::Role,
    types::v1::Channel,
};
use chrono::{DateTime, TimeDelta, Utc};
use prost::Message as _;

pub const APPLICANT: &str = "01890000-0000-7000-8000-000000000001";

/// A member of staff at a site.
pub fn agent(subject: &str) -> Caller {
    Caller {
        subject: subject.to_owned(),
        roles: vec![Role::Agent],
        region: "420527100".to_owned(),
        site: "station".to_owned(),
        ..Caller::public()
    }
}

/// A clerk of a department.
pub fn clerk(department: &str) -> Caller {
    Caller {
        subject: format!("clerk-{department}"),
        roles: vec![Role::Department],
        region: "420527".to_owned(),
        department: department.to_owned(),
        ..Caller::public()
    }
}

pub fn item(version: u32, from: &str) -> ItemVersion {
    ItemVersion {
        code: "old-age-allowance".to_owned(),
        version,
        name: "高龄津贴".to_owned(),
        effective_from: from.to_owned(),
        department: "civil-affairs".to_owned(),
        assisting_departments: vec!["health".to_owned()],
        ..ItemVersion::default()
    }
}

pub fn departments() -> Vec<Department> {
    let department = |id: &str| Department {
        id: id.to_owned(),
        name: id.to_owned(),
        telephone: "0717-2880000".to_owned(),
        complaint_telephone: "12345".to_owned(),
        ..Department::default()
    };
    ["civil-affairs", "health", "market"].map(department).into()
}

/// Directory's word on somebody at a site that closes at 17:00 from Monday to Friday.
pub fn assigned(staff: &str, site: &str) -> Assigned {
    let mut closing_times = vec!["17:00".to_owned(); 5];
    closing_times.resize(7, String::new());
    Assigned {
        staff: staff.to_owned(),
        site: site.to_owned(),
        region: "420527100".to_owned(),
        closing_times,
        applicant_mask: "林*娥".to_owned(),
        groups: Vec::new(),
    }
}

pub fn asked() -> v1::RegisterConsultationRequest {
    v1::RegisterConsultationRequest {
        district: "zigui".to_owned(),
        site: "station".to_owned(),
        channel: Channel::Window.into(),
        kind: CaseKind::Assist.into(),
        applicant: APPLICANT.to_owned(),
        item: "old-age-allowance".to_owned(),
        question: "八十岁以后每月有多少？".to_owned(),
        ..v1::RegisterConsultationRequest::default()
    }
}

pub fn told() -> v1::AnswerConsultationRequest {
    v1::AnswerConsultationRequest {
        text: "每月一百元".to_owned(),
        preparations: vec!["身份证".to_owned()],
        channel: Channel::Window.into(),
        ..v1::AnswerConsultationRequest::default()
    }
}

pub struct Story {
    pub consultation: Consultation,
    pub now: DateTime<Utc>,
    pub caller: Caller,
    pub calendar: Calendar,
    pub items: Vec<ItemVersion>,
    pub departments: Vec<Department>,
    pub assigned: Option<Assigned>,
    /// What was written, as it was written.
    pub log: Vec<(DateTime<Utc>, Vec<u8>)>,
}

impl Story {
    /// Nothing has happened; it is Monday, 2026-03-02, ten o'clock.
    pub fn unwritten() -> Self {
        Self {
            consultation: Consultation::default(),
            now: "2026-03-02T02:00:00Z".parse().expect("an instant"),
            caller: agent("li-na"),
            calendar: Calendar::national(),
            items: vec![item(1, "2026-01-01")],
            departments: departments(),
            assigned: None,
            log: Vec::new(),
        }
    }

    /// Registered on Monday, 2026-03-02, at ten.
    pub fn new() -> Self {
        Self::of(&asked())
    }

    pub fn of(request: &v1::RegisterConsultationRequest) -> Self {
        let mut story = Self::unwritten();
        story.register(request).expect("registered");
        story
    }

    pub fn outside(&self) -> Outside<'_> {
        Outside {
            now: self.now,
            caller: &self.caller,
            calendar: &self.calendar,
            items: &self.items,
            departments: &self.departments,
            assigned: self.assigned.as_ref(),
        }
    }

    /// It is now this instant, RFC 3339.
    pub fn at(&mut self, instant: &str) -> &mut Self {
        self.now = instant.parse().expect("an instant");
        self
    }

    pub fn later(&mut self, minutes: i64) -> &mut Self {
        self.now += TimeDelta::minutes(minutes);
        self
    }

    /// Acts happen, by way of the log's bytes.
    pub fn happens(&mut self, acts: Vec<Act>) {
        for act in acts {
            let bytes = ConsultationAct { act: Some(act) }.encode_to_vec();
            let read = ConsultationAct::decode(bytes.as_slice()).expect("an act");
            let act = read.act.expect("an act");
            fold::apply(&mut self.consultation, &act, timestamp(self.now), false);
            self.log.push((self.now, bytes));
        }
    }

    fn tried(&mut self, acts: Result<Vec<Act>, Refusal>) -> Result<&mut Self, Refusal> {
        acts.map(|acts| {
            self.happens(acts);
            self
        })
    }

    pub fn register(
        &mut self,
        request: &v1::RegisterConsultationRequest,
    ) -> Result<&mut Self, Refusal> {
        let word = assigned(&self.caller.subject, &request.site);
        let id = "0189-consultation".to_owned();
        let acts = register::register(id, request, &word, &self.outside());
        self.tried(acts.map(|acts| register::numbered(acts, 1)))
    }

    pub fn answer(
        &mut self,
        request: &v1::AnswerConsultationRequest,
    ) -> Result<&mut Self, Refusal> {
        let acts = answer::answer(&self.consultation, request, &self.outside());
        self.tried(acts)
    }

    pub fn refer(&mut self, department: &str) -> Result<&mut Self, Refusal> {
        let request = v1::ReferConsultationRequest {
            department: department.to_owned(),
            question: "外地户籍能领吗？".to_owned(),
            ..v1::ReferConsultationRequest::default()
        };
        let acts = referral::refer(&self.consultation, &request, &self.outside());
        self.tried(acts)
    }

    pub fn department_answers(&mut self, number: u32) -> Result<&mut Self, Refusal> {
        let request = v1::AnswerReferralRequest {
            number,
            answer: "不能".to_owned(),
            issuer: "老龄股".to_owned(),
            answered_at: Some(timestamp(self.now)),
            ..v1::AnswerReferralRequest::default()
        };
        let acts = referral::answer(&self.consultation, &request, &self.outside());
        self.tried(acts)
    }

    pub fn convert(
        &mut self,
        request: &v1::ConvertConsultationRequest,
    ) -> Result<&mut Self, Refusal> {
        let acts = conversion::start(&self.consultation, request, &self.outside());
        self.tried(acts)
    }

    pub fn end(&mut self) -> Result<&mut Self, Refusal> {
        let request = v1::EndConsultationRequest {
            reason: "不再需要".to_owned(),
            ..v1::EndConsultationRequest::default()
        };
        let acts = end::end(&self.consultation, &request, &self.outside());
        self.tried(acts)
    }

    pub fn offer(&mut self, to: &str) -> Result<&mut Self, Refusal> {
        let request = v1::OfferHandoverRequest {
            to_agent: to.to_owned(),
            to_site: "station".to_owned(),
            reason: "下班".to_owned(),
            ..v1::OfferHandoverRequest::default()
        };
        let acts = responsibility::offer(&self.consultation, &request, &self.outside());
        self.tried(acts)
    }

    pub fn accept(&mut self) -> Result<&mut Self, Refusal> {
        let request = v1::AcceptHandoverRequest::default();
        let offered = responsibility::offered_to(&self.consultation, &request);
        self.assigned = offered.map(|(staff, site)| assigned(&staff, &site));
        let acts = responsibility::accept(&self.consultation, &request, &self.outside());
        self.tried(acts)
    }

    pub fn decline(&mut self) -> Result<&mut Self, Refusal> {
        let request = v1::DeclineHandoverRequest {
            reason: "不在岗".to_owned(),
            ..v1::DeclineHandoverRequest::default()
        };
        let acts = responsibility::decline(&self.consultation, &request, &self.outside());
        self.tried(acts)
    }

    pub fn clock(&self, id: &str) -> &Clock {
        let mut clocks = self.consultation.clocks.iter();
        clocks.find(|c| c.id == id).expect("the clock")
    }

    /// When a clock is due, RFC 3339 in Asia/Shanghai.
    pub fn due(&self, id: &str) -> String {
        let due = self.clock(id).due_at.as_ref().expect("a due time");
        let due = bangban_limits::time::local(due).expect("an instant");
        due.to_rfc3339()
    }
}

/// Reason and requirement of a refusal.
pub fn refused<T>(result: Result<T, Refusal>) -> (&'static str, &'static str) {
    match result {
        Ok(_) => panic!("it was not refused"),
        Err(refusal) => (refusal.reason, refusal.requirement),
    }
}
