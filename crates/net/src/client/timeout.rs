//! The header `grpc-timeout`: how much time a caller gives (gRPC over HTTP/2, "Timeout").

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) const HEADER: HeaderName = HeaderName::from_static("grpc-timeout");

/// Longest number that the header may hold, plus one.
const LIMIT: u128 = 100_000_000;

/// The time that the caller gives; nothing when there is no header, or one that nobody can read.
pub(crate) fn read(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let unit_at = text.len().checked_sub(1)?;
    let (number, unit) = (text.get(..unit_at)?, text.get(unit_at..)?);
    if number.is_empty() || number.len() > 8 || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// Writes what is left, rounded down to the finest unit that fits and never to nothing.
pub(crate) fn write(headers: &mut HeaderMap, left: Duration) {
    let text = if left.as_micros() < LIMIT {
        format!("{}u", left.as_micros().max(1))
    } else if left.as_millis() < LIMIT {
        format!("{}m", left.as_millis())
    } else {
        format!("{}S", left.as_secs().min(99_999_999))
    };
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(HEADER, value);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reread(left: Duration) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        write(&mut headers, left);
        read(&headers)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_never_longer(micros in 1u64..10_000_000_000_000) {
            let left = Duration::from_micros(micros);
            let read = reread(left).unwrap();
            prop_assert!(read <= left);
            prop_assert!(left - read <= left / 10_000 + Duration::from_micros(1));
        }

        #[test]
        fn nonsense_is_no_deadline(text in "[a-zA-Z0-9+-]{0,12}") {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_str(&text).unwrap());
            if let Some(read) = read(&headers) {
                prop_assert!(text.len() >= 2 && text.len() <= 9, "{text} gave {read:?}");
            }
        }
    }
}
