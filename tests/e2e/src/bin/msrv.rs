// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles the workspace with trixie's own rustc, in a trixie root that
//! mmdebstrap makes (`make msrv`). The sources come vendored from the host, so
//! the root needs no network.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{ensure, Context, Result};
use e2e::stage::say;
use testkit::cache::{self, Key};
use testkit::cmd::{self, CommandExt};
use testkit::rootfs::Rootfs;

/// Runs inside `unshare --mount`: everything it mounts ends with it.
const CHROOT: &str = r#"
mount --bind "$SOURCE" "$ROOT/src"
mount --bind "$VENDOR" "$ROOT/vendor"
mount --bind "$TARGET" "$ROOT/target"
mount --bind /dev "$ROOT/dev"
mount -t proc proc "$ROOT/proc"
exec chroot "$ROOT" env -i PATH=/usr/bin:/bin HOME=/tmp CARGO_HOME=/vendor/home \
    CARGO_TARGET_DIR=/target CARGO_TERM_COLOR=never \
    sh -ec 'cd /src; rustc --version; exec cargo check --locked --offline --workspace --all-targets'
"#;

fn main() -> Result<()> {
    ensure!(
        cmd::is_root(),
        "compiling in a trixie root needs root: it mounts and chroots"
    );
    let source = workspace()?;
    let root = Rootfs::new("trixie")
        .packages(&["cargo", "rustc", "gcc", "libc6-dev", "make", "cmake"])
        .customize(r#"mkdir -p "$1/src" "$1/vendor" "$1/target""#)
        .build()?;
    let lock = Key::new().with_file("Cargo.lock", &source.join("Cargo.lock"))?;
    let vendor = cache::entry("vendor", &lock, |dir| vendor(&source, dir))?;
    let target = cache::dir()?.join("msrv-target");
    std::fs::create_dir_all(&target).with_context(|| format!("making {}", target.display()))?;

    let status = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-ec", CHROOT])
        .env("SOURCE", &source)
        .env("ROOT", &root)
        .env("VENDOR", &vendor)
        .env("TARGET", &target)
        .status()
        .context("starting unshare (package util-linux)")?;
    ensure!(
        status.success(),
        "trixie's compiler does not take this tree ({status})"
    );
    say("MSRV ok: the workspace compiles with trixie's rustc");
    Ok(())
}

/// Copies every dependency's source to `dir/crates`, with a CARGO_HOME beside
/// it that points there.
fn vendor(source: &Path, dir: &Path) -> Result<()> {
    let home = dir.join("home");
    std::fs::create_dir_all(&home).with_context(|| format!("making {}", home.display()))?;
    Command::new("cargo")
        .args(["vendor", "--locked", "--quiet"])
        .arg(dir.join("crates"))
        .current_dir(source)
        .read()?;
    let config = "[source.crates-io]\nreplace-with = \"vendored\"\n\n\
                  [source.vendored]\ndirectory = \"/vendor/crates\"\n";
    std::fs::write(home.join("config.toml"), config).context("writing the vendor configuration")
}

fn workspace() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    here.canonicalize()
        .with_context(|| format!("finding the workspace at {}", here.display()))
}
