// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an entry says beside its data.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::process::Command;

use tar::EntryType;

use super::archive::{dir, empty, file, hard, node, symlink, tar};
use super::{UnpackFilter, fixture, snapshot};

const ALL: UnpackFilter = UnpackFilter::Everything;
/// cap_net_raw; the byte 0x0a in it is a newline to whoever splits at lines.
const CAPABILITY: &[u8] = b"\x01\0\0\x02\0\x20\n\0\0\0\0\0\0\0\0\0\0\0\0\0";

fn bits(path: &Path) -> (u32, u32, u32, i64, i64) {
    let meta = path.symlink_metadata().unwrap();
    (
        meta.mode() & 0o7777,
        meta.uid(),
        meta.gid(),
        meta.mtime(),
        meta.mtime_nsec(),
    )
}

#[test]
fn modes_owners_times() {
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    let time = |item: super::archive::Item| item.pax("mtime", "1500000000.123456789");
    let layer = tar(&[
        time(dir("./").mode(0o711).owner(1, 2)),
        time(dir("closed").mode(0o000).owner(7, 8)),
        time(dir("sticky").mode(0o1777)),
        time(dir("group").mode(0o2775).owner(0, 50)),
        time(file("group/f", "x").mode(0o6755).owner(1000, 1001)),
        time(file("closed/f", "x").mode(0o000)),
        time(
            file("big", "x")
                .pax("uid", "3000000000")
                .pax("gid", "2999999999"),
        ),
        time(symlink("l", "nowhere").owner(3, 4)),
        time(node(EntryType::Fifo, "p", (0, 0)).mode(0o2622).owner(5, 6)),
        time(hard("h", "group/f").mode(0o600).owner(9, 9)),
        file("implied/d/f", "x"),
        file("negative", "x").pax("mtime", "-1.5"),
    ]);
    fixture.apply(&layer).unwrap();
    // A directory's time survives what happens in it later.
    fixture
        .apply(&tar(&[file("sticky/x", "x"), empty("closed/.wh.f")]))
        .unwrap();
    let temp = fixture.finish();
    let root = temp.path().join("root");
    let (s, ns) = (1_500_000_000, 123_456_789);
    for (path, expected) in [
        ("", (0o711, 1, 2, s, ns)),
        ("closed", (0o000, 7, 8, s, ns)),
        ("sticky", (0o1777, 0, 0, s, ns)),
        ("group", (0o2775, 0, 50, s, ns)),
        ("group/f", (0o6755, 1000, 1001, s, ns)),
        ("big", (0o644, 3_000_000_000, 2_999_999_999, s, ns)),
        ("l", (0o777, 3, 4, s, ns)),
        ("p", (0o2622, 5, 6, s, ns)),
        ("h", (0o6755, 1000, 1001, s, ns)),
        ("negative", (0o644, 0, 0, -2, 500_000_000)),
    ] {
        assert_eq!(bits(&root.join(path)), expected, "{path}");
    }
    for path in ["implied", "implied/d"] {
        let (mode, uid, gid, ..) = bits(&root.join(path));
        assert_eq!((mode, uid, gid), (0o755, 0, 0), "{path}");
    }
    assert!(!root.join("closed/f").exists());
    assert_eq!(root.join("h").metadata().unwrap().nlink(), 2);
}

#[test]
fn an_upper_layer_describes_a_directory_anew() {
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    let lower = dir("d")
        .mode(0o700)
        .owner(1, 1)
        .xattr("user.lower", "1")
        .xattr("user.both", "1");
    fixture
        .apply(&tar(&[lower, file("d/f", "x"), dir("gone/e").mode(0o700)]))
        .unwrap();
    let upper = dir("d").mode(0o755).mtime(5).xattr("user.both", "2");
    fixture.apply(&tar(&[upper, empty(".wh.gone")])).unwrap();
    // Again, but undescribed: nothing of the lower layer may come back.
    fixture.apply(&tar(&[file("gone/e/f", "x")])).unwrap();
    let temp = fixture.finish();
    let root = temp.path().join("root");
    assert_eq!(bits(&root.join("d")), (0o755, 0, 0, 5, 0));
    let found = snapshot::xattrs(&root.join("d"));
    assert_eq!(found, [("user.both".to_owned(), b"2".to_vec())].into());
    assert_eq!(bits(&root.join("gone/e")).0, 0o755);
}

#[test]
fn attributes() {
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    let acl = b"\x02\0\0\0\x01\0\x07\0\xff\xff\xff\xff\x02\0\x07\0\x01\0\0\0\x04\0\x05\0\xff\xff\xff\xff\x10\0\x07\0\xff\xff\xff\xff\x20\0\x05\0\xff\xff\xff\xff";
    let layer = tar(&[
        file("f", "x")
            .mode(0o4755)
            .owner(1, 1)
            .xattr("security.capability", CAPABILITY)
            .xattr("user.binary", b"\n\0=\xff\n")
            .xattr("user.empty", "")
            .xattr("trusted.t", "t"),
        hard("h", "f"),
        dir("d")
            .xattr("user.d", "d")
            .xattr("trusted.t", "t")
            .xattr("trusted.overlay.opaque", "y"),
        symlink("l", "f").xattr("trusted.t", "t"),
        node(EntryType::Fifo, "p", (0, 0)).xattr("trusted.t", "t"),
        dir("acl").xattr("system.posix_acl_default", acl),
        file("acl/f", "x"),
        dir("acl/d"),
    ]);
    fixture.apply(&layer).unwrap();
    let temp = fixture.finish();
    let root = temp.path().join("root");
    let names =
        |path: &str| -> Vec<String> { snapshot::xattrs(&root.join(path)).into_keys().collect() };
    for path in ["f", "h"] {
        let found = snapshot::xattrs(&root.join(path));
        assert_eq!(found["security.capability"], CAPABILITY);
        assert_eq!(found["user.binary"], b"\n\0=\xff\n");
        assert_eq!(found["user.empty"], b"");
        assert_eq!(found["trusted.t"], b"t");
        assert_eq!(bits(&root.join(path)).0, 0o4755);
    }
    assert_eq!(names("d"), ["trusted.t", "user.d"]);
    assert_eq!(names("l"), ["trusted.t"]);
    assert_eq!(names("p"), ["trusted.t"]);
    assert_eq!(names("acl"), ["system.posix_acl_default"]);
    // It is for what the system will make, not for what the image has.
    assert!(names("acl/f").is_empty() && names("acl/d").is_empty());
}

#[test]
fn attributes_that_cannot_be_set_are_errors() {
    for (name, value) in [
        ("security.capability", "short"),
        ("system.posix_acl_access", "short"),
    ] {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        let err = fixture.refused(&tar(&[file("f", "x").xattr(name, value)]), " f ");
        assert!(err.details[0].contains(name), "{err:?}");
    }
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    fixture.refused(&tar(&[file("f", "x").pax("uid", "4294967295")]), " f ");
}

#[test]
fn attributes_of_other_systems_are_left_out() {
    let names = ["com.apple.provenance", "nonsense", "system.nonsense"];
    let file = names
        .iter()
        .fold(file("f", "x"), |f, name| f.xattr(name, "x"));
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    fixture.apply(&tar(&[file])).unwrap();
    let temp = fixture.finish();
    assert!(snapshot::xattrs(&temp.path().join("root/f")).is_empty());
}

#[test]
fn devices_and_pipes() {
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    let layer = tar(&[
        node(EntryType::Char, "null", (1, 3)).mode(0o666),
        node(EntryType::Block, "disk", (259, 1000))
            .mode(0o660)
            .owner(0, 6),
        node(EntryType::Fifo, "pipe", (0, 0)),
    ]);
    let can = nix::sys::stat::mknod(
        &fixture.temp.path().join("layer-try"),
        nix::sys::stat::SFlag::S_IFCHR,
        nix::sys::stat::Mode::S_IRUSR,
        nix::sys::stat::makedev(1, 3),
    );
    if let Err(errno) = can {
        eprintln!("skipped: no devices can be made here: {errno}");
        return;
    }
    fixture.apply(&layer).unwrap();
    let meta = |name| fixture.root().join(name).symlink_metadata().unwrap();
    assert!(meta("null").file_type().is_char_device());
    assert_eq!(meta("null").rdev(), nix::sys::stat::makedev(1, 3));
    assert_eq!(meta("null").mode() & 0o7777, 0o666);
    assert!(meta("disk").file_type().is_block_device());
    assert_eq!(meta("disk").rdev(), nix::sys::stat::makedev(259, 1000));
    assert!(meta("pipe").file_type().is_fifo());
    // They are replaced like files.
    fixture
        .apply(&tar(&[file("null", "x"), empty(".wh.disk"), dir("pipe")]))
        .unwrap();
    assert_eq!(fixture.brief(), ["null=x", "pipe/"]);
}

#[test]
fn names_need_not_be_text() {
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    let long = vec![b"\xc3".repeat(120); 3].join(&b'/');
    let layer = tar(&[
        file(b"\xff\xfe\n", "1"),
        symlink(b"l\x80", b"\xff"),
        dir(b"d\xff"),
        file(b"d\xff/\x01", "2"),
        hard(b"h\xff", b"d\xff/\x01"),
        file(&long, "3"),
    ]);
    fixture.apply(&layer).unwrap();
    let deep = vec!["\\xc3".repeat(120); 3];
    let mut expected = vec![
        "\\xff\\xfe\\n=1".to_owned(),
        "l\\x80->\\xff".to_owned(),
        "d\\xff/".to_owned(),
        "d\\xff/\\x01=2".to_owned(),
        "h\\xff=2".to_owned(),
        format!("{}/", deep[0]),
        format!("{}/", deep[..2].join("/")),
        format!("{}=3", deep.join("/")),
    ];
    expected.sort();
    assert_eq!(fixture.brief(), expected);
    // In a message they do no harm.
    let err = fixture.refused(&tar(&[file(b"\x1b[2J\xff/..", "x")]), "The entry ");
    assert!(!err.what.contains('\x1b'), "{err}");
}

#[test]
fn sparse_files_of_all_forms() {
    if Command::new("tar").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "there is no tar");
        eprintln!("skipped: there is no tar");
        return;
    }
    let source = tempfile::tempdir().unwrap();
    let path = source.path().join("sparse");
    let made = std::fs::File::create(&path).unwrap();
    // Enough runs for extension headers, and a hole at the end.
    for run in 0..40_u64 {
        let data = vec![u8::try_from(run).unwrap() + 1; 5000];
        std::os::unix::fs::FileExt::write_all_at(&made, &data, run << 17).unwrap();
    }
    made.set_len(64 << 20).unwrap();
    std::fs::File::create(source.path().join("holes"))
        .unwrap()
        .set_len(1 << 20)
        .unwrap();
    for format in [
        &["--format=gnu"][..],
        &["--format=pax", "--sparse-version=0.0"],
        &["--format=pax", "--sparse-version=0.1"],
        &["--format=pax", "--sparse-version=1.0"],
    ] {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        let output = Command::new("tar")
            .args(["-cS", "-C"])
            .arg(source.path())
            .args(format)
            .arg(".")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(output.stdout.len() < 4 << 20, "not sparse");
        fixture.apply(&output.stdout).unwrap();
        let temp = fixture.finish();
        let root = temp.path().join("root");
        assert_eq!(
            snapshot::brief(&root),
            snapshot::brief(source.path()),
            "{format:?}"
        );
        let meta = root.join("sparse").metadata().unwrap();
        assert!(
            meta.blocks() * 512 < 4 << 20,
            "{format:?}: the holes are filled"
        );
    }
}
