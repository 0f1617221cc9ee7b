// SPDX-License-Identifier: MIT OR Apache-2.0
//! What commands print, and what stops them.

use std::io::Write as _;

use host::cancel::Cancel;

use crate::error::{Code, Error, Result};

/// A stop signal that Ctrl-C and SIGTERM raise; the second one ends the process.
///
/// # Errors
/// `IO`.
pub(super) fn on_signals() -> Result<Cancel> {
    let stop = Cancel::new();
    // Whoever asks twice does not wait: the kernel then cleans up.
    host::signals::raise(&stop, || std::process::exit(130)).map_err(|err| {
        Error::new(Code::Io, "Signals cannot be handled.").detail(err.to_string())
    })?;
    Ok(stop)
}

/// Writes to standard output.
///
/// # Errors
/// `IO`; none when nobody reads it any more.
pub(super) fn print(bytes: &[u8]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        // Whoever read it has read enough.
        Err(err) if err.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(err) => Err(Error::new(Code::Io, "Standard output failed.").detail(err.to_string())),
        Ok(()) => Ok(()),
    }
}
