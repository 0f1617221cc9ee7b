// SPDX-License-Identifier: MIT OR Apache-2.0
//! Screenshots and logs, which stay after a test for a person to look at.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use testkit::cache;

/// An empty directory for a test: `out/gui/<test>` in continuous integration
/// (`$CI` is set), else `target/gui-artefacts/<test>`.
pub(crate) fn directory(test: &str) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let workspace = fs::canonicalize(workspace).unwrap();
    let place = match std::env::var_os("CI") {
        Some(_) => workspace.join("out/gui"),
        None => workspace.join("target/gui-artefacts"),
    };
    let directory = place.join(test);
    cache::remove_tree(&directory).unwrap();
    fs::create_dir_all(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    directory
}
