//! The calling side against real servers on real sockets.

mod balance;
mod budget;
mod certificates;
mod codes;
mod deadlines;
mod frames;
mod local;
mod overhead;
mod served;
mod server;
mod streams;
