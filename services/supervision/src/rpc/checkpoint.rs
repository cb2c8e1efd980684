//! Kept checkpoints, and the comparison with what casework shows (BX-6).

use bangban_kit::{access::Deadline, identity::Caller, scope::Scope};
use bangban_proto::bangban::{
    casework::v1::{
        Checkpoint, ListCheckpointsRequest, ledger_service_client::LedgerServiceClient,
    },
    supervision::v1::{
        CompareCheckpointsRequest, CompareCheckpointsResponse, KeptCheckpoint,
        ListKeptCheckpointsRequest, ListKeptCheckpointsResponse,
        checkpoint_service_server::CheckpointService,
    },
};
use bangban_store::Error;
use tonic::{Request, Response, Status};

use super::{Rpc, taken};
use crate::{domain::checkpoint::compare, store::kept};

/// Checkpoints that are asked for at once: more than a year of a district.
const PAGE: i32 = 500;

#[tonic::async_trait]
impl CheckpointService for Rpc {
    async fn list_kept_checkpoints(
        &self,
        request: Request<ListKeptCheckpointsRequest>,
    ) -> Result<Response<ListKeptCheckpointsResponse>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let scope = self.scope(&caller, &r.district).await?;
        let size = if r.page_size == 0 { 50 } else { r.page_size };
        let checkpoints = kept::list(&self.store.db, &scope, r.behind, size.into()).await?;
        let last = checkpoints.last().map_or(r.behind, number);
        let more = kept::list(&self.store.db, &scope, last, 1).await?;
        Ok(Response::new(ListKeptCheckpointsResponse {
            checkpoints,
            has_more: !more.is_empty(),
        }))
    }

    async fn compare_checkpoints(
        &self,
        request: Request<CompareCheckpointsRequest>,
    ) -> Result<Response<CompareCheckpointsResponse>, Status> {
        let (caller, deadline, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let scope = self.scope(&caller, &r.district).await?;
        let mut ours = self.all_kept(&scope).await?;
        // The first of a number is the sound one, or the one that came first.
        ours.dedup_by_key(|c| c.number);
        let theirs = self.all_shown(&caller, deadline, &r.district).await?;
        let (same_count, differences) = compare(&ours, &theirs);
        Ok(Response::new(CompareCheckpointsResponse {
            same_count,
            differences,
        }))
    }
}

fn number(kept: &KeptCheckpoint) -> u64 {
    kept.checkpoint.as_ref().map_or(0, |c| c.number)
}

impl Rpc {
    async fn all_kept(&self, scope: &Scope) -> Result<Vec<Checkpoint>, Error> {
        let mut all: Vec<Checkpoint> = Vec::new();
        loop {
            let behind = all.last().map_or(0, |c| c.number);
            let page = kept::list(&self.store.db, scope, behind, PAGE.into()).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page.into_iter().filter_map(|kept| kept.checkpoint));
        }
    }

    async fn all_shown(
        &self,
        caller: &Caller,
        deadline: Option<Deadline>,
        district: &str,
    ) -> Result<Vec<Checkpoint>, Status> {
        let mut all: Vec<Checkpoint> = Vec::new();
        let mut client = LedgerServiceClient::new(self.casework.channel.clone());
        loop {
            let behind = all.last().map_or(0, |c| c.number);
            let request = ListCheckpointsRequest {
                district: district.to_owned(),
                behind,
                page_size: PAGE,
                ..ListCheckpointsRequest::default()
            };
            let request = self.casework.request(caller, deadline, request)?;
            let page = client.list_checkpoints(request).await?.into_inner();
            // A number that does not rise would be asked for for ever.
            let is_over = page.checkpoints.iter().all(|c| c.number <= behind) || !page.has_more;
            all.extend(page.checkpoints);
            if is_over {
                return Ok(all);
            }
        }
    }
}
