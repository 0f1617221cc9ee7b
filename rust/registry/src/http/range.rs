// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which part of a blob an answer holds: the `Content-Range` header (RFC 9110,
//! section 14.4). Nothing here does I/O.

/// The part of a blob in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContentRange {
    /// Offset of its first byte.
    pub(crate) first: u64,
    /// Offset of its last byte, at least `first`.
    pub(crate) last: u64,
    /// Size of the whole blob, if the server knows.
    pub(crate) total: Option<u64>,
}

/// Why a header is no range that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RangeProblem {
    #[error("its Content-Range cannot be understood")]
    Malformed,
    #[error("its Content-Range contradicts itself")]
    Contradiction,
    #[error("it begins at byte {got} instead of {asked}")]
    Start { asked: u64, got: u64 },
    #[error("it is of {got} bytes in all instead of {expected}")]
    Total { expected: u64, got: u64 },
    #[error("it has no Content-Range")]
    Missing,
}

/// Reads `bytes first-last/total`, where the total may be `*`.
pub(crate) fn parse(header: &str) -> Result<ContentRange, RangeProblem> {
    let bad = RangeProblem::Malformed;
    let (unit, rest) = header.trim().split_once([' ', '\t']).ok_or(bad)?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return Err(bad);
    }
    let (range, total) = rest.trim().split_once('/').ok_or(bad)?;
    let (first, last) = range.split_once('-').ok_or(bad)?;
    let total = match total.trim() {
        "*" => None,
        digits => Some(number(digits)?),
    };
    let range = ContentRange {
        first: number(first.trim())?,
        last: number(last.trim())?,
        total,
    };
    if range.first > range.last || total.is_some_and(|t| range.last >= t) {
        return Err(RangeProblem::Contradiction);
    }
    Ok(range)
}

/// Checks that the answer begins where it was asked to, is of a blob of `size`
/// bytes, and is as long as it says (`length`, if that is known). It may end
/// before the blob does: the rest is asked for again.
pub(crate) fn check(
    header: Option<&str>,
    length: Option<u64>,
    asked: u64,
    size: u64,
) -> Result<ContentRange, RangeProblem> {
    let range = parse(header.ok_or(RangeProblem::Missing)?)?;
    if range.first != asked {
        return Err(RangeProblem::Start {
            asked,
            got: range.first,
        });
    }
    let total = range.total.unwrap_or(size);
    if total != size || range.last >= size {
        return Err(RangeProblem::Total {
            expected: size,
            got: total.max(range.last.saturating_add(1)),
        });
    }
    if length.is_some_and(|l| l != range.last - range.first + 1) {
        return Err(RangeProblem::Contradiction);
    }
    Ok(range)
}

/// Digits alone: `u64::from_str` would take a sign, too.
fn number(text: &str) -> Result<u64, RangeProblem> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(RangeProblem::Malformed);
    }
    text.parse().map_err(|_| RangeProblem::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        use RangeProblem::{Contradiction, Malformed};
        let range = |first, last, total| Ok(ContentRange { first, last, total });
        for (header, expected) in [
            ("bytes 0-9/10", range(0, 9, Some(10))),
            ("Bytes  5-9/10 ", range(5, 9, Some(10))),
            ("bytes 5-9/*", range(5, 9, None)),
            ("bytes 0-0/1", range(0, 0, Some(1))),
            ("bytes 9-5/10", Err(Contradiction)),
            ("bytes 0-10/10", Err(Contradiction)),
            ("bytes */10", Err(Malformed)),
            ("bytes 0-9", Err(Malformed)),
            ("bytes=0-9/10", Err(Malformed)),
            ("items 0-9/10", Err(Malformed)),
            ("bytes -9/10", Err(Malformed)),
            ("bytes +1-9/10", Err(Malformed)),
            ("bytes 0-99999999999999999999/*", Err(Malformed)),
            ("", Err(Malformed)),
        ] {
            assert_eq!(parse(header), expected, "{header:?}");
        }
    }

    #[test]
    fn against_what_was_asked_for() {
        use RangeProblem::{Contradiction, Missing, Start, Total};
        let total = |got| Err(Total { expected: 10, got });
        for (header, length, expected) in [
            (Some("bytes 4-9/10"), None, Ok(9)),
            (Some("bytes 4-9/10"), Some(6), Ok(9)),
            (Some("bytes 4-9/*"), Some(6), Ok(9)),
            (Some("bytes 4-6/10"), Some(3), Ok(6)),
            (Some("bytes 4-9/10"), Some(10), Err(Contradiction)),
            (Some("bytes 0-9/10"), None, Err(Start { asked: 4, got: 0 })),
            (Some("bytes 5-9/10"), None, Err(Start { asked: 4, got: 5 })),
            (Some("bytes 4-9/11"), None, total(11)),
            (Some("bytes 4-8/9"), None, total(9)),
            (Some("bytes 4-10/*"), None, total(11)),
            (None, Some(6), Err(Missing)),
        ] {
            let got = check(header, length, 4, 10).map(|range| range.last);
            assert_eq!(got, expected, "{header:?} {length:?}");
        }
    }
}
