// SPDX-License-Identifier: MIT OR Apache-2.0
//! `debian-bootc-image-builder`: see `--help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    installer::dump::forbid();
    image_builder::cli::main()
}
