//! Directory against real databases: SQLite in a folder of its own and, where `DATABASE_URL` names a server, PostgreSQL
//! in a database of its own. A test that shows a requirement carries its id in its name.

mod instance;

mod applicants;
mod assignment;
mod calendar;
mod catalogue;
mod clock;
mod import_catalogue;
mod import_regions;
mod learned;
mod paging;
mod reminders;
mod rules;
mod scope;
mod sites;
mod staff;
