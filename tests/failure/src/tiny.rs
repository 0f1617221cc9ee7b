// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tiny bootable images: all that the engine looks for, and a shell script for
//! a bootc. An installation of one takes less than a second, and its bootc does
//! whatever a test wants.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use test_image::OciImage;
use test_image::oci::{self, Layer};
use testkit::cmd::{self, CommandExt};

use crate::world::World;

/// Scripts that stand for a bootc.
pub mod bootc {
    /// Leaves what the engine looks for, as bootc does.
    pub const WORKS: &str = r#"
while [ $# -gt 1 ]; do
    [ "$1" = --target-imgref ] && ref=$2
    shift
done
echo "Installing image: docker://$ref"
os=$1/ostree/deploy/default
mkdir -p "$os/deploy/1.0/etc" "$os/deploy/1.0/usr" "$os/var"
printf '[origin]\ncontainer-image-reference=ostree-unverified-registry:%s\n' "$ref" \
    > "$os/deploy/1.0.origin"
echo "Installation complete!"
"#;

    /// Like [`WORKS`], and the deployment is a tree that programs run in, with
    /// the usual links into `/var`.
    pub const DEPLOYS: &str = r#"
while [ $# -gt 1 ]; do
    [ "$1" = --target-imgref ] && ref=$2
    shift
done
echo "Installing image: docker://$ref"
os=$1/ostree/deploy/default
tree=$os/deploy/1.0
mkdir -p "$tree/etc" "$os/var"
for dir in boot dev proc run sys sysroot tmp var; do mkdir "$tree/$dir"; done
for dir in /bin /lib /lib64 /usr; do [ -d "$dir" ] && cp -a "$dir" "$tree"; done
echo image > "$tree/usr/content"
ln -s var/home "$tree/home"
ln -s var/roothome "$tree/root"
printf '[origin]\ncontainer-image-reference=ostree-unverified-registry:%s\n' "$ref" \
    > "$tree.origin"
mkdir -p "$1/boot"
echo "Installation complete!"
"#;

    /// Fails as bootc does.
    pub const FAILS: &str = r#"
echo "Installing image: docker://some/image"
echo "error: an earlier one"
echo "error: Installing to filesystem: Bending the widget: It is broken already"
exit 1
"#;

    /// Ends without a word.
    pub const IS_SILENT: &str = "exit 7\n";

    /// Like [`HANGS`], but answers when it is asked for its options.
    pub const HANGS_AT_WORK: &str = r#"
case "$*" in *--help*) exit 0;; esac
trap '' TERM INT HUP
echo "Installing image: docker://some/image"
while :; do sleep 1000; done
"#;

    /// Never ends, and takes no notice of signals.
    pub const HANGS: &str = r#"
trap '' TERM INT HUP
mkdir -p "$(echo /run/target/ostree)"
echo "Installing image: docker://some/image"
while :; do sleep 1000; done
"#;
}

/// Programs of this machine that the scripts use.
const BORROWED: [&str; 6] = ["cat", "cp", "ln", "mkdir", "sh", "sleep"];
/// Programs that must be there and that nobody runs.
const NEEDED: [&str; 6] = ["findmnt", "lsblk", "mount", "ostree", "podman", "skopeo"];
const KERNEL: &str = "usr/lib/modules/6.0";
/// When every one was built, RFC 3339.
const CREATED: &str = "2026-01-02T03:04:05Z";
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The recipe of a tiny image.
#[derive(Clone, Debug)]
pub struct Tiny {
    files: BTreeMap<String, (u32, Vec<u8>)>,
    directories: Vec<String>,
    labels: BTreeMap<String, String>,
    architecture: String,
    index: bool,
    garbage: bool,
}

impl Tiny {
    /// One with this script as its bootc; see [`bootc`].
    pub fn new(bootc: &str) -> Self {
        let mut files = borrowed();
        for name in NEEDED {
            files.insert(format!("usr/bin/{name}"), (0o755, Vec::new()));
        }
        let script = format!("#!/bin/sh\n{bootc}");
        files.insert("usr/bin/bootc".into(), (0o755, script.into()));
        for (name, text) in [
            (format!("{KERNEL}/vmlinuz"), "kernel"),
            (format!("{KERNEL}/initramfs.img"), "initramfs"),
            ("usr/lib/ostree/prepare-root.conf".into(), "[composefs]\n"),
            ("etc/containers/policy.json".into(), "{}"),
            ("etc/os-release".into(), "ID=tiny\n"),
        ] {
            files.insert(name, (0o644, text.into()));
        }
        let directories = ["boot", "dev", "proc", "run", "sys", "sysroot", "tmp", "var"];
        Self {
            files,
            directories: directories.map(str::to_owned).to_vec(),
            labels: BTreeMap::from([("containers.bootc".into(), "1".into())]),
            architecture: architecture().into(),
            index: false,
            garbage: false,
        }
    }

    /// One whose bootc works.
    pub fn working() -> Self {
        Self::new(bootc::WORKS)
    }

    /// Without this file, or empty directory at the top.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        let there = self.files.len() + self.directories.len();
        self.files.remove(path);
        self.directories.retain(|d| d != path);
        assert_eq!(
            self.files.len() + self.directories.len(),
            there - 1,
            "{path}"
        );
        self
    }

    /// Without the label of bootable images.
    #[must_use]
    pub fn without_label(mut self) -> Self {
        self.labels.clear();
        self
    }

    /// With one more file.
    #[must_use]
    pub fn with(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.to_owned(), (0o644, content.into()));
        self
    }

    /// With one more program.
    #[must_use]
    pub fn with_program(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.to_owned(), (0o755, content.into()));
        self
    }

    /// For another kind of machine, in OCI spelling.
    #[must_use]
    pub fn architecture(mut self, name: &str) -> Self {
        self.architecture = name.to_owned();
        self
    }

    /// Named by an index, as images for several kinds of machines are.
    #[must_use]
    pub fn in_index(mut self) -> Self {
        self.index = true;
        self
    }

    /// Its last layer is no archive, although the digests are right.
    #[must_use]
    pub fn with_garbage(mut self) -> Self {
        self.garbage = true;
        self
    }

    /// The kernel's path in the image.
    pub fn kernel() -> String {
        format!("{KERNEL}/vmlinuz")
    }

    /// The initramfs's path in the image.
    pub fn initramfs() -> String {
        format!("{KERNEL}/initramfs.img")
    }

    /// Writes it as an OCI layout.
    pub fn write(&self, world: &World) -> OciImage {
        let layout = world.new_path("layout");
        fs::create_dir_all(layout.join("blobs/sha256")).unwrap();
        let (system, rest): (Vec<_>, Vec<_>) = self
            .files
            .iter()
            .partition(|(path, _)| path.starts_with("lib"));
        let mut layers = vec![
            layer(&layout, "system", &archive(&[], &system)),
            layer(&layout, "rest", &archive(&self.directories, &rest)),
        ];
        if self.garbage {
            layers.push(layer(&layout, "garbage", &[0xa5; 4096]));
        }
        let mut manifest = self.manifest(&layout, &layers);
        if self.index {
            let list = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest]});
            manifest = blob(&layout, INDEX, &list);
        }
        manifest["annotations"] = json!({ REF_NAME: "v1" });
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest]});
        fs::write(layout.join("index.json"), index.to_string()).unwrap();
        fs::write(
            layout.join("oci-layout"),
            r#"{"imageLayoutVersion":"1.0.0"}"#,
        )
        .unwrap();
        let tag = "v1".to_owned();
        OciImage { layout, tag }
    }

    /// Writes it as a directory to run from.
    pub fn unpack(&self, world: &World) -> PathBuf {
        let root = world.new_path("root");
        let files: Vec<_> = self.files.iter().collect();
        let bytes = archive(&self.directories, &files);
        tar::Archive::new(bytes.as_slice()).unpack(&root).unwrap();
        root
    }

    fn manifest(&self, layout: &Path, layers: &[Layer]) -> Value {
        let diff_ids: Vec<_> = layers.iter().map(|l| &l.diff_id).collect();
        let config = json!({
            "architecture": self.architecture,
            "os": "linux",
            "created": CREATED,
            "config": {"Labels": self.labels},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let described: Vec<_> = layers
            .iter()
            .map(|l| json!({"mediaType": LAYER, "digest": l.digest, "size": l.size}))
            .collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": blob(layout, CONFIG, &config),
            "layers": described,
        });
        let mut descriptor = blob(layout, MANIFEST, &manifest);
        descriptor["platform"] = json!({"architecture": self.architecture, "os": "linux"});
        descriptor
    }
}

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// This machine, as OCI spells it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// The programs of this machine, with their libraries where they are here.
fn borrowed() -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut files = BTreeMap::new();
    for name in BORROWED {
        let program = cmd::find(name).unwrap();
        files.insert(format!("bin/{name}"), (0o755, fs::read(&program).unwrap()));
        let list = Command::new("ldd").arg(&program).read().unwrap();
        for library in list.split_whitespace().filter(|word| word.starts_with('/')) {
            let inside = library.trim_start_matches('/').trim_start_matches("usr/");
            files.insert(inside.to_owned(), (0o755, fs::read(library).unwrap()));
        }
    }
    files
}

fn archive(directories: &[String], files: &[(&String, &(u32, Vec<u8>))]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut append = |path: &str, kind, mode, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, path, content).unwrap();
    };
    for path in directories {
        append(path, tar::EntryType::Directory, 0o755, &[]);
    }
    for (path, (mode, content)) in files {
        append(path, tar::EntryType::Regular, *mode, content);
    }
    builder.into_inner().unwrap()
}

fn layer(layout: &Path, name: &str, mut bytes: &[u8]) -> Layer {
    oci::write_layer(layout, name, &mut bytes, 1).unwrap()
}

/// Writes a JSON blob; gives its descriptor.
fn blob(layout: &Path, media_type: &str, value: &Value) -> Value {
    let bytes = value.to_string();
    let digest = Sha256::digest(&bytes);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(layout.join("blobs/sha256").join(&hex), &bytes).unwrap();
    json!({"mediaType": media_type, "digest": format!("sha256:{hex}"), "size": bytes.len()})
}
