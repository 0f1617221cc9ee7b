// SPDX-License-Identifier: MIT OR Apache-2.0
//! Builds libFuzzer with the targets. No cargo-fuzz and no nightly compiler:
//! the instrumentation is LLVM's, and a stable rustc can ask for it. Only the
//! address sanitizer needs more; there is no unsafe code of ours to watch.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// What libFuzzer wants to be told by the code under test.
const INSTRUMENTATION: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg=fuzzing",
];

/// The program with all targets.
pub(crate) fn build(work: &Path) -> Result<PathBuf> {
    let workspace = fuzz::directory().join("libfuzzer");
    let target_dir = work.join("build");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let host = host()?;
    // With --target the flags are for the targets alone, not for build scripts.
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--target", &host, "--target-dir"])
        .arg(&target_dir)
        .current_dir(&workspace)
        .env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTATION.join("\u{1f}"))
        .status()
        .context("running cargo")?;
    if !status.success() {
        bail!("the targets cannot be built. Next step: see above; is a C++ compiler (g++) there?");
    }
    Ok(target_dir.join(host).join("debug/libfuzzer"))
}

/// What rustc builds for on its own.
fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("-vV")
        .output()
        .context("running rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc -vV names no host")
}
