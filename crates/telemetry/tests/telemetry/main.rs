//! What is told of calls and statements, to a real receiver of OTLP and on Prometheus's page. One binary, so that it links
//! once; one test at a time, because a process tells about itself as a whole.

mod calls;
mod ending;
mod metrics;
mod page;
#[path = "../../../../tests/src/receiver.rs"]
#[expect(
    dead_code,
    reason = "waiting for what comes later is for processes of their own"
)]
mod receiver;
mod served;
mod traces;
