//! What a caller hears when directory cannot be asked.

use std::time::Duration;

use bangban_kit::refusal::{Kind, Refusal};
use tonic::{Code, Status};

/// Directory's refusals are ours, and told as they are; its absence is a passing one: DIRECTORY_UNAVAILABLE. A database that
/// directory cannot reach is its absence too, because it is not ours that is away.
#[must_use]
pub fn told(status: Status) -> Status {
    match status.code() {
        Code::Unavailable | Code::Unknown | Code::Cancelled | Code::DeadlineExceeded => {
            Refusal::new(
                Kind::Unavailable,
                "DIRECTORY_UNAVAILABLE",
                "",
                "暂时无法核实人员和服务对象，请稍后重试",
                "staff and applicant cannot be checked at the moment: try again",
            )
            .retry_after(Duration::from_secs(1))
            .into()
        }
        _ => status,
    }
}
