// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc-installer`: the engine on the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    // First of all: a helper process must not have threads or handlers.
    if let Some(code) = installer::helper::dispatch() {
        return code;
    }
    ExitCode::SUCCESS
}
