// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs of the machine replaced for one test.

use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};

/// A file over a program of the machine, wherever that is, in the mount
/// namespace of this test only. Dropping it uncovers the program.
#[derive(Debug)]
pub struct Cover(Vec<PathBuf>);

impl Cover {
    pub(crate) fn new(program: &str, with: &Path) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let usual = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map(PathBuf::from);
        let mut places = Vec::new();
        for dir in std::env::split_paths(&path).chain(usual) {
            // Directories can be links to each other.
            if let Ok(place) = dir.join(program).canonicalize()
                && !places.contains(&place)
            {
                let flags = MsFlags::MS_BIND;
                mount(Some(with), &place, None::<&str>, flags, None::<&str>).unwrap();
                places.push(place);
            }
        }
        assert!(!places.is_empty(), "there is no {program}");
        Self(places)
    }
}

impl Drop for Cover {
    fn drop(&mut self) {
        for place in &self.0 {
            let done = testkit::unmount(place);
            assert!(done.is_ok() || std::thread::panicking(), "{done:?}");
        }
    }
}
