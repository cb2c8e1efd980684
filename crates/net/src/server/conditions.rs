//! Health of what a process can do only now and then: a name beside those of its services, which serve all the same.

use std::{fmt, time::Duration};

use tonic_health::{ServingStatus, server::HealthReporter};

/// Between two looks at whether conditions hold; asking them costs next to nothing.
const LOOK: Duration = Duration::from_millis(200);

/// Something that health tells under a name of its own: SERVING while it holds, NOT_SERVING while it does not. Neither
/// the process ("") nor its services are said not to serve because of it.
pub struct Condition {
    /// The name, as health has it.
    pub name: &'static str,
    /// Whether it holds now. Asked some times a second, so it must not wait for anything.
    pub holds: Box<dyn Fn() -> bool + Send + Sync>,
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.name).finish()
    }
}

/// Conditions with what was last said of each.
pub(super) struct Conditions(Vec<(Condition, Option<bool>)>);

impl Conditions {
    pub(super) fn new(conditions: Vec<Condition>) -> Self {
        Self(conditions.into_iter().map(|c| (c, None)).collect())
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(condition, _)| condition.name)
    }

    /// Says what has changed: who watches hears nothing twice.
    pub(super) async fn tell(&mut self, health: &HealthReporter) {
        for (condition, said) in &mut self.0 {
            let holds = (condition.holds)();
            if said.replace(holds) != Some(holds) {
                let status = if holds {
                    ServingStatus::Serving
                } else {
                    ServingStatus::NotServing
                };
                health.set_service_status(condition.name, status).await;
            }
        }
    }

    /// Says it for ever.
    pub(super) async fn follow(&mut self, health: &HealthReporter) {
        if self.0.is_empty() {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(LOOK).await;
            self.tell(health).await;
        }
    }
}
