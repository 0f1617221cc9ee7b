// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc-installer`: the engine on the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    installer::dump::forbid();
    installer::umask::set();
    // Before all else: a helper process must not have threads or handlers.
    match installer::helper::dispatch() {
        Some(code) => code,
        None => installer::cli::main(),
    }
}
