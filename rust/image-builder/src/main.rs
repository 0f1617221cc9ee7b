// SPDX-License-Identifier: MIT OR Apache-2.0
//! `debian-bootc-image-builder`: see `--help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    installer::dump::forbid();
    // Before all else: a helper process must not have threads or handlers.
    match sandbox::dispatch(installer::doctor::examine) {
        Some(code) => code,
        None => image_builder::cli::main(),
    }
}
