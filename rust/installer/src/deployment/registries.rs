// SPDX-License-Identifier: MIT OR Apache-2.0
//! How the installed system reaches its registry: a drop-in for
//! containers-registries.conf(5).

use std::fmt::Write;

use registry::{PullFromMirror, RegistryEntry};

/// Where the drop-in goes, below the deployment.
pub const PATH: &str = "etc/containers/registries.conf.d/50-installer.conf";

/// The drop-in's text, `None` when no registry needs one.
pub fn drop_in(entries: &[RegistryEntry]) -> Option<String> {
    let mut text = String::new();
    for entry in entries {
        text.push_str("\n[[registry]]\n");
        line(&mut text, "prefix", &entry.prefix);
        if let Some(location) = &entry.location {
            line(&mut text, "location", location);
        }
        flag(&mut text, "insecure", entry.insecure);
        flag(&mut text, "blocked", entry.blocked);
        flag(
            &mut text,
            "mirror-by-digest-only",
            entry.mirror_by_digest_only,
        );
        for mirror in &entry.mirrors {
            text.push_str("\n[[registry.mirror]]\n");
            line(&mut text, "location", &mirror.location);
            flag(&mut text, "insecure", mirror.insecure);
            match mirror.pull {
                PullFromMirror::All => {}
                PullFromMirror::DigestOnly => line(&mut text, "pull-from-mirror", "digest-only"),
                PullFromMirror::TagOnly => line(&mut text, "pull-from-mirror", "tag-only"),
            }
        }
    }
    (!text.is_empty()).then(|| format!("# Written by the installer.\n{text}"))
}

fn line(text: &mut String, key: &str, value: &str) {
    // Writing to a string cannot fail.
    writeln!(text, "{key} = {}", quoted(value)).unwrap_or_default();
}

fn flag(text: &mut String, key: &str, on: bool) {
    if on {
        writeln!(text, "{key} = true").unwrap_or_default();
    }
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// Where a certificate for a registry goes, below the deployment
/// (containers-certs.d(5)); certificates belong to a host, not a namespace.
pub fn certificate_path(prefix: &str, name: &str) -> String {
    let host = prefix.split('/').next().unwrap_or(prefix);
    format!("etc/containers/certs.d/{host}/{name}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use registry::{Mirror, RegistriesConf};

    #[test]
    fn nothing_special_needs_no_file() {
        assert_eq!(drop_in(&[]), None);
    }

    #[test]
    fn insecure_and_mirrors() {
        let mirror = |location: &str, insecure| Mirror {
            location: location.into(),
            insecure,
            pull: PullFromMirror::All,
        };
        let registry = |prefix: &str| RegistryEntry {
            location: Some(prefix.into()),
            ..RegistryEntry::new(prefix, "")
        };
        let text = drop_in(&[
            RegistryEntry {
                mirrors: vec![
                    mirror("m.example:5000/os", true),
                    mirror("n.example", false),
                ],
                ..registry("r.example/os")
            },
            RegistryEntry {
                insecure: true,
                ..registry("m.example:5000")
            },
        ]);
        assert_eq!(
            text.as_deref(),
            Some(
                "# Written by the installer.\n\
                 \n[[registry]]\nprefix = \"r.example/os\"\nlocation = \"r.example/os\"\n\
                 \n[[registry.mirror]]\nlocation = \"m.example:5000/os\"\ninsecure = true\n\
                 \n[[registry.mirror]]\nlocation = \"n.example\"\n\
                 \n[[registry]]\nprefix = \"m.example:5000\"\nlocation = \"m.example:5000\"\ninsecure = true\n"
            )
        );
    }

    /// What is written is read as what it was.
    #[test]
    fn all_keys_survive() {
        let text = "[[registry]]\nprefix = \"*.r.io\"\ninsecure = true\nblocked = true\n\
                    mirror-by-digest-only = true\n[[registry.mirror]]\nlocation = \"m.io\"\n\
                    [[registry]]\nprefix = \"s.io\"\nlocation = \"t.io/x\"\n\
                    [[registry.mirror]]\nlocation = \"d.io\"\npull-from-mirror = \"digest-only\"\n\
                    [[registry.mirror]]\nlocation = \"e.io\"\npull-from-mirror = \"tag-only\"\n";
        let conf = RegistriesConf::from_toml("f", text).unwrap();
        let entries: Vec<RegistryEntry> = ["x.r.io/a:1", "s.io/a:1"]
            .iter()
            .map(|name| conf.entry_for(&name.parse().unwrap()).unwrap().clone())
            .collect();
        let written = drop_in(&entries).unwrap();
        assert_eq!(RegistriesConf::from_toml("f", &written).unwrap(), conf);
    }

    #[test]
    fn nothing_breaks_out_of_a_string() {
        assert_eq!(quoted("a\"\n\\b"), "\"a\\\"\\u000a\\\\b\"");
    }

    #[test]
    fn certificates() {
        assert_eq!(
            certificate_path("r.example:5000/os", "ca.crt"),
            "etc/containers/certs.d/r.example:5000/ca.crt"
        );
    }
}
