//! `bangban`: the process around [`bangban::dispatch`].

use std::process::ExitCode;

use bangban::{cli::Cli, dispatch, failure::Failure, tell};
use clap::Parser as _;
use mimalloc::MiMalloc;

/// A fifth of a server's time went into the C library's allocator, a twentieth goes into this one.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| {
            Failure::of(
                "the runtime does not start; look at the limits of this machine",
                &e,
            )
        })
        .and_then(|runtime| runtime.block_on(dispatch(cli)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell::complain(&failure);
            ExitCode::FAILURE
        }
    }
}
