// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the engine tells while it works: versioned JSON lines.
//!
//! The shape follows bootc's progress-v0 protocol (`bootc upgrade
//! --progress-fd`, schema in bootc's documentation): one JSON object a line
//! with a `type`, a `task`, byte and step counters and a stable `id` for
//! translations. We add `rate` and `eta`, and the final `Error` and `Done`.
//! `docs/formats.md` lists every field.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Version of this protocol, sent first. A reader must refuse a higher major.
pub const EVENT_VERSION: &str = "1.0";

/// The steps of an installation, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Look at the plan, the target, the tools and the image.
    Check,
    /// Make the scratch directory.
    Prepare,
    /// Download and verify the image.
    Pull,
    /// Unpack the runtime root (overlaps with `Pull`).
    Unpack,
    /// bootc writes the deployment.
    Deploy,
    /// Install the boot loader.
    Boot,
    /// fstab, var directories, registries and credentials of the deployment.
    Configure,
    /// Hand the deployment over as a complete root.
    Handover,
    /// Trim, sync, seal, unmount.
    Finish,
    /// For a reader: one of a newer engine. Never sent.
    #[serde(other)]
    Unknown,
}

impl Task {
    /// Every task that is sent, in order.
    pub const ALL: [Task; 9] = [
        Task::Check,
        Task::Prepare,
        Task::Pull,
        Task::Unpack,
        Task::Deploy,
        Task::Boot,
        Task::Configure,
        Task::Handover,
        Task::Finish,
    ];

    /// The name used in events.
    pub fn name(self) -> &'static str {
        match self {
            Task::Check => "check",
            Task::Prepare => "prepare",
            Task::Pull => "pull",
            Task::Unpack => "unpack",
            Task::Deploy => "deploy",
            Task::Boot => "boot",
            Task::Configure => "configure",
            Task::Handover => "handover",
            Task::Finish => "finish",
            Task::Unknown => "unknown",
        }
    }
}

/// Counters of a running task. Bytes are bytes, `rate` is bytes per second,
/// `eta` is seconds; totals of 0 mean "not known".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Bytes that need no work, because they were there before.
    pub bytes_cached: u64,
    /// Bytes done, without the cached ones.
    pub bytes: u64,
    /// Bytes to do, without the cached ones.
    pub bytes_total: u64,
    /// Steps (layers, files) done.
    pub steps: u64,
    /// Steps in all.
    pub steps_total: u64,
    /// Mean of the last seconds, bytes per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<u64>,
    /// Expected seconds to the end of this task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta: Option<u64>,
}

/// How much a [`Event::Message`] matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// For the log.
    Info,
    /// The person should know.
    Warning,
}

/// One line of the event stream.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// Always first.
    Start {
        /// [`EVENT_VERSION`].
        version: String,
        /// Version of the program.
        program: String,
    },
    /// A task begins.
    TaskStart {
        /// Which.
        task: Task,
        /// What happens, one line, English.
        description: String,
        /// Stable id for translations.
        id: String,
    },
    /// Counters of the running task; may be dropped for a slow reader.
    Progress {
        /// Which.
        task: Task,
        /// Stable id for translations.
        id: String,
        /// The counters.
        #[serde(flatten)]
        progress: Progress,
    },
    /// A task has ended well.
    TaskEnd {
        /// Which.
        task: Task,
        /// Milliseconds it took.
        #[serde(rename = "elapsedMs")]
        elapsed_ms: u64,
    },
    /// Something worth telling that ends nothing.
    Message {
        /// How much it matters.
        level: Level,
        /// Stable id for translations.
        id: String,
        /// One line, English.
        text: String,
    },
    /// Last line of a failed run.
    Error(Error),
    /// Last line of a good installation.
    Done(Summary),
    /// Last line of a good `close`.
    Closed(Closed),
}

/// What was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Reference that the installed system updates from.
    pub imgref: String,
    /// Digest of the installed manifest.
    pub digest: String,
    /// Deployment directory, relative to the target's root.
    pub deployment: String,
    /// stateroot of the deployment.
    pub stateroot: String,
    /// Boot loaders written, for example `["grub-bios", "grub-uefi"]`.
    pub bootloaders: Vec<String>,
    /// Bytes downloaded.
    pub bytes_downloaded: u64,
    /// Where the deployment was handed over; the target is not closed then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hand_over: Option<HandOver>,
}

/// A deployment that was handed over as a complete root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HandOver {
    /// The root: programs can be run in it with chroot(8).
    pub root: PathBuf,
    /// What was mounted for it, for whoever undoes it.
    pub state: PathBuf,
}

/// What `close` closed; all empty when there was nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Closed {
    /// Whether a hand-over was undone.
    pub hand_over: bool,
    /// Targets that were unmounted, with all below them.
    pub targets: Vec<PathBuf>,
    /// Swap areas that are no longer used.
    pub swaps: Vec<PathBuf>,
    /// Encrypted volumes that were locked, by the names of their mappings.
    pub mappings: Vec<String>,
    /// Empty mount-point directories that were removed.
    pub directories: Vec<PathBuf>,
}

impl Closed {
    /// Whether there was nothing to close.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Receives events. Implementations must never fail the installation: a
/// reader that is gone only ends the telling.
pub trait EventSink: Send + Sync {
    /// Takes one event. Must be quick; progress may be rate-limited here.
    fn send(&self, event: Event);
}
