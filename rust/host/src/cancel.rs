// SPDX-License-Identifier: MIT OR Apache-2.0
//! One stop signal for a whole program, and the one way to wait with it.
//!
//! Whatever asks for the end (SIGINT, SIGTERM, the death of the parent, the
//! end of the plan pipe) raises the same signal; every step checks it, and
//! every wait on a child, a pipe or the network ends on it as well.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use contract::fault::Stopped;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use tokio_util::sync::CancellationToken;

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// A stop was asked for.
    Stopped,
    /// The descriptor at this place can be read, or its other end is gone. The
    /// first one, when there are several.
    Ready(usize),
    /// It is later than it was to be.
    TimedOut,
}

/// A cloneable stop signal.
#[derive(Debug, Clone)]
pub struct Cancel {
    token: CancellationToken,
    /// Its own, then those that raise it too.
    alarms: Vec<Arc<Alarm>>,
}

impl Default for Cancel {
    fn default() -> Self {
        Self {
            token: CancellationToken::new(),
            alarms: vec![Arc::default()],
        }
    }
}

impl Cancel {
    /// A signal that nobody has raised yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks everything to stop. Idempotent.
    pub fn cancel(&self) {
        self.token.cancel();
        self.alarms[0].raise();
    }

    /// Whether a stop was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.token.is_cancelled()
    }

    /// A signal for a part of the work: raised with this one, and on its own.
    #[must_use]
    pub fn child(&self) -> Self {
        let own = std::iter::once(Arc::default());
        Self {
            token: self.token.child_token(),
            alarms: own.chain(self.alarms.iter().cloned()).collect(),
        }
    }

    /// The token for asynchronous code.
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// [`Stopped`] once a stop was asked for; call it between units of work.
    pub fn check(&self) -> Result<(), Stopped> {
        match self.is_cancelled() {
            true => Err(Stopped),
            false => Ok(()),
        }
    }

    /// Waits until one of `fds` can be read, at most until `until`. A stop goes
    /// before everything else. Not to be called from asynchronous code.
    ///
    /// # Errors
    /// When the system has no descriptor to wake it with, see eventfd(2).
    pub fn wait(&self, fds: &[BorrowedFd<'_>], until: Option<Instant>) -> io::Result<Wake> {
        let events: Vec<Arc<EventFd>> = self
            .alarms
            .iter()
            .map(|alarm| alarm.event())
            .collect::<Result<_, Errno>>()?;
        let stops = events.iter().map(AsFd::as_fd);
        let all: Vec<BorrowedFd<'_>> = stops.chain(fds.iter().copied()).collect();
        Ok(match readable(&all, until)? {
            None => Wake::TimedOut,
            Some(place) => match place.checked_sub(events.len()) {
                None => Wake::Stopped,
                Some(place) => Wake::Ready(place),
            },
        })
    }
}

/// A signal as a descriptor, which is only made for somebody who waits: most
/// signals are for a call that ends at once.
#[derive(Debug, Default)]
struct Alarm(Mutex<AlarmState>);

#[derive(Debug, Default)]
struct AlarmState {
    raised: bool,
    event: Option<Arc<EventFd>>,
}

impl Alarm {
    fn raise(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut state.raised, true) {
            return;
        }
        // Nobody reads it: it stays raised for all who wait, now and later.
        if let Some(Err(errno)) = state.event.as_ref().map(|event| event.write(1)) {
            tracing::warn!(%errno, "whoever waits is not woken by the stop");
        }
    }

    fn event(&self) -> Result<Arc<EventFd>, Errno> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(event) = &state.event {
            return Ok(Arc::clone(event));
        }
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let event = EventFd::from_value_and_flags(u32::from(state.raised), flags)?;
        Ok(Arc::clone(state.event.insert(Arc::new(event))))
    }
}

/// Waits until one of `fds` can be read or has lost its other end, and says
/// which: the first, when there are several. `None` when none did before
/// `until`. For what a stop must not end; else [`Cancel::wait`].
///
/// # Errors
/// The system's.
pub fn readable(fds: &[BorrowedFd<'_>], until: Option<Instant>) -> io::Result<Option<usize>> {
    let mut polled: Vec<PollFd<'_>> = fds
        .iter()
        .map(|&fd| PollFd::new(fd, PollFlags::POLLIN))
        .collect();
    loop {
        let left = until.map(|end| end.saturating_duration_since(Instant::now()));
        match ppoll(&mut polled, left.map(Into::into), None) {
            Ok(0) => return Ok(None),
            // Also what poll(2) says unasked: the other end is gone.
            Ok(_) => return Ok(polled.iter().position(|fd| fd.any().unwrap_or(true))),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Write;
    use std::time::Duration;

    /// A wait in a thread of its own, and its end. Whether it waits already when
    /// the signal is raised is a matter of luck, and both have to do.
    fn woken(waiting: Cancel, raise: impl FnOnce()) -> Wake {
        let (pipe, _writer) = io::pipe().unwrap();
        std::thread::scope(|scope| {
            let wait = scope.spawn(move || waiting.wait(&[pipe.as_fd()], None).unwrap());
            raise();
            wait.join().unwrap()
        })
    }

    #[test]
    fn a_stop_ends_every_wait_and_stays() {
        let cancel = Cancel::new();
        for _ in 0..2 {
            assert_eq!(woken(cancel.clone(), || cancel.cancel()), Wake::Stopped);
        }
        assert_eq!(cancel.check(), Err(Stopped));
    }

    #[test]
    fn a_part_is_stopped_with_the_whole_and_alone() {
        let whole = Cancel::new();
        let (part, other) = (whole.child(), whole.child());
        assert_eq!(woken(part.clone(), || part.cancel()), Wake::Stopped);
        assert!(!whole.is_cancelled() && !other.is_cancelled());
        assert_eq!(
            whole.wait(&[], Some(Instant::now())).unwrap(),
            Wake::TimedOut
        );
        assert_eq!(woken(other.child(), || whole.cancel()), Wake::Stopped);
    }

    #[test]
    fn what_is_readable_ends_a_wait() {
        let cancel = Cancel::new();
        let (empty, writer) = io::pipe().unwrap();
        let (full, mut other) = io::pipe().unwrap();
        other.write_all(b"x").unwrap();
        let fds = [empty.as_fd(), full.as_fd()];
        assert_eq!(cancel.wait(&fds, None).unwrap(), Wake::Ready(1));
        drop(writer);
        assert_eq!(cancel.wait(&fds, None).unwrap(), Wake::Ready(0));
        cancel.cancel();
        assert_eq!(cancel.wait(&fds, None).unwrap(), Wake::Stopped);
    }

    #[test]
    fn a_wait_ends_when_it_was_to() {
        let end = Instant::now() + Duration::from_millis(5);
        assert_eq!(Cancel::new().wait(&[], Some(end)).unwrap(), Wake::TimedOut);
        assert!(Instant::now() >= end);
    }
}
