//! Consultations: each requirement with what it allows and what it refuses, properties over random histories, and the
//! service over gRPC on SQLite and, where `DATABASE_URL` names one, PostgreSQL (`make test` sets it).

mod golden;
mod histories;
mod rules;
mod served;
mod story;
