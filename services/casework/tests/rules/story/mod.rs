//! The harness: a case, the time, and the one who acts.

mod requests;

use bangban_calendar::Calendar;
use bangban_casework::domain::{
    Act, Outside, clock, consent, delegation, department, fold, material, mode, notice, opening,
    outcome, outside::timestamp, reserved, responsibility,
};
use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_proto::bangban::{
    casework::v1::{self as v1, Agreement, Case, CaseKind, Clock, ConsentKind, SupplyForm},
    directory::v1::{
        CheckAssignmentResponse, ClockStop, Condition, Department, InPersonAct, ItemLimit,
        ItemVersion, LimitName, LimitOwner, LimitStart, Material, Power,
    },
    options::v1::Role,
    types::v1::{Channel, Tier, TimeUnit},
};
use chrono::{DateTime, TimeDelta, Utc};
use prost_types::Timestamp;

pub use requests::*;

/// The item of assisted cases: not for agency.
pub fn item() -> ItemVersion {
    let limit = |name: LimitName, amount, starts: LimitStart, owner: LimitOwner| ItemLimit {
        name: name.into(),
        amount,
        unit: TimeUnit::WorkingDay.into(),
        starts: starts.into(),
        owner: owner.into(),
        citation: "a rule".to_owned(),
    };
    let material = |code: &str, is_on_the_spot| Material {
        code: code.to_owned(),
        name: code.to_owned(),
        how_to_get: "at the office".to_owned(),
        is_required: true,
        is_on_the_spot,
        ..Material::default()
    };
    ItemVersion {
        code: "old-age-allowance".to_owned(),
        version: 1,
        name: "高龄津贴".to_owned(),
        effective_from: "2026-01-01".to_owned(),
        department: "civil-affairs".to_owned(),
        conditions: vec![Condition {
            code: "AGE_80".to_owned(),
            text: "80".to_owned(),
            citation: "a rule".to_owned(),
        }],
        limits: vec![
            limit(
                LimitName::Completeness,
                5,
                LimitStart::Filing,
                LimitOwner::Department,
            ),
            limit(
                LimitName::PromisedDecision,
                10,
                LimitStart::Acceptance,
                LimitOwner::Department,
            ),
            limit(
                LimitName::Extension,
                5,
                LimitStart::Acceptance,
                LimitOwner::Department,
            ),
            limit(
                LimitName::Delivery,
                1,
                LimitStart::Event,
                LimitOwner::Institution,
            ),
            limit(
                LimitName::Contact,
                0,
                LimitStart::Event,
                LimitOwner::Institution,
            ),
        ],
        clock_stops: vec![ClockStop {
            code: "EXPERT_REVIEW".to_owned(),
            citation: "行政许可法 art. 45".to_owned(),
        }],
        materials: vec![material("form", true), material("identity-card", false)],
        channels: vec![Channel::Window.into(), Channel::Online.into()],
        tiers: vec![Tier::Village.into()],
        ..ItemVersion::default()
    }
}

/// What may be delegated.
pub const POWERS: [Power; 4] = [
    Power::Submit,
    Power::Supplement,
    Power::ReceiveNotices,
    Power::ReceiveDocument,
];

/// The item of agency: powers, and one act that is reserved to the person.
pub fn agency_item() -> ItemVersion {
    ItemVersion {
        is_agency_allowed: true,
        powers: POWERS.map(i32::from).to_vec(),
        in_person_acts: vec![InPersonAct {
            code: "REAL_NAME_CHECK".to_owned(),
            citation: "市场主体登记管理条例 art. 16".to_owned(),
        }],
        ..item()
    }
}

/// An agent with a token of a site.
pub fn agent(subject: &str, site: &str) -> Caller {
    Caller {
        subject: subject.to_owned(),
        roles: vec![Role::Agent],
        site: site.to_owned(),
        ..Caller::public()
    }
}

/// A clerk of the department.
pub fn clerk() -> Caller {
    Caller {
        subject: "clerk".to_owned(),
        roles: vec![Role::Department],
        department: "civil-affairs".to_owned(),
        ..Caller::public()
    }
}

/// Directory's word on an agent of the village station, or of another site.
pub fn assignment(region: &str) -> CheckAssignmentResponse {
    CheckAssignmentResponse {
        region: region.to_owned(),
        applicant_mask: "张*".to_owned(),
        closing_times: ["17:30", "17:30", "17:30", "17:30", "16:00", "", ""]
            .map(str::to_owned)
            .to_vec(),
        ..CheckAssignmentResponse::default()
    }
}

/// A decision of the domain.
pub type Decide<R> = fn(&Case, &R, &Outside<'_>) -> Result<Vec<Act>, Refusal>;

/// A case, the time, and the one who acts.
pub struct Story {
    pub case: Case,
    pub now: DateTime<Utc>,
    pub caller: Caller,
    pub calendar: Calendar,
    pub item: ItemVersion,
    pub department: Department,
    pub earlier: Option<Case>,
}

impl Story {
    /// Before anything: Monday, 2026-03-02, at ten, at the village station.
    pub fn new(item: ItemVersion) -> Self {
        Self {
            case: Case::default(),
            now: "2026-03-02T02:00:00Z".parse().expect("an instant"),
            caller: agent("li-na", "station"),
            calendar: Calendar::national(),
            item,
            department: Department {
                id: "civil-affairs".to_owned(),
                ..Department::default()
            },
            earlier: None,
        }
    }

    /// A case of assistance.
    pub fn opened() -> Self {
        let mut story = Self::new(item());
        let acts = story.open(Channel::Online).expect("opened");
        story.apply(acts);
        story
    }

    /// A case of one kind, of an item that may be delegated, of a person or an enterprise.
    pub fn opened_as(kind: CaseKind, is_enterprise: bool) -> Self {
        let mut story = Self::new(agency_item());
        let acts = story
            .open_as(Channel::Online, kind, is_enterprise)
            .expect("opened");
        story.apply(acts);
        story
    }

    pub fn outside(&self) -> Outside<'_> {
        Outside {
            now: self.now,
            caller: &self.caller,
            calendar: &self.calendar,
            item: &self.item,
            department: &self.department,
            earlier: self.earlier.as_ref(),
        }
    }

    pub fn open(&self, mode: Channel) -> Result<Vec<Act>, Refusal> {
        self.open_as(mode, CaseKind::Assist, false)
    }

    pub fn open_as(
        &self,
        mode: Channel,
        kind: CaseKind,
        is_enterprise: bool,
    ) -> Result<Vec<Act>, Refusal> {
        let request = v1::OpenCaseRequest {
            district: "zigui".to_owned(),
            item: "old-age-allowance".to_owned(),
            site: "station".to_owned(),
            channel: Channel::Window.into(),
            mode: mode.into(),
            kind: kind.into(),
            ..v1::OpenCaseRequest::default()
        };
        let assignment = CheckAssignmentResponse {
            is_enterprise,
            ..assignment("420527100001")
        };
        opening::open(
            "c1".to_owned(),
            "42527-0000-0001-0".to_owned(),
            &request,
            &assignment,
            &self.outside(),
        )
    }

    pub fn apply(&mut self, acts: Vec<Act>) {
        for act in acts {
            fold::apply(&mut self.case, &act, timestamp(self.now), false);
        }
    }

    #[track_caller]
    pub fn does<R>(&mut self, decide: Decide<R>, request: R) {
        let acts = decide(&self.case, &request, &self.outside()).expect("allowed");
        self.apply(acts);
    }

    #[track_caller]
    pub fn refused<R>(&self, decide: Decide<R>, request: R, reason: &str, requirement: &str) {
        let refusal = decide(&self.case, &request, &self.outside()).expect_err("refused");
        assert_eq!((refusal.reason, refusal.requirement), (reason, requirement));
        assert!(!refusal.zh.is_empty() && !refusal.en.is_empty());
    }

    pub fn passes(&mut self, time: TimeDelta) {
        self.now += time;
    }

    pub fn at(&self) -> Option<Timestamp> {
        Some(timestamp(self.now))
    }

    /// Told, consented, materials complete, pre-checked.
    pub fn is_prepared(&mut self) {
        self.does(notice::give, v1::GiveNoticeRequest::default());
        self.does(consent::record, consenting(ConsentKind::Assistance));
        self.does(material::take, take("form", SupplyForm::OnTheSpot));
        self.does(material::take, take("identity-card", SupplyForm::Brought));
        self.does(material::pass_pre_check, v1::PassPreCheckRequest::default());
    }

    pub fn told_and_consented() -> Self {
        let mut story = Self::opened();
        story.does(notice::give, v1::GiveNoticeRequest::default());
        story.does(consent::record, consenting(ConsentKind::Assistance));
        story
    }

    pub fn takes_all_steps(&mut self) {
        for step in mode::steps(Channel::Online, false) {
            self.does(mode::record_step, step_request(step));
        }
    }

    pub fn filed() -> Self {
        let mut story = Self::opened();
        story.is_prepared();
        story.takes_all_steps();
        story.does(department::file, filing(true));
        story
    }

    pub fn accepted() -> Self {
        let mut story = Self::filed();
        story.is_accepted();
        story
    }

    /// The department gives its number and accepts.
    pub fn is_accepted(&mut self) {
        self.does(department::status, status("M-1"));
        self.does(department::accept, accepted_at(self.at()));
    }

    pub fn is_decided(&mut self, outcome: v1::DecisionOutcome) {
        self.does(department::decide, decided_at(outcome, self.at()));
    }

    pub fn delivered() -> Self {
        let mut story = Self::accepted();
        story.is_decided(v1::DecisionOutcome::Granted);
        story.does(outcome::deliver, in_person());
        story
    }

    /// A person's case that may become one of agency: pre-checked.
    pub fn pre_checked() -> Self {
        let mut story = Self::opened_as(CaseKind::Assist, false);
        story.is_prepared();
        story
    }

    /// An enterprise's, pre-checked.
    pub fn of_enterprise() -> Self {
        let mut story = Self::opened_as(CaseKind::Agency, true);
        story.is_prepared();
        story
    }

    /// Drawn up for all powers, for March.
    pub fn drafted() -> Self {
        let mut story = Self::pre_checked();
        story.does(
            delegation::draft,
            draft(&POWERS, "2026-03-02", "2026-03-31"),
        );
        story
    }

    /// A delegation for all powers, in force.
    pub fn delegated() -> Self {
        Self::delegated_for(&POWERS)
    }

    pub fn delegated_for(powers: &[Power]) -> Self {
        let mut story = Self::pre_checked();
        story.delegates(powers, "2026-03-02", "2026-03-31");
        story
    }

    pub fn delegates(&mut self, powers: &[Power], from: &str, until: &str) {
        self.does(delegation::draft, draft(powers, from, until));
        let number = self.case.agreements.len();
        let request = sign(u32::try_from(number).expect("few"), self.at());
        self.does(delegation::sign, request);
    }

    /// All that comes before filing for the principal.
    pub fn is_ready(&mut self) {
        self.does(
            reserved::in_person,
            v1::RecordInPersonActRequest {
                code: "REAL_NAME_CHECK".to_owned(),
                ..Default::default()
            },
        );
        self.takes_all_steps();
    }

    /// Filed by the agent for the principal.
    pub fn filed_for_principal() -> Self {
        let mut story = Self::delegated();
        story.is_ready();
        story.does(department::file, filing(false));
        story
    }

    pub fn accepted_for_principal() -> Self {
        let mut story = Self::filed_for_principal();
        story.is_accepted();
        story
    }

    /// Decided for the principal, whatever was decided.
    pub fn decided_for_principal(outcome: v1::DecisionOutcome) -> Self {
        let mut story = Self::accepted_for_principal();
        story.is_decided(outcome);
        story
    }

    pub fn delivered_to_principal() -> Self {
        let mut story = Self::decided_for_principal(v1::DecisionOutcome::Granted);
        story.does(reserved::receive_document, document(story.at()));
        story.does(outcome::deliver, in_person());
        story
    }

    #[track_caller]
    pub fn agreement(&self) -> &Agreement {
        self.case.agreements.last().expect("an agreement")
    }

    pub fn open_clock(&self, id: &str) -> Option<&Clock> {
        clock::open(&self.case, id)
    }

    pub fn offers(&mut self, to_agent: &str, to_site: &str, principal_consent: &str) {
        self.does(
            responsibility::offer,
            offer(to_agent, to_site, principal_consent),
        );
    }

    /// The one to whom it was offered accepts, and acts from now on.
    pub fn is_taken_over(&mut self) {
        let handover = responsibility::pending(&self.case)
            .expect("offered")
            .clone();
        let acts = responsibility::accept(&self.case, &assignment("420527100001"), &self.outside())
            .expect("accepted");
        self.apply(acts);
        self.caller = agent(&handover.to_agent, &handover.to_site);
    }
}
