// SPDX-License-Identifier: MIT OR Apache-2.0
//! The modes of new files do not depend on whoever starts the program: bootc
//! and ostree make directories of the installed system with what is left of
//! 0777, and a caller's 077 would close them to its users.

use nix::sys::stat::{Mode, umask};

/// Sets the usual one, 022. What must be closed to others is made so by its
/// own mode.
pub fn set() {
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
}
