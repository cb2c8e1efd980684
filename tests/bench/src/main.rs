//! Measures what the platform promises, and prints a line for each figure on standard output; progress goes to standard
//! error. Nothing is adjusted: a figure that cannot be measured is not printed, and the exit code says so.
//!
//! To add a figure: a file that measures it, and a line in [`FIGURES`].

mod agent;
mod booking;
mod case_command;
mod case_open;
mod case_read;
mod database;
mod empty;
mod feed_events;
mod figure;
mod idle_memory;
mod import_regions;
mod life;
mod net_overhead;
mod place;
mod reference;
mod rolling_restart;
mod server;
mod services;
mod start_time;
mod turn;
mod world;

use std::{
    fmt::Display,
    io::{self, Write as _},
    panic::AssertUnwindSafe,
    process::ExitCode,
};

use bangban::{failure::Failure, tell};
use figure::Figure;
use futures::FutureExt as _;
use mimalloc::MiMalloc;
use tokio::runtime::Builder;

/// The server's own, so that a reference that this process serves is served as well.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What can be measured, in the order in which it is.
const FIGURES: [&str; 15] = [
    "start_time",
    "idle_memory",
    "idle_memory_services",
    "net_overhead",
    "case_open_postgres",
    "case_command_postgres",
    "case_read_rate",
    "feed_events",
    "rolling_restart_failures",
    "booking_spread",
    "booking_hot",
    "refusal_rate",
    "availability_p99",
    "import_regions_sqlite",
    "import_regions_postgres",
];

async fn measure(name: &str) -> Result<Vec<Figure>, Failure> {
    match name {
        "start_time" => start_time::measure().await,
        "idle_memory" => idle_memory::measure().await,
        "idle_memory_services" => idle_memory::measure_services().await,
        "net_overhead" => net_overhead::measure().await,
        "case_open_postgres" => case_open::measure().await,
        "case_command_postgres" => case_command::measure().await,
        "case_read_rate" => case_read::measure().await,
        "feed_events" => feed_events::measure().await,
        "rolling_restart_failures" => rolling_restart::measure().await,
        "booking_spread" => booking::measure_spread().await,
        "booking_hot" => booking::measure_hot().await,
        "refusal_rate" => booking::measure_refusals().await,
        "availability_p99" => booking::measure_month().await,
        "import_regions_sqlite" => import_regions::measure_sqlite().await,
        "import_regions_postgres" => import_regions::measure_postgres().await,
        _ => Err(Failure::new(format!(
            "there is no figure {name}; there are {}",
            FIGURES.join(", ")
        ))),
    }
}

/// Progress, for whoever watches.
fn note(text: impl Display) {
    tell::complain(text);
}

/// Measures one figure; what breaks off breaks off alone.
async fn measured(name: &str) -> Result<Vec<Figure>, Failure> {
    let measuring = AssertUnwindSafe(measure(name)).catch_unwind();
    let broke_off = || Failure::new("the measurement broke off: it said why");
    measuring.await.unwrap_or_else(|_| Err(broke_off()))
}

async fn measure_all(mut wanted: Vec<String>) -> ExitCode {
    if wanted.is_empty() {
        wanted = FIGURES.map(str::to_owned).to_vec();
    }
    let mut code = ExitCode::SUCCESS;
    for name in &wanted {
        match measured(name).await {
            Ok(figures) => {
                for figure in figures {
                    tell::line(figure);
                }
                let _ = io::stdout().flush();
            }
            Err(failure) => {
                note(format!("{name} could not be measured: {failure}"));
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

async fn serve_empty(arguments: &[String]) -> ExitCode {
    match empty::serve(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            note(failure);
            ExitCode::FAILURE
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_service = arguments.first().is_some_and(|a| a == empty::ARGUMENT);
    // One thread: the clients share the machine with what they measure, and leave it as much as they can.
    let mut builder = if is_service {
        Builder::new_multi_thread()
    } else {
        Builder::new_current_thread()
    };
    let runtime = match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            note(format!("the runtime does not start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    if is_service {
        runtime.block_on(serve_empty(&arguments[1..]))
    } else {
        runtime.block_on(measure_all(arguments))
    }
}
