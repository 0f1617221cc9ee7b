// SPDX-License-Identifier: MIT OR Apache-2.0
//! The password of `--username`: typed at the terminal, or the first line of
//! standard input. It goes on as an auth file that is in memory only.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::fd::{AsFd as _, IntoRawFd as _, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use registry::Credentials;
use secrecy::ExposeSecret as _;
use secrecy::zeroize::Zeroizing;

use contract::error::{Code, Error, Result};

/// More than any honest password.
const MAX_BYTES: u64 = 64 * 1024;

/// A descriptor that delivers the login of `username` at `host` as
/// containers-auth.json(5). It stays open as long as the process.
pub(super) fn auth_fd(username: &str, host: &str, from_stdin: bool) -> Result<RawFd> {
    let password = if from_stdin {
        first_line(std::io::stdin())?
    } else {
        ask(&format!("Password of {username} for {host}: "))?
    };
    if password.is_empty() {
        return Err(unreadable("The password is empty.").next("Type it, or pass it as one line."));
    }
    Ok(in_memory(username, host, &password)?.into_raw_fd())
}

fn in_memory(username: &str, host: &str, password: &str) -> Result<OwnedFd> {
    let failed = |e: String| unreadable("The password cannot be kept.").detail(e);
    let fail = |e: std::io::Error| failed(e.to_string());
    let login = Credentials::Basic {
        username: username.to_owned(),
        password: password.into(),
    };
    let text = registry::write_auth_json(&[(host, &login)]).map_err(|e| failed(e.to_string()))?;
    let fd = memfd_create("credentials", MFdFlags::MFD_CLOEXEC).map_err(|e| fail(e.into()))?;
    let mut file = File::from(fd);
    file.write_all(text.expose_secret().as_bytes())
        .map_err(fail)?;
    Ok(file.into())
}

fn unreadable(what: &str) -> Error {
    Error::new(Code::SecretUnreadable, what)
}

fn first_line(input: impl Read) -> Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    BufReader::new(input.take(MAX_BYTES))
        .read_line(&mut line)
        .map_err(|e| unreadable("The password cannot be read.").detail(e.to_string()))?;
    let length = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(length);
    Ok(line)
}

/// Asks at the terminal without showing what is typed.
fn ask(question: &str) -> Result<Zeroizing<String>> {
    let no_terminal = |e: std::io::Error| {
        unreadable("The password cannot be asked for.")
            .why("There is no terminal.")
            .next("Pass it with --password-stdin, or name a file with --authfile.")
            .detail(e.to_string())
    };
    let open = OpenOptions::new().read(true).write(true).open("/dev/tty");
    let mut terminal = open.map_err(no_terminal)?;
    // What ends the program meanwhile must not leave a terminal that is mute.
    let mut ends = SigSet::empty();
    for signal in [
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGQUIT,
    ] {
        ends.add(signal);
    }
    let failed = |e: Errno| no_terminal(e.into());
    let before = ends
        .thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK)
        .map_err(failed)?;
    let answer = without_echo(&terminal, question, &ends).map_err(failed);
    before.thread_set_mask().map_err(failed)?;
    terminal.write_all(b"\n").map_err(no_terminal)?;
    match answer? {
        true => first_line(terminal),
        false => Err(Error::new(Code::Cancelled, "No password was typed.")),
    }
}

/// Waits for a line; `false` when one of `ends` came instead.
fn without_echo(terminal: &File, question: &str, ends: &SigSet) -> nix::Result<bool> {
    let signals = SignalFd::with_flags(ends, SfdFlags::SFD_CLOEXEC)?;
    let usual = tcgetattr(terminal)?;
    let mut mute = usual.clone();
    mute.local_flags.remove(LocalFlags::ECHO);
    // Before the question: the answer may come at once.
    tcsetattr(terminal, SetArg::TCSAFLUSH, &mute)?;
    let mut shown = terminal;
    if shown.write_all(question.as_bytes()).is_err() {
        tcsetattr(terminal, SetArg::TCSANOW, &usual)?;
        return Err(Errno::EIO);
    }
    let mut ready = [
        PollFd::new(signals.as_fd(), PollFlags::POLLIN),
        PollFd::new(terminal.as_fd(), PollFlags::POLLIN),
    ];
    let waited = loop {
        match poll(&mut ready, PollTimeout::NONE) {
            Err(Errno::EINTR) => {}
            other => break other,
        }
    };
    let stopped = ready[0].any().unwrap_or(false);
    // Without a flush: the line is still to be read.
    tcsetattr(terminal, SetArg::TCSANOW, &usual)?;
    waited?;
    Ok(!stopped)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use contract::plan::{Plan, RegistryPlan, SecretRef};
    use source::secret::Secrets;
    use std::os::fd::AsRawFd as _;

    #[test]
    fn a_line_without_its_end() {
        for (input, expected) in [
            ("pass\n", "pass"),
            ("pass\r\nmore\n", "pass"),
            ("pass", "pass"),
            (" pa ss \n", " pa ss "),
            ("", ""),
        ] {
            assert_eq!(*first_line(input.as_bytes()).unwrap(), expected);
        }
        assert!(first_line(&b"\xff\n"[..]).is_err());
    }

    #[test]
    fn a_plan_can_refer_to_it() {
        let fd = in_memory("alice", "r.io", "p\"w:1").unwrap();
        let mut plan = Plan::from_json(
            r#"{"version":1,"image":{"imgref":"r.io/os:13"},
            "source":{"type":"registry"},"runtimeRoot":{"type":"unpack"},
            "target":{"root":"/target"},"bootc":{"stateroot":"default"}}"#,
        )
        .unwrap();
        plan.registries.push(RegistryPlan {
            prefix: "r.io".into(),
            auth: Some(SecretRef::AuthFd { fd: fd.as_raw_fd() }),
            ..RegistryPlan::default()
        });
        // Twice: a check and an installation both read it.
        for _ in 0..2 {
            let secrets = Secrets::read(&plan).unwrap();
            let kept = secrets.auth_json(&["r.io/os".parse().unwrap()]).unwrap();
            let auth = STANDARD.encode("alice:p\"w:1");
            assert!(kept.unwrap().expose_secret().contains(&auth));
        }
    }
}
