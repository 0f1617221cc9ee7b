// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sizes and small formats as bootc prints them (pure).

/// A size in decimal units, as in `295.5 MB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1_000, "kB"),
    ];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => {
            // Rounded tenths, in integers: u64 sizes do not fit an f64 exactly.
            let tenths = (u128::from(bytes) * 10 + u128::from(unit / 2)) / u128::from(*unit);
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        }
        None => format!("{bytes} bytes"),
    }
}

/// The value of `name="value"` in a file of such lines (`/run/.containerenv`).
pub(crate) fn quoted_value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim().trim_matches('"'))
}

/// The message of skopeo's or podman's last logfmt line, without the image
/// name in front of it; other output as it is.
pub(crate) fn tool_message(stderr: &str) -> String {
    let last = stderr
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("");
    let message = match last.split_once("msg=\"") {
        Some((_, rest)) => rest.trim_end().trim_end_matches('"').replace("\\\"", "\""),
        None => last.trim().to_owned(),
    };
    let named = ["Error parsing image name \"", "initializing source "];
    for start in named {
        if let Some(rest) = message.strip_prefix(start) {
            let end = if start.ends_with('"') { "\": " } else { ": " };
            if let Some((_, cause)) = rest.split_once(end) {
                return cause.to_owned();
            }
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_decimal_with_one_digit() {
        let cases = [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (349_300, "349.3 kB"),
            (295_450_000, "295.5 MB"),
            (2_100_000_000, "2.1 GB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn containerenv_values() {
        let text = "engine=\"podman-5\"\nimage=\"h/i:v1\"\nimageid=\"\"\n";
        assert_eq!(quoted_value(text, "image"), Some("h/i:v1"));
        assert_eq!(quoted_value(text, "imageid"), Some(""));
        assert_eq!(quoted_value(text, "name"), None);
    }

    #[test]
    fn tool_messages_lose_their_frame() {
        let cases = [
            (
                "time=\"2026\" level=fatal msg=\"Error parsing image name \\\"docker://h/i:v1\\\": pinging container registry h: refused\"",
                "pinging container registry h: refused",
            ),
            (
                "warning\nreading manifest v1: manifest unknown\n",
                "reading manifest v1: manifest unknown",
            ),
            ("", ""),
        ];
        for (stderr, message) in cases {
            assert_eq!(tool_message(stderr), message);
        }
    }
}
