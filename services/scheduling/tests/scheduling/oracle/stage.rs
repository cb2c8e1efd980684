//! Servers, people and what is written down of them.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, atomic::Ordering},
    time::Duration,
};

use bangban_proto::bangban::scheduling::v1::{self as v1, BookingPolicy};
use bangban_rig::{Looks, PATIENCE};
use bangban_scheduling::tasks;
use bangban_slots::{Counts, Day, Health, Picked, Who as For};
use chrono::NaiveDate;
use tokio::runtime::Runtime;
use tonic::transport::{Channel, Endpoint};

use super::{
    calls::{Caller, Log, ONE_CALL},
    judge::{self, History, Seen},
    redis::Redis,
    truth::{self, COOLING, HELD, Truth},
};
use crate::served::{
    double::Directory,
    server::Served,
    world::{DISTRICT, LI_NA, SITE, Who, World, database, slot},
};

/// How long a hold lives: so short that some expire in every test.
pub const HOLD_SECONDS: u32 = 2;

/// How long what is over may stay: the time of a hold, some looks of the sweep, and two of the audit, which rests for five
/// seconds at the most.
const CLEARED_WITHIN: Duration = Duration::from_secs(15);

/// From when another is the master until somebody who asked since the first was lost is confirmed.
const FAILED_OVER: Duration = Duration::from_secs(10);

/// Slots of the day.
pub const SLOTS: u16 = 4;

pub struct Stage {
    pub world: World,
    pub log: Arc<Log>,
    /// The day that a crowd wants, and on a Cluster one on each of the other masters.
    pub days: Vec<NaiveDate>,
    pub capacity: u32,
    pub reserved: u32,
    /// For each fault, how many of a crowd waited for an answer when it came.
    faults: Mutex<Vec<usize>>,
    channels: Vec<Channel>,
    replicas: Vec<Served>,
    _beside: Beside,
}

/// Servers run beside those who call them: a crowd of callers must not be what makes a server slow. They end with their
/// stage, and give their connections back.
struct Beside(Option<Runtime>);

impl Beside {
    fn new() -> Self {
        Self(Some(Runtime::new().expect("a runtime")))
    }

    async fn start<T: Send + 'static>(&self, start: impl Future<Output = T> + Send + 'static) -> T {
        let runtime = self.0.as_ref().expect("it runs");
        runtime.spawn(start).await.expect("started")
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A connection that is made when it is needed, and again when it was lost.
pub fn channel(address: std::net::SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
    endpoint.connect_timeout(ONE_CALL).connect_lazy()
}

impl Stage {
    /// A day with four slots of so many seats, of which so many are for special groups, that so many processes of the
    /// service serve; on a Cluster, a day on each of its masters. None without a PostgreSQL.
    pub async fn on(redis: &Redis, name: &str, seats: (u32, u32), replicas: usize) -> Option<Self> {
        let is_cluster = matches!(redis, Redis::Cluster(_));
        let name = format!("{name}{}", if is_cluster { "_cluster" } else { "" });
        Self::with(&name, &redis.url(), Some(redis), seats, replicas).await
    }

    /// The same with a gate that is known by its address alone.
    pub async fn open(name: &str, redis: &str, seats: (u32, u32), replicas: usize) -> Option<Self> {
        Self::with(name, redis, None, seats, replicas).await
    }

    async fn with(
        name: &str,
        redis: &str,
        servers: Option<&Redis>,
        (capacity, reserved): (u32, u32),
        replicas: usize,
    ) -> Option<Self> {
        let Some(url) = database(&format!("oracle_{name}")).await else {
            eprintln!("no DATABASE_URL: `make test` starts a PostgreSQL and sets it");
            return None;
        };
        let directory = Directory::default().knows_everybody();
        let (redis, doubled) = (redis.to_owned(), directory.clone());
        let beside = Beside::new();
        let opening = async move { World::open_as(url, redis, doubled).await };
        let world = beside.start(opening).await;
        truth::record(&world.store).await;
        world.rules(rules(HOLD_SECONDS)).await;
        world.template(capacity, reserved).await;
        let days = match servers {
            Some(servers) => servers.days(&world).await,
            None => vec![world.working_day(1).await],
        };
        for day in &days {
            world.publish(*day).await;
        }
        let mut served = Vec::new();
        for _ in 0..replicas {
            let (config, directory) = (world.config.clone(), directory.clone());
            let replica = beside.start(async move {
                let replica = Served::start(&config, directory).await;
                replica.works_unasked();
                while replica.service.health() != Health::Ready {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                replica
            });
            served.push(replica.await);
        }
        let mut stage = Self {
            world,
            log: Log::new(),
            days,
            capacity,
            reserved,
            faults: Mutex::default(),
            channels: Vec::new(),
            replicas: Vec::new(),
            _beside: beside,
        };
        stage.connect(served.iter().map(|s| s.address));
        stage.replicas = served;
        stage.has_one_clock().await;
        Some(stage)
    }

    /// People call these from now on: over as many connections as ten thousand of them need at the same time.
    pub fn connect(&mut self, addresses: impl Iterator<Item = std::net::SocketAddr>) {
        let addresses: Vec<_> = addresses.collect();
        let all = std::iter::repeat_n(&addresses, 64).flatten().take(64);
        self.channels = all.map(|address| channel(*address)).collect();
    }

    /// What is compared is told by one clock.
    async fn has_one_clock(&self) {
        let before = self.log.clock.now_us();
        let theirs = self.world.store.now().await.expect("the time").us();
        let after = self.log.clock.now_us();
        assert!(
            before - 1000 <= theirs && theirs <= after + 1000,
            "PostgreSQL has another clock than the tests: {theirs} is not within {before}..{after}"
        );
    }

    pub fn caller(&self, number: usize) -> Caller {
        let bearer = self.world.token(&LI_NA).parse().expect("a header");
        let channel = self.channels[number % self.channels.len()].clone();
        Caller::new(channel, bearer, self.log.clone())
    }

    /// Somebody else.
    pub fn caller_as(&self, who: &Who) -> Caller {
        let bearer = self.world.token(who).parse().expect("a header");
        Caller::new(self.channels[0].clone(), bearer, self.log.clone())
    }

    /// What the gates of the replicas have done.
    pub fn counts(&self) -> Vec<Counts> {
        let gates = self.replicas.iter().map(|r| r.service.gate().counts());
        gates.collect()
    }

    /// Until the gate of each replica says that all seats are free.
    pub async fn all_is_free(&self) {
        let mut looks = Looks::within(CLEARED_WITHIN, Duration::from_millis(20));
        for replica in 0..self.replicas.len() {
            while !self.free(replica).await.is_some_and(|slots| {
                slots.len() == self.slots().len()
                    && slots.iter().all(|(_, free)| *free == self.capacity)
            }) {
                assert!(looks.goes_on().await, "a gate does not notice");
            }
        }
    }

    /// A slot of the day that a crowd wants.
    pub fn slot(&self, number: u16) -> String {
        slot(self.days[0], number)
    }

    /// The slots of all days.
    pub fn slots(&self) -> Vec<String> {
        let days = self.days.iter();
        let slots = days.flat_map(|day| (0..SLOTS).map(|number| slot(*day, number)));
        slots.collect()
    }

    /// Something is done to the servers.
    pub fn fault(&self) {
        let waiting = self.log.waiting.load(Ordering::Relaxed);
        self.seen().push(waiting);
    }

    pub fn faults(&self) -> usize {
        self.seen().len()
    }

    /// For each fault, how many of a crowd waited for an answer when it came.
    pub fn seen(&self) -> MutexGuard<'_, Vec<usize>> {
        self.faults.lock().expect("not poisoned")
    }

    /// Until no hold is left and nothing cools any more: within the time of a hold and some looks.
    pub async fn clears(&self) {
        let mut looks = Looks::within(CLEARED_WITHIN, Duration::from_millis(50));
        loop {
            let truth = Truth::read(&self.world.store).await;
            let last = truth.last();
            let left: Vec<_> = last
                .values()
                .filter(|c| matches!(c.state, HELD | COOLING))
                .collect();
            if left.is_empty() {
                return;
            }
            assert!(
                looks.goes_on().await,
                "I6: not cleared within {CLEARED_WITHIN:?}: {left:?}; {:?}",
                self.world.served.service.health()
            );
        }
    }

    /// How many seats of the slot that a crowd wants anybody could have, as the gate says, by whatever processes there are; none
    /// where it is not heard in time.
    async fn gate_has(&self) -> Option<u16> {
        let day = Day::new(DISTRICT, SITE, self.days[0]).expect("a day");
        let gate = self.world.served.service.gate();
        let days = gate.availability(&[day]).await.ok()?;
        days[0].as_ref().map(|slots| slots[0].ordinary)
    }

    /// Until the gate says that so many can be had.
    pub async fn gate_comes_to(&self, free: u32) {
        let mut looks = Looks::within(CLEARED_WITHIN, Duration::from_millis(10));
        while self.gate_has().await.map(u32::from) != Some(free) {
            assert!(looks.goes_on().await, "{:?}", self.gate_has().await);
        }
    }

    /// Whether the gate is sure that nobody can have a seat of the slot that a crowd wants. While none is free it is not
    /// if it has given one whose row it does not know to be written, or was told of one that its row will be free. Where it
    /// cannot say it is asked again.
    ///
    /// # Panics
    /// When one stays free, or the gate is not able to say.
    pub async fn gate_says_full(&self) -> bool {
        let day = Day::new(DISTRICT, SITE, self.days[0]).expect("a day");
        let gate = self.world.served.service.gate();
        let mut looks = Looks::within(PATIENCE, Duration::from_millis(20));
        let mut given = 0;
        loop {
            let free = self.gate_has().await;
            if free == Some(0) {
                let withheld = gate.counts().full_withheld;
                let picked = gate.pick(&day, 0, For::Ordinary).await;
                let is_withheld = gate.counts().full_withheld > withheld;
                match picked {
                    Picked::Full => return true,
                    Picked::Again { .. } if !is_withheld => return false,
                    // One may come back between the two looks, because its hold has ended.
                    Picked::Seat(_) => given += 1,
                    Picked::Again { .. } | Picked::Unavailable(_) => {}
                    other => panic!("{other:?}"),
                }
                assert!(given < 3, "seats are given while none is free");
            }
            assert!(
                looks.goes_on().await,
                "{free:?} are free, or the gate cannot say"
            );
        }
    }

    /// How many seats of the slot that a crowd wants are in a state, as rows say.
    pub async fn rows_in(&self, state: i32) -> usize {
        let truth = Truth::read(&self.world.store).await;
        let slot = self.slot(0);
        let last = truth.last();
        let rows = last
            .iter()
            .filter(|((of, _), c)| *of == slot && c.state == state);
        rows.count()
    }

    /// Until somebody is confirmed on a seat of the day that a crowd wants, asked for since its master was lost then; by now
    /// there is another.
    ///
    /// # Panics
    /// When that takes longer than [`FAILED_OVER`] from now on.
    pub async fn is_failed_over(&self, died: i64) {
        let slots = &self.slots()[..SLOTS.into()];
        let mut looks = Looks::within(FAILED_OVER, Duration::from_millis(20));
        loop {
            if let Some(again) = self.log.again_after(died, slots) {
                println!("served again {again:?} after the master was lost");
                return;
            }
            let what = "nobody is served by the new master";
            assert!(looks.goes_on().await, "{what} within {FAILED_OVER:?}");
        }
    }

    /// What the gate says is free, by slot, once it knows; `None` while it does not.
    async fn free(&self, caller: usize) -> Option<Vec<(String, u32)>> {
        let mut all = Vec::new();
        for day in &self.days {
            all.extend(self.free_on(*day, caller).await?);
        }
        Some(all)
    }

    async fn free_on(&self, day: NaiveDate, caller: usize) -> Option<Vec<(String, u32)>> {
        let request = v1::GetAvailabilityRequest {
            district: DISTRICT.to_owned(),
            sites: vec![SITE.to_owned()],
            from: day.to_string(),
            to: day.to_string(),
            ..v1::GetAvailabilityRequest::default()
        };
        let caller = self.caller(caller);
        let asked = caller.request(request);
        let answer = caller.client().get_availability(asked).await.ok()?;
        let day = answer.into_inner().days.pop()?;
        let slots = day.slots.into_iter();
        let slots = slots.map(|s| (s.slot, s.free + s.reserved_free));
        day.is_known.then(|| slots.collect())
    }

    /// Everything there is to be judged, when all is quiet.
    pub async fn history(&self) -> History {
        let drift = self.log.clock.drift_us();
        assert!(
            drift.abs() < 1000,
            "the machine's clock was set: {drift} µs"
        );
        let truth = Truth::read(&self.world.store).await;
        History {
            calls: self.log.calls(),
            truth,
            capacity: self.capacity,
            reserved: self.reserved,
            free: Vec::new(),
        }
    }

    /// Judges everything, when nobody calls any more; the gate agrees with the database within [`CLEARED_WITHIN`].
    pub async fn judged(&self) -> Seen {
        println!("{:?}", self.log.tally());
        self.clears().await;
        let mut history = self.history().await;
        let mut looks = Looks::within(CLEARED_WITHIN, Duration::from_millis(100));
        loop {
            if let Some(free) = self.free(0).await {
                history.free = free;
            }
            if judge::agrees(&history) || !looks.goes_on().await {
                assert!(
                    !history.free.is_empty(),
                    "I5: the gate does not say what is free"
                );
                return judge::judge(&history);
            }
        }
    }

    /// Sweeps more often than a server does by itself, as many replicas together do.
    pub fn sweeps(&self) -> tokio::task::JoinHandle<()> {
        let rpc = self.world.rpc.clone();
        tokio::spawn(async move {
            loop {
                _ = tasks::once(&rpc).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
    }
}

/// Rules that are in nobody's way.
pub fn rules(hold_seconds: u32) -> BookingPolicy {
    BookingPolicy {
        hold_seconds,
        cooling_seconds: Some(0),
        offer_seconds: 2,
        most_ahead: 100,
        most_per_item: 100,
        most_per_day: 100,
        most_cancellations: 100,
        ..BookingPolicy::default()
    }
}
