//! Measures what the platform promises, and prints a line for each figure on standard output; progress goes to standard
//! error. Nothing is adjusted: a figure that cannot be measured is not printed, and the exit code says so.
//!
//! To add a figure: a file that measures it, and a line in [`FIGURES`].

mod case_open;
mod database;
mod figure;
mod idle_memory;
mod import_regions;
mod load;
mod server;
mod start_time;

use std::{
    fmt::Display,
    io::{self, Write as _},
    process::ExitCode,
};

use bangban::{failure::Failure, tell};
use figure::Figure;

/// What can be measured, in the order in which it is.
const FIGURES: [&str; 5] = [
    "start_time",
    "idle_memory",
    "case_open_postgres",
    "import_regions_sqlite",
    "import_regions_postgres",
];

async fn measure(name: &str) -> Result<Vec<Figure>, Failure> {
    match name {
        "start_time" => start_time::measure().await,
        "idle_memory" => idle_memory::measure().await,
        "case_open_postgres" => case_open::measure().await,
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

/// One thread: the clients share the machine with what they measure, and leave it as much as they can.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut wanted: Vec<String> = std::env::args().skip(1).collect();
    if wanted.is_empty() {
        wanted = FIGURES.map(str::to_owned).to_vec();
    }
    let mut code = ExitCode::SUCCESS;
    for name in &wanted {
        match measure(name).await {
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
