// SPDX-License-Identifier: MIT OR Apache-2.0
//! The results in the output directory.

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
            .fold(Description::new("write the results"), Description::file))
    }

    fn run(&self, at: &mut Context<'_>) -> Result<()> {
        let (bench, progress) = at.bench(&self.0)?;
        progress.stage("results");
        let artefacts = publish::publish(&bench.inputs, bench.work, &self.0.places.output)?;
        at.artefacts.set(artefacts);
        Ok(())
    }
}
