//! What a server says about when to come again: `google.rpc.RetryInfo` in the details of a status, or the header
//! `grpc-retry-pushback-ms` (gRFC A6, "Pushback").

use std::time::Duration;

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::HeaderMap;
use prost::Message as _;
use tonic_types::pb;

/// gRPC writes binary headers without padding and reads both.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// When to come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushback {
    /// After so long.
    After(Duration),
    /// Not at all.
    Never,
}

/// What the headers or trailers of a status say; nothing when they say nothing.
pub(super) fn read(headers: &HeaderMap) -> Option<Pushback> {
    if let Some(value) = headers.get("grpc-retry-pushback-ms") {
        // A6: a value that is negative or no number means: do not retry.
        let millis = value
            .to_str()
            .ok()
            .and_then(|text| text.parse::<u32>().ok());
        return Some(millis.map_or(Pushback::Never, |millis| {
            Pushback::After(Duration::from_millis(u64::from(millis)))
        }));
    }
    let details = BASE64
        .decode(headers.get("grpc-status-details-bin")?)
        .ok()?;
    let status = pb::Status::decode(details.as_slice()).ok()?;
    let any = status
        .details
        .into_iter()
        .find(|any| any.type_url == "type.googleapis.com/google.rpc.RetryInfo")?;
    let delay = pb::RetryInfo::decode(any.value.as_slice())
        .ok()?
        .retry_delay?;
    Some(Duration::try_from(delay).map_or(Pushback::Never, Pushback::After))
}

#[cfg(test)]
mod tests {
    use tonic::{Code, Status};
    use tonic_types::{ErrorDetails, StatusExt as _};

    use super::*;

    #[test]
    fn retry_info_is_read_from_the_details() {
        let details = ErrorDetails::with_retry_info(Some(Duration::from_millis(70)));
        let status = Status::with_error_details(Code::ResourceExhausted, "full", details);
        let mut headers = HeaderMap::new();
        status.add_header(&mut headers).unwrap();
        assert_eq!(
            read(&headers),
            Some(Pushback::After(Duration::from_millis(70)))
        );
    }

    #[test]
    fn the_header_is_read_and_a_negative_one_forbids() {
        for (text, expected) in [
            ("25", Some(Pushback::After(Duration::from_millis(25)))),
            ("-1", Some(Pushback::Never)),
            ("soon", Some(Pushback::Never)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-retry-pushback-ms", text.parse().unwrap());
            assert_eq!(read(&headers), expected);
        }
        assert_eq!(read(&HeaderMap::new()), None);
    }

    #[test]
    fn details_that_nobody_can_read_say_nothing() {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-status-details-bin", "%%%".parse().unwrap());
        assert_eq!(read(&headers), None);
    }
}
