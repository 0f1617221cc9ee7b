// SPDX-License-Identifier: MIT OR Apache-2.0
//! The whole product at once: an installer medium boots in a virtual machine
//! with a blank disk, and Calamares on it is used by the names of what shows,
//! from the welcome to the finished page. Then the disk boots alone, and the
//! person who was entered logs in.
//!
//! ```sh
//! make e2e
//! make e2e E2E_FLAGS='--way bios --iso out/my-system-trixie-amd64.iso'
//! make e2e E2E_FLAGS='--way secure'
//! make e2e E2E_FLAGS='--way large'
//! make e2e E2E_FLAGS='--way unattended'
//! ```
//!
//! Pictures of every page, consoles, `boot.txt` (what the boot of the medium
//! spent its time on) and `result.txt` are in `out/e2e/<way>` then. What is
//! typed is the test image in a registry on this host, which the medium's
//! configuration is told of at its boot, since it speaks no TLS.
//!
//! The medium is what was built, unchanged: a root shell comes into its system
//! as a credential of the machine, and what drives the screen from a second
//! medium (see [`toolbox`]).

mod accounts;
mod check;
mod debian_installer;
mod installed;
mod live;
mod medium;
mod options;
mod recipe;
mod report;
mod room;
mod run;
pub mod toolbox;
mod walk;
mod way;

pub use options::Options;
pub use run::run;
pub use way::Way;
