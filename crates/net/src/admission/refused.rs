//! What those are told who are not taken in.

use std::time::Duration;

use bangban_kit::refusal::{Kind, Refusal};

/// Come again after `pause` to twice that: not all at the same moment.
pub(super) fn overloaded(pause: Duration) -> Refusal {
    Refusal::new(
        Kind::Exhausted,
        "OVERLOADED",
        "",
        "系统繁忙，请求未受理，请稍后用同一请求号重试",
        "more is asked than can be answered in time, and nothing was done: try again later with the same request id",
    )
    .retry_after(pause.mul_f64(1.0 + rand::random::<f64>()))
}
