//! Whether a member of staff may be given a matter: directory is asked, because that must be right at once (BB-5.2).

use bangban_kit::{access::Deadline, identity::Caller};
use bangban_net::peer::Peer;
use bangban_proto::bangban::directory::v1::{
    CheckAssignmentRequest, CheckAssignmentResponse, staff_service_client::StaffServiceClient,
};
use tonic::Status;

use crate::absence;

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
    answered
        .map(tonic::Response::into_inner)
        .map_err(|status| absence::told(status, deadline))
}
