// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the archives have: the packages of the medium's suite, and those of the
//! root in which live-build runs.

use std::collections::BTreeSet;

use buildroot::archive::{Archives, Indexed, Lists as Read};

use crate::config::Distro;
use crate::error::{Code, Error, Result};
use crate::lock::{Pinned, pinned};
use crate::mirror::{self, Reach};
use crate::sbom::Hashes;

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
    read_live: Read,
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
        let (read_live, live) = match mirror::archives(distro, reach) == tools_archives {
            true => (read.clone(), tools.clone()),
            false => packages(&mirror::archives(distro, reach))?,
        };
        Ok(Self {
            live,
            tools,
            tools_archives,
            read,
            read_live,
        })
    }

    /// What apt would take for these packages of the live system now: those of them
    /// that the archive still has.
    ///
    /// # Errors
    /// `BUILD_FAILED` when they no longer go together.
    pub(super) fn live_as(&self, locked: &[Pinned]) -> Result<Vec<Pinned>> {
        let there: BTreeSet<&str> = self.live.iter().map(|it| it.name.as_str()).collect();
        let names: BTreeSet<&str> = locked.iter().map(|it| it.name.as_str()).collect();
        let names: Vec<&str> = names.intersection(&there).copied().collect();
        let chosen = self.read_live.closure(&names).map_err(|err| {
            Error::new(
                Code::BuildFailed,
                "The packages of the lock do not go together.",
            )
            .why("The archive has others than then.")
            .next("Bring its state back with `mirrors.snapshot`, or build without --locked.")
            .detail(format!("{err:#}"))
        })?;
        let hashes: Hashes = self.live.iter().cloned().collect();
        let mut found = pinned(&chosen, &hashes);
        // What hooks have removed would come again.
        found.retain(|package| names.contains(&package.name.as_str()));
        Ok(found)
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
