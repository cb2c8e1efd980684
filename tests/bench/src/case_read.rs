//! `case_read_rate`: cases read by receipt number in a second, over TLS from services that are processes of their own, by
//! clients that each read one after the other; beside the gRPC reference, which is an authenticated call that answers
//! nothing, of the same server around it, over the same TLS.

use std::time::Duration;

use bangban::{
    cli::Service,
    client::{Client, answered},
    failure::Failure,
    sample::operator,
};
use bangban_kit::config::Config;
use bangban_proto::bangban::casework::v1::GetCaseByReceiptRequest;

use crate::{
    agent::Agent,
    empty::{Around, By, Caller, Process},
    figure::{Figure, Goal, median},
    note, services,
    turn::{Work, turn},
    world::DISTRICTS,
};

/// Cases that each client reads in turn.
const CASES: usize = 20;

/// Turns of each, alternating.
const ROUNDS: usize = 5;

/// Length of a turn.
const TURN: Duration = Duration::from_secs(8);

/// Length of the turns before, which do not count.
const WARM_UP: Duration = Duration::from_secs(3);

/// Part of the reference that must be reached.
const GOAL: f64 = 1.0 / 3.0;

const NAME: &str = "case_read_rate";

/// Reads cases by their receipts.
struct Reader {
    agent: Agent,
    receipts: Vec<String>,
    read: usize,
}

impl Work for Reader {
    async fn once(&mut self) -> Result<(), Failure> {
        let receipt = &self.receipts[self.read % self.receipts.len()];
        self.read += 1;
        let request = self.agent.client.request(GetCaseByReceiptRequest {
            district: self.agent.district.clone(),
            receipt: receipt.clone(),
            ..GetCaseByReceiptRequest::default()
        });
        let answer = self.agent.cases.get_case_by_receipt(request).await;
        let case = answered("a case cannot be read", answer)?;
        if case.receipt == *receipt {
            return Ok(());
        }
        Err(Failure::new("another case was answered; report this"))
    }
}

/// Measures.
pub async fn measure() -> Result<Vec<Figure>, Failure> {
    let (cluster, world) = services::with_districts(DISTRICTS).await?;
    let mut readers = Vec::new();
    for mut agent in world.agents {
        let mut receipts = Vec::new();
        for _ in 0..CASES {
            receipts.push(agent.open("").await?.receipt);
        }
        readers.push(Reader {
            agent,
            receipts,
            read: 0,
        });
    }
    let file = cluster.plan.file_of(Service::Supervision);
    let empty = Process::start(Around::Ours, By::File(&file)).await?;
    let token = cluster.token(&operator());
    let mut callers = Vec::new();
    for _ in &readers {
        let client = to(&cluster.plan.config, &empty)?.with(&token)?;
        callers.push(Caller::over(&client, client.channel()));
    }
    turn(&mut readers, WARM_UP).await?;
    turn(&mut callers, WARM_UP).await?;
    let (mut ours, mut references) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let read = turn(&mut readers, TURN).await?;
        let called = turn(&mut callers, TURN).await?;
        note(format!(
            "{NAME}: round {round} of {ROUNDS}: {:.0} a second, half within {:.1} ms, 99 of 100 within {:.1} ms, \
             reference {:.0}",
            read.rate, read.middle, read.most, called.rate
        ));
        ours.push(read.rate);
        references.push(called.rate);
    }
    cluster.end().await;
    Ok(vec![Figure {
        name: NAME.to_owned(),
        value: median(&ours).unwrap_or(f64::NAN),
        unit: "per_second",
        reference: median(&references),
        goal: Goal::RatioFrom(GOAL),
    }])
}

/// Calls the empty service where supervision would be, on a connection of its own.
fn to(config: &Config, empty: &Process) -> Result<Client, Failure> {
    let mut config = config.clone();
    let name = Service::Supervision.name().to_owned();
    config.peers = [(name, format!("https://{}", empty.address))].into();
    Client::connect(&config, None)
}
