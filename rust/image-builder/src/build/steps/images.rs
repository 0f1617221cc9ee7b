// SPDX-License-Identifier: MIT OR Apache-2.0
//! The images that go onto the medium.

use std::rc::Rc;

use crate::build::embed;
use crate::build::parts::Parts;
use crate::build::step::{Context, Description, Step};
use crate::error::Result;

/// The images, pulled.
#[derive(Debug)]
pub(super) struct Images(pub(super) Rc<Parts>);

impl Step for Images {
    fn describe(&self) -> Result<Description> {
        let Parts {
            request, places, ..
        } = &*self.0;
        Ok(Description::new(format!(
            "pull {} into {}",
            request.distro.images.embed.join(", "),
            places.work.join(embed::ON_MEDIUM).display()
        )))
    }

    fn run(&self, at: &mut Context<'_>) -> Result<()> {
        let found = at.found.get()?;
        at.progress.stage("images for the medium");
        embed::pull(
            &self.0.request.distro,
            &found.embedded,
            &found.work.path(embed::ON_MEDIUM),
            at.progress,
            at.stop,
        )
    }
}
