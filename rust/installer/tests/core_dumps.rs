// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program's memory holds passwords: no core dump may be made of it.

#![allow(clippy::unwrap_used)]

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};

#[test]
fn the_program_leaves_no_core_dump() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("plan.json");
    mkfifo(&fifo, Mode::S_IRWXU).unwrap();
    // The shell allows dumps; the program must forbid them again.
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -S -c $(ulimit -H -c); exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_bootc-installer"))
        .args(["install", "--plan"])
        .arg(&fifo)
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Opens as soon as the program reads its plan, which is long after its start.
    let mut plan = OpenOptions::new().write(true).open(&fifo).unwrap();
    plan.write_all(b"{").unwrap();
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let core = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"))
        .unwrap();
    let core: Vec<&str> = core.split_whitespace().take(2).collect();
    assert_eq!(core, ["0", "0"], "{limits}");

    kill(
        Pid::from_raw(child.id().try_into().unwrap()),
        Signal::SIGABRT,
    )
    .unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(Signal::SIGABRT as i32));
    // Also when the kernel hands dumps to a program, whatever the limit.
    assert!(!status.core_dumped(), "{status}");
}
