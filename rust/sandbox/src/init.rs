// SPDX-License-Identifier: MIT OR Apache-2.0
//! The two helper processes of a sandbox. See the module above for the picture.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};

use contract::error::{Code, Error, Result};
use host::umask;
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{Pid, geteuid, setsid};

use super::spec::{Action, Report, Spec};
use super::table::{self, call};
use crate::helper;
use crate::helper::Examiner;

/// The outer process: makes the namespaces, starts pid 1 in them and stays to
/// end it when the engine asks for that or is gone.
pub(crate) fn outer() -> ExitCode {
    // Listed before this process opens anything itself.
    let inherited = helper::inherited();
    with_control(|control, spec| {
        close_inherited(inherited, &spec);
        let (mut child, reports) = start_pid1(&spec)?;
        let status = attend(control, &mut child, reports)?;
        Ok(Some(Report::Exited {
            code: status.code(),
            signal: status.signal(),
        }))
    })
}

/// Pid 1: mounts, changes the root and executes the program.
pub(crate) fn pid1(examine: Examiner) -> ExitCode {
    // Before anything else: from here on the death of the outer process ends us.
    if let Err(errno) = set_pdeathsig(Signal::SIGKILL) {
        tracing::debug!(%errno, "no signal at the parent's death");
    }
    // The engine may be part of another program.
    umask::set();
    with_control(|control, spec| {
        // It may have died before; then its end of the socket is closed.
        if hung_up(control.as_fd()) {
            return Ok(None);
        }
        table::enter(&spec)?;
        match &spec.action {
            Action::Examine => Ok(Some(Report::Facts(examine(Path::new("/"))?))),
            Action::Exec { argv } => Err(execute(&spec, argv)),
        }
    })
}

/// Reads the spec from the socket that is stdin, does `work` and reports how it
/// ended.
fn with_control(work: impl FnOnce(&UnixStream, Spec) -> Result<Option<Report>>) -> ExitCode {
    let Ok(stdin) = std::io::stdin().as_fd().try_clone_to_owned() else {
        return ExitCode::FAILURE;
    };
    let control = UnixStream::from(stdin);
    let report = match read_spec(&control).and_then(|spec| work(&control, spec)) {
        Ok(None) => return ExitCode::FAILURE,
        Ok(Some(report)) => report,
        Err(error) => Report::Failed(error),
    };
    match send(&control, &report) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn read_spec(control: &UnixStream) -> Result<Spec> {
    let mut line = Vec::new();
    BufReader::new(control)
        .read_until(b'\n', &mut line)
        .map_err(|err| call("reading what to do", &err))?;
    serde_json::from_slice(&line).map_err(|err| call("reading what to do", &err.into()))
}

fn send(mut control: &UnixStream, report: &Report) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(report)?;
    line.push(b'\n');
    control.write_all(&line)
}

/// Closes what was inherited, but for the descriptors that the spec names: what
/// the engine got itself (an event pipe, a secret) is not the image's business.
fn close_inherited(inherited: Vec<RawFd>, spec: &Spec) {
    for fd in inherited {
        if !spec.keep.contains(&fd)
            && let Err(errno) = nix::unistd::close(fd)
        {
            tracing::debug!(fd, %errno, "was closed already");
        }
    }
}

fn start_pid1(spec: &Spec) -> Result<(Child, UnixStream)> {
    // A session of its own: the terminal's signals are the engine's business.
    if let Err(errno) = setsid() {
        tracing::debug!(%errno, "leads a session already");
    }
    if !geteuid().is_root() {
        return Err(Error::new(
            Code::NotRoot,
            "Programs of the image cannot be run by an ordinary user.",
        ));
    }
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWPID)
        .map_err(|errno| call("making mount and pid namespaces", &errno.into()))?;
    mount(
        None::<&str>,
        "/",
        None::<&str>,
        MsFlags::MS_REC | MsFlags::MS_PRIVATE,
        None::<&str>,
    )
    .map_err(|errno| call("keeping the sandbox's mounts private", &errno.into()))?;

    let (ours, theirs) =
        UnixStream::pair().map_err(|err| call("making a socket for the sandbox", &err))?;
    // Blocked before the child exists, so that its end cannot be missed.
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGCHLD);
    mask.thread_block()
        .map_err(|errno| call("blocking SIGCHLD", &errno.into()))?;
    let child = helper::command(helper::SANDBOX_PID1)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .spawn()
        .map_err(|err| call("starting the sandbox's first process", &err))?;
    let mut line = serde_json::to_vec(spec).map_err(|err| call("passing on", &err.into()))?;
    line.push(b'\n');
    if let Err(error) = (&ours).write_all(&line) {
        // It is dead; waiting for it says how.
        tracing::debug!(%error, "pid 1 does not listen");
    }
    Ok((child, ours))
}

/// Passes reports of pid 1 on, kills it when the engine asks or is gone, and
/// returns its status.
fn attend(control: &UnixStream, child: &mut Child, reports: UnixStream) -> Result<ExitStatus> {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGCHLD);
    let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
        .map_err(|errno| call("watching the sandbox", &errno.into()))?;
    let pid = Pid::from_raw(child.id().try_into().unwrap_or(0));

    // Ends with the exec (or the death) of pid 1, so this wait is a short one.
    let mut told = false;
    for line in BufReader::new(&reports).lines() {
        let Ok(line) = line else { break };
        told = true;
        if writeln!(&*control, "{line}").is_err() {
            break;
        }
    }
    if !told && send(control, &Report::Started).is_err() {
        // The engine is gone; the loop below sees that as well.
        tracing::debug!("nobody listens");
    }
    drop(reports);

    let mut engine = true;
    loop {
        if let Some(status) = child
            .try_wait()
            .map_err(|err| call("waiting for the sandbox", &err))?
        {
            return Ok(status);
        }
        let mut fds = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        if engine {
            fds.push(PollFd::new(control.as_fd(), PollFlags::POLLIN));
        }
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(call("waiting for the sandbox", &errno.into())),
        }
        let asked = fds.get(1).is_some_and(|fd| fd.any() == Some(true));
        if asked {
            // The engine says nothing after the spec but the end.
            engine = false;
            if let Err(errno) = kill(pid, Signal::SIGKILL) {
                tracing::debug!(%errno, "pid 1 is gone already");
            }
        }
        // Any number of deaths is one event: try_wait above looks.
        while let Ok(Some(_)) = signals.read_signal() {}
    }
}

fn hung_up(fd: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::new(fd, PollFlags::empty())];
    poll(&mut fds, PollTimeout::ZERO).is_ok()
        && fds[0]
            .revents()
            .is_some_and(|events| events.contains(PollFlags::POLLHUP))
}

/// Executes the program; returns only when that failed.
fn execute(spec: &Spec, argv: &[std::ffi::OsString]) -> Error {
    if let Err(errno) = SigSet::empty().thread_set_mask() {
        return call("resetting the signal mask", &errno.into());
    }
    let err = Command::new(&argv[0])
        .args(&argv[1..])
        .env_clear()
        .envs(spec.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .exec();
    let name = argv[0].to_string_lossy();
    if err.kind() == std::io::ErrorKind::NotFound {
        let path = spec.env("PATH").unwrap_or_default().to_string_lossy();
        Error::new(
            Code::ToolMissing,
            format!("The image has no program `{name}`."),
        )
        .why("The image lacks a package.")
        .next("Add it to the image's build.")
        .detail(format!("looked for in {path}"))
    } else {
        call(&format!("executing `{name}` in the image"), &err)
    }
}
