// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]

use tar::{Builder, Header};

use super::*;
use crate::store::hash::digest_of;
use crate::store::image::Compression;

fn digest(data: &[u8]) -> Digest {
    digest_of(imageref::Algorithm::Sha256, data)
}

fn name(data: &[u8]) -> String {
    format!("blobs/sha256/{}", digest(data).hex())
}

fn layer(data: &[u8], size: usize) -> Layer {
    Layer {
        digest: digest(data),
        size: size as u64,
        media_type: String::new(),
        compression: Compression::None,
        diff_id: digest(data),
    }
}

/// An archive of these entries.
fn tar(entries: &[(EntryType, &str, &[u8])]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (kind, name, data) in entries {
        let mut header = Header::new_ustar();
        header.set_entry_type(*kind);
        header.set_size(data.len() as u64);
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        tar.append(&header, *data).unwrap();
    }
    tar.into_inner().unwrap()
}

fn opened(bytes: &[u8]) -> Result<(tempfile::TempDir, OciArchive), String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.oci.tar");
    std::fs::write(&path, bytes).unwrap();
    let archive = OciArchive::open(&path).map_err(|e| e.to_string())?;
    Ok((dir, archive))
}

const FILE: EntryType = EntryType::Regular;

#[test]
fn blobs_are_found_where_they_lie() {
    let (a, b) = (b"first".as_slice(), [7; 3000].as_slice());
    let dotted = format!("./{}", name(b));
    let bytes = tar(&[
        (EntryType::Directory, "blobs/", b""),
        (
            EntryType::XHeader,
            "pax",
            b"30 mtime=1700000000.123456789\n",
        ),
        (FILE, &name(a), a),
        (FILE, "index.json", b"{}"),
        (FILE, &dotted, b),
        (FILE, "./oci-layout", b"{}"),
    ]);
    let (_dir, archive) = opened(&bytes).unwrap();
    for data in [a, b] {
        let place = archive.place(&layer(data, data.len())).unwrap();
        let start = usize::try_from(place.offset).unwrap();
        assert_eq!(&bytes[start..start + data.len()], data);
        assert!(
            !archive.has_layer(&layer(data, data.len() + 1)),
            "another size"
        );
    }
    assert!(!archive.has_layer(&layer(b"other", 5)));
}

#[test]
fn what_is_no_layout_is_told_apart() {
    let layout = (FILE, "oci-layout", &b"{}"[..]);
    let whole = tar(&[layout]);
    for (bytes, why) in [
        (b"\x1f\x8b\x08".to_vec(), "gzip"),
        (b"\x28\xb5\x2f\xfd\0".to_vec(), "zstd"),
        (b"\xfd7zXZ\0\0".to_vec(), "xz"),
        (b"BZh9".to_vec(), "bzip2"),
        (Vec::new(), "no OCI image layout"),
        (tar(&[(FILE, "x", b"x")]), "no OCI image layout"),
        (tar(&[(FILE, "manifest.json", b"[]")]), "docker-archive"),
        (
            tar(&[(EntryType::Symlink, "oci-layout", b"")]),
            "no OCI image layout",
        ),
        (vec![b'x'; 2000], ""),
        ([&whole[..1024], &[b'x'; 1024]].concat(), ""),
    ] {
        let error = opened(&bytes).unwrap_err();
        assert!(error.contains(why), "{why}: {error}");
    }
    assert!(opened(&whole).is_ok());
    assert!(
        OciArchive::open(Path::new("/"))
            .unwrap_err()
            .to_string()
            .contains("no file")
    );
    assert!(OciArchive::open(Path::new("/nothing/there")).is_err());
}

#[test]
fn what_is_cut_off_or_no_file_is_not_there() {
    let data = [7; 3000].as_slice();
    let layout = (FILE, "oci-layout", &b"{}"[..]);
    let whole = tar(&[layout, (FILE, &name(data), data)]);
    let (_dir, archive) = opened(&whole[..whole.len() - 2048]).unwrap();
    assert!(!archive.has_layer(&layer(data, data.len())));
    let (_dir, archive) = opened(&tar(&[layout, (EntryType::Link, &name(data), b"")])).unwrap();
    assert!(!archive.has_layer(&layer(data, 0)));
    // A size that goes round the address space.
    let mut huge = tar(&[layout]);
    huge.truncate(1024);
    let mut header = Header::new_gnu();
    header.set_path(name(data)).unwrap();
    header.set_size(u64::MAX - 100);
    header.set_cksum();
    huge.extend(header.as_bytes());
    if let Ok((_dir, archive)) = opened(&huge) {
        assert!(archive.blobs.is_empty());
    }
}

#[test]
fn extension_headers_are_not_kept() {
    // One that claims more than any memory has; to read it would be the end.
    let mut bytes = tar(&[(FILE, "oci-layout", b"{}")]);
    bytes.truncate(1024);
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::XHeader);
    header.set_size(1 << 62);
    header.set_cksum();
    bytes.extend(header.as_bytes());
    if let Ok((_dir, archive)) = opened(&bytes) {
        assert!(archive.blobs.is_empty());
    }
    // A large one that is there is passed over, and what follows it is found.
    header.set_size(8 << 20);
    header.set_cksum();
    bytes.truncate(1024);
    bytes.extend(header.as_bytes());
    bytes.extend(vec![b'x'; 8 << 20]);
    bytes.extend(tar(&[(FILE, &name(b"after"), b"after")]));
    let (_dir, archive) = opened(&bytes).unwrap();
    assert!(archive.has_layer(&layer(b"after", 5)));
}
