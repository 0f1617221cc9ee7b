// SPDX-License-Identifier: MIT OR Apache-2.0
//! Archives that want too much: of the disk, of the memory, of a field.
//! [`super::Fixture::apply_blob`] looks after each that nothing outside was
//! touched.

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use contract::error::{Code, Error};
use registry::Compression;
use tar::{EntryType, Header};

use super::archive::{dir, empty, file, hard, node, symlink, tar};
use super::{Fixture, Mounted, UnpackFilter, Unpacker, fixture, sha256};

const ALL: UnpackFilter = UnpackFilter::Everything;
const MIB: u64 = 1024 * 1024;

/// Applies a blob as it is; the archive in it is said to be `tar`.
fn apply_raw(fixture: &mut Fixture, tar: &[u8], blob: &[u8], of: Compression) -> Result<(), Error> {
    let (mut layer, path) = fixture.blob(tar, Compression::None);
    layer.compression = of;
    layer.digest = sha256(blob);
    std::fs::write(&path, blob).unwrap();
    fixture.apply_blob(&layer, &path)
}

/// A layer of `size` bytes of zeros.
fn zeros(size: u64) -> Vec<u8> {
    tar(&[
        file("zeros", vec![0; usize::try_from(size).unwrap()]),
        dir("after"),
    ])
}

#[test]
fn a_bomb_is_stopped_and_called_one() {
    // Zstandard makes 1 from 10000; the floor is lowered so that little will do.
    for (floor, good) in [(MIB, false), (64 * MIB, true)] {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        fixture.unpacker.ratio_floor = floor;
        let (layer, path) = fixture.blob(&zeros(32 * MIB), Compression::Zstd);
        assert!(layer.size * 2000 < 32 * MIB, "{} bytes", layer.size);
        let result = fixture.apply_blob(&layer, &path);
        if good {
            result.unwrap();
            continue;
        }
        let err = result.unwrap_err();
        assert_eq!(err.code, Code::UnpackFailed, "{err}");
        assert!(err.why.contains("more than any real layer"), "{err}");
        assert!(err.details[0].contains("decompression bomb"), "{err:?}");
        let written = fixture.root().join("zeros").metadata().unwrap().len();
        assert!(written <= layer.size * 1032, "{written} bytes");
        assert!(!fixture.root().join("after").exists());
    }
}

#[test]
fn a_bomb_in_what_is_skipped_or_follows_is_stopped_too() {
    let skipped = tar(&[file(".wh..wh.x", vec![0; 32 << 20]), dir("after")]);
    let mut follows = tar(&[dir("d")]);
    follows.extend(vec![0; 32 << 20]);
    let mut headers = Vec::new();
    for _ in 0..30 {
        // Headers alone, which never become an entry.
        let item = dir("d").pax("comment", vec![b'x'; 1_000_000]);
        let bytes = tar(&[item]);
        headers.extend(&bytes[..bytes.len() - 3 * 512]);
    }
    for tar in [skipped, follows, headers] {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        fixture.unpacker.ratio_floor = MIB;
        let (layer, path) = fixture.blob(&tar, Compression::Zstd);
        let err = fixture.apply_blob(&layer, &path).unwrap_err();
        assert_eq!(err.code, Code::UnpackFailed, "{err}");
        assert!(err.details[0].contains("decompression bomb"), "{err:?}");
    }
}

#[test]
fn no_real_gzip_is_a_bomb() {
    // What deflate can do at most stays within the bound, whatever the floor.
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    fixture.unpacker.ratio_floor = 0;
    let tar = zeros(32 * MIB);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&tar).unwrap();
    let blob = gzip.finish().unwrap();
    assert!(tar.len() / blob.len() > 1000);
    apply_raw(&mut fixture, &tar, &blob, Compression::Gzip).unwrap();
}

#[test]
fn the_disk_is_never_filled_up() {
    let temp = tempfile::tempdir().unwrap();
    let (tmpfs, options) = (Path::new("tmpfs"), Some("size=96m,nr_inodes=100k"));
    let Some(_mounted) = Mounted::new(tmpfs, temp.path(), Some("tmpfs"), options) else {
        return;
    };
    let free = || {
        let stat = nix::sys::statvfs::statvfs(temp.path()).unwrap();
        stat.blocks_available() * stat.fragment_size()
    };
    let small: Vec<_> = (0..20_000).map(|n| file(format!("d/{n}"), "x")).collect();
    for tar in [zeros(96 * MIB), tar(&small)] {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        let root = temp.path().join("root");
        std::fs::create_dir(&root).unwrap();
        fixture.unpacker = Unpacker::create(&root, ALL).unwrap().keep_free(40 * MIB);
        let err = fixture.apply(&tar).unwrap_err();
        assert_eq!(err.code, Code::DiskFull, "{err}");
        assert!(err.details[0].contains("must stay so"), "{err:?}");
        assert!(free() >= 40 * MIB, "{} bytes are left", free());
        // It was not refused at once either.
        assert!(free() < 60 * MIB, "{} bytes are left", free());
        std::fs::remove_dir_all(&root).unwrap();
    }
}

#[test]
fn windows_larger_than_any_memory_are_refused() {
    // A frame header (RFC 8878) with a window of 2 TiB, then a block of it.
    let frame = b"\x28\xb5\x2f\xfd\x00\xf8\x01\x00\x00";
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    let err = apply_raw(&mut fixture, &[], frame, Compression::Zstd).unwrap_err();
    assert_eq!(err.code, Code::UnpackFailed, "{err}");
    assert!(err.details[0].contains("memory"), "{err:?}");
}

#[test]
fn what_follows_the_compressed_stream_is_refused() {
    for (compression, trailer) in [
        (Compression::Gzip, &b"garbage"[..]),
        (Compression::Gzip, &[0; 512]),
        (Compression::Zstd, b"garbage"),
        (Compression::Zstd, &[0; 512]),
    ] {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        let tar = tar(&[file("a", "a")]);
        let mut blob = super::archive::compress(&tar, compression);
        blob.extend(trailer);
        let result = apply_raw(&mut fixture, &tar, &blob, compression);
        let err = result.unwrap_err();
        assert_eq!(err.code, Code::UnpackFailed, "{compression:?}: {err}");
    }
    // A frame to be skipped is a part of the format.
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    let tar = tar(&[file("a", "a")]);
    let mut blob = super::archive::compress(&tar, Compression::Zstd);
    blob.extend(b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc");
    apply_raw(&mut fixture, &tar, &blob, Compression::Zstd).unwrap();
}

#[test]
fn damaged_checksums_of_the_compression_are_seen() {
    let whole = tar(&[file("a", vec![7; 100_000])]);
    let gzip = super::archive::compress(&whole, Compression::Gzip);
    let mut zstd = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    zstd.include_checksum(true).unwrap();
    zstd.write_all(&whole).unwrap();
    let zstd = zstd.finish().unwrap();
    for (mut blob, compression, at) in [
        (gzip.clone(), Compression::Gzip, 8),
        (gzip, Compression::Gzip, 1),
        (zstd, Compression::Zstd, 1),
    ] {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        let last = blob.len() - at;
        blob[last] ^= 1;
        let err = apply_raw(&mut fixture, &whole, &blob, compression).unwrap_err();
        assert_eq!(err.code, Code::UnpackFailed, "{compression:?}: {err}");
    }
}

#[test]
fn a_hundred_thousand_entries_in_one_directory() {
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    let mut items = vec![file("first", "x")];
    items.extend((0..50_000).map(|n| empty(format!("d/{n}"))));
    items.extend((0..50_000).map(|n| hard(format!("d/l{n}"), "first")));
    // ext4 takes 65000 names of one file.
    fixture.apply(&tar(&items)).unwrap();
    let count = |fixture: &Fixture| std::fs::read_dir(fixture.root().join("d")).unwrap().count();
    assert_eq!(count(&fixture), 100_000);
    assert_eq!(
        fixture.root().join("first").metadata().unwrap().nlink(),
        50_001
    );
    let upper = [file("d/new", "y"), empty("d/.wh..wh..opq")];
    fixture.apply(&tar(&upper)).unwrap();
    assert_eq!(fixture.brief(), ["d/", "d/new=y", "first=x"]);
}

#[test]
fn unknown_kinds_of_entries_are_refused() {
    for flag in [b'M', b'N', b'A', b'X', b'8', b' ', 0xff] {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        let item = node(EntryType::new(flag), "\x1b[2Jx", (0, 0));
        let err = fixture.apply(&tar(&[file("a", "a"), item])).unwrap_err();
        assert_eq!(err.code, Code::UnpackFailed, "{err}");
        assert!(err.details[0].contains("unknown type"), "{err:?}");
        assert!(!err.details[0].contains('\x1b'), "{err:?}");
    }
    // Nor do messages of the tar crate, which name the entry.
    let Some(mut third) = fixture(ALL) else {
        return;
    };
    let change = |header: &mut Header| {
        header.set_path("\x1b[2Jx").unwrap();
        header.as_mut_bytes()[100..108].fill(b'x');
    };
    let err = third.apply(&headed(change, b"")).unwrap_err();
    assert!(!err.details[0].contains('\x1b'), "{err:?}");
    // What says something about the archive is no entry.
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    let items = [
        node(EntryType::new(b'V'), "label", (0, 0)),
        node(EntryType::new(b'g'), "pax_global_header", (0, 0)),
        node(EntryType::new(b'7'), "contiguous", (0, 0)),
    ];
    fixture.apply(&tar(&items)).unwrap();
    assert_eq!(fixture.brief(), ["contiguous="]);
}

/// An archive of one header as it is, and what follows it.
fn headed(change: impl FnOnce(&mut Header), data: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_path("f").unwrap();
    header.set_mode(0o644);
    for set in [
        Header::set_uid,
        Header::set_gid,
        Header::set_mtime,
        Header::set_size,
    ] {
        set(&mut header, 0);
    }
    change(&mut header);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

#[test]
fn extension_headers_have_a_limit() {
    for flag in [b'x', b'L', b'K'] {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        let size = 1024 * 1024 + 1;
        let change = |header: &mut Header| {
            header.set_entry_type(EntryType::new(flag));
            header.set_size(size);
        };
        let data = vec![b'x'; usize::try_from(size).unwrap()];
        let err = fixture.apply(&headed(change, &data)).unwrap_err();
        assert!(err.details[0].contains("too long"), "{err:?}");
        // One that only claims to be so large is refused before it is read.
        let claim = |header: &mut Header| {
            header.set_entry_type(EntryType::new(flag));
            header.set_size(u64::MAX);
        };
        let err = fixture.apply(&headed(claim, b"")).unwrap_err();
        assert!(err.details[0].contains("too long"), "{err:?}");
    }
    let long = "n/".repeat(500_000);
    for item in [
        file(&long, "x"),
        symlink("l", &long),
        hard("h", &long),
        file("f", "x").xattr(&format!("user.{}", "n".repeat(500_000)), "x"),
        file("f", "x").xattr("user.large", vec![b'v'; 500_000]),
    ] {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        let err = fixture.refused(&tar(&[item]), "The entry ");
        let length = err.what.len() + err.details.concat().len();
        assert!(length < 2000, "{length} characters");
    }
}

#[test]
fn numbers_may_be_anything() {
    // Field of the header, its bytes, and the time that comes of it.
    for (bytes, expected) in [
        (*b"00000000000\0", Some(0)),
        (
            *b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            Some(-1),
        ),
        (*b"\x80\0\0\0\0\0\0\0\0\0\0\x05", Some(5)),
        (*b"77777777777\0", None),
        (*b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", None),
        (*b"\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", None),
        (*b"            ", Some(0)),
        (*b"not a number", Some(0)),
    ] {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        let change = |header: &mut Header| header.as_mut_bytes()[136..148].copy_from_slice(&bytes);
        fixture.apply(&headed(change, b"")).unwrap();
        let meta = fixture.root().join("f").metadata().unwrap();
        // What the file system cannot hold, it makes the nearest that it can.
        if let Some(expected) = expected {
            assert_eq!(meta.mtime(), expected, "{}", bytes.escape_ascii());
        }
    }
    for time in [
        "9223372036854775807.9",
        "-9223372036854775808",
        "99999999999",
    ] {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        let item = file("f", "x").pax("mtime", time);
        fixture.apply(&tar(&[item])).unwrap();
    }
    for (key, value) in [
        ("mtime", "-9223372036854775808.5"),
        ("mtime", "9223372036854775808"),
        ("size", "-1"),
        ("size", "18446744073709551616"),
        ("size", "18446744073709551615"),
        ("uid", "-1"),
        ("gid", "4294967296"),
    ] {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        let item = file("f", "x").pax(key, value);
        let err = fixture.apply(&tar(&[item])).unwrap_err();
        assert_eq!(err.code, Code::UnpackFailed, "{key}={value}: {err}");
    }
    for range in [100..108, 108..116, 116..124, 124..136] {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        let change = |header: &mut Header| header.as_mut_bytes()[range.clone()].fill(0xff);
        let err = fixture.apply(&headed(change, b"")).unwrap_err();
        assert_eq!(err.code, Code::UnpackFailed, "{range:?}: {err}");
    }
}

#[test]
fn sparse_maps_of_nonsense_are_refused() {
    let map = |map: &str, size: &str| {
        file("s", "data")
            .pax("GNU.sparse.map", map)
            .pax("GNU.sparse.size", size)
            .pax("GNU.sparse.name", "s")
    };
    for item in [
        map("0,4", "3"),
        map("0,2,1,2", "100"),
        map("4,2,0,2", "100"),
        map("0,4,18446744073709551615,0", "100"),
        map("18446744073709551615,4", "18446744073709551615"),
        map("0,5", "100"),
        map("0,3", "100"),
        map("0,4,", "100"),
        map("-1,4", "100"),
        map("0,4", "-1"),
        map("0,4", ""),
        // Larger than any file of any file system.
        map("0,4", "18446744073709551615"),
        file("s", vec![b'1'; 2048])
            .pax("GNU.sparse.major", "1")
            .pax("GNU.sparse.realsize", "9"),
        file("s", "70000\n")
            .pax("GNU.sparse.major", "1")
            .pax("GNU.sparse.realsize", "9"),
        file("s", "1\n0\n")
            .pax("GNU.sparse.major", "1")
            .pax("GNU.sparse.realsize", "9"),
    ] {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        let err = fixture.apply(&tar(&[item])).unwrap_err();
        assert_eq!(err.code, Code::UnpackFailed, "{err}");
    }
    // The old form: a map that goes on for ever.
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    let change = |header: &mut Header| {
        header.set_entry_type(EntryType::GNUSparse);
        header.as_mut_bytes()[482] = 1;
    };
    let mut block = vec![b'0'; 512];
    block[504] = 1;
    let err = fixture
        .apply(&headed(change, &block.repeat(5000)))
        .unwrap_err();
    assert!(err.details[0].contains("too many pieces"), "{err:?}");
}

#[test]
fn deep_paths_do_not_end_in_the_stack() {
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    let deep = "d/".repeat(2000);
    fixture
        .apply(&tar(&[file(format!("{deep}f"), "x")]))
        .unwrap();
    let mut at = fixture.root();
    for _ in 0..2000 {
        at.push("d");
    }
    // Deeper than a path can say, by links.
    let upper = tar(&[
        symlink("l", deep.trim_end_matches('/')),
        file("l/e/f", "y"),
        file(
            "l/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/f",
            "y",
        ),
    ]);
    let err = fixture.apply(&upper).unwrap_err();
    assert_eq!(err.code, Code::UnpackFailed, "{err}");
    assert!(err.details[0].contains("too long"), "{err:?}");
    fixture
        .apply(&tar(&[empty(".wh.d"), empty(".wh.l")]))
        .unwrap();
    assert!(fixture.brief().is_empty());
}
