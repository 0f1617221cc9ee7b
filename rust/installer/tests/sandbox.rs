// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sandbox with real namespaces. Needs root; skips itself elsewhere.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use contract::error::Code;
use host::cancel::Cancel;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use sandbox::scratch::Scratch;
use sandbox::{RootKind, Sandbox, SandboxChild};

/// A sandbox whose root is the live system's own tree, read-only, with what a
/// program needs in it: enough to run a shell.
struct Fixture {
    temp: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Option<Self> {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: sandboxes need root");
            return None;
        }
        sandbox::helper::use_program(env!("CARGO_BIN_EXE_bootc-installer"));
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("root");
        for dir in [
            "proc", "sys", "dev", "run", "tmp", "var", "usr", "etc", "target",
        ] {
            std::fs::create_dir_all(root.join(dir)).unwrap();
        }
        for link in ["bin", "sbin", "lib", "lib64"] {
            std::os::unix::fs::symlink(format!("usr/{link}"), root.join(link)).unwrap();
        }
        std::fs::write(root.join("etc/present"), "image").unwrap();
        Some(Self { temp })
    }

    fn root(&self) -> PathBuf {
        self.temp.path().join("root")
    }

    fn sandbox(&self) -> Sandbox {
        Sandbox::new(&self.root())
            .read_only()
            .tmpfs("/run")
            .tmpfs("/tmp")
            .tmpfs("/var")
            .bind("/usr", "/usr")
    }

    fn sh(&self, sandbox: &Sandbox, script: &str) -> String {
        let output = sandbox.run(&["sh", "-ec", script], &Cancel::new()).unwrap();
        assert!(
            output.exit.success(),
            "{}: {}",
            output.exit,
            output.stderr_text()
        );
        output.stdout_text()
    }
}

fn mounts() -> String {
    std::fs::read_to_string("/proc/self/mountinfo").unwrap()
}

/// Mounts below `path`, as this process sees them.
fn mounts_below(path: &Path) -> usize {
    let path = path.to_str().unwrap();
    mounts().lines().filter(|line| line.contains(path)).count()
}

#[test]
fn the_program_is_alone_in_the_roots_view() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let sandbox = fixture.sandbox();
    assert_eq!(fixture.sh(&sandbox, "echo $$"), "1\n");
    // The shell and ls; in a pipe, what counts may be there or not yet.
    let count = "ls /proc > /tmp/all; grep -cx '[0-9]*' /tmp/all";
    assert_eq!(fixture.sh(&sandbox, count), "2\n");
    assert_eq!(
        fixture.sh(
            &sandbox,
            "cat /etc/present; echo $HOME $TMPDIR; env | wc -l"
        ),
        "image/root /var/tmp\n5\n"
    );
    assert_eq!(
        fixture.sh(
            &sandbox,
            "stat -c %a /tmp /run; ls -d /sys/class/block /dev/null"
        ),
        "1777\n755\n/dev/null\n/sys/class/block\n"
    );
    // The way out of a mere chroot.
    assert_eq!(
        fixture.sh(&sandbox, "readlink /proc/1/root; ls /proc/1/root/etc"),
        "/\npresent\n"
    );
    assert_eq!(mounts_below(fixture.temp.path()), 0);
}

#[test]
fn the_root_is_read_only_and_mounts_in_it_are_not() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let target = fixture.temp.path().join("outside");
    std::fs::create_dir(&target).unwrap();
    let sandbox = fixture.sandbox().bind(&target, "/run/target");
    fixture.sh(
        &sandbox,
        "! touch /etc/no 2>/dev/null; touch /run/target/yes /var/yes",
    );
    assert!(target.join("yes").exists());
    assert!(!fixture.root().join("etc/no").exists() && !fixture.root().join("var/yes").exists());
    let sandbox = fixture.sandbox().bind_read_only(&target, "/run/target");
    fixture.sh(&sandbox, "! touch /run/target/no 2>/dev/null");
}

#[test]
fn nothing_of_it_is_mounted_outside_while_it_runs() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let before = mounts_below(fixture.temp.path());
    let mut child = fixture
        .sandbox()
        .spawn(
            &["sh", "-ec", "echo up; read x < /dev/zero || sleep 1000"],
            Stdio::piped(),
            Stdio::null(),
        )
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.take_stdout().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "up\n");
    assert_eq!(mounts_below(fixture.temp.path()), before);
    child.kill();
}

#[test]
fn files_are_in_memory_only() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let sandbox = fixture
        .sandbox()
        .file("/run/ostree/auth.json", "secret", 0o600)
        .file("/etc/present", "covered", 0o644);
    let text = fixture.sh(&sandbox, "cat /run/ostree/auth.json /etc/present; stat -c %a /run/ostree/auth.json; tr '\\0' ' ' </proc/1/cmdline | grep -c 'se[c]ret' || true");
    assert_eq!(text, "secretcovered600\n0\n");
    assert_eq!(
        std::fs::read(fixture.root().join("etc/present")).unwrap(),
        b"image"
    );

    let error = fixture
        .sandbox()
        .file("/etc/absent", "x", 0o644)
        .run(&["true"], &Cancel::new())
        .unwrap_err();
    assert!(error.what.contains("/etc/absent"), "{error}");
}

#[test]
fn links_in_the_root_do_not_lead_out() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let victim = fixture.temp.path().join("victim");
    std::fs::create_dir(&victim).unwrap();
    // Absolute, as a hostile image would have it: inside, it leads nowhere.
    std::os::unix::fs::symlink(&victim, fixture.root().join("etc/link")).unwrap();
    let error = fixture
        .sandbox()
        .bind("/usr/bin", "/etc/link/deep")
        .run(&["true"], &Cancel::new())
        .unwrap_err();
    assert_eq!(error.code, Code::ImageNotBootable, "{error}");
    assert_eq!(std::fs::read_dir(&victim).unwrap().count(), 0);
}

#[test]
fn errors_before_the_exec_have_codes() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let run =
        |sandbox: Sandbox, program: &str| sandbox.run(&[program], &Cancel::new()).unwrap_err();
    let error = run(fixture.sandbox(), "no-such-program");
    assert_eq!(error.code, Code::ToolMissing);
    assert!(error.what.contains("no-such-program"), "{error}");
    let error = run(Sandbox::new(Path::new("/no/such/root")), "true");
    assert_eq!(error.code, Code::Io);
    assert!(error.what.contains("/no/such/root"), "{error}");
    let error = run(fixture.sandbox().bind("/no/source", "/run/x"), "true");
    assert!(error.what.contains("/no/source"), "{error}");
    let error = run(fixture.sandbox().bind("/usr", "/missing"), "true");
    assert_eq!(error.code, Code::ImageNotBootable);
    let error = run(
        Sandbox::of(RootKind::Image(fixture.root().join("etc/present"))),
        "true",
    );
    assert_eq!(error.code, Code::SourceInvalid, "{error}");
}

#[test]
fn tells_how_the_program_ended() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let end = |script: &str| {
        let output = fixture
            .sandbox()
            .run(&["sh", "-c", script], &Cancel::new())
            .unwrap();
        (output.exit.code, output.exit.signal)
    };
    assert_eq!(end("exit 0"), (Some(0), None));
    assert_eq!(end("exit 7"), (Some(7), None));
    // Pid 1 ignores its own signals, as bootc does there; a child does not.
    assert_eq!(end("sh -c 'kill -SEGV $$'; exit $?"), (Some(139), None));
}

/// A sandbox that has started a background process which holds stdout, and what
/// it wrote so far.
fn with_background(fixture: &Fixture) -> (SandboxChild, BufReader<std::process::ChildStdout>) {
    let mut child = fixture
        .sandbox()
        .spawn(
            &["sh", "-c", "trap '' TERM INT; sleep 1000 & echo up; wait"],
            Stdio::piped(),
            Stdio::null(),
        )
        .unwrap();
    let mut stdout = BufReader::new(child.take_stdout().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "up\n");
    (child, stdout)
}

fn assert_all_ended(mut stdout: impl Read) {
    let mut rest = Vec::new();
    // Ends only when the last process of the sandbox has.
    stdout.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty());
}

#[test]
fn cancel_ends_everything_in_it() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let (mut child, stdout) = with_background(&fixture);
    let cancel = Cancel::new();
    let error = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| child.wait(&cancel));
        cancel.cancel();
        waiting.join().unwrap().unwrap_err()
    });
    assert_eq!(error.code, Code::Cancelled);
    assert_all_ended(stdout);
}

#[test]
fn dropping_it_ends_everything_in_it() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let (child, stdout) = with_background(&fixture);
    drop(child);
    assert_all_ended(stdout);
}

/// Not a test of its own: the engine's part in the next one.
#[test]
fn holds_a_sandbox_for_the_test_of_its_death() {
    let Some(root) = std::env::var_os("SANDBOX_TEST_ROOT") else {
        return;
    };
    sandbox::helper::use_program(env!("CARGO_BIN_EXE_bootc-installer"));
    let mut child = Sandbox::new(Path::new(&root))
        .read_only()
        .bind("/usr", "/usr")
        .spawn(
            &["sh", "-c", "trap '' TERM; sleep 1000 & echo up; wait"],
            Stdio::inherit(),
            Stdio::null(),
        )
        .unwrap();
    child.wait(&Cancel::new()).unwrap();
}

#[test]
fn the_death_of_the_engine_ends_everything_in_it() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let mut engine = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "holds_a_sandbox_for_the_test_of_its_death",
            "--exact",
            "--nocapture",
        ])
        .env("SANDBOX_TEST_ROOT", fixture.root())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(engine.stdout.take().unwrap());
    let mut line = String::new();
    while line != "up\n" {
        line.clear();
        assert_ne!(
            stdout.read_line(&mut line).unwrap(),
            0,
            "the sandbox did not start"
        );
    }
    engine.kill().unwrap();
    engine.wait().unwrap();
    assert_all_ended(stdout);
    assert_eq!(mounts_below(fixture.temp.path()), 0);
}

#[test]
fn bootc_finds_its_mounts() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let target = fixture.temp.path().join("target");
    let layout = fixture.temp.path().join("layout");
    std::fs::create_dir(&target).unwrap();
    std::fs::create_dir(&layout).unwrap();
    std::fs::write(layout.join("index.json"), "{}").unwrap();
    let scratch = Scratch::create_in(&target).unwrap();
    let root = RootKind::Directory(fixture.root());
    let sandbox = Sandbox::for_bootc(root, &scratch, &target, &layout).bind("/usr", "/usr");
    fixture.sh(
        &sandbox,
        "touch /var/tmp/big /var/lib/containers/store
         test -e /run/oci/index.json; ! touch /run/oci/x 2>/dev/null
         findmnt /run/target/.bootc-scratch >/dev/null
         test -d /run/udev -o ! -d /run/udev",
    );
    assert!(scratch.tmp().join("big").exists() && scratch.containers().join("store").exists());
    scratch.remove().unwrap();
    assert_eq!(std::fs::read_dir(&target).unwrap().count(), 0);
}

#[test]
fn a_squashfs_root_leaves_no_loop_device() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let file = fixture.temp.path().join("root.squashfs");
    let made = std::process::Command::new("mksquashfs")
        .args([&fixture.root(), &file])
        .arg("-quiet")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("skipped: mksquashfs is missing");
        return;
    }
    let sandbox = Sandbox::of(RootKind::Image(file.clone()))
        .tmpfs("/run")
        .bind("/usr", "/usr");
    assert_eq!(fixture.sh(&sandbox, "cat /etc/present"), "image");
    let facts: installer::doctor::RootFacts = sandbox.examine(&Cancel::new()).unwrap();
    assert!(facts.missing_mount_points.is_empty(), "{facts:?}");
    let devices = || {
        let mut losetup = std::process::Command::new("losetup");
        let output = losetup.arg("-j").arg(&file).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    // A process that another test starts has it open until it executes something
    // else, and the kernel tells nobody when it is gone.
    let end = Instant::now() + Duration::from_secs(60);
    while !devices().is_empty() {
        assert!(Instant::now() < end, "{} is left", devices());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_engines_descriptors_stay_outside() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let (read, write) = nix::unistd::pipe().unwrap();
    // Inheritable, like an event pipe given by number.
    let mut child = fixture
        .sandbox()
        .spawn(
            &["sh", "-c", "ls /proc/self/fd | wc -l"],
            Stdio::piped(),
            Stdio::null(),
        )
        .unwrap();
    drop(write);
    // Everybody else has let go of it, so it ends although the sandbox runs.
    let mut fds = [PollFd::new(
        std::os::fd::AsFd::as_fd(&read),
        PollFlags::POLLIN,
    )];
    poll(&mut fds, PollTimeout::NONE).unwrap();
    let mut text = String::new();
    child
        .take_stdout()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert!(child.wait(&Cancel::new()).unwrap().success());
    // stdin, stdout, stderr and the listing's own.
    assert_eq!(text.trim(), "4", "{text}");
}
