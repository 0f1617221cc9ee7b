// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tools that tests and demo run, and the Debian packages that have them.

mod plan;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::cache;
use crate::cmd;
use plan::Apt;

/// Tool and the Debian package (bookworm to forky) that provides it. A tool is
/// a program's name, or the absolute path of a file that is no program.
const PACKAGES: &[(&str, &str)] = &[
    (OVMF, "ovmf"),
    ("addpart", "util-linux"),
    ("buildah", "buildah"),
    ("delpart", "util-linux"),
    ("docker-registry", "docker-registry"),
    ("dpkg-deb", "dpkg"),
    ("htpasswd", "apache2-utils"),
    ("losetup", "mount"),
    ("mcopy", "mtools"),
    ("mkfs.btrfs", "btrfs-progs"),
    ("mkfs.erofs", "erofs-utils"),
    ("mkfs.ext4", "e2fsprogs"),
    ("mkfs.vfat", "dosfstools"),
    ("mkfs.xfs", "xfsprogs"),
    ("mksquashfs", "squashfs-tools"),
    ("mmd", "mtools"),
    ("mmdebstrap", "mmdebstrap"),
    ("openssl", "openssl"),
    ("podman", "podman"),
    ("qemu-img", "qemu-utils"),
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("sgdisk", "gdisk"),
    ("skopeo", "skopeo"),
    ("tar", "tar"),
    ("umoci", "umoci"),
    ("unshare", "util-linux"),
    ("unsquashfs", "squashfs-tools"),
    ("xorriso", "xorriso"),
    ("zstd", "zstd"),
];

/// The UEFI firmware for QEMU.
pub const OVMF: &str = "/usr/share/OVMF/OVMF_CODE_4M.fd";

/// Makes sure that the tools are there: as root it says which packages are
/// missing and installs them, otherwise the error names the line to type. No
/// package of the machine is removed for them.
pub fn ensure(tools: &[&str]) -> Result<()> {
    if missing(tools).is_empty() {
        return Ok(());
    }
    if !cmd::is_root() {
        let missing = missing(tools);
        let packages = packages_for(&missing)?.join(" ");
        bail!(
            "missing here: {}. Next step: sudo apt-get install --no-install-recommends {packages}",
            missing.join(", ")
        );
    }
    // Tests run side by side, and apt refuses to.
    let _lock = cache::lock(&cache::dir()?.join(".apt.lock"))?;
    let missing_now = missing(tools);
    if missing_now.is_empty() {
        return Ok(());
    }
    let packages = packages_for(&missing_now)?;
    let apt = Apt::of_host(cache::dir()?.join("apt-backports"));
    let names = packages.join(" ");
    eprintln!("missing here: {}", missing_now.join(", "));
    install(&apt, &packages)?;
    match missing(tools).first() {
        Some(tool) => bail!("{tool} is still missing after the installation of {names}"),
        None => Ok(()),
    }
}

fn missing<'a>(tools: &[&'a str]) -> Vec<&'a str> {
    tools.iter().copied().filter(|t| !is_there(t)).collect()
}

fn is_there(tool: &str) -> bool {
    match tool.starts_with('/') {
        true => Path::new(tool).exists(),
        false => cmd::find(tool).is_some(),
    }
}

/// The packages that provide these tools, sorted, each once.
pub fn packages_for(tools: &[&str]) -> Result<Vec<&'static str>> {
    let mut packages = BTreeSet::new();
    for tool in tools {
        match PACKAGES.iter().find(|(name, _)| name == tool) {
            Some((_, package)) => packages.insert(*package),
            None => bail!(
                "no package known for the tool {tool}: add it to the table in rust/buildroot/src/apt.rs"
            ),
        };
    }
    Ok(packages.into_iter().collect())
}

fn install(apt: &Apt, packages: &[&str]) -> Result<()> {
    let try_to = || {
        // All are known before the first is done.
        for plan in apt.plans(packages)? {
            eprintln!("{}", plan.tell());
            apt.install(&plan)?;
        }
        Ok(())
    };
    try_to().or_else(|first| {
        // A machine whose package lists are older than the mirror's, or that has none.
        apt.update(&[])
            .with_context(|| format!("refreshing the package lists, after: {first:#}"))?;
        try_to()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn packages_are_sorted_and_named_once() {
        let packages = packages_for(&["umoci", "mmd", "mcopy", "sgdisk"]).unwrap();
        assert_eq!(packages, ["gdisk", "mtools", "umoci"]);
    }

    #[test]
    fn an_unknown_tool_is_an_error() {
        assert!(
            packages_for(&["no-such-tool"])
                .unwrap_err()
                .to_string()
                .contains("no-such-tool")
        );
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(PACKAGES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn tools_that_are_there_cost_nothing() {
        ensure(&["tar"]).unwrap();
    }

    #[test]
    fn a_path_is_looked_for_where_it_says() {
        assert!(is_there("/proc/self/status"));
        assert!(!is_there("/proc/self/no-such-file"));
        assert_eq!(packages_for(&[OVMF]).unwrap(), ["ovmf"]);
    }
}
