// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads Calamares' global storage from where `--calamares` says.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use contract::error::{Code, Error, Result};
use secrecy::zeroize::Zeroizing;

use crate::calamares::GlobalStorage;

/// No storage is longer; a machine with a hundred partitions needs 50 kB.
const STORAGE_MAX: u64 = 4 * 1024 * 1024;

/// The storage in a file, or from standard input (`-`).
pub(super) fn read(path: &Path) -> Result<GlobalStorage> {
    // It may hold passphrases.
    let mut text = Zeroizing::new(String::new());
    let read = if path == Path::new("-") {
        std::io::stdin().take(STORAGE_MAX).read_to_string(&mut text)
    } else {
        File::open(path).and_then(|file| file.take(STORAGE_MAX).read_to_string(&mut text))
    };
    read.map_err(|err| {
        Error::new(
            Code::CalamaresInvalid,
            format!(
                "Calamares' global storage {} cannot be read.",
                path.display()
            ),
        )
        .why("The file is missing, not readable, or no UTF-8 text.")
        .next("Check the path and its permissions.")
        .detail(err.to_string())
    })?;
    GlobalStorage::from_json(&text)
}
