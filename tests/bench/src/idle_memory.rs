//! `idle_memory`: what a process that serves everything keeps resident while nobody calls it.

use std::time::Duration;

use bangban::failure::Failure;
use tokio::time::sleep;

use crate::{
    figure::Figure,
    load::{self, World},
    note,
    server::Installation,
};

/// How long it is left alone.
const IDLE: Duration = Duration::from_secs(10);

/// MB that it may keep.
const GOAL: f64 = 60.0;

/// Measures.
pub async fn measure() -> Result<Vec<Figure>, Failure> {
    let installation = Installation::new("sqlite")?;
    load::regions(&installation).await?;
    let serving = installation.serve().await?;
    World::load(&installation, &serving, 1).await?;
    note(format!(
        "idle_memory: {:.1} MB after a district was loaded through it",
        serving.resident()?
    ));
    serving.stop().await;
    // A process that has done nothing yet: what an operator sees who starts one and waits.
    let serving = installation.serve().await?;
    sleep(IDLE).await;
    let value = serving.resident()?;
    serving.stop().await;
    Ok(vec![Figure::below(GOAL, "idle_memory", value, "MB")])
}
