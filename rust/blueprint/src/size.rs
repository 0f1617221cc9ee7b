// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sizes as blueprints write them: a number of bytes, or a text with a unit.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Size(pub u64);

const UNITS: &[(&str, u64)] = &[
    ("", 1),
    ("kB", 1000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
    ("TB", 1_000_000_000_000),
    ("TiB", 1 << 40),
];

/// Bytes that a text such as `10 GiB`, `1.5GB` or `1073741824` says. Parts of a
/// byte are rounded; none for everything else, parts of a byte without a unit
/// too.
pub fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let unit = unit.trim_start();
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || (*factor == 1 && number.contains('.')) {
        return None;
    }
    let bytes = whole.parse::<u64>().ok()?.checked_mul(*factor)?;
    // Twelve digits after the point are less than a byte of the greatest unit.
    let part: String = part
        .chars()
        .chain("000000000000".chars())
        .take(12)
        .collect();
    let part = u128::from(part.parse::<u64>().ok()?) * u128::from(*factor);
    let part = u64::try_from((part + 500_000_000_000) / 1_000_000_000_000).ok()?;
    bytes.checked_add(part)
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SizeVisitor;
        impl Visitor<'_> for SizeVisitor {
            type Value = Size;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size: a number of bytes, or a text such as \"10 GiB\"")
            }
            fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<Size, E> {
                Ok(Size(bytes))
            }
            fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<Size, E> {
                let bytes = u64::try_from(bytes);
                bytes
                    .map(Size)
                    .map_err(|_| E::custom("a size is not negative"))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
                parse(text).map(Size).ok_or_else(|| {
                    E::custom(
                        "this is no size: a number, and kB, KiB, MB, MiB, GB, GiB, TB or TiB \
                         after it",
                    )
                })
            }
        }
        deserializer.deserialize_any(SizeVisitor)
    }
}
