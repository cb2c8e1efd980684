//! What can be asked for on the command line.

use std::{net::SocketAddr, path::PathBuf};

use bangban_kit::config::Config;
use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::failure::Failure;

/// 帮办代办: assisted and delegated government services.
#[derive(Debug, Parser)]
#[command(
    name = "bangban",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// For every subcommand.
    #[command(flatten)]
    pub options: Options,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Where the configuration comes from: file, then environment (BANGBAN_SERVER__LISTEN), then these flags.
#[derive(Debug, Args)]
pub struct Options {
    /// Configuration file (TOML); without it `bangban.toml` when it is there.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Set one key, for example `--set log.level=debug`; may be repeated.
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Folder for files: the key `data`.
    #[arg(long, global = true, value_name = "FOLDER")]
    data: Option<String>,
    /// Address and port of gRPC, port 0 for a free one: the key `server.listen`.
    #[arg(long, global = true, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

impl Options {
    /// The configuration that applies.
    pub fn config(&self) -> Result<Config, Failure> {
        let mut flags = self.set.clone();
        flags.extend(self.data.clone().map(|data| ("data".to_owned(), data)));
        flags.extend(
            self.listen
                .map(|listen| ("server.listen".to_owned(), listen.to_string())),
        );
        Config::load(self.config.as_deref(), &flags).map_err(|e| {
            Failure::new(format!("{e}\nThe configuration cannot be used: correct it, then try `bangban config check`."))
        })
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("write KEY=VALUE, for example log.level=debug".to_owned()),
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve until SIGTERM or Ctrl-C
    Serve {
        /// All services in one process, on one port
        #[arg(long, conflicts_with = "service", required_unless_present = "service")]
        all: bool,
        /// Only this one; the others are looked up in the key `peers`
        service: Option<Service>,
        /// End as well when standard input is closed: by whoever started this, or because that has died
        #[arg(long)]
        end_with_input: bool,
    },
    /// Serve every service as processes of its own, with a database each, as a demonstration: load, walk, keep serving
    Services(Services),
    /// Serve everything as a demonstration: load the sample district, walk two cases, keep serving
    Run,
    /// Walk two cases through a running demonstration, from the first contact to the ledger
    Walk {
        /// Where it runs, for example http://127.0.0.1:7400; without it where the configuration listens
        #[arg(long)]
        address: Option<String>,
    },
    /// Bring the databases up to date
    Migrate,
    /// Look at the configuration
    Config {
        /// What about it
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Sign a token with the installation's own issuer key
    Token(Token),
    /// Ask the national calendar
    Calendar {
        /// What about it
        #[command(subcommand)]
        command: Calendar,
    },
    /// Read reference data into the database
    Import {
        /// Which
        #[command(subcommand)]
        command: Import,
    },
    /// Export ledgers, or verify an export
    Ledger {
        /// What to do
        #[command(subcommand)]
        command: Ledger,
    },
}

/// A service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Service {
    /// Regions, districts, sites, staff, catalogue, calendar, applicants
    Directory,
    /// Cases and ledgers
    Casework,
    /// Consultations and their register
    Consultation,
    /// Checkpoints that are kept of the ledgers
    Supervision,
    /// Appointments
    Scheduling,
}

impl Service {
    /// All of them, those that others live on first.
    pub const ALL: [Self; 5] = [
        Self::Directory,
        Self::Casework,
        Self::Consultation,
        Self::Supervision,
        Self::Scheduling,
    ];

    /// Its name: of its log, its schema, its certificate, and in the key `peers`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::Casework => "casework",
            Self::Consultation => "consultation",
            Self::Supervision => "supervision",
            Self::Scheduling => "scheduling",
        }
    }
}

/// Which processes are started, and where.
#[derive(Debug, Clone, Args)]
pub struct Services {
    /// How many processes of each service, 1 to 9
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=9))]
    pub replicas: u16,
    /// The first port: directory's, then the other services'; the next replicas ten further on. 0 for free ones
    #[arg(long, value_name = "PORT", default_value_t = 7401)]
    pub port_base: u16,
    /// A PostgreSQL with a user who may create databases, as postgres://USER:PASSWORD@HOST:PORT/NAME; each service gets
    /// a database NAME_SERVICE of its own. Without it the key `database.url`
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// A Redis for the gate of appointments, as the key `redis.url` names it. Without it that key; several replicas need
    /// one
    #[arg(long, value_name = "URL", env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<String>,
}

/// Looks at the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print what applies, or everything that is wrong with it
    Check,
}

/// For whom a token is signed.
#[derive(Debug, Args)]
pub struct Token {
    /// Subject: a staff id, an operator's name
    #[arg(long)]
    pub subject: String,
    /// Role, for example agent, supervisor, administrator, operator; may be repeated
    #[arg(long = "role", required = true, value_parser = crate::token::role)]
    pub roles: Vec<String>,
    /// Region code that limits the authority; without it the whole country
    #[arg(long, default_value = "")]
    pub region: String,
    /// Site at which the person serves
    #[arg(long, default_value = "")]
    pub site: String,
    /// Department, for its clerks
    #[arg(long, default_value = "")]
    pub department: String,
    /// Hours for which the token is good, 1 to 12
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=12))]
    pub hours: u64,
}

/// A question to the calendar.
#[derive(Debug, Subcommand)]
pub enum Calendar {
    /// Whether offices work on a day, and why
    IsWorkingDay {
        /// YYYY-MM-DD
        date: NaiveDate,
    },
    /// The N-th working day after a day
    Add {
        /// YYYY-MM-DD
        date: NaiveDate,
        /// How many working days
        #[arg(value_name = "N")]
        count: u32,
    },
    /// When a limit ends, day by day with reasons
    Due {
        /// The event that starts the limit: YYYY-MM-DD (09:00), or with a time, 2026-11-24T10:30:00+08:00
        #[arg(long, value_parser = crate::calendar::instant)]
        start: chrono::DateTime<chrono::FixedOffset>,
        /// How many units
        #[arg(long, value_name = "N")]
        limit: u32,
        /// What is counted
        #[arg(long, value_enum)]
        unit: Unit,
        /// When the office closes, HH:MM; without it a day ends at 24:00
        #[arg(long, value_parser = crate::calendar::time)]
        closes: Option<chrono::NaiveTime>,
    },
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Unit {
    /// Without rest days and holidays (行政许可法 art. 82)
    WorkingDay,
    /// Every day; the last one moves off a rest day (民法典 art. 203)
    CalendarDay,
    /// Hours on the wall
    Hour,
}

/// Reference data.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// The region tree, from provinces.csv, cities.csv, areas.csv, streets.csv and villages.csv
    Regions {
        /// Folder with the five files
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Departments, items and rules of a district
    Catalogue {
        /// A file as infra/sample/catalogue.yaml
        file: PathBuf,
        /// The district's id
        #[arg(long)]
        district: String,
    },
}

/// Ledgers.
#[derive(Debug, Subcommand)]
pub enum Ledger {
    /// Fetch the ledgers of a district, or of one case, from a running instance
    Export {
        /// The district's id
        #[arg(long)]
        district: String,
        /// One case, by its id
        #[arg(long)]
        case: Option<String>,
        /// File to write; without it standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Where it runs; without it where the configuration listens
        #[arg(long)]
        address: Option<String>,
    },
    /// Verify an export, offline: exit code 1 when anything is wrong
    Verify(Verify),
    /// Print the signed checkpoints of a district, a line of JSON each: kept elsewhere, they are what `verify --kept` takes
    Checkpoints {
        /// The district's id
        #[arg(long)]
        district: String,
        /// Those that supervision has kept, instead of those that casework shows
        #[arg(long)]
        kept: bool,
        /// Only those behind this number
        #[arg(long, value_name = "NUMBER", default_value_t = 0)]
        behind: u64,
        /// Where it runs; without it where the configuration listens
        #[arg(long)]
        address: Option<String>,
    },
    /// Print the public key that checkpoints are signed with
    Key {
        /// Where it runs; without it where the configuration listens
        #[arg(long)]
        address: Option<String>,
    },
}

/// What is verified, and against what.
#[derive(Debug, Args)]
pub struct Verify {
    /// The export
    pub file: PathBuf,
    /// Public key that must have signed: 64 hexadecimal digits, or a file with one such key a line; may be repeated
    #[arg(long = "key", value_name = "FILE|HEX")]
    pub keys: Vec<String>,
    /// Checkpoints that were kept elsewhere, as `bangban ledger checkpoints` prints them; may be repeated
    #[arg(long, value_name = "FILE")]
    pub kept: Vec<PathBuf>,
}
