//! Serials that do not tell how many there are: a counter behind a keyed permutation.

use crate::{Error, Fault, Subject};

/// Serials of receipt numbers: the integers below [`Serial::COUNT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serial {}

impl Serial {
    /// How many serials a district has.
    pub const COUNT: u32 = 100_000_000;

    /// The serial of a counter: a bijection of `0..COUNT` chosen by `key`, so that distinct counters
    /// never collide under one key, and two receipts do not tell how many cases lie between them.
    ///
    /// The permutation is a Feistel network of ten rounds over two halves of four decimal digits,
    /// added modulo 10,000, with SipHash-2-4 as its round function. Because the halves are decimal
    /// its domain is exactly `COUNT`: no cycle walking, the same time for every counter.
    ///
    /// `key` is one district's secret and is kept for as long as the counter runs: another key is
    /// another bijection, whose serials can collide with those already given. It hides volumes and
    /// makes guessing a live number a matter of luck; it is not a proof of identity.
    ///
    /// # Errors
    /// `NUMBER_OUT_OF_RANGE` for a counter of `COUNT` or more: the district has used all serials.
    pub fn scramble(counter: u32, key: u64) -> Result<u32, Error> {
        let (mut left, mut right) = halves(counter)?;
        for round in 0..ROUNDS {
            (left, right) = (right, (left + noise(right, round, key)) % HALF);
        }
        Ok(left * HALF + right)
    }

    /// The counter of a serial: the inverse of [`Serial::scramble`] under the same key, for finding
    /// the next counter after a restore.
    ///
    /// # Errors
    /// `NUMBER_OUT_OF_RANGE` for a serial of `COUNT` or more.
    pub fn unscramble(serial: u32, key: u64) -> Result<u32, Error> {
        let (mut left, mut right) = halves(serial)?;
        for round in (0..ROUNDS).rev() {
            (left, right) = ((right + HALF - noise(left, round, key)) % HALF, left);
        }
        Ok(left * HALF + right)
    }
}

const HALF: u32 = 10_000;
/// Even four rounds of a good round function look random; small domains ask for more (NIST SP
/// 800-38G uses ten for FF1).
const ROUNDS: u32 = 10;

fn halves(value: u32) -> Result<(u32, u32), Error> {
    if value < Serial::COUNT {
        Ok((value / HALF, value % HALF))
    } else {
        Err(Error::new(Subject::ReceiptNumber, Fault::NumberOutOfRange))
    }
}

/// The round function: below [`HALF`], its bias from the reduction below 2^-50.
fn noise(half: u32, round: u32, key: u64) -> u32 {
    let message = u64::from(round) << 32 | u64::from(half);
    (siphash(key, LABEL, message) % u64::from(HALF)) as u32
}

/// Second half of the SipHash key: keeps these values apart from any other use of the same key.
const LABEL: u64 = u64::from_le_bytes(*b"bb-recpt");

/// SipHash-2-4 (Aumasson and Bernstein, 2012) of the eight bytes of `message`, little-endian.
const fn siphash(k0: u64, k1: u64, message: u64) -> u64 {
    let mut v = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    v[3] ^= message;
    v = sip_round(sip_round(v));
    v[0] ^= message;
    let length = 8 << 56;
    v[3] ^= length;
    v = sip_round(sip_round(v));
    v[0] ^= length;
    v[2] ^= 0xff;
    v = sip_round(sip_round(sip_round(sip_round(v))));
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

const fn sip_round([mut a, mut b, mut c, mut d]: [u64; 4]) -> [u64; 4] {
    a = a.wrapping_add(b);
    b = b.rotate_left(13) ^ a;
    a = a.rotate_left(32);
    c = c.wrapping_add(d);
    d = d.rotate_left(16) ^ c;
    a = a.wrapping_add(d);
    d = d.rotate_left(21) ^ a;
    c = c.wrapping_add(b);
    b = b.rotate_left(17) ^ c;
    c = c.rotate_left(32);
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn siphash_gives_the_vector_of_its_authors_for_eight_bytes() {
        let word = |start: u8| u64::from_le_bytes(std::array::from_fn(|i| start + i as u8));
        assert_eq!(siphash(word(0), word(8), word(0)), 0x93f5_f579_9a93_2462);
    }

    #[test]
    fn serials_stay_the_same_between_releases() {
        // From another implementation. A change would let new receipts collide with those given.
        let serials = [0, 1, 2, Serial::COUNT - 1].map(|n| Serial::scramble(n, 42).unwrap());
        assert_eq!(serials, [90_476_551, 59_364_682, 66_913_986, 90_296_396]);
    }
}
