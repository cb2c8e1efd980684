//! The store against SQLite, and against PostgreSQL where `DATABASE_URL` names one (`make test` sets it).

mod after;
mod consume;
mod feed;
mod log;
mod migrate;
mod retry;
mod setting;
mod shown;
mod together;
