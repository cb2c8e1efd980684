//! `start_time`: from exec to the first health check that says SERVING, on a database that is migrated.

use bangban::failure::Failure;

use crate::{
    figure::{Figure, median},
    note,
    server::Installation,
};

/// How often it is started.
const STARTS: usize = 7;

/// Seconds that a start may take.
const GOAL: f64 = 1.0;

/// Measures.
pub async fn measure() -> Result<Vec<Figure>, Failure> {
    let installation = Installation::new("sqlite")?;
    installation.run(&["migrate"]).await?;
    // Makes the keys that the next ones find.
    installation.serve().await?.stop().await;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let serving = installation.serve().await?;
        starts.push(serving.started_in.as_secs_f64());
        serving.stop().await;
    }
    note(format!("start_time: {starts:.3?} s"));
    let value = median(&starts).unwrap_or(f64::NAN);
    Ok(vec![Figure::below(GOAL, "start_time", value, "s")])
}
