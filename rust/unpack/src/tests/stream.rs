// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way from the blob: compression, digests, damage, stopping.

use std::cell::Cell;
use std::path::Path;

use contract::error::Code;
use host::cancel::Cancel;
use registry::Compression;

use super::archive::{dir, file, tar};
use super::{Mounted, UnpackFilter, Unpacker, fixture, sha256};

const ALL: UnpackFilter = UnpackFilter::Everything;
const COMPRESSIONS: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Zstd];

/// Bytes that do not compress.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_le_bytes()[7]
    };
    std::iter::repeat_with(next).take(count).collect()
}

#[test]
fn all_compressions_and_every_byte_reported() {
    for compression in COMPRESSIONS {
        for verify in [true, false] {
            let Some(mut fixture) = fixture(ALL) else {
                return;
            };
            let (layer, path) = fixture.blob(&tar(&[file("a", noise(1 << 20))]), compression);
            let read = Cell::new(0);
            let on_bytes = |more| read.set(read.get() + more);
            fixture
                .unpacker
                .apply(&layer, &path, verify, &on_bytes, &Cancel::new())
                .unwrap();
            assert_eq!(read.get(), layer.size, "{compression:?}");
            assert_eq!(
                std::fs::read(fixture.root().join("a")).unwrap(),
                noise(1 << 20)
            );
        }
    }
}

#[test]
fn several_members_are_one_stream() {
    for compression in COMPRESSIONS {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        let whole = tar(&[file("a", noise(100_000)), file("b", "b")]);
        let (first, second) = whole.split_at(50_000);
        let (mut layer, path) = fixture.blob(&whole, compression);
        let blob: Vec<u8> = [first, second]
            .iter()
            .flat_map(|part| super::archive::compress(part, compression))
            .collect();
        std::fs::write(&path, &blob).unwrap();
        layer.digest = sha256(&blob);
        fixture.apply_blob(&layer, &path).unwrap();
        assert!(fixture.root().join("b").exists());
    }
}

#[test]
fn digests_are_checked() {
    for compression in COMPRESSIONS {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        let (layer, path) = fixture.blob(&tar(&[dir("a")]), compression);
        let mut wrong = layer.clone();
        wrong.diff_id = sha256(b"other");
        let err = fixture.apply_blob(&wrong, &path).unwrap_err();
        assert_eq!(err.code, Code::DigestMismatch);
        assert!(err.details.contains(&format!("expected {}", wrong.diff_id)));
        assert!(err.details.contains(&format!("found {}", layer.diff_id)));

        let mut wrong = layer.clone();
        wrong.digest = sha256(b"other");
        let err = fixture.apply_blob(&wrong, &path).unwrap_err();
        assert_eq!(err.code, Code::DigestMismatch);
        assert!(err.details.contains(&format!("found {}", layer.digest)));
        // Unless that was done before.
        let cancel = Cancel::new();
        fixture
            .unpacker
            .apply(&wrong, &path, false, &|_| {}, &cancel)
            .unwrap();
    }
}

#[test]
fn what_follows_the_archive_counts() {
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    let mut long = tar(&[dir("a")]);
    let short = sha256(&long);
    long.extend(noise(1 << 20));
    let (mut layer, path) = fixture.blob(&long, Compression::Gzip);
    fixture.apply_blob(&layer, &path).unwrap();
    layer.diff_id = short;
    let err = fixture.apply_blob(&layer, &path).unwrap_err();
    assert_eq!(err.code, Code::DigestMismatch);
}

#[test]
fn damage_has_two_names() {
    for compression in COMPRESSIONS {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        let (mut layer, path) = fixture.blob(&tar(&[file("a", noise(1 << 20))]), compression);
        let mut blob = std::fs::read(&path).unwrap();
        blob.truncate(blob.len() / 2);
        std::fs::write(&path, &blob).unwrap();
        // Lost on the way.
        let err = fixture.apply_blob(&layer, &path).unwrap_err();
        assert_eq!(err.code, Code::DigestMismatch, "{compression:?}: {err}");
        // Built like this.
        layer.digest = sha256(&blob);
        let err = fixture.apply_blob(&layer, &path).unwrap_err();
        assert_eq!(err.code, Code::UnpackFailed, "{compression:?}: {err}");
        assert!(err.what.contains(layer.digest.short()), "{err}");
        assert!(err.what.contains(" a "), "{err}");
    }
}

#[test]
fn nonsense_is_refused() {
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    let mut header = tar::Header::new_gnu();
    header.set_size(u64::MAX);
    header.set_cksum();
    for bytes in [noise(100), noise(4096), header.as_bytes().to_vec()] {
        for compression in COMPRESSIONS {
            let (mut layer, path) = fixture.blob(&bytes, Compression::None);
            layer.compression = compression;
            let err = fixture.apply_blob(&layer, &path).unwrap_err();
            assert_eq!(err.code, Code::UnpackFailed, "{err}");
        }
    }
    let (layer, path) = fixture.blob(&tar(&[]), Compression::None);
    fixture.apply_blob(&layer, &path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let err = fixture.apply_blob(&layer, &path).unwrap_err();
    assert_eq!(err.code, Code::UnpackFailed);
}

#[test]
fn a_stop_reaches_into_files() {
    for compression in COMPRESSIONS {
        for filter in [ALL, UnpackFilter::Lean] {
            let Some(mut fixture) = fixture(filter) else {
                return;
            };
            // Is skipped with the filter, and copied without it.
            let big = file("usr/share/doc/big", noise(8 << 20));
            let (layer, path) = fixture.blob(&tar(&[big, dir("after")]), compression);
            let (cancel, read) = (Cancel::new(), Cell::new(0));
            let on_bytes = |more| {
                read.set(read.get() + more);
                if read.get() > 1 << 20 {
                    cancel.cancel();
                }
            };
            let result = fixture
                .unpacker
                .apply(&layer, &path, true, &on_bytes, &cancel);
            assert_eq!(result.unwrap_err().code, Code::Cancelled);
            assert!(read.get() < 4 << 20, "{compression:?}: read on");
            assert!(!fixture.root().join("after").exists());
            let result = fixture
                .unpacker
                .apply(&layer, &path, true, &|_| {}, &cancel);
            assert_eq!(result.unwrap_err().code, Code::Cancelled);
        }
    }
}

#[test]
fn a_full_disk_has_its_own_code() {
    let temp = tempfile::tempdir().unwrap();
    let tmpfs = Path::new("tmpfs");
    let Some(_mounted) = Mounted::new(tmpfs, temp.path(), Some("tmpfs"), Some("size=1m")) else {
        return;
    };
    let result = fixture(ALL).map(|mut fixture| {
        fixture.unpacker = Unpacker::create(temp.path(), ALL).unwrap();
        fixture.apply(&tar(&[file("a", noise(2 << 20))]))
    });
    if let Some(result) = result {
        let err = result.unwrap_err();
        assert_eq!(err.code, Code::DiskFull, "{err}");
        assert!(err.what.contains(" a "), "{err}");
    }
}

#[test]
fn the_root_must_be_there() {
    let temp = tempfile::tempdir().unwrap();
    let missing = Unpacker::create(&temp.path().join("x"), ALL).unwrap_err();
    let expected = [Code::Io, Code::NotRoot];
    assert!(expected.contains(&missing.code), "{missing}");
}
