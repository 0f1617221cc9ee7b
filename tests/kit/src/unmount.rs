// SPDX-License-Identifier: MIT OR Apache-2.0
//! Unmounting in a program with several threads.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::mount::{MntFlags, umount2};

/// What uses a file system for a moment only has let go of it by then.
const LIMIT: Duration = Duration::from_secs(60);
/// The kernel tells nobody when a file system is no longer used.
const INTERVAL: Duration = Duration::from_millis(5);

/// Unmounts what is mounted at this path, which is not followed if it is a link.
/// A process that another thread starts has all our files open until it executes
/// something else, so that a file system is still in use (`EBUSY`) although
/// everybody has closed it: that is waited for.
///
/// # Errors
/// The kernel's; `EBUSY` only when it stays in use for a minute.
pub fn unmount(path: &Path) -> nix::Result<()> {
    let end = Instant::now() + LIMIT;
    loop {
        match umount2(path, MntFlags::UMOUNT_NOFOLLOW) {
            Err(Errno::EBUSY) if Instant::now() < end => std::thread::sleep(INTERVAL),
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use nix::mount::{MsFlags, mount};
    use nix::sched::{CloneFlags, unshare};

    #[test]
    fn a_use_that_ends_is_waited_for() {
        let none = None::<&str>;
        let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        let own =
            unshare(CloneFlags::CLONE_NEWNS).and_then(|()| mount(none, "/", none, private, none));
        if let Err(errno) = own {
            eprintln!("skipped: no mount namespace: {errno}");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let (path, tmpfs) = (dir.path(), Some("tmpfs"));
        mount(tmpfs, path, tmpfs, MsFlags::empty(), none).unwrap();
        let file = std::fs::File::create(path.join("file")).unwrap();
        assert_eq!(umount2(path, MntFlags::empty()), Err(Errno::EBUSY));
        let (ready, started) = std::sync::mpsc::channel();
        let user = std::thread::spawn(move || {
            started.recv().unwrap();
            drop(file);
        });
        ready.send(()).unwrap();
        assert_eq!(unmount(path), Ok(()));
        user.join().unwrap();
        assert_eq!(unmount(path), Err(Errno::EINVAL));
    }
}
