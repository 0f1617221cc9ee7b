// SPDX-License-Identifier: MIT OR Apache-2.0
//! The results in the output directory.

use std::path::PathBuf;
use std::rc::Rc;

use crate::build::parts::Parts;
use crate::build::publish;
use crate::build::step::{Context, Description, Step};
use crate::error::Result;

/// The results.
#[derive(Debug)]
pub(super) struct Results(pub(super) Rc<Parts>);

impl Step for Results {
    fn describe(&self) -> Result<Description> {
        let Parts {
            request, places, ..
        } = &*self.0;
        let paths = publish::paths(&request.distro, &places.output);
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
        let artefacts = publish::publish(&bench.inputs, bench.work, &places.output)?;
        if let Some(to) = &request.result {
            publish::tell_at(&artefacts.result, to)?;
        }
        if let Some(owner) = request.owner {
            let paths = publish::paths(&request.distro, &places.output);
            let all = paths.iter().chain(&request.result);
            publish::give(all.map(PathBuf::as_path), owner)?;
        }
        at.artefacts.set(artefacts);
        Ok(())
    }
}
