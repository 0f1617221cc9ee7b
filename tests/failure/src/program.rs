// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program under test, in the profile of the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

use testkit::cmd::CommandExt;

/// The file `bootc-installer` beside the directory of this test executable,
/// built when it is not there or older than its sources. `cargo test
/// --workspace` has built it already; asking cargo once more would compile all
/// that it depends on a second time, with fewer features.
pub fn path() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let tests = std::env::current_exe().unwrap();
        // target[/triple]/profile/deps/this-test
        let profile = tests.parent().and_then(Path::parent).unwrap();
        let program = profile.join("bootc-installer");
        let built = program.metadata().and_then(|meta| meta.modified());
        if !built.is_ok_and(|built| built > newest_source()) {
            build(profile);
        }
        program
    })
}

fn newest_source() -> SystemTime {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tops = ["Cargo.toml", "Cargo.lock", "rust"];
    tops.iter()
        .map(|top| newest(&workspace.join(top)))
        .max()
        .unwrap()
}

fn newest(path: &Path) -> SystemTime {
    let meta = path.metadata().unwrap();
    if meta.is_file() {
        return meta.modified().unwrap();
    }
    let entries = fs::read_dir(path).unwrap().flatten();
    let times = entries.map(|entry| newest(&entry.path()));
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

fn build(profile: &Path) {
    let out = profile.parent().unwrap();
    let name = profile.file_name().and_then(|n| n.to_str()).unwrap();
    let mut build = Command::new(env!("CARGO"));
    build
        .args(["build", "--quiet", "--locked", "--package=bootc-installer"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        // The directory is called debug, the profile dev.
        .arg(format!(
            "--profile={}",
            if name == "debug" { "dev" } else { name }
        ));
    if out.join("CACHEDIR.TAG").exists() {
        build.arg("--target-dir").arg(out);
    } else {
        build.arg("--target-dir").arg(out.parent().unwrap());
        build.arg("--target").arg(out.file_name().unwrap());
    }
    build.run().unwrap();
}
