//! What the one binary does: it serves the platform, walks a case through it, and does the chores around it.
//!
//! The rules live in the services' crates. Here a process starts, is told what to do, and ends. To add a subcommand:
//! a variant in [`cli`], a file that does it, an arm in [`dispatch`].

pub mod booking;
mod calendar;
mod chores;
pub mod cli;
pub mod client;
pub mod failure;
mod import;
mod ledger;
mod regions;
mod run;
pub mod sample;
pub mod serve;
pub mod services;
pub mod tell;
pub mod token;
mod walk;

use crate::{
    cli::{Cli, Command},
    failure::Failure,
};

/// Does what the command line asks for.
///
/// # Errors
/// What went wrong, with what to do about it.
pub async fn dispatch(cli: Cli) -> Result<(), Failure> {
    // What needs no configuration does not fail because of one.
    match &cli.command {
        Command::Calendar { command } => return calendar::answer(command),
        Command::Ledger {
            command: cli::Ledger::Verify(what),
        } => return ledger::verify(what),
        _ => {}
    }
    let config = cli.options.config()?;
    match cli.command {
        Command::Serve {
            all,
            service,
            end_with_input,
        } => {
            let what = serve::What::of(all, service);
            if end_with_input {
                services::child::until_input_ends(&config, what).await
            } else {
                serve::until_signalled(&config, what).await
            }
        }
        Command::Services(wish) => services::run(config, &wish).await,
        Command::Run => run::run(config).await,
        Command::Walk { address } => walk::against(&config, address.as_deref()).await,
        Command::Migrate => chores::migrate(&config).await,
        Command::Config {
            command: cli::ConfigCommand::Check,
        } => {
            tell::line(config.shown().trim_end());
            Ok(())
        }
        Command::Token(wish) => token::print(&config, &wish),
        Command::Import { command } => import::import(&config, &command).await,
        Command::Ledger { command } => ledger::answer(&config, &command).await,
        Command::Calendar { command } => calendar::answer(&command),
    }
}
