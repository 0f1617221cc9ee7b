// SPDX-License-Identifier: MIT OR Apache-2.0
//! `--username`: the password is typed unseen, or comes from standard input.

#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use nix::pty::openpty;

const PROGRAM: &str = env!("CARGO_BIN_EXE_bootc-installer");
const PASSWORD: &str = "Xylophone-4711";
/// Makes a plan and asks nobody but the person.
const PLAN: [&str; 8] = [
    "plan",
    "--no-lookup",
    "--image",
    "registry.invalid/os:1",
    "--username",
    "alice",
    "--root",
    "/nonexistent",
];

/// Reads until the text ends with `end`, or to the end.
fn until(terminal: &mut File, seen: &mut String, end: &str) {
    let mut byte = [0];
    // A terminal that nobody has open any more gives an error.
    while !seen.ends_with(end) && terminal.read(&mut byte).is_ok_and(|n| n == 1) {
        seen.push(char::from(byte[0]));
    }
}

#[test]
fn a_password_is_typed_unseen() {
    let terminal = openpty(None, None).unwrap();
    let output = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new("setsid");
    command
        .args(["--ctty", "--wait", PROGRAM])
        .args(PLAN)
        .env("RUST_LOG", "trace")
        .stdin(Stdio::from(terminal.slave))
        .stdout(output.reopen().unwrap())
        .stderr(output.reopen().unwrap());
    let mut child = command.spawn().unwrap();
    // Its copy of the slave would keep the terminal open.
    drop(command);
    let mut terminal = File::from(terminal.master);
    let mut seen = String::new();
    until(
        &mut terminal,
        &mut seen,
        "Password of alice for registry.invalid: ",
    );
    assert!(seen.ends_with(": "), "{seen}");
    terminal
        .write_all(format!("{PASSWORD}\n").as_bytes())
        .unwrap();
    assert!(child.wait().unwrap().success());
    until(&mut terminal, &mut seen, "never");
    let output = std::fs::read_to_string(output.path()).unwrap();
    assert!(output.contains("\"type\": \"auth-fd\""), "{output}");
    for text in [&seen, &output] {
        assert!(!text.contains(PASSWORD), "{text}");
    }
}

#[test]
fn without_a_terminal_it_comes_from_standard_input() {
    let run = |more: &[&str], input: &str| {
        // A session of its own has no terminal to ask at.
        let mut child = Command::new("setsid")
            .args(["--wait", PROGRAM])
            .args(PLAN)
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // One that does not read has ended.
        stdin.write_all(input.as_bytes()).ok();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (status, plan, complaint) = run(&["--password-stdin"], "Xylophone-4711\nmore");
    assert_eq!(status, Some(0), "{complaint}");
    assert!(plan.contains("\"type\": \"auth-fd\""), "{plan}");
    assert!(!plan.contains(PASSWORD));

    for (more, input, what) in [
        (&[][..], "", "There is no terminal"),
        (&["--password-stdin"], "\n", "The password is empty"),
        (&["--password-stdin", "--authfile", "/x"], "x", "--authfile"),
    ] {
        let (status, _, complaint) = run(more, input);
        assert_eq!(status, Some(2), "{complaint}");
        assert!(complaint.contains(what), "{complaint}");
    }
}
