// SPDX-License-Identifier: MIT OR Apache-2.0
//! A plan that makes its target, and how it is played.

use std::path::Path;

use contract::disk_plan::{DISK_ROOT, DiskPlan, PartitionPlan};
use contract::error::Result;
use contract::event::{Event, EventSink, Level, Summary};
use contract::plan::Plan;
use host::cancel::Cancel;
use partition::layout;
use source::look_up;
use source::secret::Secrets;

use super::build::Built;
use crate::engine::{self, Options};
use crate::space;

/// Puts `disk` into the plan and pins the image to its digest, since the size of
/// a file depends on the image: `size` is asked for it, with the partitions and
/// the bytes that the root needs.
///
/// # Errors
/// Those of a check of the image, and `PLAN_INVALID`.
pub fn on_disk(
    plan: &mut Plan,
    mut disk: DiskPlan,
    cancel: &Cancel,
    size: impl FnOnce(&[PartitionPlan], u64) -> u64,
) -> Result<Secrets> {
    plan.target.root = DISK_ROOT.into();
    plan.finish.unmount = true;
    if disk.is_file() {
        // Until the image is known.
        disk.size = Some(layout::SMALLEST_FILE);
    }
    plan.disk = Some(disk.clone());
    plan.validate()?;
    let secrets = Secrets::read(plan)?;
    let found = look_up::image(plan, &secrets, cancel)?;
    plan.image.digest = Some(found.image.manifest_digest.clone());
    plan.image.index_digest = found.index_digest().cloned();
    if disk.is_file() {
        let needed = space::smallest_target(
            found.size,
            &found.source,
            &plan.runtime_root,
            plan.target.scratch.is_none(),
        );
        disk.size = Some(size(&disk.partitions, needed));
        plan.disk = Some(disk);
    }
    plan.validate()?;
    Ok(secrets)
}

/// Plays a plan, after what should be known about how it was made.
pub(super) fn play(
    built: &Built,
    secrets: &Secrets,
    log_dir: &Path,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<Summary> {
    for text in &built.warnings {
        sink.send(Event::Message {
            level: Level::Warning,
            id: "config".into(),
            text: text.clone(),
        });
    }
    let options = Options {
        log_dir: log_dir.to_owned(),
    };
    engine::install(&built.plan, secrets, &options, sink, cancel)
}
