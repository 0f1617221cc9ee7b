// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lean filter, above all hard links across its border.

use std::os::unix::fs::MetadataExt;

use registry::Compression;

use super::archive::{dir, empty, file, hard, symlink, tar};
use super::{UnpackFilter, fixture, snapshot};

const CAPABILITY: &[u8] = b"\x01\0\0\x02\0\x04\0\0\0\0\0\0\n\0\0\0\0\0\0\0";

#[test]
fn files_are_left_out_and_links_to_their_data_are_not() {
    let Some(mut fixture) = fixture(UnpackFilter::Lean) else {
        return;
    };
    let layer = tar(&[
        file("usr/share/doc/a", "left out"),
        file("usr/share/doc/b", "needed")
            .mode(0o4755)
            .owner(1, 2)
            .mtime(1000)
            .xattr("security.capability", CAPABILITY),
        file("usr/share/doc/between", "left out"),
        hard("usr/share/doc/b2", "usr/share/doc/b"),
        hard("usr/bin/b", "usr/share/doc/b2"),
        hard("usr/bin/b2", "usr/bin/b"),
        hard("usr/share/man/b", "usr/bin/b2"),
        file("usr/bin/c", "here"),
        hard("usr/share/doc/c", "usr/bin/c"),
        symlink("usr/share/doc/link", "a"),
        dir("usr/share/doc/dir"),
        // Through links, too.
        symlink("doc", "usr/share/doc"),
        file("doc/d", "left out"),
    ]);
    fixture.apply(&layer).unwrap();
    let expected = [
        "doc->usr/share/doc",
        "usr/",
        "usr/bin/",
        "usr/bin/b2=needed",
        "usr/bin/b=needed",
        "usr/bin/c=here",
        "usr/share/",
        "usr/share/doc/",
        "usr/share/doc/c=here",
        "usr/share/doc/dir/",
        "usr/share/doc/link->a",
        "usr/share/man/",
    ];
    assert_eq!(fixture.brief(), expected);
    let temp = fixture.finish();
    let path = temp.path().join("root/usr/bin/b");
    let meta = path.metadata().unwrap();
    assert_eq!(
        (
            meta.mode() & 0o7777,
            meta.uid(),
            meta.gid(),
            meta.mtime(),
            meta.nlink()
        ),
        (0o4755, 1, 2, 1000, 2)
    );
    assert_eq!(snapshot::xattrs(&path)["security.capability"], CAPABILITY);
}

#[test]
fn links_across_layers() {
    let Some(mut fixture) = fixture(UnpackFilter::Lean) else {
        return;
    };
    for (items, compression) in [
        (
            vec![file("usr/share/doc/a", "1"), file("usr/share/doc/b", "1b")],
            Compression::Gzip,
        ),
        (
            vec![hard("a", "usr/share/doc/a"), file("usr/share/man/x", "2")],
            Compression::Zstd,
        ),
        (
            vec![
                hard("b", "a"),
                hard("c", "usr/share/doc/b"),
                hard("d", "usr/share/man/x"),
            ],
            Compression::None,
        ),
    ] {
        let (layer, path) = fixture.blob(&tar(&items), compression);
        fixture.apply_blob(&layer, &path).unwrap();
    }
    assert_eq!(
        fixture.brief(),
        [
            "a=1",
            "b=1",
            "c=1b",
            "d=2",
            "usr/",
            "usr/share/",
            "usr/share/doc/",
            "usr/share/man/"
        ]
    );
    let ino = |name| fixture.root().join(name).metadata().unwrap().ino();
    assert_eq!(ino("a"), ino("b"));
}

#[test]
fn what_becomes_of_a_link_before_its_data_comes() {
    let Some(mut fixture) = fixture(UnpackFilter::Lean) else {
        return;
    };
    fixture
        .apply(&tar(&[file("x/lower", "0"), file("k", "0"), dir("r")]))
        .unwrap();
    let doc = "usr/share/doc/a";
    let layer = tar(&[
        file(doc, "data"),
        // Replaces what is there, and outlives a whiteout of its own layer.
        hard("k", doc),
        hard("r", doc),
        empty(".wh.k"),
        // Is replaced itself.
        hard("f", doc),
        file("f", "other"),
        // Goes with its directory.
        hard("d/l", doc),
        file("d", "file"),
        // As does this one, though there is such a directory again.
        hard("e/l", doc),
        symlink("e", "x"),
        dir("e"),
        // The name that was left out may come to be something else.
        symlink(doc, "/somewhere"),
    ]);
    fixture.apply(&layer).unwrap();
    let mut expected = vec!["d=file", "e/", "f=other", "k=data", "r=data"];
    expected.extend([
        "usr/",
        "usr/share/",
        "usr/share/doc/",
        "usr/share/doc/a->/somewhere",
    ]);
    expected.extend(["x/", "x/lower=0"]);
    assert_eq!(fixture.brief(), expected);
    // Now it is a link to the symbolic link.
    fixture.apply(&tar(&[hard("m", doc)])).unwrap();
    assert!(fixture.brief().contains(&"m->/somewhere".to_owned()));
    fixture.finish();
}

#[test]
fn what_is_left_out_still_replaces() {
    let Some(mut fixture) = fixture(UnpackFilter::Lean) else {
        return;
    };
    let doc = "usr/share/doc/a";
    fixture.apply(&tar(&[symlink(doc, "x")])).unwrap();
    fixture.apply(&tar(&[file(doc, "x")])).unwrap();
    assert_eq!(fixture.brief(), ["usr/", "usr/share/", "usr/share/doc/"]);
}
