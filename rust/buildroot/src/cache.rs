// SPDX-License-Identifier: MIT OR Apache-2.0
//! The cache outside git in which tests keep what is dear to make.
//!
//! An entry is a directory (or file) named `<kind>-<key>`, where the key is a
//! hash over everything that decides the content. A changed recipe therefore
//! makes a new entry and an unchanged one is found again in no time. Entries
//! are made under a lock and in a temporary name, so that neither two test
//! runs at once nor a killed one leave half an entry behind.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest, Sha256};

/// Where the cache is: `$CALAMARES_BOOTC_CACHE`, else
/// `$XDG_CACHE_HOME/calamares-bootc`, else `~/.cache/calamares-bootc`.
/// Nothing is made.
pub fn location() -> Result<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    let dir = match (
        set("CALAMARES_BOOTC_CACHE"),
        set("XDG_CACHE_HOME"),
        set("HOME"),
    ) {
        (Some(dir), _, _) => dir,
        (None, Some(xdg), _) => xdg.join("calamares-bootc"),
        (None, None, Some(home)) => home.join(".cache/calamares-bootc"),
        (None, None, None) => {
            bail!("no place for the cache: set CALAMARES_BOOTC_CACHE to a directory")
        }
    };
    std::path::absolute(&dir).with_context(|| format!("resolving {}", dir.display()))
}

/// The cache directory, see [`location`]. It is made when it does not exist yet.
pub fn dir() -> Result<PathBuf> {
    let dir = location()?;
    fs::create_dir_all(&dir).with_context(|| format!("making the cache {}", dir.display()))?;
    // mmdebstrap and loop devices want absolute paths.
    fs::canonicalize(&dir).with_context(|| format!("resolving {}", dir.display()))
}

/// Collects the inputs that decide an entry's content.
#[derive(Clone, Debug, Default)]
pub struct Key(Sha256);

impl Key {
    /// An empty key.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one named input. Name and value are length-prefixed, so that
    /// `("a", "bc")` and `("ab", "c")` differ.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        for part in [name.as_bytes(), value.as_ref()] {
            self.0.update((part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
        self
    }

    /// Adds the content of a file.
    pub fn with_file(self, name: &str, path: &Path) -> Result<Self> {
        let content = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        Ok(self.with(name, content))
    }

    /// The key as it stands in the entry's name: 16 hex digits.
    pub fn hex(&self) -> String {
        let digest = self.0.clone().finalize();
        digest.iter().take(8).map(|b| format!("{b:02x}")).collect()
    }
}

/// Where the entry `<kind>-<key>` is when it is there. Nothing is made of it.
pub fn place(kind: &str, key: &Key) -> Result<PathBuf> {
    Ok(dir()?.join(format!("{kind}-{}", key.hex())))
}

/// Returns the entry `<kind>-<key>`, made by `make` when it is not there yet.
///
/// `make` gets a path that does not exist, and creates a file or directory
/// there; the path is renamed when `make` succeeds and removed when it fails.
/// A second caller waits for the first one.
pub fn entry(kind: &str, key: &Key, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    entry_in(&dir()?, kind, key, make)
}

fn entry_in(
    cache: &Path,
    kind: &str,
    key: &Key,
    make: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let name = format!("{kind}-{}", key.hex());
    let path = cache.join(&name);
    if path.symlink_metadata().is_ok() {
        return Ok(path);
    }
    let locks = cache.join(".locks");
    fs::create_dir_all(&locks).with_context(|| format!("making {}", locks.display()))?;
    let _lock = lock(&locks.join(&name))?;
    if path.symlink_metadata().is_ok() {
        return Ok(path);
    }
    // Under the lock nobody else writes this name: what is there is the
    // remainder of a killed run.
    let partial = cache.join(format!(".{name}.partial"));
    remove_tree(&partial)?;
    let made = make(&partial)
        .and_then(|()| {
            fs::rename(&partial, &path)
                .with_context(|| format!("naming the finished entry {}", path.display()))
        })
        .with_context(|| format!("making the cache entry {name}"));
    if let Err(error) = made {
        return Err(match remove_tree(&partial) {
            Ok(()) => error,
            Err(cleanup) => error.context(format!("and then the clean-up failed: {cleanup:#}")),
        });
    }
    Ok(path)
}

/// Takes an exclusive lock on a file, waiting for it; it is released on drop.
pub fn lock(path: &Path) -> Result<Flock<File>> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .with_context(|| format!("opening the lock {}", path.display()))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(lock),
        Err((file, nix::errno::Errno::EWOULDBLOCK)) => {
            eprintln!("waiting for another process that holds {}", path.display());
            Flock::lock(file, FlockArg::LockExclusive)
                .map_err(|(_, errno)| errno)
                .with_context(|| format!("locking {}", path.display()))
        }
        Err((_, errno)) => Err(errno).with_context(|| format!("locking {}", path.display())),
    }
}

/// Removes a file or tree; nothing there is fine. Refuses when something is
/// mounted below it, because the removal would reach into that file system.
pub fn remove_tree(path: &Path) -> Result<()> {
    let meta = match path.symlink_metadata() {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("looking at {}", path.display())),
    };
    if !meta.is_dir() {
        return fs::remove_file(path).with_context(|| format!("removing {}", path.display()));
    }
    let real = fs::canonicalize(path).with_context(|| format!("resolving {}", path.display()))?;
    let mountinfo =
        fs::read_to_string("/proc/thread-self/mountinfo").context("reading mountinfo")?;
    if let Some(mount) = mounts_below(&mountinfo, &real).first() {
        bail!(
            "not removing {}: {mount} is mounted below it",
            path.display()
        );
    }
    fs::remove_dir_all(path).with_context(|| format!("removing {}", path.display()))
}

/// Mount points at or below `dir`, as mountinfo (proc(5)) spells them.
fn mounts_below<'a>(mountinfo: &'a str, dir: &Path) -> Vec<&'a str> {
    mountinfo
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .filter(|mount| Path::new(mount).starts_with(dir))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn key_parts_do_not_run_into_each_other() {
        let a = Key::new().with("a", "bc").hex();
        let b = Key::new().with("ab", "c").hex();
        assert_ne!(a, b);
        assert_eq!(a, Key::new().with("a", "bc").hex());
        assert_eq!(a.len(), 16);
    }

    #[test]
    fn an_entry_is_made_once() {
        let cache = tempfile::tempdir().unwrap();
        let key = Key::new().with("recipe", "1");
        let mut made = 0;
        for _ in 0..2 {
            let path = entry_in(cache.path(), "thing", &key, |p| {
                made += 1;
                Ok(fs::write(p, "x")?)
            })
            .unwrap();
            assert_eq!(fs::read_to_string(path).unwrap(), "x");
        }
        assert_eq!(made, 1);
    }

    #[test]
    fn a_failed_entry_leaves_nothing() {
        let cache = tempfile::tempdir().unwrap();
        let key = Key::new();
        let result = entry_in(cache.path(), "thing", &key, |p| {
            fs::create_dir(p)?;
            fs::write(p.join("half"), "")?;
            bail!("no network")
        });
        assert!(format!("{:#}", result.unwrap_err()).contains("no network"));
        let left: Vec<_> = fs::read_dir(cache.path())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(left, [".locks"]);
    }

    #[test]
    fn the_remainder_of_a_killed_run_is_replaced() {
        let cache = tempfile::tempdir().unwrap();
        let key = Key::new();
        let partial = cache.path().join(format!(".thing-{}.partial", key.hex()));
        fs::create_dir(&partial).unwrap();
        fs::write(partial.join("half"), "").unwrap();
        let path = entry_in(cache.path(), "thing", &key, |p| Ok(fs::create_dir(p)?)).unwrap();
        assert_eq!(fs::read_dir(path).unwrap().count(), 0);
    }

    #[test]
    fn mounts_below_a_directory_are_seen() {
        let info = "22 1 254:0 / / rw - ext4 /dev/vda rw\n\
                    30 22 0:5 / /cache/root/proc rw - proc proc rw\n\
                    31 22 0:6 / /cache/rootfs rw - tmpfs t rw\n";
        assert_eq!(
            mounts_below(info, Path::new("/cache/root")),
            ["/cache/root/proc"]
        );
        assert!(mounts_below(info, Path::new("/cache/other")).is_empty());
    }
}
