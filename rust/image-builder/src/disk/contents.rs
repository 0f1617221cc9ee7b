// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is in a disk that was made, for its SBOM: read out of the deployment, which
//! is mounted read-only, apart, and only for that.

use std::path::Path;

use contract::event::Summary;
use host::cancel::Cancel;
use host::cmd::Tool;
use serde::Deserialize;

use crate::error::{Code, Error, Result};
use crate::sbom::{self, Package};

/// Between the files that [`READ`] prints.
const NEXT: &str = "\u{c}\n";

/// Prints os-release(5), then dpkg's list where there is one. Runs in a mount
/// namespace of its own: what it mounts goes with it. Arguments: disk, where its root
/// begins and how long it is in bytes, a directory, deployment, stateroot. Links of the
/// image lead nowhere outside of it.
const READ: &str = r#"
disk=$1 offset=$2 size=$3 root=$4 deployment=$5 stateroot=$6
# Nodes of new loop devices do not appear in the /dev of a container.
kind=$(sed -n 's|^[^ ]* /dev \([^ ]*\) .*|\1|p' /proc/self/mounts | tail -n 1)
[ "$kind" = devtmpfs ] || mount -t devtmpfs devtmpfs /dev
mount -o "ro,loop,offset=$offset,sizelimit=$size" "$disk" "$root"
show() {
    for file in "$@"; do
        file=$(realpath --canonicalize-existing -- "$file" 2>/dev/null) || continue
        case $file in "$root"/*) cat -- "$file"; return ;; esac
    done
}
show "$root/$deployment/usr/lib/os-release"
printf '\f\n'
show "$root/ostree/deploy/$stateroot/var/lib/dpkg/status" \
    "$root/$deployment/var/lib/dpkg/status" "$root/$deployment/usr/lib/sysimage/dpkg/status"
"#;

/// What an image says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct InImage {
    /// `ID` of os-release(5): `debian`.
    pub(crate) os: String,
    /// `VERSION_CODENAME`, else `VERSION_ID`; empty without both.
    pub(crate) release: String,
    /// The packages of dpkg; none where there is another packager.
    pub(crate) packages: Vec<Package>,
}

/// Reads the disk that was installed with this result.
///
/// # Errors
/// `TOOL_MISSING`; `IO` when the disk cannot be mounted once more; `INTERRUPTED`.
pub(super) fn read(raw: &Path, installed: &Summary, stop: &Cancel) -> Result<InImage> {
    let raw = std::path::absolute(raw).map_err(|err| Error::io("Resolving", raw, &err))?;
    let failed = |details: Vec<String>| {
        let what = format!("What is in {} cannot be read.", raw.display());
        let error = Error::new(Code::Io, what).next("See the details, and run the command again.");
        details.into_iter().fold(error, Error::detail)
    };
    let run = |tool: Tool| {
        let ran = tool.run(stop);
        stop.check()?;
        ran.map(|ran| ran.stdout).map_err(|err| failed(err.details))
    };
    let table = run(Tool::new("sfdisk").arg("--json").arg(&raw))?;
    let (offset, bytes) = last_partition(&table)
        .ok_or_else(|| failed(vec!["its partition table has no partition".into()]))?;
    let root = tempfile::tempdir()
        .map_err(|err| Error::io("Making a directory in", &std::env::temp_dir(), &err))?;
    let tool = Tool::new("unshare")
        .args(["--mount", "--propagation", "private", "--"])
        .args(["sh", "-ec", READ, "sh"])
        .arg(&raw)
        .args([offset.to_string(), bytes.to_string()])
        .arg(root.path())
        .args([&installed.deployment, &installed.stateroot]);
    Ok(parse(&run(tool)?))
}

/// `sfdisk --json`, as far as it is looked at.
#[derive(Debug, Deserialize)]
struct Printed {
    partitiontable: Table,
}

#[derive(Debug, Deserialize)]
struct Table {
    #[serde(default = "usual_sector")]
    sectorsize: u64,
    partitions: Vec<Part>,
}

/// In sectors.
#[derive(Debug, Deserialize)]
struct Part {
    start: u64,
    size: u64,
}

fn usual_sector() -> u64 {
    512
}

/// Where the root is, which the engine puts last: its begin and size in bytes.
fn last_partition(table: &str) -> Option<(u64, u64)> {
    let Printed { partitiontable } = serde_json::from_str(table).ok()?;
    let sector = partitiontable.sectorsize;
    let last = partitiontable
        .partitions
        .iter()
        .max_by_key(|part| part.start)?;
    Some((last.start * sector, last.size * sector))
}

fn parse(printed: &str) -> InImage {
    let (release, status) = printed.split_once(NEXT).unwrap_or((printed, ""));
    let field = |name: &str| {
        let mut lines = release.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.map(|value| value.trim_matches(['"', '\'']).to_owned())
    };
    InImage {
        os: field("ID").unwrap_or_else(|| "linux".into()),
        release: field("VERSION_CODENAME")
            .or_else(|| field("VERSION_ID"))
            .unwrap_or_default(),
        packages: sbom::packages(status),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    #[test]
    fn the_root_is_the_last_partition() {
        let table = r#"{"partitiontable": {"label": "gpt", "sectorsize": 512, "partitions": [
            {"node": "d3", "start": 4096, "size": 8, "type": "x"},
            {"node": "d1", "start": 2048, "size": 4, "type": "y"}]}}"#;
        assert_eq!(last_partition(table), Some((4096 * 512, 8 * 512)));
        assert_eq!(last_partition("{}"), None);
    }

    /// A disk with a deployment, as far as it is looked at; a link in it leads out.
    #[test]
    fn a_disk_is_read_apart_and_only_itself() {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: loop devices need root");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("tree");
        let put = |path: &str, text: &str| {
            let path = tree.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let deployment = "ostree/deploy/default/deploy/0a.0";
        put(
            &format!("{deployment}/usr/lib/os-release"),
            "ID=debian\nVERSION_CODENAME=forky\n",
        );
        put(
            &format!("{deployment}/usr/lib/sysimage/dpkg/status"),
            "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n",
        );
        put("ostree/deploy/default/var/lib/dpkg/x", "");
        std::os::unix::fs::symlink(
            "/var/lib/dpkg/status",
            tree.join("ostree/deploy/default/var/lib/dpkg/status"),
        )
        .unwrap();
        let raw = dir.path().join("disk.raw");
        let script = "truncate -s 16M disk.raw && \
            printf 'label: gpt\nsize=1MiB\nsize=8MiB\n' | sfdisk -q disk.raw && \
            mkfs.ext4 -q -F -d tree -E offset=2097152 disk.raw 8M";
        let made = std::process::Command::new("sh")
            .args(["-ec", script])
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let installed = Summary {
            imgref: "r.example/os:1".into(),
            digest: "sha256:0a".into(),
            deployment: deployment.into(),
            stateroot: "default".into(),
            bootloaders: Vec::new(),
            bytes_downloaded: 0,
            hand_over: None,
        };
        let found = read(&raw, &installed, &Cancel::new()).unwrap();
        assert_eq!((&*found.os, &*found.release), ("debian", "forky"));
        let names: Vec<_> = found.packages.iter().map(|it| &*it.name).collect();
        assert_eq!(names, ["a"]);
        let none = Summary {
            deployment: "ostree/deploy/default/deploy/none".into(),
            ..installed
        };
        assert_eq!(read(&raw, &none, &Cancel::new()).unwrap().packages, []);
        fs::write(&raw, "no disk").unwrap();
        let error = read(&raw, &none, &Cancel::new()).unwrap_err();
        assert_eq!(error.code, Code::Io);
    }

    #[test]
    fn what_an_image_says_is_read() {
        let status = "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n";
        let release = "NAME=\"Debian\"\nID=debian\nVERSION_ID=\"13\"\nVERSION_CODENAME=trixie\n";
        let found = parse(&format!("{release}{NEXT}{status}"));
        assert_eq!((&*found.os, &*found.release), ("debian", "trixie"));
        assert_eq!(found.packages[0].name, "a");
        let other = parse("ID='fedora'\nVERSION_ID=43\n\u{c}\n");
        assert_eq!((&*other.os, &*other.release), ("fedora", "43"));
        assert!(other.packages.is_empty());
    }
}
