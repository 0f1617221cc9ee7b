// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc-installer`: the engine on the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    installer::dump::forbid();
    host::umask::set();
    // Before all else: a helper process must not have threads or handlers.
    match sandbox::dispatch(installer::doctor::examine) {
        Some(code) => code,
        None => installer::cli::main(),
    }
}
