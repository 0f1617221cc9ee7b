// SPDX-License-Identifier: MIT OR Apache-2.0
//! The runtime root: the root that bootc and its tools run in.

use contract::error::Result;
use contract::plan::{Plan, RuntimeRoot};
use host::cancel::Cancel;
use imageref::Reference;
use sandbox::scratch::Scratch;
use sandbox::{RootKind, Sandbox};
use secrecy::ExposeSecret;
use source::machine;
use source::secret::Secrets;

use crate::deployment::registries;
use crate::doctor::{self, RootFacts};

/// A runtime root and what is in it.
#[derive(Debug)]
pub(super) struct Runtime {
    pub(super) root: RootKind,
    pub(super) facts: RootFacts,
}

impl Runtime {
    /// The one that the plan names, if it does.
    pub(super) fn given(plan: &RuntimeRoot) -> Option<Self> {
        match plan {
            RuntimeRoot::Unpack => None,
            RuntimeRoot::Directory { path } => Some(Self::of(RootKind::Directory(path.clone()))),
            RuntimeRoot::Image { path } => Some(Self::of(RootKind::Image(path.clone()))),
        }
    }

    /// The one that was unpacked into scratch.
    pub(super) fn unpacked(scratch: &Scratch) -> Self {
        Self::of(RootKind::Directory(scratch.rootfs()))
    }

    fn of(root: RootKind) -> Self {
        Self {
            root,
            facts: RootFacts::default(),
        }
    }

    /// Looks it over.
    pub(super) fn examined(mut self, cancel: &Cancel) -> Result<Self> {
        self.facts = match &self.root {
            RootKind::Directory(path) => doctor::facts(path)?,
            // Mounted only inside of a sandbox, so that no loop device stays.
            RootKind::Image(_) => Sandbox::of(self.root.clone()).examine(cancel)?,
        };
        Ok(self)
    }
}

/// bootc fetches the images that come with this one by itself: it needs names,
/// credentials and the registries' configuration for that, seen in the sandbox
/// only. The places are the ones that bootc reads.
pub(super) fn reaching_registries(
    sandbox: Sandbox,
    plan: &Plan,
    secrets: &Secrets,
) -> Result<Sandbox> {
    let conf = machine::registries(plan)?;
    let image = &plan.image.imgref;
    let places: Vec<Reference> = machine::places(&conf, image)?
        .into_iter()
        .map(|place| place.reference)
        .collect();
    let mut sandbox = sandbox.with_dns();
    if let Some(json) = secrets.auth_json(&places)? {
        let bytes = json.expose_secret().as_bytes().to_vec();
        sandbox = sandbox.file("/run/ostree/auth.json", bytes, 0o600);
    }
    let entries = machine::entries_for(&conf, plan, image);
    if let Some(text) = registries::drop_in(&entries) {
        sandbox = sandbox
            .file("/run/containers/registries.conf", text, 0o644)
            .env(
                "CONTAINERS_REGISTRIES_CONF",
                "/run/containers/registries.conf",
            );
    }
    Ok(sandbox)
}
