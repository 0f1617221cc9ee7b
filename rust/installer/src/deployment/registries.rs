// SPDX-License-Identifier: MIT OR Apache-2.0
//! How the installed system reaches its registry: a drop-in for
//! containers-registries.conf(5).

use std::fmt::Write;

use crate::plan::RegistryPlan;

/// Where the drop-in goes, below the deployment.
pub const PATH: &str = "etc/containers/registries.conf.d/50-installer.conf";

/// The drop-in's text, `None` when no registry needs one.
pub fn drop_in(registries: &[RegistryPlan]) -> Option<String> {
    let mut text = String::new();
    for registry in registries {
        if !registry.insecure && registry.mirrors.is_empty() {
            continue;
        }
        let insecure = |name: &str| {
            registries
                .iter()
                .any(|r| r.insecure && covers(&r.prefix, name))
        };
        table(
            &mut text,
            "[[registry]]",
            "prefix",
            registry,
            registry.insecure,
        );
        for mirror in &registry.mirrors {
            location(&mut text, "[[registry.mirror]]", mirror, insecure(mirror));
        }
    }
    (!text.is_empty()).then(|| format!("# Written by the installer.\n{text}"))
}

fn table(text: &mut String, head: &str, key: &str, registry: &RegistryPlan, insecure: bool) {
    // Writing to a string cannot fail.
    writeln!(text, "\n{head}\n{key} = {}", quoted(&registry.prefix)).unwrap_or_default();
    writeln!(text, "location = {}", quoted(&registry.prefix)).unwrap_or_default();
    if insecure {
        text.push_str("insecure = true\n");
    }
}

fn location(text: &mut String, head: &str, name: &str, insecure: bool) {
    writeln!(text, "\n{head}\nlocation = {}", quoted(name)).unwrap_or_default();
    if insecure {
        text.push_str("insecure = true\n");
    }
}

/// Whether `prefix` is `name` or a directory above it.
fn covers(prefix: &str, name: &str) -> bool {
    name.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
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

/// Where a registry's certificate authority goes, below the deployment
/// (containers-certs.d(5)); certificates belong to a host, not a namespace.
pub fn certificate_path(prefix: &str) -> String {
    let host = prefix.split('/').next().unwrap_or(prefix);
    format!("etc/containers/certs.d/{host}/ca.crt")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(prefix: &str, insecure: bool, mirrors: &[&str]) -> RegistryPlan {
        RegistryPlan {
            prefix: prefix.into(),
            insecure,
            mirrors: mirrors.iter().map(|&m| m.into()).collect(),
            ..RegistryPlan::default()
        }
    }

    #[test]
    fn nothing_special_needs_no_file() {
        assert_eq!(drop_in(&[]), None);
        assert_eq!(drop_in(&[registry("r.example", false, &[])]), None);
    }

    #[test]
    fn insecure_and_mirrors() {
        let text = drop_in(&[
            registry("r.example/os", false, &["m.example:5000/os", "n.example"]),
            registry("m.example:5000", true, &[]),
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

    #[test]
    fn nothing_breaks_out_of_a_string() {
        assert_eq!(quoted("a\"\n\\b"), "\"a\\\"\\u000a\\\\b\"");
    }

    #[test]
    fn certificates() {
        assert_eq!(
            certificate_path("r.example:5000/os"),
            "etc/containers/certs.d/r.example:5000/ca.crt"
        );
    }
}
