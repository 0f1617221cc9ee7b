// SPDX-License-Identifier: MIT OR Apache-2.0
//! The image that the good days install.

use std::path::PathBuf;

use ::registry::{OciLayout, Platform, Selector};
use failure::World;
use host::cancel::Cancel;
use testkit::registry::Registry;
use unpack::{UnpackFilter, Unpacker};

/// A registry that has it, and its reference there.
pub(crate) fn serve() -> Option<(Registry, String)> {
    if !testkit::registry::available() {
        return None;
    }
    let registry = Registry::start().unwrap();
    let image = test_image::standard().unwrap();
    registry
        .push(&image.reference(), "os/debian", "v1")
        .unwrap();
    let reference = format!("{}/os/debian:v1", registry.host());
    Some((registry, reference))
}

/// All of it as a directory, as an installer medium can bring it.
pub(crate) fn unpacked(world: &World) -> PathBuf {
    let image = test_image::standard().unwrap();
    let layout = OciLayout::open(&image.layout).unwrap();
    let selector = Selector::from_tag(Some(&image.tag));
    let resolved = layout.resolve(&selector, &Platform::host()).unwrap();
    let root = world.new_path("root");
    std::fs::create_dir(&root).unwrap();
    let mut unpacker = Unpacker::create(&root, UnpackFilter::Everything).unwrap();
    for layer in &resolved.layers {
        let blob = layout.blob_path(&layer.digest);
        unpacker
            .apply(layer, &blob, false, &|_| {}, &Cancel::new())
            .unwrap();
    }
    unpacker.finish().unwrap();
    root
}
