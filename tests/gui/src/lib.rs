// SPDX-License-Identifier: MIT OR Apache-2.0
//! A real Calamares in a live system of its own: a Debian trixie root under an
//! overlay, in its own mount and pid namespaces, with its own display. A driver
//! in there uses it through AT-SPI and the keyboard, as a person does.
//!
//! ```sh
//! cargo test -p test-gui                                        # as root
//! CALAMARES_BOOTC_TREE=$PWD/out/plugin cargo test -p test-gui   # after `make plugin`
//! CALAMARES_BOOTC_DEBS=/path/to/debs cargo test -p test-gui     # with the packages
//! ```
//!
//! Without the plugin its tests are skipped. Pictures and logs of each test stay
//! in `target/gui-artefacts/<test>`, with `$CI` set in `out/gui/<test>`.
//!
//! The same hands work on a Calamares elsewhere: [`Gui`] over a [`Driver`], of
//! which [`driver_files`] are the other end.
//!
//! A helper that fails fails its test, so there are panics here and few errors;
//! a panic of a session shows what was on the screen.

#![allow(clippy::unwrap_used)]

mod artefacts;
mod driver;
mod ended;
mod gui;
mod installed;
mod live;
mod person;
mod root;
mod served;
mod session;
mod settings;
mod want;
mod words;
mod world;

pub use driver::Driver;
pub use ended::{Ended, Exit};
pub use failure::{Disk, Fs, Tiny, bootc};
pub use gui::{Around, Extents, Gui, Output, Responsiveness};
pub use installed::Installed;
pub use live::Live;
pub use person::Person;
pub use served::{Served, bootc_conf};
pub use session::{Here, Session};
pub use settings::{Sequence, Settings};
pub use want::{Want, Widget};
pub use words::{ENGLISH, GERMAN, Words};
pub use world::World;

/// The directory with the driver's programs.
pub fn driver_files() -> std::path::PathBuf {
    root::source("driver")
}
