// SPDX-License-Identifier: MIT OR Apache-2.0
//! The steps of a build in their order.

mod checking;
mod di;
mod images;
mod layer;
mod lists;
mod live;
mod medium;
mod packages;
mod results;
mod root;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use super::Request;
use super::parts::Parts;
use super::publish::{Artefacts, MediumKind};
use super::step::{Context, Step};
use host::cancel::Cancel;

use crate::error::Result;
use crate::progress::Progress;

/// What a build does, as a list that can be printed and played.
#[derive(Debug)]
pub struct Plan {
    steps: Vec<Box<dyn Step>>,
}

impl Plan {
    /// The plan of a request. Nothing is looked up and no file is read yet.
    ///
    /// # Errors
    /// `IO` when there is no place for the cache.
    pub fn of(request: &Request) -> Result<Self> {
        let parts = Rc::new(Parts::of(request, MediumKind::Calamares)?);
        let its = || Rc::clone(&parts);
        let mut steps: Vec<Box<dyn Step>> = vec![
            Box::new(checking::Checking(its())),
            Box::new(lists::ReadLists(its())),
        ];
        if request.debs.is_none() {
            steps.push(Box::new(packages::PackagesRoot(its())));
        }
        steps.push(Box::new(packages::Packages(its())));
        steps.push(Box::new(root::LiveBuildRoot(its())));
        steps.push(Box::new(live::LiveSystem(its())));
        if parts.has_images() {
            steps.push(Box::new(images::Images(its())));
        }
        steps.push(Box::new(layer::Layer(its())));
        steps.push(Box::new(medium::Medium(its())));
        steps.push(Box::new(results::Results(its())));
        Ok(Self { steps })
    }

    /// The plan of a medium with Debian's own installer. Nothing is looked up
    /// and no file is read yet.
    ///
    /// # Errors
    /// `IO` when there is no place for the cache.
    pub fn debian_installer(request: &Request) -> Result<Self> {
        let parts = Rc::new(Parts::of(request, MediumKind::DebianInstaller)?);
        let its = || Rc::clone(&parts);
        let mut steps: Vec<Box<dyn Step>> = vec![
            Box::new(checking::Checking(its())),
            Box::new(di::ReadLists(its())),
        ];
        if request.debs.is_none() {
            steps.push(Box::new(packages::PackagesRoot(its())));
        }
        steps.push(Box::new(packages::Packages(its())));
        steps.push(Box::new(root::LiveBuildRoot(its())));
        steps.push(Box::new(di::Fetch(its())));
        steps.push(Box::new(di::Initrd(its())));
        if parts.has_images() {
            steps.push(Box::new(images::Images(its())));
        }
        steps.push(Box::new(di::Medium(its())));
        steps.push(Box::new(results::Results(its())));
        Ok(Self { steps })
    }

    /// What the steps say, numbered.
    ///
    /// # Errors
    /// `IO` when a file that the distro names cannot be read.
    pub fn describe(&self) -> Result<String> {
        let mut text = String::new();
        for (n, step) in self.steps.iter().enumerate() {
            text.push_str(&format!("{}. {}", n + 1, step.describe()?));
        }
        Ok(text)
    }

    /// Runs all steps.
    ///
    /// # Errors
    /// Every code of [`crate::error::Code`]; refusals come from the first step.
    pub(super) fn play(&self, progress: &mut Progress, stop: &Cancel) -> Result<Artefacts> {
        let mut at = Context::new(progress, stop);
        for step in &self.steps {
            stop.check()?;
            step.run(&mut at)?;
        }
        at.artefacts.take()
    }
}
