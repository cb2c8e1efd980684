//! Appointments: the service over gRPC on SQLite and, where `DATABASE_URL` names one, PostgreSQL (`make test` sets it).

mod served;
