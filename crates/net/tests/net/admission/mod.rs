//! Admission before collapse, over TCP: a server of known capacity behind the layers that stand before every handler.

mod model;
mod offer;
mod permits;
mod slow_reader;
mod spike;
mod streams;
mod way;
