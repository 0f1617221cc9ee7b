// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sizes as people read them.

/// Bytes for people, in decimal units as disks are sold: `1.5 GB`.
pub fn human(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    // Tenths of the unit, in integers, so that no rounding shows 1000.0 MB.
    let mut tenths = u128::from(bytes) * 10 / 1000;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_for_people() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_999, "999.9 kB"),
            (1_000_000, "1.0 MB"),
            (1_550_000_000, "1.5 GB"),
            (u64::MAX, "18446744.0 TB"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }
}
