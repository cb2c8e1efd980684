//! People who call, and what they see: every question with when it was asked and when it was answered.

use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bangban_kit::refusal;
use bangban_proto::bangban::scheduling::v1::{
    self as v1, Booking, CancelReason, Hold, booking_service_client::BookingServiceClient,
};
use tonic::{Code, Request, Response, Status, metadata::AsciiMetadataValue, transport::Channel};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::served::world::{DISTRICT, World};

/// How long one call may take before its caller gives it up and asks again.
pub const ONE_CALL: Duration = Duration::from_secs(20);

/// How long anybody may be without an answer, whatever happens to the servers.
const PATIENCE: Duration = Duration::from_secs(90);

/// Microseconds since the epoch, by the monotonic clock from one look at the other on.
pub struct Clock {
    began: Instant,
    began_us: i64,
}

fn wall_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.expect("after 1970").as_micros()).expect("before 290000")
}

/// Both clocks at one moment: who stood still between two looks looks again.
fn both() -> (Instant, i64) {
    loop {
        let (before, wall_us) = (Instant::now(), wall_us());
        if before.elapsed() < Duration::from_micros(100) {
            return (before, wall_us);
        }
    }
}

impl Clock {
    pub fn start() -> Self {
        let (began, began_us) = both();
        Self { began, began_us }
    }

    pub fn now_us(&self) -> i64 {
        self.began_us + i64::try_from(self.began.elapsed().as_micros()).expect("short")
    }

    /// How far it is from the machine's clock by now, which the database goes by.
    pub fn drift_us(&self) -> i64 {
        let (now, wall_us) = both();
        let since = now.saturating_duration_since(self.began);
        wall_us - self.began_us - i64::try_from(since.as_micros()).expect("short")
    }
}

/// A question.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    Hold {
        slot: String,
        applicant: String,
    },
    Confirm {
        applicant: String,
    },
    Release {
        booking: String,
    },
    Cancel {
        booking: String,
    },
    Move {
        booking: String,
        applicant: String,
        to: String,
    },
}

/// Its answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Held(Box<Hold>),
    Booked(Box<Booking>),
    GivenUp,
    Full,
    /// Not now: try again, after so long.
    Wait(String, Duration),
    /// No, with the reason.
    Refused(String),
    /// Nobody knows what became of it.
    Lost,
}

/// A question and its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The request's id: the same for repetitions.
    pub key: String,
    pub asked: Asked,
    /// Asked and answered, in microseconds since the epoch.
    pub from: i64,
    pub to: i64,
    pub answer: Answer,
}

/// Everything that anybody asked.
pub struct Log {
    pub clock: Clock,
    calls: Mutex<Vec<Call>>,
    confirmed: AtomicUsize,
    /// How many of a crowd were not told yet whether they have a seat.
    pub waiting: AtomicUsize,
}

impl Log {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            clock: Clock::start(),
            calls: Mutex::default(),
            confirmed: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
        })
    }

    fn add(&self, call: Call) {
        if matches!(call.answer, Answer::Booked(_)) {
            self.confirmed.fetch_add(1, Ordering::Relaxed);
        }
        self.calls.lock().expect("not poisoned").push(call);
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().expect("not poisoned").clone()
    }

    /// How often each answer was given.
    pub fn tally(&self) -> BTreeMap<String, usize> {
        let mut tally = BTreeMap::new();
        for call in self.calls.lock().expect("not poisoned").iter() {
            let name = match &call.answer {
                Answer::Held(_) => "held",
                Answer::Booked(_) => "booked",
                Answer::GivenUp => "given up",
                Answer::Full => "full",
                Answer::Wait(reason, _) | Answer::Refused(reason) => reason,
                Answer::Lost => "lost",
            };
            *tally.entry(name.to_owned()).or_default() += 1;
        }
        tally
    }

    /// How long after a moment somebody was confirmed on a seat of one of these slots that was asked for since.
    pub fn again_after(&self, moment: i64, slots: &[String]) -> Option<Duration> {
        let calls = self.calls.lock().expect("not poisoned");
        let mut asked: HashMap<&str, i64> = HashMap::new();
        for call in calls.iter() {
            if let Answer::Held(hold) = &call.answer
                && slots.contains(&hold.slot)
            {
                let first = asked.entry(&hold.booking).or_insert(call.from);
                *first = call.from.min(*first);
            }
        }
        let confirmed = calls
            .iter()
            .filter_map(|call| match (&call.asked, &call.answer) {
                (Asked::Confirm { .. }, Answer::Booked(booking)) => {
                    let asked = asked.get(booking.id.as_str())?;
                    (*asked >= moment).then_some(call.to)
                }
                _ => None,
            });
        let micros = u64::try_from(confirmed.min()? - moment).expect("later");
        Some(Duration::from_micros(micros))
    }

    /// Until so many more were told something, be it to try again.
    pub async fn tells(&self, more: usize) {
        self.comes_to(more, || self.calls.lock().expect("not poisoned").len())
            .await;
    }

    /// Until so many more are confirmed.
    pub async fn serves(&self, more: usize) {
        self.comes_to(more, || self.confirmed.load(Ordering::Relaxed))
            .await;
    }

    /// Until so many have been moved.
    pub async fn moves(&self, count: usize) {
        let is_moved = |call: &&Call| {
            matches!(
                (&call.asked, &call.answer),
                (Asked::Move { .. }, Answer::Booked(_))
            )
        };
        let moved = || {
            let calls = self.calls.lock().expect("not poisoned");
            calls.iter().filter(is_moved).count()
        };
        while moved() < count {
            self.serves(1).await;
        }
    }

    /// Until a count has risen by so many; nobody waits for the next one longer than for an answer.
    async fn comes_to(&self, more: usize, count: impl Fn() -> usize) {
        let (mut seen, mut since) = (count(), Instant::now());
        let end = seen + more;
        loop {
            let now = count();
            if now >= end {
                return;
            }
            if now > seen {
                (seen, since) = (now, Instant::now());
            }
            assert!(
                since.elapsed() < PATIENCE,
                "nobody is served any more: {:?}",
                self.tally()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Somebody who calls one server.
#[derive(Clone)]
pub struct Caller {
    client: BookingServiceClient<Channel>,
    bearer: AsciiMetadataValue,
    log: Arc<Log>,
}

fn sorted(status: &Status) -> Answer {
    let reason = refusal::reason(status);
    let hint = status.get_details_retry_info();
    let after = hint.and_then(|hint| hint.retry_delay).unwrap_or_default();
    match (reason.as_str(), status.code()) {
        ("SLOT_FULL", _) => Answer::Full,
        // The transport's, or nobody's.
        ("", code) => {
            println!("lost: {code:?}, {}", status.message());
            Answer::Lost
        }
        (_, Code::Unavailable | Code::Aborted | Code::Internal | Code::DeadlineExceeded)
        | ("OVERLOADED", _) => Answer::Wait(reason, after),
        _ => Answer::Refused(reason),
    }
}

impl Caller {
    pub fn new(channel: Channel, bearer: AsciiMetadataValue, log: Arc<Log>) -> Self {
        Self {
            client: BookingServiceClient::new(channel),
            bearer,
            log,
        }
    }

    fn by<T>(&self, body: T) -> Request<T> {
        let mut request = Request::new(body);
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.bearer.clone());
        request
    }

    async fn once<T>(
        &self,
        (key, asked): (&str, &Asked),
        answer: impl Future<Output = Result<Response<T>, Status>>,
        read: impl FnOnce(T) -> Answer,
    ) -> Answer {
        let from = self.log.clock.now_us();
        let answer = match tokio::time::timeout(ONE_CALL, answer).await {
            Ok(Ok(response)) => read(response.into_inner()),
            Ok(Err(status)) => sorted(&status),
            Err(_) => {
                println!("lost: no answer within {ONE_CALL:?}");
                Answer::Lost
            }
        };
        self.log.add(Call {
            key: key.to_owned(),
            asked: asked.clone(),
            from,
            to: self.log.clock.now_us(),
            answer: answer.clone(),
        });
        answer
    }

    /// The same request again and again, until somebody says more than "try again".
    async fn answered<F: Future<Output = Answer>>(&self, ask: impl Fn() -> F) -> Answer {
        self.tried(|_| ask()).await
    }

    /// The same; what is asked hears how often it was asked before.
    async fn tried<F: Future<Output = Answer>>(&self, ask: impl Fn(u32) -> F) -> Answer {
        let began = Instant::now();
        let mut pause = Duration::from_millis(10);
        let mut attempts = 0;
        loop {
            let answer = ask(attempts).await;
            attempts += 1;
            let after = match &answer {
                Answer::Wait(_, after) => *after,
                Answer::Lost => Duration::ZERO,
                _ => return answer,
            };
            assert!(
                began.elapsed() < PATIENCE,
                "no answer within {PATIENCE:?}, the last was {answer:?}"
            );
            // As every client should: not before it is told to, longer each time, and not with all others.
            pause = (pause * 2).min(Duration::from_secs(2));
            let pause = pause.max(after).mul_f64(rand::random_range(1.0..2.0));
            tokio::time::sleep(pause).await;
        }
    }

    /// Asks once; who has asked before says so, as gRPC's own retries do.
    async fn hold_once(&self, attempts: u32, (key, slot, applicant): (&str, &str, &str)) -> Answer {
        let asked = Asked::Hold {
            slot: slot.to_owned(),
            applicant: applicant.to_owned(),
        };
        let request = v1::HoldSlotRequest {
            request_id: key.to_owned(),
            ..World::holding(slot, applicant)
        };
        let mut client = self.client.clone();
        let mut request = self.by(request);
        if attempts > 0 {
            let metadata = request.metadata_mut();
            metadata.insert("grpc-previous-rpc-attempts", attempts.into());
        }
        let answer = client.hold_slot(request);
        self.once((key, &asked), answer, |hold| Answer::Held(Box::new(hold)))
            .await
    }

    pub async fn hold(&self, slot: &str, applicant: &str) -> Answer {
        let key = id();
        self.tried(|attempts| self.hold_once(attempts, (&key, slot, applicant)))
            .await
    }

    /// Sends one request twice at the same time, the second time through somebody else.
    pub async fn hold_twice(&self, other: &Self, slot: &str, applicant: &str) -> Answer {
        let key = id();
        let (one, two) = tokio::join!(
            self.tried(|attempts| self.hold_once(attempts, (&key, slot, applicant))),
            other.tried(|attempts| other.hold_once(attempts, (&key, slot, applicant))),
        );
        if matches!(one, Answer::Held(_)) {
            one
        } else {
            two
        }
    }

    pub async fn confirm_once(&self, key: &str, hold: &Hold) -> Answer {
        let asked = Asked::Confirm {
            applicant: hold.applicant.clone(),
        };
        let request = v1::ConfirmBookingRequest {
            request_id: key.to_owned(),
            ..World::confirming(hold)
        };
        let mut client = self.client.clone();
        let answer = client.confirm_booking(self.by(request));
        self.once((key, &asked), answer, booked).await
    }

    pub async fn confirm(&self, hold: &Hold) -> Answer {
        let key = id();
        self.answered(|| self.confirm_once(&key, hold)).await
    }

    pub async fn confirm_twice(&self, other: &Self, hold: &Hold) -> Answer {
        let key = id();
        let (one, two) = tokio::join!(
            self.answered(|| self.confirm_once(&key, hold)),
            other.answered(|| other.confirm_once(&key, hold)),
        );
        // A hold's end is not told while a confirmation that began before it may still be written, which is a second. One that
        // was asked for again when it was over has no end.
        let has_ended = hold.expires_at.is_none_or(|end| {
            let end_us = end.seconds * 1_000_000 + i64::from(end.nanos / 1000);
            self.log.clock.now_us() >= end_us + 1_000_000
        });
        let is_right = match (&one, &two) {
            (Answer::Booked(_), Answer::Booked(_)) => true,
            (Answer::Booked(_), other) | (other, Answer::Booked(_)) => {
                has_ended && *other == Answer::Refused("HOLD_EXPIRED".to_owned())
            }
            _ => true,
        };
        assert!(is_right, "I7: one request, {one:?} and {two:?}");
        if matches!(two, Answer::Booked(_)) {
            two
        } else {
            one
        }
    }

    pub async fn release(&self, hold: &Hold) -> Answer {
        let key = id();
        let asked = Asked::Release {
            booking: hold.booking.clone(),
        };
        let request = v1::ReleaseHoldRequest {
            district: DISTRICT.to_owned(),
            request_id: key.clone(),
            booking: hold.booking.clone(),
            slot: hold.slot.clone(),
            seat: hold.seat,
            epoch: hold.epoch,
            ..v1::ReleaseHoldRequest::default()
        };
        self.answered(|| async {
            let mut client = self.client.clone();
            let answer = client.release_hold(self.by(request.clone()));
            self.once((&key, &asked), answer, |_| Answer::GivenUp).await
        })
        .await
    }

    /// Asks once.
    pub async fn extend(&self, hold: &Hold) -> Answer {
        let request = v1::ExtendHoldRequest {
            district: DISTRICT.to_owned(),
            request_id: id(),
            booking: hold.booking.clone(),
            slot: hold.slot.clone(),
            seat: hold.seat,
            epoch: hold.epoch,
            ..v1::ExtendHoldRequest::default()
        };
        let mut client = self.client.clone();
        match client.extend_hold(self.by(request)).await {
            Ok(longer) => Answer::Held(Box::new(longer.into_inner())),
            Err(status) => sorted(&status),
        }
    }

    pub async fn cancel(&self, booking: &str) -> Answer {
        let key = id();
        let asked = Asked::Cancel {
            booking: booking.to_owned(),
        };
        let request = v1::CancelBookingRequest {
            district: DISTRICT.to_owned(),
            request_id: key.clone(),
            booking: booking.to_owned(),
            reason: CancelReason::Site.into(),
            ..v1::CancelBookingRequest::default()
        };
        self.answered(|| async {
            let mut client = self.client.clone();
            let answer = client.cancel_booking(self.by(request.clone()));
            self.once((&key, &asked), answer, |_| Answer::GivenUp).await
        })
        .await
    }

    pub async fn moved(&self, booking: &Booking, to: &str) -> Answer {
        let key = id();
        let asked = Asked::Move {
            booking: booking.id.clone(),
            applicant: booking.applicant.clone(),
            to: to.to_owned(),
        };
        let request = v1::MoveBookingRequest {
            district: DISTRICT.to_owned(),
            request_id: key.clone(),
            booking: booking.id.clone(),
            slot: to.to_owned(),
            ..v1::MoveBookingRequest::default()
        };
        self.answered(|| async {
            let mut client = self.client.clone();
            let answer = client.move_booking(self.by(request.clone()));
            self.once((&key, &asked), answer, booked).await
        })
        .await
    }

    pub fn client(&self) -> BookingServiceClient<Channel> {
        self.client.clone()
    }

    pub fn request<T>(&self, body: T) -> Request<T> {
        self.by(body)
    }
}

fn booked(change: v1::BookingChange) -> Answer {
    Answer::Booked(Box::new(change.booking.expect("a booking")))
}

pub fn id() -> String {
    Uuid::now_v7().to_string()
}
