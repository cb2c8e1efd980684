//! What admission has done so far: for tests, and in part for metrics (`figures.rs`).

/// What has become of the calls of a kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Passed {
    /// Taken in.
    pub admitted: u64,
    /// Told to come again.
    pub refused: u64,
    /// Told that their time cannot suffice.
    pub too_late: u64,
}

/// What admission has done since it was made, and how things stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls of people.
    pub people: Passed,
    /// Calls of people that had to wait.
    pub waited: u64,
    /// Feeds.
    pub feeds: Passed,
    /// Exports.
    pub exports: Passed,
    /// Feeds and exports that had to make room.
    pub displaced: u64,
    /// Calls of people in work now.
    pub in_flight: usize,
    /// Most that ever were.
    pub most_in_flight: usize,
    /// Calls of people that wait now.
    pub waiting: usize,
    /// How many calls of people may be in work now.
    pub limit: usize,
    /// Feeds open now.
    pub feeds_open: usize,
    /// Exports running now.
    pub exports_open: usize,
}
