//! Whether a member of staff may be given a matter: directory is asked, because that must be right at once (BB-5.2).

use std::time::Duration;

use bangban_kit::{
    access::Deadline,
    identity::Caller,
    refusal::{Kind, Refusal},
};
use bangban_net::peer::Peer;
use bangban_proto::bangban::directory::v1::{
    CheckAssignmentRequest, CheckAssignmentResponse, staff_service_client::StaffServiceClient,
};
use tonic::{Code, Status};

/// Asks directory.
///
/// # Errors
/// Directory's refusals; DIRECTORY_UNAVAILABLE when it cannot be asked.
pub async fn check(
    directory: &Peer,
    caller: &Caller,
    deadline: Option<Deadline>,
    request: CheckAssignmentRequest,
) -> Result<CheckAssignmentResponse, Status> {
    let request = directory.request(caller, deadline, request)?;
    let answered = StaffServiceClient::new(directory.channel.clone())
        .check_assignment(request)
        .await;
    match answered {
        Ok(answer) => Ok(answer.into_inner()),
        // Directory's refusals are ours; its absence is a passing one.
        Err(status)
            if matches!(
                status.code(),
                Code::Unavailable | Code::Unknown | Code::Cancelled
            ) =>
        {
            Err(Refusal::new(
                Kind::Unavailable,
                "DIRECTORY_UNAVAILABLE",
                "",
                "暂时无法核实人员和服务对象，请稍后重试",
                "staff and applicant cannot be checked at the moment: try again",
            )
            .retry_after(Duration::from_secs(1))
            .into())
        }
        Err(status) => Err(status),
    }
}
