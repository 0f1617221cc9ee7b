// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the archives have: the packages of the medium's suite, and those of the
//! root in which live-build runs.

use buildroot::archive::{Archives, Indexed, Lists as Read};

use crate::config::Distro;
use crate::error::{Code, Error, Result};
use crate::mirror::{self, Reach};

/// Names a mirror for the roots that the builder makes for itself.
const OWN_MIRROR: &str = "CALAMARES_BOOTC_MIRROR";

/// The lists of packages, as apt verified them.
#[derive(Debug)]
pub struct Lists {
    /// Of the medium's suite.
    pub live: Vec<Indexed>,
    /// Of the suite of [`mirror::TOOLS_SUITE`].
    pub tools: Vec<Indexed>,
    /// The archives of the latter.
    pub tools_archives: Archives,
    read: Read,
}

impl Lists {
    /// Reads them from the mirrors; what did not change there is in the cache.
    ///
    /// # Errors
    /// `MIRROR_UNREACHABLE` with what apt says.
    pub fn read(distro: &Distro, reach: &Reach) -> Result<Self> {
        let own = std::env::var(OWN_MIRROR).ok().filter(|own| !own.is_empty());
        let tools_archives = mirror::tools_archives(distro, own.as_deref(), reach);
        let (read, tools) = packages(&tools_archives)?;
        let live = match mirror::archives(distro, reach) == tools_archives {
            true => tools.clone(),
            false => live(distro, reach)?,
        };
        Ok(Self {
            live,
            tools,
            tools_archives,
            read,
        })
    }

    /// Name and version of everything that a root with these packages has.
    ///
    /// # Errors
    /// `BUILD_FAILED` when the archive has not all of them.
    pub(super) fn tools_with(&self, packages: &[&str]) -> Result<Vec<(String, String)>> {
        self.read.closure(packages).map_err(|err| {
            Error::new(
                Code::BuildFailed,
                "The archive lacks packages of the root for live-build.",
            )
            .why("The mirror has no whole trixie, or is being changed.")
            .next("Name another mirror in `mirrors`, or in CALAMARES_BOOTC_MIRROR.")
            .detail(format!("{err:#}"))
        })
    }
}

/// The packages of the medium's suite.
///
/// # Errors
/// `MIRROR_UNREACHABLE` with what apt says.
pub fn live(distro: &Distro, reach: &Reach) -> Result<Vec<Indexed>> {
    packages(&mirror::archives(distro, reach)).map(|(_, packages)| packages)
}

fn packages(archives: &Archives) -> Result<(Read, Vec<Indexed>)> {
    archives
        .lists()
        .and_then(|lists| lists.packages().map(|packages| (lists, packages)))
        .map_err(|err| {
            Error::new(
                Code::MirrorUnreachable,
                "The lists of packages cannot be read.",
            )
            .why("The mirror stopped answering or is being changed, or Debian did not sign what it has.")
            .next("Run the same command again, or correct `mirrors` in distro.yaml.")
            .detail(format!("{err:#}"))
        })
}
