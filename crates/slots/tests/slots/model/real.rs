//! A gate under test, told the same steps.

use bangban_slots::{Begun, Error, Gate, Look, Picked, Rebuild, Row, Seat, Who};

use super::steps::{Said, Step, state};

/// A gate under test, with what its caller keeps.
pub(super) struct Real {
    pub(super) gate: Gate,
    pub(super) held: Vec<Seat>,
    pub(super) begun: Vec<Rebuild>,
    pub(super) looks: Vec<Look>,
}

impl Real {
    pub(super) fn new(gate: Gate) -> Self {
        Self {
            gate,
            held: Vec::new(),
            begun: Vec::new(),
            looks: Vec::new(),
        }
    }

    pub(super) async fn step(
        &mut self,
        step: &Step,
        day: &bangban_slots::Day,
    ) -> Result<Said, Error> {
        let gate = &self.gate;
        Ok(match step {
            Step::Pick { slot, special } => {
                let who = if *special {
                    Who::Special
                } else {
                    Who::Ordinary
                };
                match gate.pick(day, *slot, who).await {
                    Picked::Seat(seat) => {
                        let place = seat.place();
                        self.held.push(seat);
                        Said::Seat(place)
                    }
                    Picked::Full => Said::Full,
                    Picked::Again { .. } => Said::Again,
                    Picked::Stale => Said::Stale,
                    Picked::Unavailable(unavailable) => return Err(unavailable.into()),
                }
            }
            Step::Settle { nth, row } => {
                if !self.held.is_empty() {
                    let seat = self.held.remove(nth % self.held.len());
                    match row {
                        Row::Taken => seat.taken().await,
                        Row::Free => seat.give_back().await,
                        Row::Due => seat.refused(Row::Due).await,
                    }
                }
                Said::Nothing
            }
            Step::Release { place } => {
                gate.release(day, &[*place]).await?;
                Said::Nothing
            }
            Step::Lift { slot } => {
                gate.lift_reservation(day, *slot).await?;
                Said::Nothing
            }
            Step::Freed { place } => {
                gate.freed(day, &[*place]).await;
                Said::Nothing
            }
            Step::Forget | Step::Lost { .. } => {
                gate.forget(day).await?;
                Said::Nothing
            }
            Step::Begin => match gate.begin_rebuild(day).await? {
                Begun::Yes(rebuild) => {
                    self.begun.push(rebuild);
                    Said::Done(true)
                }
                Begun::Ready => Said::Ready,
                Begun::Busy { .. } => Said::Busy,
            },
            Step::Finish {
                nth,
                rows,
                reserved,
            } => {
                if self.begun.is_empty() {
                    return Ok(Said::Nothing);
                }
                let rebuild = self.begun.remove(nth % self.begun.len());
                Said::Done(
                    gate.finish_rebuild(rebuild, &state(rows, *reserved))
                        .await?,
                )
            }
            Step::Look => {
                self.looks
                    .extend(gate.look(std::slice::from_ref(day)).await?);
                Said::Nothing
            }
            Step::Audit {
                nth,
                rows,
                reserved,
            } => {
                if self.looks.is_empty() {
                    return Ok(Said::Nothing);
                }
                let look = self.looks.remove(nth % self.looks.len());
                let audited = gate.audit(&look, &state(rows, *reserved)).await?;
                Said::Audited(
                    audited.drift_found,
                    audited.drift_repaired,
                    audited.abandoned,
                    audited.is_forgotten,
                )
            }
            Step::Availability => Said::Free(
                gate.availability(std::slice::from_ref(day))
                    .await?
                    .remove(0),
            ),
        })
    }
}
