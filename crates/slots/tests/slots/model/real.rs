//! A gate under test, told the same steps.

use bangban_slots::{Begun, Error, Gate, Look, Picked, Place, Rebuild, Row, Seat, Who};

use super::steps::{Keep, Said, Step, last_but, state};

/// A gate under test, with what its caller keeps.
pub(super) struct Real {
    pub(super) gate: Gate,
    /// Seats of each slot before those that the steps are about.
    before: u16,
    pub(super) held: Vec<Seat>,
    pub(super) begun: Vec<Rebuild>,
    pub(super) looks: Vec<Look>,
}

impl Real {
    pub(super) fn new(gate: Gate, before: u16) -> Self {
        Self {
            gate,
            before,
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
        let (gate, before) = (&self.gate, self.before);
        let there = |place: &Place| Place {
            seat: before + place.seat,
            ..*place
        };
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
                        Said::Seat(Place {
                            seat: place.seat.wrapping_sub(before),
                            ..place
                        })
                    }
                    Picked::Full => Said::Full,
                    Picked::OnlyReserved => Said::OnlyReserved,
                    Picked::Again { .. } => Said::Again,
                    Picked::Stale => Said::Stale,
                    Picked::Unavailable(unavailable) => return Err(unavailable.into()),
                }
            }
            Step::Settle { nth, row } => {
                if !self.held.is_empty() {
                    let seat = self.held.remove(last_but(*nth, self.held.len()));
                    match row {
                        Row::Taken => seat.taken().await,
                        Row::Free => seat.give_back().await,
                        Row::Due => seat.refused(Row::Due).await,
                    }
                }
                Said::Nothing
            }
            Step::Release { place } => {
                gate.release(day, &[there(place)]).await?;
                Said::Nothing
            }
            Step::Lift { slot } => {
                gate.lift_reservation(day, *slot).await?;
                Said::Nothing
            }
            Step::Freed { place } => {
                gate.freed(day, &[there(place)]).await;
                Said::Nothing
            }
            Step::Passes | Step::Ends => Said::Nothing,
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
                keep,
            } => {
                if self.begun.is_empty() {
                    return Ok(Said::Nothing);
                }
                let rebuild = self.begun.remove(last_but(*nth, self.begun.len()));
                let state = state(rows, *reserved, before, *keep);
                Said::Done(gate.finish_rebuild(rebuild, &state).await?)
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
                let look = self.looks.remove(last_but(*nth, self.looks.len()));
                let state = state(rows, *reserved, before, Keep::Long);
                let audited = gate.audit(&look, &state).await?;
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
