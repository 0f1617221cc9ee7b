// SPDX-License-Identifier: MIT OR Apache-2.0
//! Archives that want out. [`super::Fixture::apply`] looks after each that
//! nothing outside was touched.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

use contract::error::Code;
use tar::EntryType;

use super::archive::{Item, dir, empty, file, hard, node, symlink, tar, words};
use super::{Mounted, UnpackFilter, fixture};

const ALL: UnpackFilter = UnpackFilter::Everything;

#[test]
fn names_with_dots_are_refused() {
    for item in [
        file("../outside/new", "x"),
        file("../outside/secret", "x"),
        file("a/../../outside/secret", "x"),
        file("/../outside/secret", "x"),
        file("a/..", "x"),
        dir(".."),
        dir("../outside"),
        symlink("../outside/secret", "x"),
        hard("../outside/new", "a"),
        hard("b", "../outside/secret"),
        hard("b", "a/../../outside/secret"),
        node(EntryType::Fifo, "../outside/secret", (0, 0)),
        empty("../outside/.wh.secret"),
        empty("../outside/.wh..wh..opq"),
        empty(".wh..."),
        empty(".wh.."),
        empty(".wh."),
        empty("a/.wh..."),
        file("a\0", "x").pax("path", "a\0b"),
        file(b"", "x"),
        file("x/".repeat(2050), "x"),
    ] {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        let layer = tar(&[file("a/a", "a"), item]);
        let err = fixture.refused(&layer, "The entry ");
        assert!(err.what.len() < 400, "{err}");
        assert_eq!(fixture.brief(), ["a/", "a/a=a"], "{err}");
    }
}

#[test]
fn absolute_names_are_of_the_root() {
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    let inner = fixture.outside().join("secret");
    let layer = tar(&[
        file(inner.as_os_str().as_bytes(), "x"),
        file("/a", "a"),
        file("./b", "b"),
    ]);
    fixture.apply(&layer).unwrap();
    let below = fixture.root().join(inner.strip_prefix("/").unwrap());
    assert_eq!(std::fs::read(below).unwrap(), b"x");
    let brief = fixture.brief();
    assert!(brief.contains(&"a=a".to_owned()) && brief.contains(&"b=b".to_owned()));
}

/// Links that lead out when somebody else follows them.
fn ways_out(fixture: &super::Fixture) -> Vec<Vec<u8>> {
    vec![
        fixture.outside().as_os_str().as_bytes().to_vec(),
        b"../outside".to_vec(),
        b"../../../../../../../../outside".to_vec(),
        b"a/../../outside".to_vec(),
        b"/../outside".to_vec(),
    ]
}

#[test]
fn links_in_parents_stay_inside() {
    for number in 0..5 {
        for items in [
            |way| {
                vec![
                    symlink("l", way),
                    file("l/secret", "x"),
                    file("l/d/new", "x"),
                ]
            },
            |way| vec![symlink("l", way), dir("l/secret"), symlink("l/new", "x")],
            |way| vec![symlink("l", way), dir("l"), file("l/secret", "x")],
            |way| {
                vec![
                    symlink("l", way),
                    symlink("l/new", "/"),
                    file("l/new/x", "x"),
                ]
            },
            |way| vec![symlink("l", way), symlink("m", "l"), file("m/secret", "x")],
            |way| {
                vec![
                    symlink("l", way),
                    empty("l/.wh.secret"),
                    empty("l/.wh..wh..opq"),
                ]
            },
            |way| vec![symlink("l", way), empty(".wh.l"), file("l/secret", "x")],
            |way| vec![symlink("l", way), file("l", "x")],
            |way| vec![file("l/x", "x"), symlink("l", way), file("l/secret", "x")],
            |way| vec![symlink("l", way), node(EntryType::Fifo, "l/secret", (0, 0))],
        ] as [fn(Vec<u8>) -> Vec<Item>; 10]
        {
            let Some(mut fixture) = fixture(ALL) else {
                return;
            };
            fixture.apply(&tar(&[dir("a")])).unwrap();
            let items = items(ways_out(&fixture)[number].clone());
            fixture.apply(&tar(&items)).unwrap();
            // And the same with the link in a lower layer.
            fixture.apply(&tar(&items[1..])).unwrap();
            fixture.finish();
        }
    }
}

#[test]
fn hard_links_reach_nothing_outside() {
    for number in 0..5 {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        let way = ways_out(&fixture)[number].clone();
        let layer = tar(&[dir("a"), symlink("l", way), hard("stolen", "l/secret")]);
        let err = fixture.refused(&layer, "stolen");
        assert!(err.details[0].contains("there is nothing"), "{err:?}");
    }
    // The link itself may be linked, but is not followed.
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    let secret = fixture.outside().join("secret");
    let link = symlink("l", secret.as_os_str().as_bytes());
    fixture.apply(&tar(&[link, hard("m", "l")])).unwrap();
    let meta = fixture.root().join("m").symlink_metadata().unwrap();
    assert!(meta.is_symlink() && meta.nlink() == 2);
    // Through it, the data would be somebody else's.
    fixture
        .apply(&tar(&[file("m", "x"), file("l", "y")]))
        .unwrap();
    assert_eq!(fixture.brief(), ["l=y", "m=x"]);
}

#[test]
fn hard_links_to_no_file_are_refused() {
    for (link, why) in [
        (hard("h", "nothing"), "there is nothing"),
        (hard("h", "nothing/a"), "there is nothing"),
        (hard("h", "f/a"), "there is nothing"),
        (hard("h", "d"), "not permitted"),
        (hard("h", "."), "the root"),
        (hard("h", ""), "empty"),
        (hard("d", "d/f"), "No such file"),
    ] {
        let Some(mut fixture) = fixture(ALL) else {
            return;
        };
        let layer = tar(&[file("f", "f"), file("d/f", "f"), link]);
        let err = fixture.refused(&layer, "The entry ");
        assert!(err.details[0].contains(why), "{err:?}");
    }
}

#[test]
fn loops_of_links_end() {
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    let layer = tar(&[symlink("a", "b"), symlink("b", "a"), file("a/x", "x")]);
    fixture.refused(&layer, "a/x");
    let layer = tar(&[symlink("s", "s/s/s"), file("s/x", "x")]);
    fixture.refused(&layer, "s/x");
}

#[test]
fn a_path_that_grows_is_refused() {
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    // Each link doubles the way; no name in the archive is long.
    let long = "d".repeat(200);
    let deep = vec![long; 15].join("/");
    let layer = tar(&[
        dir(&deep),
        symlink("l", &deep),
        file(format!("l/{deep}/f"), "x"),
    ]);
    let err = fixture.refused(&layer, "The entry ");
    assert!(err.details[0].contains("too long"), "{err:?}");
}

#[test]
fn mounts_inside_are_not_entered() {
    let Some(mut fixture) = fixture(ALL) else {
        return;
    };
    fixture
        .apply(&tar(&[file("m/f", "f"), file("d/m/f", "f")]))
        .unwrap();
    let outside = fixture.outside();
    for at in ["m", "d/m"] {
        let at = fixture.root().join(at);
        let Some(mounted) = Mounted::new(&outside, &at, None, None) else {
            return;
        };
        let results = ["m/secret=x d/m/secret=x", "m=x d/m=x", ".wh.m d/.wh.m"]
            .map(|layer| fixture.apply(&tar(&words(layer))));
        drop(mounted);
        for result in results {
            let err = result.unwrap_err();
            assert_eq!(err.code, Code::UnpackFailed, "{err}");
            assert!(err.details[0].contains("cross-device"), "{err:?}");
        }
        fixture.nothing_outside();
    }
}
