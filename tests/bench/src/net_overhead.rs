//! `net_overhead`: what `crates/net` adds to an empty call, on both sides of it, beside tonic's own channel and server: in
//! microseconds of processor time, which other work on the machine does not change. Where processors are what limits a
//! rate, the part of a call's time that it is, is the part of the rate that it costs.

use std::time::Duration;

use bangban::{client::Client, failure::Failure, sample::operator, token::Signer};
use bangban_net::client::{Channel, Endpoints, Settings, Tcp};
use tonic::{body::Body, client::GrpcService, transport::Endpoint};

use crate::{
    empty::{Around, By, Caller, Process},
    figure::{Figure, Goal, median},
    note,
    server::{Installation, own},
    turn::{Work, turn},
};

/// Clients, which share a channel.
const CLIENTS: usize = 32;

/// Turns of each, alternating.
const ROUNDS: usize = 5;

/// Length of a turn.
const TURN: Duration = Duration::from_secs(5);

/// Part of a call's time that it may be.
const GOAL: f64 = 0.2;

const NAME: &str = "net_overhead";

/// Measures.
pub async fn measure() -> Result<Vec<Figure>, Failure> {
    let installation = Installation::new("sqlite")?;
    let config = &installation.config;
    let token = Signer::open(config)?.token(&operator(), 1)?;
    let client = Client::connect(config, Some("http://127.0.0.1:1"))?.with(&token)?;
    let folder = || By::Folder(&config.data);
    let ours = Process::start(Around::Ours, folder()).await?;
    let tonics = Process::start(Around::Tonics, folder()).await?;

    let endpoints = Endpoints::parse(&format!("http://{}", ours.address), false)
        .map_err(|e| Failure::new(e.to_string()))?;
    let channel = Channel::balanced(endpoints, Tcp, Settings::of("supervision"));
    let mut over_ours = callers(&client, &channel);
    let channel = Endpoint::from_shared(format!("http://{}", tonics.address))
        .map_err(|e| Failure::of("an address", &e))?
        .tcp_nodelay(true)
        .connect()
        .await
        .map_err(|e| Failure::of("the empty service cannot be reached", &e))?;
    let mut over_tonics = callers(&client, &channel);

    let (mut with, mut without) = (Vec::new(), Vec::new());
    // The first round warms up.
    for round in 0..=ROUNDS {
        let tonics = cost(&mut over_tonics, &tonics).await?;
        let ours = cost(&mut over_ours, &ours).await?;
        note(format!(
            "{NAME}: round {round} of {ROUNDS}: {:.1} us a call and {:.0} a second, without {:.1} us and {:.0} a second",
            ours.0, ours.1, tonics.0, tonics.1
        ));
        if round > 0 {
            with.push(ours.0);
            without.push(tonics.0);
        }
    }
    let with = median(&with).unwrap_or(f64::NAN);
    let without = median(&without).unwrap_or(f64::NAN);
    Ok(vec![Figure {
        name: NAME.to_owned(),
        value: with - without,
        unit: "us",
        reference: Some(with),
        goal: Goal::RatioBelow(GOAL),
    }])
}

fn callers<C>(client: &Client, channel: &C) -> Vec<Caller<C>>
where
    C: GrpcService<Body, ResponseBody = Body> + Clone,
    C::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let caller = |_| Caller::over(client, channel.clone());
    (0..CLIENTS).map(caller).collect()
}

/// Microseconds of processor time of a call, of both processes, and calls in a second.
async fn cost<W: Work>(callers: &mut Vec<W>, server: &Process) -> Result<(f64, f64), Failure> {
    let before = own() + server.processor();
    let turn = turn(callers, TURN).await?;
    let used = own() + server.processor() - before;
    Ok((used * 1e6 / turn.count as f64, turn.rate))
}
