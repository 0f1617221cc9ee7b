// SPDX-License-Identifier: MIT OR Apache-2.0
//! The root in which live-build runs.

use std::rc::Rc;

use crate::build::parts::Parts;
use crate::build::root::{Root, SUITE};
use crate::build::step::{Context, Description, Step};
use crate::error::Result;
use crate::lock::{package_differences, pinned};

/// The root.
#[derive(Debug)]
pub(super) struct LiveBuildRoot(pub(super) Rc<Parts>);

impl Step for LiveBuildRoot {
    fn describe(&self) -> Result<Description> {
        Ok(Description::new(format!(
            "make the root for live-build, of {SUITE}, unless one of the same packages is in the cache"
        )))
    }

    fn run(&self, at: &mut Context<'_>) -> Result<()> {
        at.progress.stage("root for live-build");
        let root = Root::make(at.lists.get()?)?;
        let tools = root.packages().to_vec();
        if let Some(locked) = &self.0.request.locked {
            let here = pinned(&tools, at.hashes.get()?);
            let locked_tools = &locked.lock.tools;
            locked.require(package_differences("tool", locked_tools, &here))?;
        }
        at.tools.set(tools);
        at.loaders
            .set(root.on_medium(self.0.request.distro.secure_boot)?);
        at.root_key.set(root.key().to_owned());
        at.root.set(Box::new(root));
        Ok(())
    }
}
