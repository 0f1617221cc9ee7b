// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the archives have, before anything is made of it.

use std::rc::Rc;

use crate::build::lists::Lists;
use crate::build::parts::Parts;
use crate::build::step::{Context, Description, Step};
use crate::build::wanted;
use crate::error::Result;
use crate::lock::package_differences;

/// The lists of packages.
#[derive(Debug)]
pub(super) struct ReadLists(pub(super) Rc<Parts>);

impl Step for ReadLists {
    fn describe(&self) -> Result<Description> {
        Ok(Description::new(
            "read the lists of packages, and look for every package that is named",
        ))
    }

    fn run(&self, at: &mut Context<'_>) -> Result<()> {
        let found = at.found.get()?;
        at.progress.stage("lists of packages");
        let distro = &self.0.request.distro;
        let lists = Lists::read(distro, &found.reach)?;
        wanted::check(distro, self.0.tree()?, &lists.live)?;
        if let Some(locked) = &self.0.request.locked {
            let pinned = &locked.lock.packages;
            let here = lists.live_as(pinned)?;
            locked.require(package_differences("package", pinned, &here))?;
        }
        let all = lists.tools.iter().chain(&lists.live);
        at.hashes.set(all.cloned().collect());
        at.lists.set(lists);
        Ok(())
    }
}
