// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Debian packages of this tree, built as Debian builds them: by
//! `dpkg-buildpackage`, with the compiler of the suite, without network, in a
//! root that mmdebstrap makes from what `debian/control` names.
//!
//! [`build`] is all that a builder of images needs; [`plugin`] is for who changes
//! the plugin.

mod bench;
mod build;
mod control;
mod plugin;
mod root;
mod source;
mod vendor;

pub use build::{build, build_all, check_rust, is_for_medium, lint};
pub use control::{Control, Paragraph, changelog_version};
pub use plugin::{INSTALL as INSTALL_PLUGIN, install as install_plugin, plugin};
pub use root::{Output, build_root};
pub use source::{files, is_packaged, workspace};
pub use vendor::vendor;
