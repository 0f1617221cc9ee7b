// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Guest`] is a small Debian live system that runs entirely from RAM and a
//! read-only root: privileged work happens in it, whatever the host's kernel
//! lacks. The virtual machine around it is that of `rust/vm`.

mod cpio;
mod guest;
mod image;
mod kmod;

pub use guest::{Guest, GuestConfig};
pub use image::LiveImage;
