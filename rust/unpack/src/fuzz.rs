// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the fuzz targets call: parsers that are no part of the interface.

use std::io::{self, Read};
use std::path::Path;

use super::entries::Archive;
use super::name::{self, Role};
use super::pax;

/// Reads all entries of a tar archive with their data; gives how many.
///
/// # Errors
/// When the archive is damaged.
pub fn archive(tar: &[u8]) -> io::Result<usize> {
    let mut archive = Archive::new(tar);
    let mut entries = 0;
    while let Some(entry) = archive.next()? {
        entries += 1;
        // Every other entry is skipped, as one that is left out.
        if entries % 2 == 0 {
            let stored = match &entry.sparse {
                Some(runs) => runs.iter().map(|run| run.length).sum(),
                None => entry.size,
            };
            io::copy(&mut archive.by_ref().take(stored), &mut io::sink())?;
        }
    }
    archive.drain()?;
    Ok(entries)
}

/// Everything that reads the text of pax records.
pub fn pax(data: &[u8]) {
    for (_, value) in pax::records(data).unwrap_or_default() {
        pax_value(&value);
    }
    pax_value(data);
}

fn pax_value(value: &[u8]) {
    if let Some((_, nanos)) = pax::time(value) {
        assert!((0..1_000_000_000).contains(&nanos), "{nanos} ns");
    }
    let size = pax::decimal(value).unwrap_or(u64::MAX);
    if let Ok(runs) = pax::sparse_map(value)
        && pax::check_sparse(&runs, size).is_ok()
    {
        let total: u64 = runs.iter().map(|run| run.length).sum();
        assert!(total <= size, "{total} of {size} bytes");
    }
}

/// A name of an archive: whatever is accepted stays below the root.
pub fn name(bytes: &[u8]) {
    let Ok(path) = name::relative(bytes) else {
        return;
    };
    let normal = |c| matches!(c, std::path::Component::Normal(_));
    assert!(path.components().all(normal), "{}", path.display());
    let below = |parent: &Path, name: &std::ffi::OsStr| {
        let bytes = name.as_encoded_bytes();
        assert!(path.starts_with(parent), "{}", path.display());
        assert!(
            !bytes.is_empty() && bytes != b"." && bytes != b".." && !bytes.contains(&b'/'),
            "{}",
            path.display()
        );
    };
    match name::role(&path) {
        Ok(Role::Entry { parent, name } | Role::Whiteout { parent, name }) => below(parent, name),
        Ok(Role::Opaque { parent }) => assert!(path.starts_with(parent), "{}", path.display()),
        Ok(Role::Root | Role::Ignored) | Err(_) => {}
    }
}
