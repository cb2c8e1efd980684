//! Appointments (BB-9.2b): slots that nobody can overbook, booked, kept, moved and counted.

pub mod domain;
