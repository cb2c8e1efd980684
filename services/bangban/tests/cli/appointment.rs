//! The old woman's appointment, as scheduling has it when the walk is over, in one process or in several, and whose gate gave
//! its seats (BB-9.2b).

use std::path::Path;

use bangban::{
    client::{Channel, Client},
    sample::Sample,
    token::Signer,
};
use bangban_kit::config::Config;
use bangban_proto::bangban::scheduling::v1::{
    Booking, BookingState, GetAvailabilityRequest, ListBookingsRequest, Relation,
    booking_service_client::BookingServiceClient,
};
use bangban_rig::Server;
use chrono::{DateTime, Days};

use crate::running::eventually;

/// The three steps of the walk, as it tells them.
pub fn was_told(told: &str) {
    for step in [
        "Her son telephones for an appointment",
        "He moves it in one step (改期): ",
        "; the calendar entry says SEQUENCE:1.",
        "She checks in (签到) and is served within her appointment: 0 breaches",
    ] {
        assert!(told.contains(step), "{step:?} is not in\n{told}");
    }
}

/// What the agent of the walk is answered; without an address where the configuration says that scheduling is.
fn asked<T>(
    config: &Config,
    address: Option<&str>,
    ask: impl AsyncFnOnce(&Client, BookingServiceClient<Channel>) -> T,
) -> T {
    let sample = Sample::shipped().expect("a sample");
    let agent = sample.agent().expect("an agent");
    let token = Signer::open(config).expect("a signer").token(&agent, 1);
    let token = token.expect("a token");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let public = Client::connect(config, address).expect("a client");
        let agent = public.with(&token).expect("a header");
        let service = BookingServiceClient::new(agent.channel());
        ask(&agent, service).await
    })
}

/// Every appointment of the district.
fn bookings(config: &Config, address: Option<&str>) -> Vec<Booking> {
    let district = Sample::shipped().expect("a sample").district.id;
    asked(config, address, async |agent, mut service| {
        let request = agent.request(ListBookingsRequest {
            district,
            ..ListBookingsRequest::default()
        });
        let answer = service.list_bookings(request).await.expect("listed");
        answer.into_inner().bookings
    })
}

/// Asks what is free at the site of an appointment in the fortnight after it. None: it could not be answered now.
fn asks_what_is_free(config: &Config, booking: &Booking) -> Option<()> {
    let at = booking.starts_at.as_ref().map_or(0, |at| at.seconds);
    let day = DateTime::from_timestamp(at, 0)
        .expect("a time")
        .date_naive();
    asked(config, None, async |agent, mut service| {
        let request = agent.request(GetAvailabilityRequest {
            district: booking.district.clone(),
            sites: vec![booking.site.clone()],
            from: (day + Days::new(1)).to_string(),
            to: (day + Days::new(14)).to_string(),
            ..GetAvailabilityRequest::default()
        });
        service.get_availability(request).await.ok().map(|_| ())
    })
}

/// In one process at an address, whose gate is in memory, that was walked through once.
pub fn was_kept_in_one(data: &Path, address: &str) {
    let config = Config {
        data: data.to_owned(),
        ..Config::default()
    };
    were_kept(&bookings(&config, Some(address)), 1);
}

/// In the services of a folder that were walked through so often; this Redis is the gate that picked the seats.
pub fn was_kept(data: &Path, redis: &Server, walks: usize) {
    let file = data.join("bangban.toml");
    let config = Config::load(Some(&file), &[]).expect("a configuration");
    let bookings = bookings(&config, None);
    were_kept(&bookings, walks);
    for booking in bookings {
        // The gate keeps a site's days under their names. Those of the walk may be forgotten by now, because its clock went
        // past the end of their reservations: they are read anew by the next who asks.
        let days = format!("{{{}:{}:", booking.district, booking.site);
        let mut keys: Vec<String> = Vec::new();
        let is_known = eventually(|| {
            asks_what_is_free(&config, &booking)?;
            keys = redis.ask(&["KEYS", "*"]);
            keys.iter().any(|key| key.starts_with(&days)).then_some(())
        });
        assert!(is_known.is_some(), "no day of {days} is among {keys:?}");
    }
    let calls: String = redis.ask(&["INFO", "commandstats"]);
    assert!(
        calls.contains("cmdstat_evalsha:"),
        "it picks seats: {calls}"
    );
}

/// As often as it was walked she was booked by telephone, moved once, and served within the slot.
fn were_kept(bookings: &[Booking], walks: usize) {
    assert_eq!(bookings.len(), walks, "{bookings:?}");
    for booking in bookings {
        assert_eq!(booking.state(), BookingState::Completed, "{booking:?}");
        let proxy = booking.proxy.as_ref().expect("her son");
        assert_eq!(proxy.relation(), Relation::Relative);
        assert!(!booking.case.is_empty(), "it belongs to her case");
        let [former] = &booking.former_times[..] else {
            panic!("moved once: {booking:?}");
        };
        assert!(former.slot != booking.slot && former.moved_at.is_some());
        assert_eq!(booking.sequence, 1, "what calendars are told");
        let seconds = |at: &Option<prost_types::Timestamp>| at.as_ref().map(|at| at.seconds);
        let (starts, ends) = (seconds(&booking.starts_at), seconds(&booking.ends_at));
        let started = seconds(&booking.service_started_at);
        assert!(started >= starts && started < ends, "{booking:?}");
        assert!(booking.checked_in_at.is_some() && booking.completed_at.is_some());
        assert_eq!(booking.breaches, [], "kept");
    }
}
