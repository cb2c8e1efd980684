//! Who puts the load on: agents who open cases and write to them, an agent at the telephone, one who gives appointments, an
//! operator, readers.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bangban::{
    booking::{confirming, holding},
    sample::find_or_register,
};
use bangban_kit::identity::Person;
use bangban_proto::bangban::{
    casework::v1::{CaseKind, ContactReason, OpenCaseRequest, OpenContactRequest},
    consultation::v1::{ConvertConsultationRequest, RegisterConsultationRequest},
    directory::v1::{DocumentKind, GrantSkillRequest, RegisterApplicantRequest},
    scheduling::v1::{CancelBookingRequest, CancelReason},
    types::v1::Channel,
};
use tokio::{
    task::JoinSet,
    time::{Instant, Interval, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{
    Caller,
    books::Books,
    command::{Command, Trace},
    desk::Desk,
    read,
};
use crate::{
    case::ITEM,
    cluster::{Cluster, Ways},
    request_id,
};

/// Between two calls of one worker: steady, and gentle to a machine that starts processes at the same time.
const PACE: Duration = Duration::from_millis(25);

/// Contacts of a case before the next one is opened.
const CONTACTS: usize = 9;

/// Who opens cases.
const AGENTS: [&str; 4] = ["hu-yulian", "xu-aizhen", "peng-jun", "shen-xia"];

/// Who answers the telephone.
const TELEPHONE: &str = "liu-chunyan";

/// Who gives appointments.
const CLERK: &str = "zhou-wenjing";

/// Whose skill is granted again and again; given no cases here.
const LEARNER: &str = "lei-ming";

/// Who reads at the same time.
const READERS: usize = 3;

/// Who comes.
const APPLICANT: &str = "mo-xiuying";

struct Worker {
    caller: Caller,
    district: String,
    books: Arc<Books>,
    stop: CancellationToken,
    pace: Interval,
    /// Receipt of a case that is there.
    receipt: Arc<Mutex<String>>,
    /// Behind this position of directory's log the district is there.
    loaded: String,
}

/// Starts everybody.
pub(super) async fn spawn(
    workers: &mut JoinSet<()>,
    cluster: &Cluster,
    ways: &Ways,
    books: &Arc<Books>,
    stop: &CancellationToken,
) {
    let receipt = Arc::<Mutex<String>>::default();
    let worker = |client| {
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Worker {
            caller: Caller {
                client,
                ways: ways.clone(),
            },
            district: cluster.sample.district.id.clone(),
            books: books.clone(),
            stop: stop.clone(),
            pace,
            receipt: receipt.clone(),
            loaded: cluster.loaded.clone(),
        }
    };
    let known = cluster.sample.applicant(APPLICANT).expect("in the sample");
    let agent = cluster.agent();
    let found = find_or_register(&agent, &cluster.sample.district.id, known, request_id()).await;
    let applicant = found.expect("found").applicant.unwrap_or_default().id;
    for id in AGENTS {
        let person = cluster.sample.person(id).expect("in the sample");
        workers.spawn(worker(cluster.person(&person)).cases(person, applicant.clone()));
    }
    let person = cluster.sample.person(TELEPHONE).expect("in the sample");
    workers.spawn(worker(cluster.person(&person)).telephone(person, applicant));
    let person = cluster.sample.person(CLERK).expect("in the sample");
    let desk = Desk::open(cluster, &person.site).await;
    workers.spawn(worker(cluster.person(&person)).appointments(desk.clone()));
    let skill = cluster.sample.staff.iter().find(|s| s.id == LEARNER);
    let skill = skill.and_then(|s| s.skill().expect("channels that exist"));
    workers.spawn(worker(cluster.operator()).grants(GrantSkillRequest {
        district: cluster.sample.district.id.clone(),
        staff: LEARNER.to_owned(),
        skill,
        ..GrantSkillRequest::default()
    }));
    for first in 0..READERS {
        workers.spawn(worker(cluster.operator()).reads(first, desk.clone()));
    }
}

impl Worker {
    /// Whether to go on, at the next tick.
    async fn goes_on(&mut self) -> bool {
        tokio::select! {
            _ = self.pace.tick() => !self.stop.is_cancelled(),
            () = self.stop.cancelled() => false,
        }
    }

    fn shared(&self) -> MutexGuard<'_, String> {
        self.receipt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn command(&self, command: Command) -> Option<Trace> {
        let began = Instant::now();
        let answer = command.send(&self.caller).await;
        self.books.command(&self.caller, &command, began, &answer);
        answer.ok()
    }

    /// Opens cases, and writes to each for a while; what was written is read back.
    async fn cases(mut self, agent: Person, applicant: String) {
        while self.goes_on().await {
            let opening = Command::Open(OpenCaseRequest {
                district: self.district.clone(),
                request_id: request_id(),
                applicant: applicant.clone(),
                item: ITEM.to_owned(),
                site: agent.site.clone(),
                channel: Channel::Window.into(),
                mode: Channel::Window.into(),
                kind: CaseKind::Assist.into(),
                after: self.loaded.clone(),
                ..OpenCaseRequest::default()
            });
            let Some(case) = self.command(opening).await else {
                continue;
            };
            self.shared().clone_from(&case.receipt);
            let mut left = CONTACTS;
            while left > 0 && self.goes_on().await {
                left -= 1;
                let contact = Command::Contact(OpenContactRequest {
                    district: self.district.clone(),
                    request_id: request_id(),
                    case: case.id.clone(),
                    reason: ContactReason::Progress.into(),
                    text: "进度".to_owned(),
                    ..OpenContactRequest::default()
                });
                if let Some(written) = self.command(contact).await {
                    let began = Instant::now();
                    let answer = read::back(&self.caller, &self.district, &written).await;
                    self.books.read(read::BACK, began, &answer);
                }
            }
        }
    }

    /// Registers consultations, and makes a case of each.
    async fn telephone(mut self, agent: Person, applicant: String) {
        while self.goes_on().await {
            let registered = self.command(Command::Register(RegisterConsultationRequest {
                district: self.district.clone(),
                request_id: request_id(),
                site: agent.site.clone(),
                channel: Channel::Phone.into(),
                kind: CaseKind::Assist.into(),
                applicant: applicant.clone(),
                item: ITEM.to_owned(),
                question: "办理需要什么材料".to_owned(),
                after: self.loaded.clone(),
                ..RegisterConsultationRequest::default()
            }));
            let Some(registered) = registered.await else {
                continue;
            };
            let conversion = Command::Convert(ConvertConsultationRequest {
                district: self.district.clone(),
                request_id: request_id(),
                consultation: registered.id,
                mode: Channel::Window.into(),
                ..ConvertConsultationRequest::default()
            });
            self.command(conversion).await;
        }
    }

    /// Gives appointments to people who are new, each of whom gives it up again.
    async fn appointments(mut self, desk: Desk) {
        for slot in desk.slots.iter().cycle() {
            if !self.goes_on().await {
                return;
            }
            let registering = Command::Applicant(RegisterApplicantRequest {
                district: self.district.clone(),
                request_id: request_id(),
                name: "示例".to_owned(),
                document_kind: DocumentKind::NotShown.into(),
                telephone: "13800138000".to_owned(),
                ..RegisterApplicantRequest::default()
            });
            if let Some(applicant) = self.command(registering).await {
                self.appointment(slot, applicant.id).await;
            }
        }
    }

    /// A seat is held, confirmed and given up; what fails ends it. None when it has come to its end before.
    async fn appointment(&mut self, slot: &str, applicant: String) -> Option<()> {
        let hold = Command::Hold(holding(&self.district, slot, &applicant, ITEM));
        let hold = self.next(hold).await?.hold?;
        let confirm = Command::Confirm(confirming(&self.district, &hold));
        self.next(confirm).await?;
        let cancelling = Command::Cancel(CancelBookingRequest {
            district: self.district.clone(),
            request_id: request_id(),
            booking: hold.booking,
            reason: CancelReason::Applicant.into(),
            ..CancelBookingRequest::default()
        });
        self.next(cancelling).await.map(|_| ())
    }

    /// Sends a command at the next tick.
    async fn next(&mut self, command: Command) -> Option<Trace> {
        if self.goes_on().await {
            return self.command(command).await;
        }
        None
    }

    /// Grants a skill again and again.
    async fn grants(mut self, request: GrantSkillRequest) {
        while self.goes_on().await {
            self.command(Command::Grant(GrantSkillRequest {
                request_id: request_id(),
                ..request.clone()
            }))
            .await;
        }
    }

    /// Reads one thing after the other.
    async fn reads(mut self, first: usize, desk: Desk) {
        for name in read::NAMES.iter().cycle().skip(first) {
            if !self.goes_on().await {
                return;
            }
            let receipt = self.shared().clone();
            if receipt.is_empty() && *name == "GetCaseByReceipt" {
                continue;
            }
            let began = Instant::now();
            let answer = read::one(&self.caller, name, &self.district, &receipt, &desk).await;
            self.books.read(name, began, &answer);
        }
    }
}
