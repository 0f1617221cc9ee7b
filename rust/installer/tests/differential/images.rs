// SPDX-License-Identifier: MIT OR Apache-2.0
//! Three images of Debian, made with umoci, buildah and skopeo. The cache keeps
//! the layouts; a changed recipe makes them anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use testkit::cache;
use testkit::cmd::CommandExt;
use testkit::rootfs::{self, Rootfs};

/// The tag of each image.
pub(crate) const TAG: &str = "it";
/// Counts up when images are put together in another way.
const VERSION: &str = "1";

/// An image in two layouts: the versions of umoci in Debian 12 and 13 know no
/// zstd, so it gets the same layers with gzip.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) name: &'static str,
    pub(crate) ours: PathBuf,
    pub(crate) theirs: PathBuf,
}

fn debian() -> Rootfs {
    Rootfs::new("trixie").variant("minbase")
}

/// Runs a script of `sh` with these words as `$1`, `$2`, ….
fn sh(script: &str, words: &[&Path]) -> Result<()> {
    Command::new("sh")
        .args(["-euc", script, "sh"])
        .args(words)
        .run()
}

/// A cached directory that a script makes of a root: `$1` is the root, `$2` an
/// existing directory for the result, `$3` one for temporary files.
fn made(kind: &str, root: &Rootfs, script: &str, tools: &[&str]) -> Result<PathBuf> {
    let key = root.key().with("version", VERSION).with("script", script);
    cache::entry(kind, &key, |dir| {
        testkit::apt::ensure(tools)?;
        let root = root.build()?;
        fs::create_dir(dir).with_context(|| format!("making {}", dir.display()))?;
        let temp = tempfile::tempdir()?;
        sh(script, &[&root, dir, temp.path()])
    })
}

/// `umoci repack` finds out by itself what a change to the tree is as a layer.
const BY_UMOCI: &str = r#"
image=$2/layout:it
umoci init --layout "$2/layout"
umoci new --image "$image"
umoci unpack --image "$image" "$3/bundle"
cp -a "$1/." "$3/bundle/rootfs/"
umoci repack --refresh-bundle --image "$image" "$3/bundle"
"#;

/// A minimal Debian, of which a second layer upgrades a package by the next
/// release's and purges another one, by the image's own apt.
pub(crate) fn umoci() -> Result<Image> {
    let mirror = rootfs::mirror();
    let script = format!(
        r#"{BY_UMOCI}
root=$3/bundle/rootfs
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
echo "deb {mirror} sid main" >"$root/etc/apt/sources.list.d/next.list"
export DEBIAN_FRONTEND=noninteractive
apt() {{
    chroot "$root" apt-get --yes -oAPT::Sandbox::User=root \
        -oAcquire::Check-Valid-Until=false "$@"
}}
apt update
apt install base-files/sid
apt purge tzdata
apt clean
rm -r "$root/etc/apt/sources.list.d/next.list" "$root"/var/lib/apt/lists/*
rm "$root/etc/resolv.conf" "$root/etc/hosts"
umoci repack --image "$image" "$3/bundle"
umoci gc --layout "$2/layout"
"#
    );
    let dir = made("diff-umoci", &debian(), &script, &["umoci"])?;
    let layout = dir.join("layout");
    Ok(Image {
        name: "debian by umoci",
        ours: layout.clone(),
        theirs: layout,
    })
}

/// A layer by a copy, two by commands in the image, one by a copy with another
/// owner. buildah's containers are in a directory of the test.
const BY_BUILDAH: &str = r#"
buildah() {
    command buildah --storage-driver vfs --root "$work/root" --runroot "$work/run" "$@"
}
work=$3
last=
commit() {
    buildah commit --quiet --format oci --disable-compression=false "$1" "$2"
    buildah rm "$1"
}
c=$(buildah from scratch)
buildah copy --quiet "$c" "$1" /
buildah config --label made.by=buildah "$c"
commit "$c" one
c=$(buildah from localhost/one)
buildah run --isolation chroot "$c" -- sh -euc '
    rm -r /usr/share/zoneinfo /etc/default /media
    mkdir /etc/default
    echo new >/etc/default/new
    ln -s var /media
    mkfifo -m 622 /var/pipe
    chmod 4750 /usr/bin/apt-get
    chown 7:8 /etc/fstab /usr/bin/apt-get
    chmod 4750 /usr/bin/apt-get
    touch -d 1999-12-31T23:59:59.123456789Z /etc/issue
    mkdir -m 1777 /srv/open
    echo one >/srv/one
    ln /srv/one /srv/open/one'
commit "$c" two
c=$(buildah from localhost/two)
buildah run --isolation chroot "$c" -- sh -euc '
    rm /etc/default/new /media
    mkdir /media
    mv /srv/open /srv/moved
    ln /srv/one /srv/again
    rm /usr/share/perl5/Debconf/*.pm
    mv /etc/issue /etc/issue.moved
    chmod 700 /root'
commit "$c" three
c=$(buildah from localhost/three)
buildah copy --quiet --chown 1000:1001 "$c" "$1/etc/apt" /home/someone/apt
commit "$c" "oci:$2/layout:it"
"#;

/// A minimal Debian that containers have changed.
pub(crate) fn buildah() -> Result<Image> {
    let dir = made("diff-buildah", &debian(), BY_BUILDAH, &["buildah"])?;
    let layout = dir.join("layout");
    Ok(Image {
        name: "debian by buildah",
        ours: layout.clone(),
        theirs: layout,
    })
}

/// A Debian with systemd, sudo and ping: access lists, setuid and setgid, and the
/// capability that ping had in Debian 12; compressed with zstd by skopeo.
pub(crate) fn capabilities() -> Result<Image> {
    let root = debian().packages(&["systemd", "sudo", "iputils-ping", "libcap2-bin"]);
    let script = format!(
        r#"{BY_UMOCI}
chroot "$3/bundle/rootfs" setcap cap_net_raw+ep /usr/bin/ping
umoci repack --image "$image" "$3/bundle"
skopeo copy --quiet --dest-compress-format zstd "oci:$image" "oci:$2/zstd:it"
"#
    );
    let dir = made("diff-zstd", &root, &script, &["umoci", "skopeo"])?;
    Ok(Image {
        name: "debian with systemd, as zstd",
        ours: dir.join("zstd"),
        theirs: dir.join("layout"),
    })
}
