//! End to end, over gRPC, on both databases. One binary, so that it links once.

mod acts_golden;
mod bad_input;
mod clauses;
mod clock;
mod concurrent;
mod inside_outside;
mod modes;
mod personal_data;
mod quiet;
mod repeats;
mod requirements;
