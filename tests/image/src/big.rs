// SPDX-License-Identifier: MIT OR Apache-2.0
//! The big test images: the standard one and, on top of it, Debian packages in
//! layers as uneven as those of a real image.
//!
//! The packages are unpacked, not installed: nobody runs them. They are there
//! for their bytes and files, which a pull, an unpacking and an import have to
//! carry. So only `/usr` and `/etc` of them are kept, nothing that the
//! standard image has itself is replaced, and the image boots like that one.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, Permissions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;

use anyhow::{Context, Result, bail};
use testkit::cache::{self, Key};
use testkit::cmd::CommandExt;
use testkit::{apt, rootfs};

use crate::oci::{self, Image, Layer};
use crate::standin::Bootc;
use crate::{CREATED, Content, LAYOUT_VERSION, OciImage, Variant, layers, recipe};

/// How big an image is, and of what.
struct Shape {
    tag: &'static str,
    packages: &'static [&'static str],
    /// How many layers the packages make.
    layers: usize,
    /// What the whole image weighs at least, compressed.
    bytes: u64,
}

/// A desktop's worth of packages.
const BIG: Shape = Shape {
    tag: "big",
    packages: DESKTOP,
    layers: 60,
    bytes: 2_000_000_000,
};
/// Well above 1 GB when it is unpacked.
const LARGE: Shape = Shape {
    tag: "large",
    packages: &["clang", "fonts-noto-cjk", "g++", "gdb", "git"],
    layers: 12,
    bytes: 400_000_000,
};
/// gzip's level of the package layers.
const LEVEL: u32 = 6;
/// Counts up when the way in which the layers are made changes.
const SHAPE_VERSION: &str = "1";

const SOURCES: &str = "forky main non-free-firmware";

const DESKTOP: &[&str] = &[
    "ark",
    "chromium",
    "clang",
    "default-jre",
    "dolphin",
    "firefox-esr",
    "firmware-amd-graphics",
    "firmware-atheros",
    "firmware-iwlwifi",
    "firmware-misc-nonfree",
    "firmware-realtek",
    "fonts-noto-cjk",
    "fonts-noto-core",
    "g++",
    "gdb",
    "gimp",
    "git",
    "gwenview",
    "inkscape",
    "kate",
    "konsole",
    "libreoffice",
    "lld",
    "okular",
    "plasma-desktop",
    "sddm",
    "texlive-fonts-recommended",
    "texlive-latex-extra",
    "thunderbird",
    "vlc",
];

/// Directories of `/usr` and links to them at the top (the merged /usr).
const MERGED: &[&str] = &["bin", "lib", "lib64", "sbin"];
/// What is kept at the top: the rest is links, state or mount points of the
/// image.
const KEPT: &[&str] = &["etc", "usr"];
/// Below `/usr`: a link of the image, and what would be a second kernel.
const DROPPED: &[&str] = &["usr/local", "usr/lib/modules"];

/// An image of at least 2 GB compressed and 60 layers, installable like the
/// standard one. The first call takes minutes and some GB, later ones seconds.
///
/// # Errors
/// Without root, without the Debian mirror, or when the packages have become
/// so small that the image would not be a big one.
pub fn big() -> Result<OciImage> {
    BIG.image()
}

/// An image of more than 1 GB unpacked, which a small machine can install.
///
/// # Errors
/// As [`big`].
pub fn large() -> Result<OciImage> {
    LARGE.image()
}

impl Shape {
    fn image(&self) -> Result<OciImage> {
        let bootc = Bootc::from_env()?;
        let program = bootc.file()?;
        let key = self
            .key()
            .with("cuts", layers::key())
            .with("base", crate::layers_key().hex())
            .with("layout", LAYOUT_VERSION)
            .with_file("bootc", &program)?;
        let layout = cache::entry(&format!("image-{}", self.tag), &key, |dir| {
            let base = crate::base_layers()?;
            let packages = self.package_layers()?;
            let mut layers = crate::read_layers(&base)?;
            layers.extend(crate::read_layers(&packages)?);
            for from in [&base, &packages] {
                crate::link_blobs(from, dir)?;
            }
            let text = format!("{}\n", self.tag);
            let version = Content::Text(&text);
            layers.push(crate::write_file_layer(
                dir,
                "version",
                "usr/lib/test-image/version",
                &version,
            )?);
            let program = Content::Copy(&program);
            layers.push(crate::write_file_layer(
                dir,
                "bootc",
                "usr/bin/bootc",
                &program,
            )?);
            self.check(&layers)?;
            let mut labels = Variant::V1.labels();
            for (name, value) in &mut labels {
                if *name == "org.opencontainers.image.version" {
                    *value = format!("forky.{}", self.tag);
                }
            }
            let image = Image {
                tag: self.tag,
                layers,
                labels,
                created: CREATED,
            };
            oci::write_layout(dir, &[image])
        })?;
        Ok(OciImage {
            layout,
            tag: self.tag.to_owned(),
        })
    }

    /// What decides the package layers, apart from the day's state of the mirror.
    fn key(&self) -> Key {
        let key = Key::new()
            .with("rootfs", recipe::rootfs().key().hex())
            .with("sources", SOURCES)
            .with("shape", SHAPE_VERSION)
            .with("layers", format!("{} {LEVEL}", self.layers));
        self.packages
            .iter()
            .fold(key, |key, name| key.with("package", name))
    }

    fn check(&self, layers: &[Layer]) -> Result<()> {
        let bytes: u64 = layers.iter().map(|layer| layer.size).sum();
        if bytes < self.bytes {
            bail!(
                "the {} image has only {bytes} bytes: today's packages are smaller. \
             Next step: add some to its shape in tests/image/src/big.rs",
                self.tag
            );
        }
        Ok(())
    }

    /// The layers of the packages, without a base.
    fn package_layers(&self) -> Result<PathBuf> {
        cache::entry("image-packages", &self.key(), |dir| {
            crate::require_root()?;
            apt::ensure(&["dpkg-deb", "tar"])?;
            let base = recipe::rootfs().build()?;
            fs::create_dir(dir).with_context(|| format!("making {}", dir.display()))?;
            let apt = dir.join("apt");
            let debs = download(&base, &apt, self.packages)?;
            let layers = write_layers(&base, &debs, dir, self.layers)?;
            cache::remove_tree(&apt)?;
            let text = serde_json::to_vec_pretty(&layers).context("writing layers.json")?;
            fs::write(dir.join("layers.json"), text).context("writing layers.json")
        })
    }
}

/// Fetches what the base lacks of the packages and their dependencies, sorted
/// by name, with sizes in bytes.
fn download(base: &Path, apt: &Path, packages: &[&str]) -> Result<Vec<(PathBuf, u64)>> {
    let archives = apt.join("archives");
    for dir in [apt.join("lists/partial"), archives.join("partial")] {
        fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
    }
    let write = |name: &str, text: String| {
        let path = apt.join(name);
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        Ok::<_, anyhow::Error>(path)
    };
    write(
        "sources.list",
        format!("deb {} {SOURCES}\n", rootfs::mirror()),
    )?;
    let settings = write("apt.conf", apt_settings(base, apt))?;
    let apt_get = |args: &[&str]| {
        Command::new("apt-get")
            .arg("--config-file")
            .arg(&settings)
            .args(["--yes", "--quiet"])
            .args(args)
            .run()
    };
    eprintln!("downloading the packages of a big test image (up to 1.4 GB)");
    apt_get(&["update"])?;
    apt_get(&[&["install", "--download-only"], packages].concat())?;

    let status = base.join("var/lib/dpkg/status");
    let status = fs::read_to_string(&status)
        .with_context(|| format!("reading the packages in {}", status.display()))?;
    let in_base = package_names(&status);
    let mut debs = Vec::new();
    let entries =
        fs::read_dir(&archives).with_context(|| format!("reading {}", archives.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("reading {}", archives.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // A package of the base is here when the mirror has a newer one.
        let package = name.split('_').next().unwrap_or_default();
        if !name.ends_with(".deb") || in_base.contains(package) {
            continue;
        }
        let size = entry.metadata().map(|meta| meta.len());
        debs.push((
            entry.path(),
            size.with_context(|| format!("size of {name}"))?,
        ));
    }
    debs.sort();
    Ok(debs)
}

/// An apt that sees the base's packages, and nothing of the host but how to
/// reach a mirror.
fn apt_settings(base: &Path, apt: &Path) -> String {
    let (base, apt) = (base.display(), apt.display());
    format!(
        "Dir::State::status \"{base}/var/lib/dpkg/status\";\n\
         Dir::State::lists \"{apt}/lists\";\n\
         Dir::State::extended_states \"{apt}/extended_states\";\n\
         Dir::Cache \"{apt}\";\n\
         Dir::Cache::archives \"{apt}/archives\";\n\
         Dir::Etc::sourcelist \"{apt}/sources.list\";\n\
         Dir::Etc::sourceparts \"/dev/null\";\n\
         Dir::Etc::preferences \"/dev/null\";\n\
         Dir::Etc::preferencesparts \"/dev/null\";\n\
         Dir::Etc::trusted \"/dev/null\";\n\
         Dir::Etc::trustedparts \"{base}/etc/apt/trusted.gpg.d\";\n\
         Acquire::Languages \"none\";\n\
         APT::Install-Recommends \"false\";\n\
         APT::Sandbox::User \"root\";\n"
    )
}

/// Names in dpkg's database of installed packages.
fn package_names(status: &str) -> BTreeSet<&str> {
    status
        .lines()
        .filter_map(|line| line.strip_prefix("Package: "))
        .collect()
}

/// Unpacks group after group; a second thread compresses what is unpacked.
fn write_layers(
    base: &Path,
    debs: &[(PathBuf, u64)],
    dir: &Path,
    count: usize,
) -> Result<Vec<Layer>> {
    let sizes: Vec<u64> = debs.iter().map(|(_, size)| *size).collect();
    let groups = cut(&sizes, count)?;
    eprintln!(
        "making {} layers of {} packages ({} MB)",
        groups.len(),
        debs.len(),
        sizes.iter().sum::<u64>() / 1_000_000
    );
    std::thread::scope(|scope| {
        let (trees, unpacked) = mpsc::sync_channel::<PathBuf>(1);
        let writer = scope.spawn(move || {
            let mut layers = Vec::new();
            for tree in unpacked {
                let mut layer = layers::write_all(&tree, "packages", dir, LEVEL)?;
                layer.name = format!("packages-{:02}", layers.len() + 1);
                cache::remove_tree(&tree)?;
                layers.push(layer);
            }
            Ok(layers)
        });
        let mut below = Below::new(base);
        for (number, group) in groups.into_iter().enumerate() {
            let tree = dir.join(format!("tree-{number}"));
            unpack(&debs[group], &tree)?;
            below.settle(&tree, Path::new(""))?;
            // A writer that is gone has failed, and tells why when joined.
            if trees.send(tree).is_err() {
                break;
            }
        }
        drop(trees);
        match writer.join() {
            Ok(layers) => layers,
            Err(_) => bail!("the thread that writes layers panicked"),
        }
    })
}

/// Cuts packages, in their order, into `count` runs of uneven size: the k-th
/// biggest has a share of about 1/(k+1), and big and small ones take turns.
fn cut(sizes: &[u64], count: usize) -> Result<Vec<Range<usize>>> {
    if sizes.len() < count {
        bail!("{} packages do not make {count} layers", sizes.len());
    }
    // 23 has no factor in common with 60 or 12, so that each rank comes once.
    let weights: Vec<u64> = (0..count)
        .map(|i| 1_000_000 / (i * 23 % count + 2) as u64)
        .collect();
    let (all_weight, all_size) = (weights.iter().sum::<u64>(), sizes.iter().sum::<u64>());
    let (mut groups, mut start) = (Vec::new(), 0);
    let (mut weight, mut size) = (0, 0);
    for (i, more) in weights.iter().enumerate() {
        weight += more;
        // Each of the groups to come needs at least one package.
        let last = sizes.len() - (count - 1 - i);
        let mut end = start;
        while end < last && (end == start || size * all_weight < all_size * weight) {
            size += sizes[end];
            end += 1;
        }
        groups.push(start..end);
        start = end;
    }
    // Rounding must not lose the last ones.
    if let Some(group) = groups.last_mut() {
        group.end = sizes.len();
    }
    Ok(groups)
}

/// Unpacks packages into a new tree, removing their files.
fn unpack(debs: &[(PathBuf, u64)], tree: &Path) -> Result<()> {
    for name in MERGED {
        let dir = tree.join("usr").join(name);
        fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
        let link = tree.join(name);
        symlink(Path::new("usr").join(name), &link)
            .with_context(|| format!("linking {}", link.display()))?;
        set_usual_mode(&dir)?;
    }
    for dir in [tree.to_owned(), tree.join("usr")] {
        set_usual_mode(&dir)?;
    }
    for (deb, _) in debs {
        unpack_one(deb, tree).with_context(|| format!("unpacking {}", deb.display()))?;
        fs::remove_file(deb).with_context(|| format!("removing {}", deb.display()))?;
    }
    for entry in fs::read_dir(tree).with_context(|| format!("reading {}", tree.display()))? {
        let entry = entry.with_context(|| format!("reading {}", tree.display()))?;
        if !KEPT.iter().any(|kept| entry.file_name() == *kept) {
            cache::remove_tree(&entry.path())?;
        }
    }
    for dropped in DROPPED {
        cache::remove_tree(&tree.join(dropped))?;
    }
    Ok(())
}

fn set_usual_mode(dir: &Path) -> Result<()> {
    fs::set_permissions(dir, Permissions::from_mode(0o755))
        .with_context(|| format!("setting the mode of {}", dir.display()))
}

fn unpack_one(deb: &Path, tree: &Path) -> Result<()> {
    let mut dpkg = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(deb)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting dpkg-deb")?;
    let content = dpkg.stdout.take().context("dpkg-deb without stdout")?;
    // dpkg-deb -x would turn the links of the merged /usr into directories.
    let tar = Command::new("tar")
        .args(["--extract", "--file=-", "--keep-directory-symlink"])
        .args(["--same-owner", "--numeric-owner", "--same-permissions"])
        .arg("--directory")
        .arg(tree)
        .stdin(content)
        .status();
    let dpkg = dpkg.wait().context("waiting for dpkg-deb")?;
    let tar = tar.context("running tar")?;
    if !dpkg.success() || !tar.success() {
        bail!("dpkg-deb: {dpkg}; tar: {tar}");
    }
    Ok(())
}

/// What lies below a layer. A path that is a directory in one layer and none
/// in another is something that dpkg would have followed or refused, and that
/// readers of images treat differently: the upper one is left out.
struct Below<'a> {
    base: &'a Path,
    /// Whether a path is a directory, in the layers so far.
    seen: HashMap<PathBuf, bool>,
}

impl<'a> Below<'a> {
    fn new(base: &'a Path) -> Self {
        Self {
            base,
            seen: HashMap::new(),
        }
    }

    /// Removes from `tree`, at `path` and below, what does not fit.
    fn settle(&mut self, tree: &Path, path: &Path) -> Result<()> {
        let dir = tree.join(path);
        let reading = || format!("reading {}", dir.display());
        for entry in fs::read_dir(&dir).with_context(reading)? {
            let entry = entry.with_context(reading)?;
            let path = path.join(entry.file_name());
            let is_dir = entry.file_type().with_context(reading)?.is_dir();
            if self.is_dir(&path)?.is_some_and(|below| below != is_dir) {
                eprintln!("left out, since it changes its kind: {}", path.display());
                cache::remove_tree(&entry.path())?;
                continue;
            }
            if is_dir {
                self.settle(tree, &path)?;
            }
            self.seen.insert(path, is_dir);
        }
        Ok(())
    }

    fn is_dir(&self, path: &Path) -> Result<Option<bool>> {
        if let Some(is_dir) = self.seen.get(path) {
            return Ok(Some(*is_dir));
        }
        match self.base.join(path).symlink_metadata() {
            Ok(meta) => Ok(Some(meta.is_dir())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("looking at {}", path.display())),
        }
    }
}

#[cfg(test)]
mod tests;
