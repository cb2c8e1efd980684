//! What runs without being asked: taking the checkpoints from casework's feed (BX-6).

use std::time::Duration;

use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_ledger::PublicKey;
use bangban_net::peer::Peer;
use bangban_proto::bangban::{
    casework::v1::{
        GetLedgerKeyRequest, LedgerAct, ledger_act::Act as Told,
        ledger_service_client::LedgerServiceClient,
    },
    events::v1::Act,
};
use bangban_store::{Error, Store, clock, consume};
use prost::Message as _;
use sea_orm::DatabaseTransaction;
use tokio_util::sync::CancellationToken;

use crate::{domain::checkpoint::finding, store::kept};

/// The log that checkpoints are taken from.
pub const LOG: &str = "casework";

/// The kind of act that carries one.
const CHECKPOINT_MADE: &str = "ledger.checkpoint_made";

/// Between two tries to learn the key.
const PAUSE: Duration = Duration::from_secs(1);

/// Learns the key, then takes checkpoints until `stop`.
pub async fn keep(store: Store, casework: Peer, stop: CancellationToken) {
    while let Err(error) = learn_key(&store, &casework).await {
        tracing::debug!(%error, "the ledger's key cannot be learned yet");
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
    let effects = FromCasework {
        store: store.clone(),
    };
    consume::run(store, casework, LOG, effects, stop).await;
}

/// Asks casework for its key, unless one was seen: the first stays, so that nobody puts another in its place unnoticed.
///
/// # Errors
/// When casework cannot be asked; the database's.
pub async fn learn_key(store: &Store, casework: &Peer) -> Result<(), Error> {
    if kept::key(&store.db, LOG).await?.is_some() {
        return Ok(());
    }
    let caller = Caller::system(store.service);
    let request = casework.request(&caller, None, GetLedgerKeyRequest {})?;
    let answer = LedgerServiceClient::new(casework.channel.clone())
        .get_ledger_key(request)
        .await
        .map_err(Refusal::internal)?;
    let key = PublicKey::try_from(answer.into_inner().public_key.as_slice())
        .map_err(Refusal::internal)?;
    kept::see_key(&store.db, LOG, &key, store.now().await?).await
}

/// Takes checkpoints in.
#[derive(Debug, Clone)]
pub struct FromCasework {
    /// This service's store.
    pub store: Store,
}

#[async_trait::async_trait]
impl consume::Effects for FromCasework {
    async fn take(&self, db: &DatabaseTransaction, act: &Act) -> Result<(), Error> {
        if act.r#type != CHECKPOINT_MADE {
            return Ok(());
        }
        let Ok(LedgerAct {
            act: Some(Told::CheckpointMade(made)),
        }) = LedgerAct::decode(act.payload.as_slice())
        else {
            return Ok(());
        };
        let checkpoint = made.checkpoint.unwrap_or_default();
        let before = kept::before(db, LOG, &act.district, checkpoint.number).await?;
        // The log is read from its beginning again when it has another incarnation.
        if before
            .same_number
            .is_some_and(|kept| kept == *checkpoint.hash)
        {
            return Ok(());
        }
        let wrong = finding(&checkpoint, &act.district, &before);
        if !wrong.is_empty() {
            let (district, number) = (&act.district, checkpoint.number);
            tracing::warn!(%district, number, %wrong, "a checkpoint is not sound");
        }
        let now = clock::now(db, self.store.backend).await?;
        kept::keep(db, &act.district, &checkpoint, &wrong, now).await
    }

    /// What is kept is kept against just that: a log that begins anew.
    async fn forget(&self, _: &DatabaseTransaction) -> Result<(), Error> {
        Ok(())
    }
}
