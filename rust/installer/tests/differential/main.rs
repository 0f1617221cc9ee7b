// SPDX-License-Identifier: MIT OR Apache-2.0
//! Images that others made, unpacked by umoci and by us: the same trees, down
//! to the last attribute. `--nocapture` shows what was compared.
//!
//! The images are made once, by the tools that people make images with, and
//! kept in the cache: see `images`.
#![allow(clippy::unwrap_used)]

mod images;
mod tree;

use std::collections::BTreeMap;
use std::path::Path;

use host::cancel::Cancel;
use images::Image;
use registry::{OciLayout, Platform, ResolvedImage, Selector};
use testkit::cmd::CommandExt;
use tree::{Kind, Tree};
use unpack::{UnpackFilter, Unpacker};

/// What an image must have for the comparison to be worth something.
struct Needs {
    layers: usize,
    whiteouts: usize,
    /// Kinds of what is compared, each at least once.
    kinds: &'static [Kind],
    compression: registry::Compression,
}

fn opened(image: &Image) -> (OciLayout, ResolvedImage) {
    let layout = OciLayout::open(&image.ours).unwrap();
    let selector = Selector::from_tag(Some(images::TAG));
    let resolved = layout.resolve(&selector, &Platform::host()).unwrap();
    (layout, resolved)
}

fn unpack(layout: &OciLayout, image: &ResolvedImage, root: &Path, filter: UnpackFilter) {
    std::fs::create_dir(root).unwrap();
    let mut unpacker = Unpacker::create(root, filter).unwrap();
    for layer in &image.layers {
        let blob = layout.blob_path(&layer.digest);
        unpacker
            .apply(layer, &blob, true, &|_| {}, &Cancel::new())
            .unwrap();
    }
    unpacker.finish().unwrap();
}

fn umoci(image: &Image, root: &Path) {
    std::process::Command::new("umoci")
        .args(["raw", "unpack", "--image"])
        .arg(format!("{}:{}", image.theirs.display(), images::TAG))
        .arg(root)
        .run()
        .unwrap();
}

/// What differs, by kind; at most some of each are named.
#[allow(clippy::print_stdout)]
fn report(title: &str, differences: &BTreeMap<&'static str, Vec<String>>) {
    println!("{title}: {} kinds of differences", differences.len());
    for (kind, which) in differences {
        println!("  {kind}: {}, such as", which.len());
        for one in which.iter().take(5) {
            println!("    {one}");
        }
    }
}

#[allow(clippy::print_stdout)]
fn compare(image: impl FnOnce() -> anyhow::Result<Image>, needs: &Needs) {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: making and unpacking images needs root");
        return;
    }
    let image = image().unwrap();
    let (layout, resolved) = opened(&image);
    assert!(
        resolved.layers.len() >= needs.layers,
        "{:?}",
        resolved.layers
    );
    let compressed = resolved.layers.iter().map(|l| l.compression);
    assert!(compressed.into_iter().any(|c| c == needs.compression));

    let temp = tempfile::tempdir().unwrap();
    let [ours, theirs, lean] = ["ours", "theirs", "lean"].map(|name| temp.path().join(name));
    unpack(&layout, &resolved, &ours, UnpackFilter::Everything);
    umoci(&image, &theirs);
    unpack(&layout, &resolved, &lean, UnpackFilter::Lean);
    let mut trees = [&ours, &theirs, &lean].map(|root| Tree::read(root).unwrap());
    let archives = tree::archives(&layout, &resolved).unwrap();
    if !archives.root {
        // Nobody says how old the root is. umoci makes it 1970, to be the same
        // each time; a runtime root lives for minutes, and stays as it is made.
        println!("intended: the time of the root, which no layer describes");
        trees.iter_mut().for_each(Tree::forget_root_time);
    }
    let [ours, theirs, lean] = trees;
    let counts = ours.counts();
    let whiteouts = archives.whiteouts;
    println!(
        "{}: {} layers with {whiteouts} whiteouts, {} entries: {counts:?}",
        image.name,
        resolved.layers.len(),
        ours.len(),
    );
    assert!(whiteouts >= needs.whiteouts, "{whiteouts} whiteouts");
    for kind in needs.kinds {
        assert!(counts.contains_key(kind), "the image has no {kind:?}");
    }
    assert!(ours.len() > 1000);
    let differences = ours.differences(&theirs).unwrap();
    report("  against umoci", &differences);
    assert!(differences.is_empty(), "{}: see above", image.name);

    // What is left out is what the rules say, all of it, and nothing else.
    let (wanted, left_out) = ours.without(|path| UnpackFilter::Lean.leaves_out(path));
    println!("  lean: {left_out} files left out");
    assert!(left_out > 0);
    let differences = wanted.differences(&lean).unwrap();
    report("  lean against the rest", &differences);
    assert!(differences.is_empty(), "{}: see above", image.name);
}

#[test]
fn debian_with_an_upgrade_and_a_removal_by_umoci() {
    let needs = Needs {
        layers: 2,
        whiteouts: 10,
        kinds: &[Kind::Setuid, Kind::Sticky, Kind::Device, Kind::Symlink],
        compression: registry::Compression::Gzip,
    };
    compare(images::umoci, &needs);
}

#[test]
fn debian_with_several_runs_by_buildah() {
    let needs = Needs {
        layers: 4,
        whiteouts: 5,
        kinds: &[Kind::Setuid, Kind::HardLink, Kind::Fifo, Kind::Symlink],
        compression: registry::Compression::Gzip,
    };
    compare(images::buildah, &needs);
}

#[test]
fn debian_with_capabilities_as_zstd() {
    let needs = Needs {
        layers: 2,
        whiteouts: 0,
        kinds: &[
            Kind::Setuid,
            Kind::Setgid,
            Kind::Capability,
            Kind::Xattr,
            Kind::Owner,
        ],
        compression: registry::Compression::Zstd,
    };
    compare(images::capabilities, &needs);
}
