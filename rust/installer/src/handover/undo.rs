// SPDX-License-Identifier: MIT OR Apache-2.0
//! The end of a hand-over.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use contract::error::{Code, Error, Result};
use host::mountinfo;
use host::unmount;
use nix::errno::Errno;

use super::failed;
use super::state::{self, ROOT, State};

/// What there was to undo.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Undone {
    /// Number of file systems that were unmounted.
    pub(crate) mounts: usize,
    /// Directories that were removed.
    pub(crate) directories: Vec<PathBuf>,
}

impl Undone {
    /// Whether there was nothing.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Unmounts everything at and below the root of the hand-over, in the reverse
/// order, and removes what was made for it. `state` is what is known of it;
/// what else is mounted there goes as well, since nothing of ours could be
/// unmounted before it. `tell` gets warnings.
///
/// What is in use is waited for until `patience` has passed, and then taken
/// out of the tree all the same: the target must be closed.
///
/// # Errors
/// `FINISH_FAILED` when something is still mounted.
pub(crate) fn undo(
    state: Option<&State>,
    patience: Duration,
    tell: &mut dyn FnMut(String),
) -> Result<Undone> {
    let end = Instant::now() + patience;
    let mut undone = Undone::default();
    let mounts = unmount::below(&mountinfo::read()?, Path::new(ROOT));
    for mount in unmount::leaves_first(&mounts) {
        if !state.is_some_and(|state| state.knows(mount)) {
            tracing::info!(
                path = %mount.mount_point.display(),
                "another program mounted this into the hand-over"
            );
        }
        let waited = unmount::until(mount, end, &mut |path, holders| {
            tell(unmount::waiting(path, holders));
        });
        match waited {
            Ok(()) => {}
            Err(Errno::EBUSY) => {
                let holders = unmount::holders(mount);
                unmount::detach(mount).map_err(|errno| still_mounted(&mount.mount_point, errno))?;
                tell(format!(
                    "{} was still in use{} and is gone once they end.",
                    mount.mount_point.display(),
                    unmount::named(&holders)
                ));
            }
            Err(errno) => return Err(still_mounted(&mount.mount_point, errno)),
        }
        undone.mounts += 1;
    }
    undone.directories = state::remove()?;
    Ok(undone)
}

fn still_mounted(path: &Path, errno: Errno) -> Error {
    Error {
        code: Code::FinishFailed,
        ..failed(&format!("unmounting {}", path.display()), &errno.into())
    }
}
