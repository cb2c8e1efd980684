//! One call over the network: its time, and its attempts.

use std::time::Duration;

use http::{Request, Response, request};
use tokio::time::Instant;
use tonic::{Status, body::Body};

use super::{
    Core,
    answer::{Again, Unanswered},
    backoff,
    body::{self, Whole},
    counts::count,
    declared::{Declared, Shape},
    endpoints::Address,
    payload::Payload,
    set::Picked,
    timeout,
};

/// A call on its way.
pub(super) struct Call<'a> {
    pub(super) core: &'a Core,
    pub(super) declared: Declared,
    pub(super) parts: request::Parts,
    pub(super) payload: Payload,
    pub(super) until: Instant,
    /// Whether the caller set the deadline: then it bounds a stream's body too, and the server is told.
    pub(super) is_bounded: bool,
    /// Attempts so far.
    pub(super) sent: u32,
    /// The endpoint that failed last.
    pub(super) avoid: Option<Address>,
}

/// Makes the call.
pub(super) async fn make(core: &Core, request: Request<Body>) -> Result<Response<Body>, Status> {
    count(&core.counters.calls);
    let settings = &core.settings;
    let (parts, body) = request.into_parts();
    let declared = (settings.declared)(parts.uri.path());
    let asked = timeout::read(&parts.headers);
    let until = Instant::now() + asked.unwrap_or(settings.deadline);
    let payload = if declared.shape == Shape::Any {
        Payload::Through(Whole::default(), body)
    } else {
        match body::read(body, settings.replay_limit).await? {
            (whole, None) => Payload::Whole(whole),
            (whole, Some(rest)) => Payload::Through(whole, rest),
        }
    };
    let call = Call {
        core,
        is_bounded: asked.is_some() || declared.shape == Shape::Unary,
        declared,
        parts,
        payload,
        until,
        sent: 0,
        avoid: None,
    };
    call.run().await
}

impl Call<'_> {
    async fn run(mut self) -> Result<Response<Body>, Status> {
        let mut was_unsent = false;
        loop {
            let picked = self.pick().await?;
            let unanswered = match self.attempt(&picked).await {
                Ok(response) => return Ok(response),
                Err(unanswered) => unanswered,
            };
            self.avoid = Some(picked.0.address.clone());
            drop(picked);
            // The first time that a call never left is nobody's failure: a connection that ended a moment ago
            // (gRFC A6, "Transparent Retries").
            let is_free = unanswered.again == Again::Unsent && !was_unsent;
            was_unsent |= is_free;
            let pause = if is_free {
                Duration::ZERO
            } else {
                match self.pause(&unanswered) {
                    Some(pause) => pause,
                    None => return unanswered.status.into_result(),
                }
            };
            if matches!(self.payload, Payload::Spent)
                || self.sent >= self.core.settings.attempts
                || Instant::now() + pause >= self.until
            {
                return unanswered.status.into_result();
            }
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            count(&self.core.counters.retries);
            bangban_telemetry::client::retried(self.sent);
        }
    }

    /// How long to wait before it is sent again; nothing when it is not.
    fn pause(&self, unanswered: &Unanswered) -> Option<Duration> {
        if unanswered.again == Again::No {
            return None;
        }
        self.core.budget.failed();
        if !self.core.budget.allows() {
            count(&self.core.counters.refused_by_budget);
            return None;
        }
        Some(
            unanswered
                .pushback
                .unwrap_or_else(|| backoff::pause(self.sent)),
        )
    }

    // Not `&self`: a body that passes through cannot be shared between threads.
    async fn pick(&mut self) -> Result<Picked, Status> {
        let settings = &self.core.settings;
        let left = self.until.saturating_duration_since(Instant::now());
        let wait = left.min(settings.wait_for_endpoint);
        let picked = self.core.set.pick(self.avoid.as_ref(), wait).await;
        picked.ok_or_else(|| {
            Status::unavailable(format!(
                "no endpoint of {0} serves: start {0}, or check its addresses in `peers`; then try again",
                settings.service
            ))
        })
    }

    /// By when this attempt has to be answered: earlier than the call when there is somewhere else to go.
    pub(super) fn bound(&self, picked: &Picked) -> Instant {
        let settings = &self.core.settings;
        let may_repeat = self.declared.is_repeatable
            && matches!(self.payload, Payload::Whole(_))
            && self.sent + 1 < settings.attempts
            && self.core.budget.allows()
            && self.core.set.has_other(&picked.0.address);
        if may_repeat {
            let attempt = settings.attempt.saturating_mul(1 << self.sent.min(8));
            self.until.min(Instant::now() + attempt)
        } else {
            self.until
        }
    }
}
