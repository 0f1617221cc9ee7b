// SPDX-License-Identifier: MIT OR Apache-2.0
//! `status`: the booted image, in bootc's forms.

use std::fs;
use std::io::IsTerminal;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::cli::{Status, StatusFormat};
use crate::imgref::origin_name;
use crate::process::CommandExt;
use crate::say;

const REPO: &str = "--repo=/sysroot/ostree/repo";

/// The booted deployment's image.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Booted {
    image: String,
    digest: String,
    version: Option<String>,
    stateroot: String,
    checksum: String,
}

/// Prints the status.
pub(crate) fn status(options: &Status) -> Result<()> {
    let booted = read_booted()?;
    let format = options
        .format
        .unwrap_or(match (options.json, std::io::stdout().is_terminal()) {
            (true, _) => StatusFormat::Json,
            (false, true) => StatusFormat::Humanreadable,
            (false, false) => StatusFormat::Yaml,
        });
    say(render(booted.as_ref(), format)?.trim_end());
    Ok(())
}

fn render(booted: Option<&Booted>, format: StatusFormat) -> Result<String> {
    Ok(match format {
        StatusFormat::Humanreadable => human(booted),
        StatusFormat::Json => serde_json::to_string(&host(booted)).context("Serializing status")?,
        StatusFormat::Yaml => yaml(booted),
    })
}

fn read_booted() -> Result<Option<Booted>> {
    let cmdline = fs::read_to_string("/proc/cmdline").context("reading /proc/cmdline")?;
    let Some(link) = ostree_karg(&cmdline) else {
        return Ok(None);
    };
    if !Path::new("/run/ostree-booted").exists() {
        return Ok(None);
    }
    let link = Path::new("/sysroot").join(link.trim_start_matches('/'));
    let deployment =
        fs::canonicalize(&link).with_context(|| format!("resolving {}", link.display()))?;
    let deployment = deployment.display().to_string();
    let origin =
        fs::read_to_string(format!("{deployment}.origin")).context("reading the origin")?;
    let Some((stateroot, checksum)) = deployment_parts(&deployment) else {
        return Ok(None);
    };
    let metadata = |key: &str| {
        let option = format!("--print-metadata-key={key}");
        Command::new("ostree")
            .args(["show", REPO, &option, checksum])
            .read()
    };
    Ok(Some(Booted {
        image: origin_reference(&origin)
            .map(origin_name)
            .unwrap_or_default()
            .to_owned(),
        digest: unquote(&metadata("ostree.manifest-digest")?).to_owned(),
        // An image need not have a version.
        version: metadata("version")
            .ok()
            .map(|text| unquote(&text).to_owned()),
        stateroot: stateroot.to_owned(),
        checksum: checksum.to_owned(),
    }))
}

/// The `ostree=` kernel argument.
fn ostree_karg(cmdline: &str) -> Option<&str> {
    cmdline
        .split_whitespace()
        .find_map(|word| word.strip_prefix("ostree="))
}

/// Stateroot and checksum of `…/ostree/deploy/NAME/deploy/CSUM.SERIAL`.
fn deployment_parts(path: &str) -> Option<(&str, &str)> {
    let mut parts = path.rsplit('/');
    let (checksum, _) = parts.next()?.rsplit_once('.')?;
    parts.next().filter(|part| *part == "deploy")?;
    Some((parts.next()?, checksum))
}

fn origin_reference(origin: &str) -> Option<&str> {
    origin
        .lines()
        .find_map(|line| line.trim().strip_prefix("container-image-reference="))
}

/// A GVariant string as ostree prints it.
fn unquote(text: &str) -> &str {
    text.trim().trim_matches('\'')
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn human(booted: Option<&Booted>) -> String {
    let Some(booted) = booted else {
        return "System is not deployed via bootc.\n".to_owned();
    };
    // Labels end in one column, below "● Booted image".
    let mut text = format!("● Booted image: {}\n", booted.image);
    text.push_str(&format!(
        "        Digest: {} ({})\n",
        booted.digest,
        architecture()
    ));
    if let Some(version) = &booted.version {
        text.push_str(&format!("       Version: {version}\n"));
    }
    text
}

fn host(booted: Option<&Booted>) -> Value {
    let image = |b: &Booted| json!({"image": b.image, "transport": "registry"});
    let entry = |b: &Booted| {
        json!({
            "image": {
                "image": image(b),
                "version": b.version,
                "imageDigest": b.digest,
                "architecture": architecture(),
            },
            "ostree": {"stateroot": b.stateroot, "checksum": b.checksum},
        })
    };
    json!({
        "apiVersion": "org.containers.bootc/v1",
        "kind": "BootcHost",
        "metadata": {"name": "host"},
        "spec": {"image": booted.map(image), "bootOrder": "default"},
        "status": {
            "staged": null,
            "booted": booted.map(entry),
            "rollback": null,
            "type": booted.map(|_| "bootcHost"),
        },
    })
}

fn yaml(booted: Option<&Booted>) -> String {
    let mut text = String::new();
    write_yaml(&mut text, &host(booted), 0);
    text
}

/// Objects of scalars are all that `host` makes; strings are plain scalars
/// where YAML takes them so.
fn write_yaml(out: &mut String, value: &Value, indent: usize) {
    let Value::Object(map) = value else { return };
    for (key, value) in map {
        out.push_str(&" ".repeat(indent));
        out.push_str(key);
        out.push(':');
        match value {
            Value::Object(_) => {
                out.push('\n');
                write_yaml(out, value, indent + 2);
            }
            Value::String(text) if is_plain(text) => out.push_str(&format!(" {text}\n")),
            other => out.push_str(&format!(" {other}\n")),
        }
    }
}

fn is_plain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with(':')
        && !["null", "true", "false", "yes", "no", "on", "off"].contains(&text)
        && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn booted() -> Booted {
        Booted {
            image: "10.0.2.2:5000/os/debian:v1".into(),
            digest: "sha256:8a45".into(),
            version: Some("forky.v1".into()),
            stateroot: "default".into(),
            checksum: "abc".into(),
        }
    }

    #[test]
    fn the_deployment_is_found_by_its_path() {
        let cmdline = "BOOT_IMAGE=/boot/x root=UUID=1 rw ostree=/ostree/boot.1/default/b/0\n";
        assert_eq!(ostree_karg(cmdline), Some("/ostree/boot.1/default/b/0"));
        assert_eq!(
            deployment_parts("/sysroot/ostree/deploy/default/deploy/abc.0"),
            Some(("default", "abc"))
        );
        assert_eq!(deployment_parts("/sysroot"), None);
        let origin = "[origin]\ncontainer-image-reference=ostree-unverified-registry:h/i:v1\n";
        assert_eq!(origin_reference(origin).map(origin_name), Some("h/i:v1"));
        assert_eq!(unquote("'sha256:8a45'\n"), "sha256:8a45");
    }

    #[test]
    fn a_terminal_gets_lines() {
        let text = render(Some(&booted()), StatusFormat::Humanreadable).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        assert_eq!(lines[0], "● Booted image: 10.0.2.2:5000/os/debian:v1");
        assert!(lines[1].starts_with("Digest: sha256:8a45 ("));
        assert_eq!(lines[2], "Version: forky.v1");
    }

    #[test]
    fn a_pipe_gets_yaml() {
        let text = render(Some(&booted()), StatusFormat::Yaml).unwrap();
        for line in [
            "apiVersion: org.containers.bootc/v1",
            "kind: BootcHost",
            "  rollback: null",
            "      imageDigest: sha256:8a45",
            "        image: \"10.0.2.2:5000/os/debian:v1\"",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} not in\n{text}");
        }
    }

    #[test]
    fn json_is_one_object() {
        let text = render(None, StatusFormat::Json).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert!(value["status"]["booted"].is_null());
    }
}
