// SPDX-License-Identifier: MIT OR Apache-2.0
//! The live system below the product's layer: found, or made.

use std::fs;
use std::rc::Rc;

use crate::build::lb;
use crate::build::live::{Bench, CONFIG, LB};
use crate::build::parts::Parts;
use crate::build::step::{Context, Description, Step};
use crate::build::tree;
use crate::build::work::WorkState;
use crate::error::{Error, Result};

/// The two parts of live-build's work up to it.
const MAKE: [&str; 2] = ["lb bootstrap", "lb chroot"];

/// The live system in `lb/chroot`.
#[derive(Debug)]
pub(super) struct LiveSystem(pub(super) Rc<Parts>);

impl Step for LiveSystem {
    fn describe(&self) -> Result<Description> {
        let Parts {
            request, places, ..
        } = &*self.0;
        let files = tree::chroot_part(self.0.tree()?);
        Ok(
            Description::new("make the live system, unless one of the same inputs is there")
                .commands([lb::config(&request.distro, None)])
                .commands(MAKE.map(str::to_owned))
                .files(&files, &places.work.join(CONFIG)),
        )
    }

    fn run(&self, at: &mut Context<'_>) -> Result<()> {
        let (bench, progress) = at.bench(&self.0)?;
        let inputs = &bench.inputs;
        let key = inputs.chroot_key()?;
        let state = bench.work.state();
        if state.chroot.as_ref() == Some(&key) {
            progress.stage("live system: nothing changed");
            return Ok(());
        }
        progress.stage("live system");
        let bootstrap = Some(inputs.mirror.key.clone());
        let keep_bootstrap = state.bootstrap == bootstrap;
        // Not whole from here on.
        bench.work.set_state(&WorkState {
            bootstrap: state.bootstrap.filter(|_| keep_bootstrap),
            ..WorkState::default()
        })?;
        start_anew(&bench, keep_bootstrap)?;
        bench.configure(&lb::config(inputs.distro, Some(inputs.reach)), progress)?;
        bench.put_tree(&tree::chroot_part(inputs.tree))?;
        bench.put_debs()?;
        bench.lb(&MAKE, progress)?;
        bench.work.set_state(&WorkState {
            chroot: Some(key),
            bootstrap,
            squashfs: None,
        })
    }
}

/// Removes everything but what was downloaded.
fn start_anew(bench: &Bench<'_>, keep_bootstrap: bool) -> Result<()> {
    let lb = bench.work.path(LB);
    fs::create_dir_all(&lb).map_err(|err| Error::io("Making", &lb, &err))?;
    let failed = |err: std::io::Error| Error::io("Listing", &lb, &err);
    for entry in fs::read_dir(&lb).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if name != "cache" {
            bench
                .work
                .remove(&format!("{LB}/{}", name.to_string_lossy()))?;
        }
    }
    bench.work.remove(&format!("{LB}/cache/binary_rootfs"))?;
    if !keep_bootstrap {
        bench.work.remove(&format!("{LB}/cache/bootstrap"))?;
    }
    Ok(())
}
