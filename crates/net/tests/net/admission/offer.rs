//! Calls to the model, one by one and as a load that does not wait for answers.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bangban_kit::refusal::reason;
use bangban_proto::bangban::{
    casework::v1::{
        ExportLedgerRequest, ExportLedgerResponse, GetCaseRequest, OpenCaseRequest,
        case_service_client::CaseServiceClient, ledger_service_client::LedgerServiceClient,
    },
    events::v1::{TailRequest, TailResponse, event_feed_client::EventFeedClient},
};
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};
use tonic::{Request, Status, Streaming, metadata::MetadataMap, transport::Channel};

use super::model::Model;

/// Who asks, over a connection of its own.
#[derive(Clone)]
pub struct Asker {
    channel: Channel,
    bearer: String,
    pub deadline: Duration,
}

#[derive(Clone, Copy)]
pub enum What {
    Read,
    Open,
    Export,
}

impl Asker {
    pub async fn new(model: &Model, bearer: String) -> Self {
        let address = format!("http://{}", model.address);
        let endpoint = tonic::transport::Endpoint::from_shared(address).unwrap();
        Self {
            channel: endpoint.connect().await.unwrap(),
            bearer,
            deadline: Duration::from_secs(60),
        }
    }

    pub fn within(&self, deadline: Duration) -> Self {
        Self {
            deadline,
            ..self.clone()
        }
    }

    fn bearing<T>(&self, body: T) -> Request<T> {
        let mut request = Request::new(body);
        let bearer = self.bearer.parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
        request
    }

    fn cases(&self) -> CaseServiceClient<Channel> {
        CaseServiceClient::new(self.channel.clone())
    }

    fn ledgers(&self) -> LedgerServiceClient<Channel> {
        LedgerServiceClient::new(self.channel.clone())
    }

    /// Asks; how long the call had a slot.
    pub async fn ask(&self, what: What) -> Result<Duration, Status> {
        let headers = match what {
            What::Read => {
                let mut request = self.bearing(GetCaseRequest::default());
                request.set_timeout(self.deadline);
                let answer = self.cases().get_case(request).await?;
                answer.metadata().clone()
            }
            What::Open => {
                let mut request = self.bearing(OpenCaseRequest::default());
                request.set_timeout(self.deadline);
                let answer = self.cases().open_case(request).await?;
                answer.metadata().clone()
            }
            What::Export => {
                let mut request = self.bearing(ExportLedgerRequest::default());
                request.set_timeout(self.deadline);
                let answer = self.ledgers().export_ledger(request).await?;
                let headers = answer.metadata().clone();
                let mut stream = answer.into_inner();
                while stream.message().await?.is_some() {}
                headers
            }
        };
        Ok(worked(&headers))
    }

    /// An export that stays open once it has sent something.
    pub async fn open_export(&self) -> Result<Streaming<ExportLedgerResponse>, Status> {
        let mut request = self.bearing(ExportLedgerRequest::default());
        request
            .metadata_mut()
            .insert("x-open", "1".parse().unwrap());
        let mut stream = self.ledgers().export_ledger(request).await?.into_inner();
        stream.message().await?;
        Ok(stream)
    }

    /// A feed, once it has sent something.
    pub async fn feed(&self) -> Result<Streaming<TailResponse>, Status> {
        let mut client = EventFeedClient::new(self.channel.clone());
        let request = self.bearing(TailRequest::default());
        let mut stream = client.tail(request).await?.into_inner();
        stream.message().await?;
        Ok(stream)
    }

    /// How long so many messages of a feed take that are ready at once.
    pub async fn feed_of(&self, messages: usize) -> Duration {
        let from = Instant::now();
        let mut client = EventFeedClient::new(self.channel.clone());
        let request = many(self.bearing(TailRequest::default()), messages);
        let read = read(client.tail(request).await.unwrap()).await;
        assert_eq!(read, messages);
        from.elapsed()
    }

    /// The same of an export.
    pub async fn export_of(&self, messages: usize) -> Duration {
        let from = Instant::now();
        let request = many(self.bearing(ExportLedgerRequest::default()), messages);
        let read = read(self.ledgers().export_ledger(request).await.unwrap()).await;
        assert_eq!(read, messages);
        from.elapsed()
    }
}

fn many<T>(mut request: Request<T>, messages: usize) -> Request<T> {
    let messages = messages.to_string().parse().unwrap();
    request.metadata_mut().insert("x-messages", messages);
    request
}

/// How many messages come until the end.
async fn read<T>(answer: tonic::Response<Streaming<T>>) -> usize {
    let mut stream = answer.into_inner();
    let mut read = 0;
    while stream.message().await.unwrap().is_some() {
        read += 1;
    }
    read
}

fn worked(headers: &MetadataMap) -> Duration {
    let text = headers.get("x-worked-micros").unwrap().to_str().unwrap();
    Duration::from_micros(text.parse().unwrap())
}

/// Between two looks at how many calls are due.
const TICK: Duration = Duration::from_millis(5);

/// What became of a load.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub asked: u64,
    pub answered: u64,
    /// OVERLOADED.
    pub refused: u64,
    /// Everything else.
    pub failed: Vec<String>,
    /// Slot time of what was answered.
    pub worked: Duration,
}

impl Tally {
    /// What was answered, of what was asked.
    pub fn share(&self) -> f64 {
        self.answered as f64 / self.asked as f64
    }
}

/// Asks so many times a second, whether answers come or not. When the machine was busy elsewhere, what was missed is not made
/// up for: that would be another load.
pub async fn offer(asker: Asker, what: What, per_second: u32, lasting: Duration) -> Tally {
    let tally = Arc::new(Mutex::new(Tally::default()));
    let mut calls = JoinSet::new();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let end = Instant::now() + lasting;
    let mut due = 0.0;
    while ticks.tick().await < end {
        due += TICK.as_secs_f64() * f64::from(per_second);
        while due >= 1.0 {
            due -= 1.0;
            tally.lock().unwrap().asked += 1;
            calls.spawn(asked(asker.clone(), what, tally.clone()));
        }
        while calls.try_join_next().is_some() {}
    }
    calls.join_all().await;
    let tally = tally.lock().unwrap();
    tally.clone()
}

async fn asked(asker: Asker, what: What, tally: Arc<Mutex<Tally>>) {
    let answer = asker.ask(what).await;
    let mut tally = tally.lock().unwrap();
    match answer {
        Ok(worked) => {
            tally.answered += 1;
            tally.worked += worked;
        }
        Err(status) if reason(&status) == "OVERLOADED" => tally.refused += 1,
        Err(status) => {
            let said = format!("{:?}: {}", status.code(), status.message());
            tally.failed.push(said);
        }
    }
}
