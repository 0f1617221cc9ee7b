// SPDX-License-Identifier: MIT OR Apache-2.0
//! Closing a target that was left open: after a hand-over, or after an
//! installation that ended in the middle.
//!
//! ```text
//! undo the hand-over ── trim, sync, seal, unmount ── swapoff ── lock ── rmdir
//! ```
//!
//! Each step looks for itself what there is, so that closing twice does no
//! harm. A step that fails does not keep the next ones from their work; the
//! first failure is told at the end, with the others as its details.

mod devices;
mod roots;

use std::path::{Path, PathBuf};
use std::time::Instant;

use contract::error::{Code, Error, Result};
use contract::event::{Closed, Event, EventSink, Level, Task};
use contract::plan::FinishPlan;
use host::cancel::Cancel;
use host::mountinfo;
use host::process;
use host::unmount::{self, PATIENCE};

use crate::calamares::{GlobalStorage, Partition};
use crate::finish;
use crate::handover::{self, State};

/// What is known of the target besides the state of its hand-over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CloseInput {
    /// Where the target's root file system may be mounted.
    pub roots: Vec<PathBuf>,
    /// Block devices that belong below such a root, as they are mounted: for a
    /// target that was being mounted when its program was stopped, and whose
    /// root nobody knows.
    pub devices: Vec<PathBuf>,
    /// Encrypted volumes that were opened for the target.
    pub mappings: Vec<Mapping>,
    /// Swap areas that were put to use for the target.
    pub swaps: Vec<PathBuf>,
}

/// An encrypted volume that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Its name below `/dev/mapper`.
    pub name: String,
    /// The partition that holds it.
    pub device: PathBuf,
}

impl From<&GlobalStorage> for CloseInput {
    fn from(storage: &GlobalStorage) -> Self {
        let partitions = || storage.partitions.iter();
        // What Calamares did not make or format may be in use by others.
        let opened = partitions().filter(|p| p.claimed && p.is_used());
        Self {
            roots: [&storage.target_root, &storage.root_mount_point]
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
            devices: partitions()
                .filter(|p| p.mount_point.is_some())
                .map(Partition::open_device)
                .collect(),
            mappings: opened
                .filter_map(|p| {
                    Some(Mapping {
                        name: p.luks_mapper_name.clone()?,
                        device: p.device.clone(),
                    })
                })
                .collect(),
            swaps: partitions()
                .filter(|p| p.is_own_swap())
                .map(Partition::open_device)
                .collect(),
        }
    }
}

/// Closes what there is of `input` and of a hand-over, and trims the target's
/// file systems when `trim` is set. Sends messages and one task.
///
/// # Errors
/// `FINISH_FAILED` when something could not be closed; `HANDOVER_ACTIVE` when
/// an engine is still at work; `TARGET_NOT_OWN_FILESYSTEM` for a root that is
/// a part of the running system; `NOT_ROOT`.
pub fn close(input: &CloseInput, trim: bool, sink: &dyn EventSink) -> Result<Closed> {
    if !nix::unistd::geteuid().is_root() {
        return Err(Error::new(
            Code::NotRoot,
            "Closing a target needs the rights of the administrator.",
        ));
    }
    let start = Instant::now();
    sink.send(Event::TaskStart {
        task: Task::Finish,
        description: "Closing the target".into(),
        id: "close".into(),
    });
    let mut closer = Closer {
        sink,
        closed: Closed::default(),
        errors: Vec::new(),
    };
    let state = closer.hand_over()?;
    let roots = closer.roots(input, state.as_ref());
    closer.targets(&roots, trim);
    closer.swaps(&input.swaps);
    closer.mappings(&input.mappings);
    closer.directories(input, &roots);
    let closed = closer.end()?;
    sink.send(Event::TaskEnd {
        task: Task::Finish,
        elapsed_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
    Ok(closed)
}

struct Closer<'a> {
    sink: &'a dyn EventSink,
    closed: Closed,
    errors: Vec<Error>,
}

impl Closer<'_> {
    /// Undoes the hand-over; gives its state.
    fn hand_over(&mut self) -> Result<Option<State>> {
        let state = State::read().unwrap_or_else(|error| {
            // What is mounted can be seen without it.
            warn(self.sink, error.what);
            None
        });
        if let Some(State {
            complete: false,
            owner,
            ..
        }) = state
        {
            // Whoever closes has told the engine to stop, which takes a moment.
            let end = Some(Instant::now() + PATIENCE);
            if owner.is_alive() && !process::wait_for_the_end(owner.pid, end, &Cancel::new())? {
                return Err(handover::active(Some(owner)));
            }
        }
        let sink = self.sink;
        let undone = handover::undo(state.as_ref(), PATIENCE, &mut |text| warn(sink, text));
        if let Some(undone) = self.noting(undone) {
            self.closed.hand_over = !undone.is_empty();
            self.closed.directories.extend(undone.directories);
        }
        Ok(state)
    }

    /// The mounted targets.
    fn roots(&mut self, input: &CloseInput, state: Option<&State>) -> Vec<PathBuf> {
        let Some(mounts) = self.noting(mountinfo::read()) else {
            return Vec::new();
        };
        let named = state.map(|state| &state.physical_root);
        let mut roots: Vec<PathBuf> = Vec::new();
        for root in named.into_iter().chain(&input.roots) {
            let root = self.noting(roots::mounted(&mounts, root)).flatten();
            roots.extend(root.filter(|root| !roots.contains(root)));
        }
        if roots.is_empty() {
            roots = roots::half_mounted(&mounts, &input.devices);
        }
        roots
    }

    fn targets(&mut self, roots: &[PathBuf], trim: bool) {
        let plan = FinishPlan {
            trim,
            unmount: true,
            hand_over: false,
        };
        let sink = self.sink;
        for root in roots {
            let mut waiting = |path: &Path, holders: &[_]| {
                warn(sink, unmount::waiting(path, holders));
            };
            // Not to be stopped half-way.
            let cancel = Cancel::new();
            let done = finish::patiently(root, &plan, &cancel, PATIENCE, &mut waiting);
            if let Some(warnings) = self.noting(done) {
                warnings.into_iter().for_each(|text| warn(sink, text));
                self.closed.targets.push(root.clone());
            }
        }
    }

    fn swaps(&mut self, swaps: &[PathBuf]) {
        for swap in swaps {
            if self.noting(devices::swap_off(swap)) == Some(true) {
                self.closed.swaps.push(swap.clone());
            }
        }
    }

    fn mappings(&mut self, mappings: &[Mapping]) {
        for mapping in mappings {
            if self.noting(devices::lock(mapping)) == Some(true) {
                self.closed.mappings.push(mapping.name.clone());
            }
        }
    }

    /// Mount points that Calamares made for the target; those that a person
    /// made stay.
    fn directories(&mut self, input: &CloseInput, roots: &[PathBuf]) {
        for root in input.roots.iter().chain(roots) {
            if roots::is_temporary(root) && std::fs::remove_dir(root).is_ok() {
                self.closed.directories.push(root.clone());
            }
        }
    }

    fn noting<T>(&mut self, done: Result<T>) -> Option<T> {
        match done {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors.push(error);
                None
            }
        }
    }

    fn end(self) -> Result<Closed> {
        let mut errors = self.errors.into_iter();
        let Some(first) = errors.next() else {
            if self.closed.is_empty() {
                self.sink.send(Event::Message {
                    level: Level::Info,
                    id: "close".into(),
                    text: "There was nothing to close.".into(),
                });
            }
            return Ok(self.closed);
        };
        Err(errors.fold(first, Error::and))
    }
}

fn warn(sink: &dyn EventSink, text: String) {
    sink.send(Event::Message {
        level: Level::Warning,
        id: "close".into(),
        text,
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_calamares_opened() {
        let storage = GlobalStorage::from_json(
            r#"{
                "rootMountPoint": "/run/bootc-installer/deployment",
                "bootcTargetRoot": "/tmp/calamares-root-x",
                "partitions": [
                    { "device": "/dev/sda1", "mountPoint": "/boot", "fs": "ext4", "claimed": 1 },
                    { "device": "/dev/sda2", "mountPoint": "/", "fs": "ext4", "fsName": "luks2",
                      "claimed": true, "luksMapperName": "luks-a" },
                    { "device": "/dev/sda3", "mountPoint": "", "fs": "linuxswap", "fsName": "luks",
                      "claimed": true, "luksMapperName": "luks-b" },
                    { "device": "/dev/sda4", "mountPoint": "", "fs": "linuxswap", "claimed": false },
                    { "device": "/dev/sda5", "mountPoint": "/home", "fs": "ext4", "fsName": "luks",
                      "claimed": false, "luksMapperName": "luks-c" },
                    { "device": "/dev/sda6", "mountPoint": "", "fs": "ext4", "fsName": "luks",
                      "claimed": true, "luksMapperName": "luks-d" },
                    { "device": "", "mountPoint": "", "fs": "unformatted", "claimed": false }
                ]
            }"#,
        )
        .unwrap();
        let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect::<Vec<_>>();
        let mapping = |name: &str, device: &str| Mapping {
            name: name.into(),
            device: device.into(),
        };
        assert_eq!(
            CloseInput::from(&storage),
            CloseInput {
                roots: paths(&["/tmp/calamares-root-x", "/run/bootc-installer/deployment"]),
                devices: paths(&["/dev/sda1", "/dev/mapper/luks-a", "/dev/mapper/luks-c"]),
                mappings: vec![
                    mapping("luks-a", "/dev/sda2"),
                    mapping("luks-b", "/dev/sda3")
                ],
                swaps: paths(&["/dev/mapper/luks-b"]),
            }
        );
        let empty = GlobalStorage::from_json("{}").unwrap();
        assert_eq!(CloseInput::from(&empty), CloseInput::default());
    }
}
