// SPDX-License-Identifier: MIT OR Apache-2.0
//! Indexes, manifests and configurations.

/// Between the document and the configuration; no JSON has it.
const BETWEEN: u8 = 0xff;

pub(crate) fn run(data: &[u8]) {
    let mut parts = data.splitn(2, |&byte| byte == BETWEEN);
    let (document, config) = (parts.next().unwrap_or(b""), parts.next().unwrap_or(b""));
    match registry::fuzz::image(document, config) {
        Ok(Some(image)) => {
            assert_eq!(image.layers.len(), image.config.diff_ids.len());
            assert_eq!(image.manifest_bytes, document);
            assert_eq!(image.layout_name(), "latest");
            let largest = image.layers.iter().map(|layer| layer.size).max();
            let size = source::size::ImageSize::estimate(&image);
            assert!(size.compressed >= largest.unwrap_or(0));
            assert!(size.unpacked >= size.compressed / 100);
        }
        Ok(None) => {}
        Err(error) => drop((error.to_string(), error.hint(), error.kind().as_str())),
    }
}
