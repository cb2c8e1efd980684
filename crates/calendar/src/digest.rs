//! A label for content: FNV-1a, 64 bits. It tells versions apart; it proves nothing against a forger.

/// Collects text into a digest that is the same on every machine and in every release.
#[derive(Clone)]
pub(crate) struct Digest(u64);

impl Digest {
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds a field and a separator, so that ("ab", "c") and ("a", "bc") differ.
    pub(crate) fn field(&mut self, text: &str) {
        for byte in text.bytes().chain([0x1f]) {
            self.0 ^= u64::from(byte);
            self.0 = self.0.wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    pub(crate) fn hex(&self) -> String {
        format!("{:016x}", self.0)
    }
}
