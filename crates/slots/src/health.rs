//! Whether the gate can be asked, for readiness.

/// The state of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Seats can be picked.
    Ready,
    /// They cannot: bookings are refused with a hint when to try again, everything else works. A service that is
    /// degraded is ready all the same.
    Degraded(
        /// Why, for the operator.
        &'static str,
    ),
}
