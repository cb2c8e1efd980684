//! A process that somebody else holds: it serves until it is told to end, or until its standard input is closed. The
//! kernel closes it when the holder dies, however that happens, so nothing is left behind.

use std::io::Read as _;

use bangban_kit::config::Config;
use tokio_util::sync::CancellationToken;

use crate::{
    failure::Failure,
    serve::{self, What},
};

/// Serves until SIGTERM, Ctrl-C, or the end of standard input.
///
/// # Errors
/// As for serving.
pub async fn until_input_ends(config: &Config, what: What) -> Result<(), Failure> {
    serve::told(config, what, async {
        let stop = serve::stop_when_signalled();
        cancel_with_input(stop.clone());
        let running = serve::start(config, what, stop).await?;
        tracing::info!(address = %running.address, ?what, "serving");
        running.ended().await
    })
    .await
}

/// A thread of its own: a read that waits would hold the runtime's end up.
fn cancel_with_input(stop: CancellationToken) {
    std::thread::spawn(move || {
        let mut dropped = [0; 256];
        let mut input = std::io::stdin().lock();
        while input.read(&mut dropped).is_ok_and(|count| count > 0) {}
        stop.cancel();
    });
}
