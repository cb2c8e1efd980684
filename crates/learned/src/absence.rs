//! What a caller hears when directory cannot be asked.

use std::time::Duration;

use bangban_kit::{
    access::{Deadline, too_late},
    refusal::{Kind, Refusal},
};
use tonic::{Code, Status};

/// Directory's refusals are ours, and told as they are, but those that pass: like its absence they are DIRECTORY_UNAVAILABLE,
/// because it is not our database that is away, nor are we overloaded. Whose own time is over hears DEADLINE_EXCEEDED.
#[must_use]
pub fn told(status: Status, deadline: Option<Deadline>) -> Status {
    match status.code() {
        Code::DeadlineExceeded if deadline.is_some_and(|it| it.left().is_zero()) => {
            too_late().into()
        }
        Code::Unavailable | Code::Unknown | Code::Cancelled | Code::DeadlineExceeded => {
            Refusal::new(
                Kind::Unavailable,
                "DIRECTORY_UNAVAILABLE",
                "",
                "目录服务暂时不可用，请稍后重试",
                "the directory cannot be reached at the moment: try again",
            )
            .retry_after(Duration::from_secs(1))
            .into()
        }
        _ => status,
    }
}
