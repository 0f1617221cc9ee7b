// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long a server asks to be left alone: the `Retry-After` header (RFC 9110,
//! section 10.2.3). Nothing here does I/O.

use std::time::{Duration, SystemTime};

/// Reads seconds or a date. A date is counted from `date`, the `Date` header
/// that came along, or else from `now`: the clock of a machine that is being
/// installed is often wrong. One that has passed asks for no wait.
pub(crate) fn parse(header: &str, date: Option<&str>, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    if header.is_empty() {
        return None;
    }
    if header.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than fit ask for more than anybody waits.
        return Some(Duration::from_secs(header.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(header).ok()?;
    let from = date
        .and_then(|d| httpdate::parse_http_date(d.trim()).ok())
        .unwrap_or(now);
    Some(until.duration_since(from).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates() {
        // Sun, 06 Nov 1994 08:49:37 GMT
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let server = Some("Sun, 06 Nov 1994 08:49:27 GMT");
        for (header, date, expected) in [
            ("0", None, Some(0)),
            (" 120 ", None, Some(120)),
            ("99999999999999999999999", None, Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", None, Some(60)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", None, Some(60)),
            ("Sun Nov  6 08:50:37 1994", None, Some(60)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", server, Some(70)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some("nonsense"), Some(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", None, Some(0)),
            ("1.5", None, None),
            ("-3", None, None),
            ("soon", None, None),
            ("", None, None),
        ] {
            let expected = expected.map(Duration::from_secs);
            assert_eq!(parse(header, date, now), expected, "{header:?} {date:?}");
        }
    }
}
