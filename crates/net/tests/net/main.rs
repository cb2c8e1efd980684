//! Both sides on real sockets: the calling side against real servers, and servers against callers of every kind.

mod admission;
mod balance;
mod budget;
mod certificates;
mod codes;
mod deadlines;
mod drain;
mod frames;
mod limits;
mod local;
mod names;
mod served;
mod server;
mod streams;
