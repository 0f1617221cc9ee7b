// SPDX-License-Identifier: MIT OR Apache-2.0
//! A byte stream to QEMU: a thread reads what comes, others wait for it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::console::DeadEnd;
use crate::deadline::Deadline;
use crate::error::{Code, Error, Result};

/// Our end of a socket pair whose other end is QEMU's stdin and stdout. It
/// closes when QEMU ends, however that happens.
#[derive(Debug)]
pub(crate) struct Stream {
    socket: UnixStream,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    received: Mutex<Received>,
    arrived: Condvar,
}

#[derive(Debug)]
struct Received {
    bytes: Vec<u8>,
    closed: bool,
    last: Instant,
}

/// Why a wait ended without what it waited for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Missed {
    /// The deadline passed.
    Deadline,
    /// Nothing at all arrived for the given time.
    Stalled,
    /// The other side closed.
    Closed,
    /// What arrived says that it will not come, and why.
    DeadEnd(DeadEnd),
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream {
    /// Starts reading; all bytes go to `log` as well.
    pub(crate) fn new(socket: UnixStream, mut log: Option<File>) -> Result<Self> {
        let shared = Arc::new(Shared {
            received: Mutex::new(Received {
                bytes: Vec::new(),
                closed: false,
                last: Instant::now(),
            }),
            arrived: Condvar::new(),
        });
        let mut reader = socket
            .try_clone()
            .map_err(Error::io("sharing the socket to QEMU"))?;
        let theirs = Arc::clone(&shared);
        // Not joined: it ends when the socket closes, that is, with QEMU.
        std::thread::Builder::new()
            .name("qemu-reader".to_owned())
            .spawn(move || {
                let mut chunk = vec![0; 64 * 1024];
                loop {
                    // An error is the other side's end too (connection reset).
                    let count = reader.read(&mut chunk).unwrap_or(0);
                    let bytes = &chunk[..count];
                    // The log is for people: a full disk must not end a boot.
                    if log.as_mut().is_some_and(|f| f.write_all(bytes).is_err()) {
                        log = None;
                    }
                    let mut received = theirs.lock();
                    received.bytes.extend_from_slice(bytes);
                    received.last = Instant::now();
                    received.closed = count == 0;
                    theirs.arrived.notify_all();
                    if count == 0 {
                        return;
                    }
                }
            })
            .map_err(Error::io("starting the thread that reads from QEMU"))?;
        Ok(Self { socket, shared })
    }

    pub(crate) fn send(&self, bytes: &[u8]) -> Result<()> {
        (&self.socket).write_all(bytes).map_err(|err| {
            let what = format!("sending to the virtual machine (has it ended?): {err}");
            Error::new(Code::Ended, what)
        })
    }

    /// Calls `look` with the bytes that wait, now and each time more arrive,
    /// until it finds something. `look` takes out what it no longer needs.
    pub(crate) fn wait_for<T>(
        &self,
        deadline: Deadline,
        stall: Option<Duration>,
        mut look: impl FnMut(&mut Vec<u8>) -> Option<T>,
    ) -> std::result::Result<T, Missed> {
        let started = Instant::now();
        let mut received = self.shared.lock();
        loop {
            if let Some(found) = look(&mut received.bytes) {
                return Ok(found);
            }
            if received.closed {
                return Err(Missed::Closed);
            }
            let left = deadline.remaining().ok_or(Missed::Deadline)?;
            let quiet_since = received.last.max(started);
            let patience = match stall {
                None => left,
                Some(stall) => stall
                    .checked_sub(quiet_since.elapsed())
                    .filter(|rest| !rest.is_zero())
                    .ok_or(Missed::Stalled)?
                    .min(left),
            };
            received = self
                .shared
                .arrived
                .wait_timeout(received, patience)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn waits_end_with_what_came_or_why_not() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let stream = Stream::new(ours, None).unwrap();
        theirs.write_all(b"hello").unwrap();
        let hello = |bytes: &mut Vec<u8>| bytes.starts_with(b"hello").then_some(bytes.len());
        assert_eq!(stream.wait_for(Deadline::after(LONG), None, hello), Ok(5));
        let never = |_: &mut Vec<u8>| None::<()>;
        let soon = Duration::from_millis(20);
        assert_eq!(
            stream.wait_for(Deadline::after(soon), None, never),
            Err(Missed::Deadline)
        );
        assert_eq!(
            stream.wait_for(Deadline::after(LONG), Some(soon), never),
            Err(Missed::Stalled)
        );
        drop(theirs);
        assert_eq!(
            stream.wait_for(Deadline::after(LONG), None, never),
            Err(Missed::Closed)
        );
    }
}
