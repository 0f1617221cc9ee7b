// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a booted system answers, judged. Pure.

use serde_json::Value;

use super::case::Verdict;
use super::sockets;

/// What `bootc status --json` says of the booted system.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Booted {
    /// Digest of the image's manifest.
    pub digest: String,
    /// The reference that it updates from.
    pub origin: String,
}

/// Reads `bootc status --json`; none when no image of bootc is booted.
pub fn booted(json: &str) -> Option<Booted> {
    let status: Value = serde_json::from_str(json).ok()?;
    let image = status.pointer("/status/booted/image")?;
    let text = |pointer: &str| {
        let value = image.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    Some(Booted {
        digest: text("/imageDigest"),
        origin: text("/image/image"),
    })
}

/// Whether `systemctl is-system-running` is content; `failed` are the units that
/// `systemctl --failed` lists.
pub fn system(state: &str, failed: &str) -> Verdict {
    match state.trim() {
        "running" => Verdict::passed("running"),
        "degraded" => Verdict::failed(format!("degraded, by these units:\n{}", failed.trim())),
        "" => Verdict::failed("systemd does not answer."),
        state => Verdict::failed(format!("The system is {state}.")),
    }
}

/// Whether the expected digest is booted.
pub fn digest(booted: &Booted, expected: Option<&str>) -> Verdict {
    match expected {
        Some(expected) if booted.digest == expected => Verdict::passed(expected),
        Some(expected) => Verdict::failed(format!(
            "{} is booted, and {expected} is expected.",
            named(&booted.digest)
        )),
        None => Verdict::skipped(format!(
            "None is expected (--expect-digest); {} is booted.",
            named(&booted.digest)
        )),
    }
}

fn named(digest: &str) -> &str {
    match digest {
        "" => "an image without a digest",
        digest => digest,
    }
}

/// Whether the system knows what it updates from.
pub fn origin(booted: &Booted) -> Verdict {
    match booted.origin.as_str() {
        "" => Verdict::failed("The deployment names no image to update from."),
        origin => Verdict::passed(origin),
    }
}

/// Whether all that was to be mounted is; `failed` are the units that did not.
pub fn mounts(failed: &str) -> Verdict {
    match failed.trim() {
        "" => Verdict::passed("no failed units of mounts and swap"),
        failed => Verdict::failed(failed),
    }
}

/// Whether anybody on the network can speak to the system, by `ss -tulpnH`.
pub fn ports(listing: &str) -> Verdict {
    match sockets::open(listing).as_slice() {
        [] => Verdict::passed("none is open to the network"),
        open => Verdict::failed(open.join("\n")),
    }
}

/// What was left of the memory: `least` and `total` in MiB, and the kernel's
/// messages of processes that it ended for want of it.
pub fn memory(least: &str, total: &str, killed: &str) -> Verdict {
    let told = format!(
        "{} of {} MiB available at the least",
        least.trim(),
        total.trim()
    );
    match (killed.trim(), least.trim()) {
        ("", "") => Verdict::skipped("The memory was not watched."),
        ("", _) => Verdict::passed(told),
        (killed, _) => Verdict::failed(format!("{told}\n{killed}")),
    }
}

/// The digest that a build told of this file, in its JSON.
pub fn digest_told(json: &str, file_name: &str) -> Option<String> {
    let told: Value = serde_json::from_str(json).ok()?;
    let of_disks = told["version"] == 1 && told["type"] == "disk";
    let mut artefacts = told["artefacts"].as_array().filter(|_| of_disks)?.iter();
    let is_it = |path: &str| path.rsplit('/').next() == Some(file_name);
    artefacts.find(|artefact| artefact["path"].as_str().is_some_and(is_it))?;
    told["images"][0]["digest"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::smoke::case::Outcome;
    use serde_json::json;

    #[test]
    fn the_booted_image_is_read() {
        let status = json!({"status": {"booted": {"image": {
            "image": {"image": "r.example/os:1", "transport": "registry"},
            "imageDigest": "sha256:1",
        }}}});
        let found = booted(&status.to_string()).unwrap();
        assert_eq!(found.digest, "sha256:1");
        assert_eq!(found.origin, "r.example/os:1");
        for text in ["", "[]", r#"{"status": {"booted": null}}"#] {
            assert_eq!(booted(text), None, "{text}");
        }
    }

    #[test]
    fn answers_are_judged() {
        let booted = Booted {
            digest: "sha256:1".to_owned(),
            origin: "r.example/os:1".to_owned(),
        };
        let none = Booted::default();
        use Outcome::{Failed, Passed, Skipped};
        let table = [
            (system("running\n", ""), Passed, "running"),
            (
                system("degraded\n", "a.service loaded failed\n"),
                Failed,
                "a.service",
            ),
            (system("maintenance\n", ""), Failed, "maintenance"),
            (system("", ""), Failed, "does not answer"),
            (digest(&booted, Some("sha256:1")), Passed, "sha256:1"),
            (
                digest(&booted, Some("sha256:2")),
                Failed,
                "sha256:1 is booted, and sha256:2",
            ),
            (digest(&none, Some("sha256:2")), Failed, "without a digest"),
            (digest(&booted, None), Skipped, "sha256:1"),
            (origin(&booted), Passed, "r.example"),
            (origin(&none), Failed, "update from"),
            (mounts("\n"), Passed, "no failed"),
            (
                mounts("home.mount loaded failed failed /home\n"),
                Failed,
                "home.mount",
            ),
            (
                ports("tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\n"),
                Failed,
                "0.0.0.0:22",
            ),
            (
                ports("tcp LISTEN 0 128 127.0.0.1:22 0.0.0.0:*\n"),
                Passed,
                "none",
            ),
            (memory("300\n", "2000\n", ""), Passed, "300 of 2000 MiB"),
            (
                memory("3", "2000", "Out of memory: Killed process 7"),
                Failed,
                "process 7",
            ),
            (memory("", "", ""), Skipped, "not watched"),
        ];
        for (verdict, outcome, part) in table {
            assert_eq!(verdict.outcome, outcome, "{verdict:?}");
            assert!(verdict.told.contains(part), "{verdict:?} lacks {part}");
        }
    }

    #[test]
    fn a_build_tells_the_digest_of_its_own_files() {
        let told = json!({
            "version": 1, "type": "disk",
            "artefacts": [{"kind": "qcow2", "path": "/b/out/a.qcow2"}],
            "images": [{"reference": "r", "digest": "sha256:1"}],
        });
        let told = told.to_string();
        assert_eq!(digest_told(&told, "a.qcow2").as_deref(), Some("sha256:1"));
        assert_eq!(digest_told(&told, "b.qcow2"), None);
        assert_eq!(digest_told("{}", "a.qcow2"), None);
    }
}
