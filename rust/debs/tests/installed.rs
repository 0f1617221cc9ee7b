// SPDX-License-Identifier: MIT OR Apache-2.0
//! The builder where people have it: installed from its package, without sources and
//! without git; and its sources without git, as an archive of a release has them.
//! Minutes when the packages are not built yet, and so by themselves only:
//!
//! ```text
//! cargo test -p debs --test installed -- --ignored --nocapture
//! ```
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

use buildroot::cmd::{CommandExt as _, is_root};
use buildroot::rootfs::Rootfs;

/// In a mount namespace of its own. Arguments: root, packages, shell lines.
const ENTER: &str = r#"
root=$1 debs=$2 lines=$3
mount --bind "$root" "$root"
mkdir -p "$root/debs"
mount --bind "$debs" "$root/debs"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
cp /etc/resolv.conf "$root/etc/resolv.conf"
exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive sh -ec "$lines"
"#;

fn apart() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "--", "sh", "-ec"]);
    command
}

#[test]
#[ignore = "minutes: installs the packages into a root"]
fn the_package_needs_no_sources() {
    assert!(is_root(), "a root needs root");
    let debs = debs::build_all("trixie", debs::Output::Inherited).unwrap();
    let made = Rootfs::new("trixie").build().unwrap();
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let root = dir.path().join("root");
    Command::new("cp")
        .arg("--archive")
        .args([&made, &root])
        .run()
        .unwrap();
    let in_root = |lines: &str| {
        let mut command = apart();
        command.args([ENTER, "sh"]).arg(&root);
        command.arg(debs[0].parent().unwrap()).arg(lines);
        command.read().unwrap()
    };
    let lines = "apt-get update -qq && apt-get install -qq --yes --no-install-recommends \
        /debs/debian-bootc-image-builder_*.deb /debs/calamares-bootc-media_*.deb >/dev/null
        ! command -v git && ! command -v cargo";
    in_root(lines);
    let found = in_root(
        "cd /root && debian-bootc-image-builder init >/dev/null && \
         debian-bootc-image-builder validate && debian-bootc-image-builder build --dry-run",
    );
    assert!(found.contains("distro.yaml is right."), "{found}");
    let from = "take the installer's packages from /usr/share/calamares-bootc/debs/trixie";
    assert!(found.contains(from), "{found}");
    let there = in_root(
        "ls /usr/share/calamares-bootc/debs/trixie
         zcat /usr/share/man/man1/debian-bootc-image-builder.1.gz | head -n 3
         ls /usr/share/bash-completion/completions /usr/share/zsh/vendor-completions \
            /usr/share/fish/vendor_completions.d",
    );
    for part in [
        "bootc-installer_",
        "calamares-bootc_",
        ".TH \"DEBIAN-BOOTC-IMAGE-BUILDER\"",
        "_debian-bootc-image-builder",
        "debian-bootc-image-builder.fish",
    ] {
        assert!(there.contains(part), "no {part}: {there}");
    }
    // Where it was built is in none of it.
    let program = fs::read(root.join("usr/bin/debian-bootc-image-builder")).unwrap();
    let built_in = b"/build/tree/rust/";
    assert!(!program.windows(built_in.len()).any(|part| part == built_in));
}

/// The packages of a tree without `.git`, on a machine without git: laid over the
/// tree that this was compiled in, so that it finds it in its place.
#[test]
#[ignore = "minutes: builds the packages"]
fn an_archive_of_the_sources_is_enough() {
    assert!(is_root(), "it mounts");
    let source = debs::workspace().unwrap();
    let known = debs::files(&source).unwrap();
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (archive, out) = (dir.path().join("archive"), dir.path().join("out"));
    let mut list = dir.path().join("list");
    let names: Vec<String> = known
        .iter()
        .map(|it| format!("{}\n", it.display()))
        .collect();
    fs::write(&list, names.concat()).unwrap();
    fs::create_dir(&archive).unwrap();
    list = list.canonicalize().unwrap();
    let copy =
        "tar --create --files-from \"$1\" --directory \"$2\" | tar --extract --directory \"$3\"";
    let mut command = Command::new("sh");
    command
        .args(["-ec", copy, "sh"])
        .args([&list, &source, &archive])
        .run()
        .unwrap();
    assert!(!archive.join(".git").exists());
    let program = Path::new(env!("CARGO_BIN_EXE_debs"));
    // One that only fails is as good as none.
    let lines =
        "mkdir \"$4\" && cp \"$3\" \"$4/debs\" && printf '#!/bin/sh\\nexit 127\\n' >\"$4/git\" && chmod +x \"$4/git\"
        mount --bind \"$1\" \"$2\" && cd / && PATH=\"$4:$PATH\" exec \"$4/debs\" build --output \"$5\"";
    let mut command = apart();
    command
        .args([lines, "sh"])
        .args([archive.as_path(), source.as_path(), program]);
    command.arg(dir.path().join("bin")).arg(&out).run().unwrap();
    let made = fs::read_dir(&out).unwrap().count();
    assert_eq!(made, 4);
}
