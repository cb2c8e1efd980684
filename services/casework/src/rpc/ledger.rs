//! Streams ledgers as lines of the export format (docs/ledger-format.md), one case at a time, and shows checkpoints.

use std::{collections::VecDeque, pin::Pin, sync::Arc};

use bangban_kit::scope::{Reach, Scope};
use bangban_ledger::{Head, Leaf, PublicKey, START, Writer, key_id};
use bangban_proto::bangban::casework::v1::{
    Case, ExportLedgerRequest, ExportLedgerResponse, GetLedgerKeyRequest, LedgerKey,
    ListCheckpointsRequest, ListCheckpointsResponse, ledger_service_server::LedgerService,
};
use bangban_store::{Error, act};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::{Rpc, case_unknown, taken};
use crate::store::{self, checkpoints};

/// Cases, or checkpoints, that are read at once.
const BATCH: i64 = 100;

/// The service of ledgers.
#[derive(Debug, Clone)]
pub struct Ledgers {
    rpc: Rpc,
    key: Arc<PublicKey>,
}

impl Ledgers {
    /// Works as `rpc` does; checkpoints are signed with the private half of `key`.
    #[must_use]
    pub fn new(rpc: Rpc, key: PublicKey) -> Self {
        Self {
            rpc,
            key: Arc::new(key),
        }
    }
}

#[tonic::async_trait]
impl LedgerService for Ledgers {
    type ExportLedgerStream =
        Pin<Box<dyn futures::Stream<Item = Result<ExportLedgerResponse, Status>> + Send>>;

    async fn list_checkpoints(
        &self,
        request: Request<ListCheckpointsRequest>,
    ) -> Result<Response<ListCheckpointsResponse>, Status> {
        let (caller, _, r) = taken(request);
        self.rpc.store.wait_for(&r.after).await?;
        self.rpc.scope(&caller, &r.district).await?;
        let size = if r.page_size == 0 { 50 } else { r.page_size };
        let limit = i64::from(size) + 1;
        let mut found = checkpoints::list(&self.rpc.store.db, &r.district, r.behind, limit).await?;
        let has_more = found.len() > usize::try_from(size).unwrap_or_default();
        found.truncate(usize::try_from(size).unwrap_or_default());
        Ok(Response::new(ListCheckpointsResponse {
            checkpoints: found.iter().map(checkpoints::Stored::message).collect(),
            has_more,
        }))
    }

    async fn get_ledger_key(
        &self,
        _: Request<GetLedgerKeyRequest>,
    ) -> Result<Response<LedgerKey>, Status> {
        Ok(Response::new(LedgerKey {
            id: key_id(&self.key),
            public_key: self.key.to_vec(),
        }))
    }

    async fn export_ledger(
        &self,
        request: Request<ExportLedgerRequest>,
    ) -> Result<Response<Self::ExportLedgerStream>, Status> {
        let (caller, _, r) = taken(request);
        self.rpc.store.wait_for(&r.after).await?;
        let scope = self.rpc.scope(&caller, &r.district).await?;
        let one = if r.case.is_empty() {
            None
        } else {
            Some(
                store::find(&self.rpc.store, &scope, store::By::Id, &r.case)
                    .await?
                    .ok_or_else(case_unknown)?,
            )
        };
        let head = Head {
            district: r.district.clone(),
            exported_at_us: self.rpc.store.now().await?.us(),
            exporter: caller.subject.clone(),
            case_filter: filter(&scope, one.as_ref()),
        };
        let (send, receive) = mpsc::channel(4);
        let (writer, first) = Writer::new(&head);
        let export = Export {
            rpc: self.rpc.clone(),
            writer,
            district: r.district,
            last: 0,
            leaves: Leaves::default(),
            send,
        };
        tokio::spawn(async move {
            let send = export.send.clone();
            if let Err(error) = export.run(first, &scope, one).await {
                let _ = send.send(Err(error.into())).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receive))))
    }
}

/// Which cases an export holds, when it does not hold all of the district.
fn filter(scope: &Scope, one: Option<&Case>) -> Option<String> {
    if let Some(case) = one {
        return Some(format!("cases/{}", case.id));
    }
    match scope.reach() {
        Reach::Whole => None,
        Reach::Region { prefix, site, .. } if site.is_empty() => Some(format!("regions/{prefix}")),
        Reach::Region { prefix, site, .. } => Some(format!("regions/{prefix} sites/{site}")),
        Reach::Department(department) => Some(format!("departments/{department}")),
        Reach::Case(case) => Some(format!("cases/{case}")),
    }
}

/// An export on its way. Checkpoints that are made meanwhile are not in it.
struct Export {
    rpc: Rpc,
    writer: Writer,
    district: String,
    /// Number of the last checkpoint in it.
    last: u64,
    leaves: Leaves,
    send: mpsc::Sender<Result<ExportLedgerResponse, Status>>,
}

/// Leaves in the order of subjects, a page at a time.
#[derive(Default)]
struct Leaves {
    page: VecDeque<(u64, Leaf)>,
    behind: (String, u64),
    is_over: bool,
}

impl Export {
    async fn run(mut self, first: String, scope: &Scope, one: Option<Case>) -> Result<(), Error> {
        let mut open = self.lines(vec![first]).await;
        open = open && self.checkpoints().await?;
        match one {
            Some(case) => {
                self.proofs(&subject(&case)).await?;
                self.case(&case).await?;
            }
            None => {
                // Who sees a part only would not see the leaves of the rest, and nothing could be compared.
                self.leaves.is_over = *scope.reach() != Reach::Whole;
                let mut last = String::new();
                while open {
                    let cases = store::by_id(&self.rpc.store, scope, &last, BATCH).await?;
                    let Some(end) = cases.last() else { break };
                    last.clone_from(&end.id);
                    for case in &cases {
                        open = open && self.leaves_until(Some(&subject(case))).await?;
                        open = open && self.case(case).await?;
                    }
                }
                self.leaves_until(None).await?;
            }
        }
        let lines = vec![self.writer.end()];
        let _ = self.send.send(Ok(ExportLedgerResponse { lines })).await;
        Ok(())
    }

    async fn checkpoints(&mut self) -> Result<bool, Error> {
        loop {
            let db = &self.rpc.store.db;
            let found = checkpoints::list(db, &self.district, self.last, BATCH).await?;
            let Some(end) = found.last() else {
                return Ok(true);
            };
            self.last = end.checkpoint.number;
            let line = |c: &checkpoints::Stored| {
                (self.writer).checkpoint(&c.checkpoint, &c.hash, &c.key, &c.signature)
            };
            let lines = found.iter().map(line).collect();
            if !self.lines(lines).await {
                return Ok(false);
            }
        }
    }

    /// What checkpoints say of the cases up to this one; of all that are left without one. A case that is gone is named
    /// by its leaves.
    async fn leaves_until(&mut self, until: Option<&str>) -> Result<bool, Error> {
        let mut lines = Vec::new();
        loop {
            if self.leaves.page.is_empty() && !self.leaves.is_over {
                let (db, (subject, number)) = (&self.rpc.store.db, &self.leaves.behind);
                let behind = (subject.as_str(), *number);
                let page = checkpoints::leaves(db, &self.district, behind, None, self.last).await?;
                self.leaves.page = page.into();
            }
            let is_due = |(_, leaf): &mut (u64, Leaf)| until.is_none_or(|u| *leaf.subject <= *u);
            let Some((number, leaf)) = self.leaves.page.pop_front_if(is_due) else {
                self.leaves.is_over |= self.leaves.page.is_empty();
                return Ok(self.lines(lines).await);
            };
            lines.push(self.writer.leaf(number, &leaf, None));
            self.leaves.behind = (leaf.subject, number);
        }
    }

    /// What checkpoints say of one case, each with the audit path to its root.
    async fn proofs(&mut self, subject: &str) -> Result<(), Error> {
        let (db, district) = (&self.rpc.store.db, self.district.as_str());
        let mut behind = 0;
        loop {
            let place = (subject, behind);
            let page = checkpoints::leaves(db, district, place, Some(subject), self.last).await?;
            if page.is_empty() {
                return Ok(());
            }
            let mut lines = Vec::new();
            for (number, leaf) in page {
                let index = checkpoints::index(db, district, number, subject).await?;
                let tree = checkpoints::tree(db, district, number, Some(index)).await?;
                let (_, path) = tree.root_and_path();
                lines.push(self.writer.leaf(number, &leaf, Some((index, &path))));
                behind = number;
            }
            self.lines(lines).await;
        }
    }

    /// It writes what is there: a case whose acts are gone is shown without them.
    async fn case(&mut self, case: &Case) -> Result<bool, Error> {
        let subject = subject(case);
        let acts = act::Entity::find()
            .filter(act::Column::District.eq(&case.district))
            .filter(act::Column::Subject.eq(&subject))
            .order_by_asc(act::Column::Number)
            .all(&self.rpc.store.db)
            .await?;
        let head = acts.last().map_or(START, |last| act::hash(&last.hash));
        let (count, receipt) = (acts.len() as u64, Some(case.receipt.as_str()));
        let mut lines = vec![self.writer.case(&subject, receipt, count, &head)];
        for act in &acts {
            let (hash, previous) = (act::hash(&act.hash), act::hash(&act.previous_hash));
            let text = Some(act.kind.as_str());
            lines.push(self.writer.act(act.entry(), &hash, &previous, text));
        }
        Ok(self.lines(lines).await)
    }

    async fn lines(&self, lines: Vec<String>) -> bool {
        let answer = ExportLedgerResponse { lines };
        self.send.send(Ok(answer)).await.is_ok()
    }
}

fn subject(case: &Case) -> String {
    format!("cases/{}", case.id)
}
