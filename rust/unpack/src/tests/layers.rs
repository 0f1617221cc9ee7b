// SPDX-License-Identifier: MIT OR Apache-2.0
//! Layers upon layers: whiteouts and replacements. Entries and results are in
//! words, see [`words`].

use super::archive::{tar, words};
use super::{UnpackFilter, fixture};

/// What the last of some layers leaves, each case with a name for messages.
fn table(cases: &[(&str, &[&str], &str)]) {
    for (name, layers, expected) in cases {
        let Some(mut fixture) = fixture(UnpackFilter::Everything) else {
            return;
        };
        for layer in *layers {
            fixture.apply(&tar(&words(layer))).unwrap();
        }
        assert_eq!(fixture.brief().join(" "), *expected, "{name}");
        // All directories that were recorded are still there.
        fixture.finish();
    }
}

#[test]
fn whiteouts() {
    let lower = "d/ d/a=1 d/b=1 d/s/ d/s/c=1 d/s/t/e=1 l->d";
    let cases: &[(&str, &str, &str)] = &[
        (
            "a file",
            "d/.wh.a",
            "d/ d/b=1 d/s/ d/s/c=1 d/s/t/ d/s/t/e=1 l->d",
        ),
        ("a directory", ".wh.d", "l->d"),
        (
            "a link, not where it leads",
            ".wh.l d/.wh.s",
            "d/ d/a=1 d/b=1",
        ),
        ("through a link", "l/.wh.s l/.wh.a", "d/ d/b=1 l->d"),
        (
            "of nothing",
            ".wh.x x/.wh.y d/a/.wh.z x/.wh..wh..opq d/.wh.s",
            "d/ d/a=1 d/b=1 l->d",
        ),
        (
            "before an entry",
            "d/.wh.a d/a=2 d/.wh.s",
            "d/ d/a=2 d/b=1 l->d",
        ),
        (
            "after an entry",
            "d/a=2 d/.wh.a d/.wh.s",
            "d/ d/a=2 d/b=1 l->d",
        ),
        (
            "before entries in it",
            ".wh.d d/s/c=2",
            "d/ d/s/ d/s/c=2 l->d",
        ),
        (
            "after entries in it",
            "d/s/c=2 .wh.d",
            "d/ d/s/ d/s/c=2 l->d",
        ),
        ("after the directory", "d/ .wh.d", "d/ l->d"),
        (
            "after it through a link",
            "l/a=2 d/.wh.a d/.wh.s",
            "d/ d/a=2 d/b=1 l->d",
        ),
        ("opaque", "d/.wh..wh..opq", "d/ l->d"),
        (
            "opaque, before",
            "d/ d/.wh..wh..opq d/n=2 d/s/n=2",
            "d/ d/n=2 d/s/ d/s/n=2 l->d",
        ),
        (
            "opaque, after",
            "d/n=2 d/s/n=2 d/b=2 d/.wh..wh..opq",
            "d/ d/b=2 d/n=2 d/s/ d/s/n=2 l->d",
        ),
        (
            "opaque through a link",
            "d/n=2 l/.wh..wh..opq",
            "d/ d/n=2 l->d",
        ),
        ("opaque root", "n=2 .wh..wh..opq", "n=2"),
        (
            "opaque below",
            "d/s/.wh..wh..opq",
            "d/ d/a=1 d/b=1 d/s/ l->d",
        ),
        ("a hard link keeps the data", "h<d/a .wh.d", "h=1 l->d"),
        ("of what was replaced", "n/x=2 n=2 .wh.n .wh.d", "l->d n=2"),
        (
            "of aufs",
            ".wh..wh.plnk/ .wh..wh.plnk/1=x .wh..wh.aufs d/.wh..wh..tmp .wh.d",
            "l->d",
        ),
        (
            "only alike",
            ".wh.d wh.a=1 .whx=1 a.wh.b=1",
            ".whx=1 a.wh.b=1 l->d wh.a=1",
        ),
    ];
    for (name, upper, expected) in cases {
        table(&[(name, &[lower, upper], expected)]);
    }
}

#[test]
fn whiteouts_spare_entries_of_their_own_layer_only() {
    table(&[
        ("twice", &["a=1 d/x=1", "a=2 .wh.a", ".wh.a"], "d/ d/x=1"),
        (
            "kept, then gone",
            &["d/x=1", "d/y=2", "d/z=3 .wh.d"],
            "d/ d/z=3",
        ),
        (
            "opaque",
            &["d/x=1", "d/y=2 d/.wh..wh..opq", "d/.wh..wh..opq"],
            "d/",
        ),
    ]);
}

#[test]
fn replacements() {
    let lower = "d/ d/a=1 f=1 l->d";
    let cases: &[(&str, &str, &str)] = &[
        ("file by file", "f=2", "d/ d/a=1 f=2 l->d"),
        ("file by directory", "f/ f/x=2", "d/ d/a=1 f/ f/x=2 l->d"),
        ("file by link", "f->d f/a=2", "d/ d/a=2 f->d l->d"),
        ("directory by file", "d=2", "d=2 f=1 l->d"),
        ("directory by link", "d->e d/x=2", "d->e e/ e/x=2 f=1 l->d"),
        ("directory by pipe", "d|", "d| f=1 l->d"),
        ("directory by hard link", "d<f", "d=1 f=1 l->d"),
        (
            "directory by directory",
            "d/ d/x=2",
            "d/ d/a=1 d/x=2 f=1 l->d",
        ),
        ("link by file", "l=2", "d/ d/a=1 f=1 l=2"),
        ("link by directory", "l/ l/x=2", "d/ d/a=1 f=1 l/ l/x=2"),
        ("link by link", "l->f", "d/ d/a=1 f=1 l->f"),
        ("link by hard link", "l<f", "d/ d/a=1 f=1 l=1"),
        ("hard link to itself", "f<f l/a<d/a", "d/ d/a=1 f=1 l->d"),
        ("hard link again", "h<f h<f", "d/ d/a=1 f=1 h=1 l->d"),
        (
            "all in turn",
            "x/ x/a=2 x->d x/n=2 x/ x/b=2 x=2 x/ x/c=2",
            "d/ d/a=1 d/n=2 f=1 l->d x/ x/c=2",
        ),
        (
            "a part of the path in turn",
            "d/s/t/c=2 d/s->/e d/s/t/c=3 d/s/ d/s/t/c=4",
            "d/ d/a=1 d/s/ d/s/t/ d/s/t/c=4 e/ e/t/ e/t/c=3 f=1 l->d",
        ),
        ("the root", "./ ./f=2", "d/ d/a=1 f=2 l->d"),
    ];
    for (name, upper, expected) in cases {
        table(&[(name, &[lower, upper], expected)]);
    }
}

#[test]
fn links_in_parents() {
    table(&[
        ("dangling", &["l->x/y", "l/a=2"], "l->x/y x/ x/y/ x/y/a=2"),
        (
            "upon links",
            &["a->/b/c b->d/.. c->./e/", "d/ a/x=2"],
            "a->/b/c b->d/.. c->./e/ d/ e/ e/x=2",
        ),
        (
            "turned round",
            &["d/ l->d", "l/a=1 l->e l/a=2"],
            "d/ d/a=1 e/ e/a=2 l->e",
        ),
        (
            "of a hard link's target",
            &["d/a=1 l->/d", "h<l/a"],
            "d/ d/a=1 h=1 l->/d",
        ),
    ]);
}

#[test]
fn a_directory_is_looked_up_again_when_its_path_changed() {
    table(&[
        (
            "by its own entry",
            &["l->.", "l/x=1 l/l/ l/y=2"],
            "l/ l/y=2 x=1",
        ),
        (
            "for targets",
            &["d/a=1 e/a=2 l->d", "h<l/a l->e i<l/a"],
            "d/ d/a=1 e/ e/a=2 h=1 i=2 l->e",
        ),
        (
            "below a directory",
            &["d/a=1 e/a=2", "h<d/a .wh.d d->e", "i<d/a"],
            "d->e e/ e/a=2 h=1 i=2",
        ),
    ]);
}

#[test]
fn a_file_as_a_parent_is_refused() {
    let Some(mut fixture) = fixture(UnpackFilter::Everything) else {
        return;
    };
    let err = fixture.refused(&tar(&words("f=1 f/x=1")), "f/x");
    assert!(err.details[0].contains("Not a directory"), "{err:?}");
    fixture.refused(&tar(&words("./=x")), "./");
    fixture.refused(&tar(&words("/->x")), "/");
}

#[test]
fn a_replaced_hard_link_leaves_the_others_alone() {
    table(&[
        ("replaced", &["a=1 b<a d/c</b", "a=2"], "a=2 b=1 d/ d/c=1"),
        ("linked on", &["a=1 b<a", "c<./b .wh.a", "b=3"], "b=3 c=1"),
    ]);
}
