// SPDX-License-Identifier: MIT OR Apache-2.0
//! Unpacking layers one over the other, with whiteouts (OCI image spec,
//! layer.md), so that nothing outside the root is ever touched.

use std::collections::HashSet;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use tar::EntryType;

/// What an entry's name asks for.
#[derive(Debug, PartialEq, Eq)]
enum Action {
    /// The root itself, or something that is no content.
    Skip,
    Put(PathBuf),
    /// Remove this path of the layers below.
    Whiteout(PathBuf),
    /// Remove what the layers below have in this directory.
    Opaque(PathBuf),
}

fn action(path: &Path) -> Result<Action> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                bail!("path outside of the layer: {}", path.display())
            }
        }
    }
    let Some(name) = clean.file_name().map(|n| n.to_string_lossy().into_owned()) else {
        return Ok(Action::Skip);
    };
    if name == ".wh..wh..opq" {
        clean.pop();
        return Ok(Action::Opaque(clean));
    }
    if name.starts_with(".wh..wh.") {
        return Ok(Action::Skip);
    }
    if let Some(hidden) = name.strip_prefix(".wh.") {
        if hidden.is_empty() {
            bail!("empty whiteout: {}", path.display());
        }
        return Ok(Action::Whiteout(clean.with_file_name(hidden)));
    }
    Ok(Action::Put(clean))
}

/// Unpacks one layer (an uncompressed tar stream) over `root`. Devices and
/// pipes, which an ostree commit cannot hold, are left out.
pub(crate) fn apply(root: &Path, layer: impl Read) -> Result<()> {
    let root = fs::canonicalize(root).with_context(|| format!("Opening {}", root.display()))?;
    let mut archive = tar::Archive::new(layer);
    archive.set_preserve_permissions(true);
    // Only root may give files away; tests of this crate also run as a user.
    archive.set_preserve_ownerships(nix::unistd::geteuid().is_root());
    archive.set_unpack_xattrs(true);
    archive.set_preserve_mtime(false);
    archive.set_overwrite(true);
    let mut mine = HashSet::new();
    for entry in archive.entries().context("Reading tar")? {
        let mut entry = entry.context("Reading tar")?;
        let path = entry.path().context("Reading tar")?.into_owned();
        match action(&path)? {
            Action::Skip => {}
            Action::Whiteout(path) => {
                if inside(&root, &path)? {
                    remove(&root.join(path))?;
                }
            }
            Action::Opaque(dir) => {
                if inside(&root, &dir)? {
                    clear_below(&root, &dir, &mine)?;
                }
            }
            Action::Put(path) => {
                put(&root, &path, &mut entry)
                    .with_context(|| format!("Unpacking {}", path.display()))?;
                mine.insert(path);
            }
        }
    }
    Ok(())
}

fn put(root: &Path, path: &Path, entry: &mut tar::Entry<'_, impl Read>) -> Result<()> {
    let kind = entry.header().entry_type();
    match kind {
        EntryType::Char | EntryType::Block | EntryType::Fifo => return Ok(()),
        EntryType::Regular
        | EntryType::Continuous
        | EntryType::GNUSparse
        | EntryType::Directory
        | EntryType::Symlink
        | EntryType::Link => {}
        other => bail!("tar entry of type {other:?}"),
    }
    if inside(root, path)? {
        let there = root.join(path);
        let both_directories = kind == EntryType::Directory
            && there.symlink_metadata().is_ok_and(|meta| meta.is_dir());
        if !both_directories {
            remove(&there)?;
        }
    }
    if !entry.unpack_in(root)? {
        bail!("path outside of the layer");
    }
    Ok(())
}

/// Whether the parent of `path` exists; an error when a symlink leads out.
fn inside(root: &Path, path: &Path) -> Result<bool> {
    let parent = root.join(path.parent().unwrap_or(Path::new("")));
    match fs::canonicalize(&parent) {
        Ok(real) if real.starts_with(root) => Ok(true),
        Ok(_) => bail!("{} leads out of the image", path.display()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("Resolving {}", path.display())),
    }
}

fn remove(path: &Path) -> Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    removed.with_context(|| format!("Removing {}", path.display()))
}

fn clear_below(root: &Path, dir: &Path, keep: &HashSet<PathBuf>) -> Result<()> {
    let there = root.join(dir);
    if !there.symlink_metadata().is_ok_and(|meta| meta.is_dir()) {
        return Ok(());
    }
    for entry in fs::read_dir(&there).with_context(|| format!("Reading {}", dir.display()))? {
        let path = dir.join(
            entry
                .with_context(|| format!("Reading {}", dir.display()))?
                .file_name(),
        );
        if keep
            .iter()
            .any(|kept| kept != &path && kept.starts_with(&path))
        {
            clear_below(root, &path, keep)?;
        } else if !keep.contains(&path) {
            remove(&root.join(path))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_say_what_to_do() {
        let cases = [
            ("./", Action::Skip),
            ("./usr/bin/x", Action::Put("usr/bin/x".into())),
            ("/usr", Action::Put("usr".into())),
            ("usr/.wh.bin", Action::Whiteout("usr/bin".into())),
            ("usr/.wh..wh..opq", Action::Opaque("usr".into())),
            ("usr/.wh..wh.plnk", Action::Skip),
        ];
        for (name, expected) in cases {
            assert_eq!(action(Path::new(name)).unwrap(), expected, "{name}");
        }
        assert!(action(Path::new("usr/../../x")).is_err());
        assert!(action(Path::new("usr/.wh.")).is_err());
    }

    enum Item<'a> {
        File(&'a str, &'a str),
        Dir(&'a str),
        Symlink(&'a str, &'a str),
        Link(&'a str, &'a str),
    }

    fn layer(items: &[Item<'_>]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for item in items {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o755);
            header.set_uid(0);
            header.set_gid(0);
            header.set_size(0);
            match item {
                Item::File(name, content) => {
                    header.set_size(content.len() as u64);
                    builder
                        .append_data(&mut header, name, content.as_bytes())
                        .unwrap();
                }
                Item::Dir(name) => {
                    header.set_entry_type(EntryType::Directory);
                    builder
                        .append_data(&mut header, name, std::io::empty())
                        .unwrap();
                }
                Item::Symlink(name, to) => {
                    header.set_entry_type(EntryType::Symlink);
                    builder.append_link(&mut header, name, to).unwrap();
                }
                Item::Link(name, to) => {
                    header.set_entry_type(EntryType::Link);
                    builder.append_link(&mut header, name, to).unwrap();
                }
            }
        }
        builder.into_inner().unwrap()
    }

    fn unpacked(layers: &[&[Item<'_>]]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for items in layers {
            apply(dir.path(), layer(items).as_slice()).unwrap();
        }
        dir
    }

    #[test]
    fn upper_layers_win_and_whiteouts_remove() {
        use Item::{Dir, File, Link, Symlink};
        let dir = unpacked(&[
            &[
                Dir("etc"),
                File("etc/a", "1"),
                File("etc/b", "1"),
                Dir("opt"),
                File("opt/x/deep", "1"),
                File("opt/y", "1"),
                Symlink("lib", "usr/lib"),
                Dir("usr/lib"),
                File("var", "file"),
            ],
            &[
                File("etc/a", "2"),
                File("etc/.wh.b", ""),
                File("opt/new", "2"),
                File("opt/.wh..wh..opq", ""),
                Link("etc/hard", "etc/a"),
                Dir("var"),
                File("lib/through", "2"),
            ],
        ]);
        let read = |name: &str| fs::read_to_string(dir.path().join(name)).ok();
        assert_eq!(read("etc/a").as_deref(), Some("2"));
        assert_eq!(read("etc/hard").as_deref(), Some("2"));
        assert_eq!(read("etc/b"), None);
        assert_eq!(read("opt/y"), None);
        assert!(!dir.path().join("opt/x").exists());
        assert_eq!(read("opt/new").as_deref(), Some("2"));
        assert_eq!(read("usr/lib/through").as_deref(), Some("2"));
        assert!(dir.path().join("var").is_dir());
    }

    #[test]
    fn nothing_outside_is_touched() {
        use Item::{File, Symlink};
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("precious"), "x").unwrap();
        let to = outside.path().to_str().unwrap();
        let attacks: [&[Item<'_>]; 3] = [
            &[Symlink("a", to), File("a/.wh.precious", "")],
            &[Symlink("a", to), File("a/precious", "overwritten")],
            &[Symlink("a", to), File("a/.wh..wh..opq", "")],
        ];
        for (number, items) in attacks.iter().enumerate() {
            let dir = tempfile::tempdir().unwrap();
            // The third is refused by not following the link, without an error.
            let refused = apply(dir.path(), layer(items).as_slice()).is_err();
            assert_eq!(refused, number < 2, "attack {number}");
            assert_eq!(
                fs::read_to_string(outside.path().join("precious")).unwrap(),
                "x"
            );
        }
    }
}
