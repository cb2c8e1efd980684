//! End to end, over gRPC, on both databases. One binary, so that it links once.

/// Expects the refusal of a command on the story's case.
macro_rules! out_of_order {
    ($table:ident, $story:ident, $method:ident, $request:ident { $($field:ident: $value:expr),* $(,)? }, $because:expr) => {{
        let answer = bangban_tests::command!($story, $method, $request { $($field: $value,)* });
        $table.expect(stringify!($method), answer, $because).await;
    }};
}

mod acts_golden;
mod agency;
mod bad_input;
mod clauses;
mod clock;
mod concurrent;
mod consultation;
mod faults;
mod inside_outside;
mod ledger;
mod modes;
mod mutants;
mod personal_data;
mod processes;
mod quiet;
mod repeats;
mod requirements;
mod telemetry;
