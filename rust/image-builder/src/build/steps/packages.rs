// SPDX-License-Identifier: MIT OR Apache-2.0
//! The packages that are not in the archive: ours, built or given, and the
//! distro's.

use std::path::PathBuf;
use std::rc::Rc;

use crate::build::parts::Parts;
use crate::build::step::{Context, Description, Step};
use crate::error::{Code, Error, Result};
use crate::progress::Progress;

/// The packages.
#[derive(Debug)]
pub(super) struct Packages(pub(super) Rc<Parts>);

impl Step for Packages {
    fn describe(&self) -> Result<Description> {
        let request = &self.0.request;
        Ok(Description::new(match &request.debs {
            Some(dir) => format!("take the installer's packages from {}", dir.display()),
            None => format!(
                "build the installer's packages for {}",
                request.distro.suite
            ),
        }))
    }

    fn run(&self, at: &mut Context<'_>) -> Result<()> {
        let distro = &self.0.request.distro;
        at.progress.stage("packages of the installer");
        let mut debs = match &at.found.get()?.given {
            Some(debs) => debs.clone(),
            None => our_debs(&distro.suite, at.progress)?,
        };
        debs.extend(distro.debs.iter().cloned());
        at.debs.set(debs);
        Ok(())
    }
}

/// Our packages, built from the work tree that this program was compiled in.
fn our_debs(suite: &str, progress: &Progress) -> Result<Vec<PathBuf>> {
    let output = progress
        .log_file()
        .map_or(debs::Output::Inherited, debs::Output::File);
    debs::build(suite, output).map_err(|err| {
        Error::new(
            Code::BuildFailed,
            "The installer's packages cannot be built.",
        )
        .why("The compiler or the mirror made trouble, or there is no source tree here.")
        .next("See the details; --debs names a directory with packages that are built.")
        .detail(format!("{err:#}"))
    })
}
