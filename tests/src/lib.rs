//! bangban-tests
