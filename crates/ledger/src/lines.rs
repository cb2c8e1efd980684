//! Reads lines within a bound: an export comes from elsewhere, and may be one line of a terabyte.

use std::io::{self, BufRead};

use sha2::{Digest, Sha256};

/// The longest line that is read, without its line feed: 8 MiB.
pub const MAX_LINE_BYTES: usize = 8 << 20;

pub(crate) struct Lines<R> {
    reader: R,
    digest: Sha256,
    pub number: u64,
    pub text: Vec<u8>,
}

/// How a line ended; the line is in [`Lines::text`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With a line feed.
    Whole,
    /// With the input.
    Cut,
    /// Beyond the bound; the rest was skipped, and hashed.
    TooLong,
}

impl<R: BufRead> Lines<R> {
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            digest: Sha256::new(),
            number: 0,
            text: Vec::new(),
        }
    }

    /// The next line, with the digest of all bytes before it; none at the end of the input.
    pub fn next(&mut self) -> io::Result<Option<(Ended, Sha256)>> {
        self.text.clear();
        let before = self.digest.clone();
        let (mut is_empty, mut is_long) = (true, false);
        loop {
            let chunk = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                chunk => chunk?,
            };
            if chunk.is_empty() && is_empty {
                return Ok(None);
            }
            let feed = chunk.iter().position(|&byte| byte == b'\n');
            let is_over = feed.is_some() || chunk.is_empty();
            let taken = feed.map_or(chunk.len(), |at| at + 1);
            let part = &chunk[..feed.unwrap_or(chunk.len())];
            is_empty = false;
            self.digest.update(&chunk[..taken]);
            is_long |= self.text.len() + part.len() > MAX_LINE_BYTES;
            if !is_long {
                self.text.extend_from_slice(part);
            }
            self.reader.consume(taken);
            if is_over {
                self.number += 1;
                let ended = match (is_long, feed) {
                    (true, _) => Ended::TooLong,
                    (false, Some(_)) => Ended::Whole,
                    (false, None) => Ended::Cut,
                };
                return Ok(Some((ended, before)));
            }
        }
    }
}
