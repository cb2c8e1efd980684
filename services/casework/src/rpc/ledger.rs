//! Streams ledgers as lines of the export format (docs/ledger-format.md), one case at a time.

use std::pin::Pin;

use bangban_kit::{refusal::Refusal, scope::Scope};
use bangban_ledger::{Head, Writer};
use bangban_proto::bangban::casework::v1::{
    Case, ExportLedgerRequest, ExportLedgerResponse, ledger_service_server::LedgerService,
};
use bangban_store::{Error, act};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::{Rpc, case_unknown, taken};
use crate::store;

type Lines = mpsc::Sender<Result<ExportLedgerResponse, Status>>;

#[tonic::async_trait]
impl LedgerService for Rpc {
    type ExportLedgerStream =
        Pin<Box<dyn futures::Stream<Item = Result<ExportLedgerResponse, Status>> + Send>>;

    async fn export_ledger(
        &self,
        request: Request<ExportLedgerRequest>,
    ) -> Result<Response<Self::ExportLedgerStream>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let scope = self.scope(&caller, &r.district).await?;
        let one = if r.case.is_empty() {
            None
        } else {
            Some(
                store::find(&self.store, &scope, "id", &r.case)
                    .await?
                    .ok_or_else(case_unknown)?,
            )
        };
        let head = Head {
            district: r.district.clone(),
            exported_at_us: self.store.now().await?.us(),
            exporter: caller.subject.clone(),
            case_filter: one.as_ref().map(|case| format!("cases/{}", case.id)),
        };
        let (send, receive) = mpsc::channel(4);
        let rpc = self.clone();
        tokio::spawn(async move {
            if let Err(error) = rpc.export(&scope, head, one, &send).await {
                let _ = send.send(Err(error.into())).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receive))))
    }
}

impl Rpc {
    async fn export(
        &self,
        scope: &Scope,
        head: Head,
        one: Option<Case>,
        send: &Lines,
    ) -> Result<(), Error> {
        let (mut writer, line) = Writer::new(&head);
        let mut open = send_lines(send, vec![line]).await;
        match one {
            Some(case) => {
                self.export_case(&mut writer, &case, send).await?;
            }
            None => {
                let mut last = String::new();
                while open {
                    let cases = store::by_id(&self.store, scope, &last, 100).await?;
                    let Some(end) = cases.last() else { break };
                    last.clone_from(&end.id);
                    for case in &cases {
                        open = open && self.export_case(&mut writer, case, send).await?;
                    }
                }
            }
        }
        send_lines(send, vec![writer.end()]).await;
        Ok(())
    }

    async fn export_case(
        &self,
        writer: &mut Writer,
        case: &Case,
        send: &Lines,
    ) -> Result<bool, Error> {
        let subject = format!("cases/{}", case.id);
        let acts = act::Entity::find()
            .filter(act::Column::District.eq(&case.district))
            .filter(act::Column::Subject.eq(&subject))
            .order_by_asc(act::Column::Number)
            .all(&self.store.db)
            .await?;
        let last = acts
            .last()
            .ok_or_else(|| Refusal::internal("a case without acts"))?;
        let count = acts.len() as u64;
        let mut lines =
            vec![writer.case(&subject, Some(&case.receipt), count, &act::hash(&last.hash))];
        for act in &acts {
            let (hash, previous) = (act::hash(&act.hash), act::hash(&act.previous_hash));
            lines.push(writer.act(act.entry(), &hash, &previous, Some(&act.kind)));
        }
        Ok(send_lines(send, lines).await)
    }
}

async fn send_lines(send: &Lines, lines: Vec<String>) -> bool {
    send.send(Ok(ExportLedgerResponse { lines })).await.is_ok()
}
