// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a path of the installed system is on the target: `/etc` is the
//! deployment's, `/var` the stateroot's, and the image's links at the top lead
//! into either.
//!
//! Below these two no link is followed: one of the image could lead into
//! `/usr`, whose files are the repository's, or to a place that is another one
//! once the system runs.

use std::path::{Component, Path, PathBuf};

use contract::error::Result;
use host::write::Root;

use super::failed;
use crate::deployment::Deployment;

/// A file or directory in `/etc` or `/var`.
#[derive(Debug)]
pub(super) struct Place {
    /// Directory of the target that is `/etc` or `/var`.
    base: PathBuf,
    inside: PathBuf,
}

impl Place {
    /// The place of `path`, an absolute path of the installed system.
    pub(super) fn find(deployment: &Deployment, path: &Path) -> Result<Self> {
        let place = Self::of(deployment, path, &deployment.mount_point(path))?;
        place.refuse_links(&place.inside, path)?;
        Ok(place)
    }

    /// The place of a link, which may be one already.
    pub(super) fn find_link(deployment: &Deployment, path: &Path) -> Result<Self> {
        let real = match (path.parent(), path.file_name()) {
            (Some(above), Some(name)) => deployment.mount_point(above).join(name),
            _ => path.to_owned(),
        };
        let place = Self::of(deployment, path, &real)?;
        let above = place.inside.parent().unwrap_or(Path::new(""));
        place.refuse_links(above, path)?;
        Ok(place)
    }

    /// The place of `path`, which is `real` once the links at the top are followed.
    fn of(deployment: &Deployment, path: &Path, real: &Path) -> Result<Self> {
        let outside = || {
            failed(format!(
                "{} is neither in /etc nor in /var of the installed system.",
                path.display()
            ))
        };
        let (base, inside) = match (real.strip_prefix("/etc"), real.strip_prefix("/var")) {
            (Ok(inside), _) => (deployment.dir.join("etc"), inside),
            (_, Ok(inside)) => (deployment.var.clone(), inside),
            _ => return Err(outside()),
        };
        let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
        if inside.as_os_str().is_empty() || !inside.components().all(plain) {
            return Err(outside());
        }
        Ok(Self {
            inside: inside.to_owned(),
            base,
        })
    }

    fn refuse_links(&self, inside: &Path, path: &Path) -> Result<()> {
        let mut at = self.base.clone();
        for part in inside.components() {
            at.push(part);
            if at.is_symlink() {
                return Err(failed(format!("{} leads through a link.", path.display()))
                    .detail(at.display().to_string()));
            }
        }
        Ok(())
    }

    pub(super) fn is_there(&self) -> bool {
        self.base.join(&self.inside).exists()
    }

    pub(super) fn write(&self, bytes: &[u8], mode: u32) -> Result<()> {
        Root::open(&self.base)?.write(&self.inside, bytes, mode)
    }

    pub(super) fn link(&self, target: &str) -> Result<()> {
        Root::open(&self.base)?.link(&self.inside, target)
    }

    pub(super) fn make_dir(&self, mode: u32) -> Result<()> {
        Root::open(&self.base)?.make_dir(&self.inside, mode)
    }
}
