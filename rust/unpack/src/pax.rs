// SPDX-License-Identifier: MIT OR Apache-2.0
//! Records of pax extended headers (POSIX.1-2001, `pax(1)`): pure parsing.
//!
//! A record is `LENGTH KEY=VALUE\n` with the length of all of it in decimal.
//! Values are bytes and may hold anything, newlines too: capabilities of files
//! travel in them.

use std::io;

/// A key and its value.
pub(super) type Record = (Vec<u8>, Vec<u8>);

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("tar: {what}"))
}

/// All records, in their order.
pub(super) fn records(mut data: &[u8]) -> io::Result<Vec<Record>> {
    let mut found = Vec::new();
    // Some writers fill the block up with zeros inside the data.
    while data.first().is_some_and(|&byte| byte != 0) {
        let (record, rest) = record(data).ok_or_else(|| invalid("damaged pax header"))?;
        found.push(record);
        data = rest;
    }
    Ok(found)
}

fn record(data: &[u8]) -> Option<(Record, &[u8])> {
    let space = data.iter().take(20).position(|&byte| byte == b' ')?;
    let length = usize::try_from(decimal(&data[..space])?).ok()?;
    let body = data.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|&byte| byte == b'=')?;
    let (key, value) = (&body[..equals], &body[equals + 1..]);
    (!key.is_empty()).then(|| ((key.to_vec(), value.to_vec()), &data[length..]))
}

/// A decimal number and nothing else.
pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Seconds and nanoseconds of a time such as `1700000000.25` or `-1.5`.
pub(super) fn time(text: &[u8]) -> Option<(i64, i64)> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let digits: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let nanos: i64 = digits.parse().ok()?;
    if whole.starts_with('-') && nanos > 0 {
        // -1.5 s is half a second after -2 s.
        return Some((seconds.checked_sub(1)?, 1_000_000_000 - nanos));
    }
    Some((seconds, nanos))
}

/// One run of data of a sparse file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// Where it is in the file.
    pub(super) offset: u64,
    /// How long it is.
    pub(super) length: u64,
}

/// A sparse map in its form 0.1: `offset,length,offset,length,…`.
pub(super) fn sparse_map(text: &[u8]) -> io::Result<Vec<Run>> {
    let numbers: Option<Vec<u64>> = text.split(|&byte| byte == b',').map(decimal).collect();
    pair(&numbers.ok_or_else(|| invalid("damaged sparse map"))?)
}

/// Pairs up offsets and lengths.
pub(super) fn pair(numbers: &[u64]) -> io::Result<Vec<Run>> {
    if !numbers.len().is_multiple_of(2) {
        return Err(invalid("damaged sparse map"));
    }
    Ok(numbers
        .chunks_exact(2)
        .map(|pair| Run {
            offset: pair[0],
            length: pair[1],
        })
        .collect())
}

/// Refuses maps whose runs overlap, go backwards or beyond the file: what the
/// file will be must not depend on the order of writing.
pub(super) fn check_sparse(runs: &[Run], size: u64) -> io::Result<()> {
    let mut end = 0;
    for run in runs {
        let next = run.offset.checked_add(run.length);
        match next {
            Some(next) if run.offset >= end && next <= size => end = next,
            _ => return Err(invalid("damaged sparse map")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn values_may_hold_anything() {
        let found = records(b"30 mtime=1700000000.123456789\n19 SCHILY.x=\n\0=\n\xffA\n").unwrap();
        assert_eq!(
            found[0],
            (b"mtime".to_vec(), b"1700000000.123456789".to_vec())
        );
        assert_eq!(found[1], (b"SCHILY.x".to_vec(), b"\n\0=\n\xffA".to_vec()));
        assert!(records(b"").unwrap().is_empty());
        assert_eq!(records(b"6 a=b\n\0\0\0").unwrap().len(), 1);
    }

    #[test]
    fn damaged_records_are_refused() {
        for bad in [
            &b"99 a=b\n"[..],
            b"6 a=bX",
            b"x a=b\n",
            b"5 a=b\n",
            b" a=b\n",
            b"5 =b\n",
            b"4 ab\n",
            b"3 \n",
            b"-6 a=b\n",
            b"99999999999999999999999 a=b\n",
        ] {
            assert!(records(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn times() {
        for (text, expected) in [
            ("0", Some((0, 0))),
            ("1700000000.25", Some((1_700_000_000, 250_000_000))),
            ("1.1234567899", Some((1, 123_456_789))),
            ("-1.5", Some((-2, 500_000_000))),
            ("-0.5", Some((-1, 500_000_000))),
            ("-9223372036854775808.5", None),
            ("9223372036854775808", None),
            ("", None),
            ("1.x", None),
            ("x", None),
        ] {
            assert_eq!(time(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn sparse_maps() {
        let run = |offset, length| Run { offset, length };
        assert_eq!(sparse_map(b"0,5,100,1").unwrap(), [run(0, 5), run(100, 1)]);
        assert!(sparse_map(b"0,5,100").is_err() && sparse_map(b"0,-5").is_err());
        assert!(check_sparse(&[run(0, 5), run(5, 5), run(20, 0)], 20).is_ok());
        assert!(check_sparse(&[run(0, 5), run(4, 1)], 20).is_err());
        assert!(check_sparse(&[run(15, 6)], 20).is_err());
        assert!(check_sparse(&[run(u64::MAX, 2)], u64::MAX).is_err());
    }
}
