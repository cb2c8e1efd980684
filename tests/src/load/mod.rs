//! A steady load on a cluster, as its users put it on: commands, reads and open feeds through all services, and the books
//! of it: what was asked, what was answered, and how often each call was sent.
//!
//! [`command`] and [`read`] are what is asked, [`follow`] an open feed, [`books`] what came of it.

pub mod books;
pub mod command;
mod desk;
mod follow;
mod progress;
mod read;
pub mod rolling;
mod work;

use std::{sync::Arc, time::Duration};

use bangban::{cli::Service, client::Client};
use bangban_net::client::{Counts, Settings};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use tonic::Request;

use crate::cluster::{self, Cluster, Ways};
use books::{Books, Tally};
use follow::Followed;
use progress::Progress;

/// How long a call may take.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// How often a call is sent again at most.
pub const RETRIES: u32 = 2;

/// Between two looks at the books.
const LOOK: Duration = Duration::from_millis(10);

/// The logs that are followed: those of all services that are written to.
pub const LOGS: [Service; 4] = [
    Service::Directory,
    Service::Casework,
    Service::Consultation,
    Service::Scheduling,
];

/// How somebody of the load calls.
#[derive(Clone)]
pub struct Caller {
    /// Bears the token.
    pub client: Client,
    /// Leads to the services.
    pub ways: Ways,
}

impl Caller {
    /// A request with the load's deadline.
    pub fn request<T>(&self, body: T) -> Request<T> {
        let mut request = self.client.request(body);
        request.set_timeout(DEADLINE);
        request
    }
}

/// A load that goes on until it is ended.
pub struct Load {
    books: Arc<Books>,
    ways: Ways,
    stop: CancellationToken,
    feeds: CancellationToken,
    workers: JoinSet<()>,
    followers: JoinSet<()>,
    followed: Vec<(Service, Arc<Followed>)>,
    service: Caller,
}

/// What a load has come to.
pub struct Outcome {
    /// Commands and reads.
    pub tally: Tally,
    /// Calls and attempts.
    pub counts: Counts,
    /// How often feeds were taken up again.
    pub resumed: u64,
    /// Acts that came through the feeds.
    pub act_count: usize,
    /// What was wrong with the feeds: a gap, a double, an act out of order, an act that never came.
    pub wrong: Vec<String>,
}

impl Load {
    /// Puts the load on a cluster with the sample district.
    ///
    /// # Panics
    /// When it cannot begin.
    pub async fn start(cluster: &Cluster) -> Self {
        let settings = |settings| Settings {
            attempts: 1 + RETRIES,
            ..settings
        };
        let ways = cluster.ways(settings);
        let books = Arc::<Books>::default();
        let (stop, feeds) = (CancellationToken::new(), CancellationToken::new());
        let mut workers = JoinSet::new();
        work::spawn(&mut workers, cluster, &ways, &books, &stop).await;
        let service = Caller {
            client: cluster.service(),
            ways: cluster.service_ways(settings),
        };
        let mut followers = JoinSet::new();
        let followed = LOGS.map(|log| {
            let followed = Arc::<Followed>::default();
            followers.spawn(follow::follow(
                log,
                service.clone(),
                followed.clone(),
                feeds.clone(),
            ));
            (log, followed)
        });
        Self {
            books,
            ways,
            stop,
            feeds,
            workers,
            followers,
            followed: followed.into(),
            service,
        }
    }

    /// Waits until so many commands and so many reads more were answered, each of both at least once, and every feed has
    /// brought an act.
    ///
    /// # Panics
    /// When that takes longer than `within`.
    pub async fn goes_on(&self, count: u64, within: Duration) {
        let before = Progress::of(self);
        let began = Instant::now();
        loop {
            let lacks = Progress::of(self).lacks(&before, count);
            if lacks.is_empty() {
                return;
            }
            assert!(
                began.elapsed() < within,
                "the load does not go on, it lacks {}: {}",
                lacks.join(", "),
                self.books.tally()
            );
            sleep(LOOK).await;
        }
    }

    /// Waits until so many commands and so many reads more have failed.
    ///
    /// # Panics
    /// When that takes longer than `within`.
    pub async fn fails(&self, count: usize, within: Duration) {
        let (commands, reads) = self.books.failed();
        let began = Instant::now();
        loop {
            let now = self.books.failed();
            if now.0 >= commands + count && now.1 >= reads + count {
                return;
            }
            assert!(began.elapsed() < within, "nothing fails");
            sleep(LOOK).await;
        }
    }

    /// Calls and attempts so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        cluster::sum(self.ways.counts(), self.service.ways.counts())
    }

    fn act_count(&self) -> usize {
        self.followed.iter().map(|(_, f)| f.act_count()).sum()
    }

    /// Ends it: what was asked is answered, and the feeds come to the end of their logs.
    ///
    /// # Panics
    /// When somebody of the load broke off.
    pub async fn end(mut self) -> Outcome {
        self.stop.cancel();
        ended(&mut self.workers).await;
        let counts = self.counts();
        let mut wrong = Vec::new();
        for (log, followed) in &self.followed {
            wrong.extend(follow::compared(*log, &self.service, followed).await);
        }
        self.feeds.cancel();
        ended(&mut self.followers).await;
        Outcome {
            tally: self.books.tally(),
            counts,
            resumed: self.followed.iter().map(|(_, f)| f.resumed()).sum(),
            act_count: self.act_count(),
            wrong,
        }
    }
}

async fn ended(tasks: &mut JoinSet<()>) {
    while let Some(done) = tasks.join_next().await {
        done.expect("nobody breaks off");
    }
}

impl Outcome {
    /// Attempts for each call.
    #[must_use]
    pub fn amplification(&self) -> f64 {
        self.counts.attempts as f64 / self.counts.calls as f64
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}; feeds: {} acts, taken up again {} times; {} calls, {} attempts, amplification {:.3}",
            self.tally,
            self.act_count,
            self.resumed,
            self.counts.calls,
            self.counts.attempts,
            self.amplification()
        )
    }
}
