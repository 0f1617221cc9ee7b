// SPDX-License-Identifier: MIT OR Apache-2.0
//! The results in the output directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::build::parts::Parts;
use crate::build::publish::{self, MadeMedium, MediumKind};
use crate::build::step::{Context, Description, Step};
use crate::build::work::Work;
use crate::build::{di, live};
use crate::error::{Error, Result};
use crate::sbom;

/// The results.
#[derive(Debug)]
pub(super) struct Results(pub(super) Rc<Parts>);

impl Step for Results {
    fn describe(&self) -> Result<Description> {
        let Parts {
            request, places, ..
        } = &*self.0;
        let paths = publish::paths(&request.distro, self.0.kind, &places.output);
        Ok(paths
            .into_iter()
            .chain(request.result.clone())
            .fold(Description::new("write the results"), Description::file))
    }

    fn run(&self, at: &mut Context<'_>) -> Result<()> {
        let (bench, progress) = at.bench(&self.0)?;
        progress.stage("results");
        let Parts {
            request, places, ..
        } = &*self.0;
        let artefacts = publish::publish(&bench.inputs, &self.made(bench.work)?, &places.output)?;
        if let Some(to) = &request.result {
            publish::tell_at(&artefacts.result, to)?;
        }
        if let Some(owner) = request.owner {
            let paths = publish::paths(&request.distro, self.0.kind, &places.output);
            let all = paths.iter().chain(&request.result);
            publish::give(all.map(PathBuf::as_path), owner)?;
        }
        at.artefacts.set(artefacts);
        Ok(())
    }
}

impl Results {
    fn made(&self, work: &Work) -> Result<MadeMedium> {
        let kind = self.0.kind;
        let (iso, status) = match kind {
            MediumKind::Calamares => (live::iso(work), read(&live::dpkg_status(work))?),
            MediumKind::DebianInstaller => {
                let udebs = read(&work.path(di::UDEB_STATUS))?;
                let debs = read(&work.path(di::DEB_STATUS))?;
                (work.path(di::ISO), di::status(&udebs, &debs))
            }
        };
        Ok(MadeMedium {
            kind,
            iso,
            packages: sbom::packages(&status),
        })
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|err| Error::io("Reading", path, &err))
}
