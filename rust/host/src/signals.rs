// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals that ask for the end.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cancel::Cancel;

/// Raises `cancel` at SIGINT, SIGTERM and SIGHUP, from a thread: nothing is done
/// in a handler, and the masks of this program and its children stay as they are.
/// `again` hears of each that comes after the first.
///
/// # Errors
/// The system's, when handlers cannot be set or there is no thread.
pub fn raise(cancel: &Cancel, again: fn()) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let [mut interrupt, mut terminate, mut hangup] = {
        let _entered = runtime.enter();
        let kinds = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ];
        let [a, b, c] = kinds.map(signal);
        [a?, b?, c?]
    };
    let cancel = cancel.clone();
    let watch = async move {
        loop {
            next(&mut interrupt, &mut terminate, &mut hangup).await;
            if cancel.is_cancelled() {
                again();
            }
            tracing::info!("stopping on a signal");
            cancel.cancel();
        }
    };
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || runtime.block_on(watch))?;
    Ok(())
}

async fn next(a: &mut Signal, b: &mut Signal, c: &mut Signal) {
    tokio::select! {
        _ = a.recv() => {}
        _ = b.recv() => {}
        _ = c.recv() => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cancel::Wake;
    use nix::sys::signal::{self, kill};
    use nix::unistd::Pid;
    use std::io::{PipeReader, PipeWriter, Read, Write};
    use std::sync::LazyLock;

    static AGAIN: LazyLock<(PipeReader, PipeWriter)> = LazyLock::new(|| io::pipe().unwrap());

    #[test]
    fn the_first_stops_and_the_next_is_told() {
        let cancel = Cancel::new();
        raise(&cancel, || (&AGAIN.1).write_all(b"x").unwrap()).unwrap();
        kill(Pid::this(), signal::SIGHUP).unwrap();
        assert_eq!(cancel.wait(&[], None).unwrap(), Wake::Stopped);
        kill(Pid::this(), signal::SIGTERM).unwrap();
        let mut heard = [0];
        (&AGAIN.0).read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"x");
    }
}
