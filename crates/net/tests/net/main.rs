//! The calling side against real servers on real sockets.

mod balance;
mod budget;
mod codes;
mod deadlines;
mod frames;
mod local;
mod overhead;
mod server;
mod streams;
