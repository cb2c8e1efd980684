//! That nobody is overbooked, lost or told "full" wrongly (BB-9.2b), judged from outside: people call real servers over
//! TCP and everything that they ask and hear is recorded; the database records when each seat changed; [`judge`] compares
//! the two, and no knowledge of how the service works goes into it.
//!
//! The invariants, by the numbers under which they are known:
//!
//! * I1 never more confirmed than a slot has seats, and no seat to two;
//! * I2 nobody in two places at once (BB-7.1.1);
//! * I3 whoever was told "confirmed" is so in the end;
//! * I4 whoever was told "full" was told so in an interval with a moment without a free seat;
//! * I5 in the end free and taken are the capacity, for the gate as for the database;
//! * I6 no hold outlives its time;
//! * I7 the same request again has the same answer;
//! * I8 who is moved has one seat at every commit;
//! * I9 freed seats are offered in the list's order, each to one alone, and to nobody else before (BB-7.1.1).
//!
//! `oracle::cluster` says what runs on a Redis Cluster as well as on one server. `oracle::quick` is the part that takes seconds; it fails without the constraint, the fence, the owner's guard or the
//! script's atomicity, which `make mutants` shows.

mod barrier;
mod calls;
mod catches;
mod cluster;
mod crowd;
mod failover;
mod faults;
mod judge;
mod killed;
mod linear;
mod process;
mod quick;
mod redis;
mod stage;
mod still;
mod truth;
mod waiting;
