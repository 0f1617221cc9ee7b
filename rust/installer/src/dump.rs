// SPDX-License-Identifier: MIT OR Apache-2.0
//! No core dumps: the memory of this program holds passwords, and a dump would
//! stay on the disk, or go to whoever collects reports of crashes.

use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};

/// Forbids core dumps of this process and limits those of its children to
/// nothing. The first thing that a program does.
pub fn forbid() {
    // Lowering a limit always works, and nobody could be told if not.
    setrlimit(Resource::RLIMIT_CORE, 0, 0).ok();
    // The limit does not count when the kernel hands dumps to a program.
    prctl::set_dumpable(false).ok();
}
