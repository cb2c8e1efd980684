//! An agent who opens cases, one after the other.

use bangban::{
    client::{Channel as Connection, Client, answered},
    failure::Failure,
};
use bangban_proto::bangban::{
    casework::v1::{Case, CaseKind, OpenCaseRequest, case_service_client::CaseServiceClient},
    types::v1::Channel,
};

use crate::{
    turn::Work,
    world::{ITEM, SITE, request_id},
};

/// The agent.
pub struct Agent {
    /// Bears the token.
    pub client: Client,
    /// The service, on a connection of the agent's own.
    pub cases: CaseServiceClient<Connection>,
    /// The district.
    pub district: String,
    /// Who comes.
    pub applicants: Vec<String>,
    /// Cases that were opened.
    pub opened: usize,
}

impl Agent {
    /// The request that opens the next case, to be filed through this mode.
    pub fn opening(&mut self, mode: Channel) -> OpenCaseRequest {
        let applicant = self.applicants[self.opened % self.applicants.len()].clone();
        self.opened += 1;
        OpenCaseRequest {
            district: self.district.clone(),
            request_id: request_id(),
            applicant,
            item: ITEM.to_owned(),
            site: SITE.to_owned(),
            channel: Channel::Window.into(),
            mode: mode.into(),
            kind: CaseKind::Assist.into(),
            ..OpenCaseRequest::default()
        }
    }

    /// Opens a case once casework has seen a position.
    pub async fn open(&mut self, after: &str) -> Result<Case, Failure> {
        let request = OpenCaseRequest {
            after: after.to_owned(),
            ..self.opening(Channel::Online)
        };
        let answer = self.cases.open_case(self.client.request(request)).await;
        let change = answered("a case cannot be opened", answer)?;
        Ok(change.case.unwrap_or_default())
    }
}

impl Work for Agent {
    async fn once(&mut self) -> Result<(), Failure> {
        self.open("").await.map(|_| ())
    }
}
