// SPDX-License-Identifier: MIT OR Apache-2.0
//! Starting the program, watching it, and stopping it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use contract::event::{Event, Task};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

use crate::program;
use crate::run::Run;
use crate::traces;
use crate::world::World;

/// No run takes longer, and a step that hangs must not hang the tests.
const LIMIT: Duration = Duration::from_secs(300);

/// Descriptor 3 becomes the plan's pipe. A shell does it, since a descriptor
/// that every child inherits would be kept open by other tests' children.
const WITH_PIPE: &str = "exec \"$0\" \"$@\" 3<&0 0</dev/null";
/// The same, with a process above the program.
const WITH_PARENT: &str = "exec 3<&0 0</dev/null; \"$0\" \"$@\" & wait";

/// The program, about to run.
#[derive(Debug)]
pub struct Installer<'w> {
    world: &'w World,
    program: PathBuf,
    args: Vec<OsString>,
    registries: Vec<String>,
    settings: Vec<String>,
    secrets: Vec<(String, String)>,
    plan: Option<String>,
    parent: bool,
    lines: usize,
    user: Option<u32>,
    umask: Option<&'static str>,
}

impl<'w> Installer<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        Self {
            world,
            program: program::path().to_owned(),
            args: Vec::new(),
            registries: Vec::new(),
            settings: Vec::new(),
            secrets: Vec::new(),
            plan: None,
            parent: false,
            lines: usize::MAX,
            user: None,
            umask: None,
        }
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Installer::arg)
    }

    /// Events to standard output, bootc's log into the test's directory.
    #[must_use]
    pub(crate) fn events(self) -> Self {
        let logs = self.logs();
        self.args(["--events", "-", "--log-dir"]).arg(logs)
    }

    /// The configuration allows plain http for this registry.
    #[must_use]
    pub fn plain_http(self, host: &str) -> Self {
        self.registry(host, "insecure: true")
    }

    /// The configuration has this entry for this registry.
    #[must_use]
    pub fn registry(mut self, host: &str, entry: &str) -> Self {
        self.registries
            .push(format!("    \"{host}\": {{ {entry} }}\n"));
        self
    }

    /// The configuration has this line at its top level.
    #[must_use]
    pub fn setting(mut self, line: &str) -> Self {
        self.settings.push(format!("{line}\n"));
        self
    }

    /// The password of this user must not occur in anything that is written.
    #[must_use]
    pub fn secret(mut self, user: &str, password: &str) -> Self {
        self.secrets.push((user.to_owned(), password.to_owned()));
        self
    }

    /// The program gets this plan through a pipe that stays open.
    #[must_use]
    pub fn plan(mut self, plan: &str) -> Self {
        self.plan = Some(plan.to_owned());
        self
    }

    /// Another process starts the program, and is what [`Running`] is about.
    /// Only together with [`Installer::plan`].
    #[must_use]
    pub fn with_parent(mut self) -> Self {
        self.parent = true;
        self
    }

    /// The reader of the events goes away after so many lines.
    #[must_use]
    pub fn read_only(mut self, lines: usize) -> Self {
        self.lines = lines;
        self
    }

    /// Runs as this user, from a copy that any user can reach.
    #[must_use]
    pub fn user(mut self, id: u32) -> Self {
        let copy = self.world.new_path("program");
        testkit::program::copy(&self.program, &copy).unwrap();
        self.program = copy;
        self.user = Some(id);
        self
    }

    /// Starts with this umask, in octal digits. Not with a plan.
    #[must_use]
    pub fn umask(mut self, digits: &'static str) -> Self {
        self.umask = Some(digits);
        self
    }

    fn logs(&self) -> PathBuf {
        self.world.dir().join("logs")
    }

    fn command(&mut self) -> Command {
        if !self.registries.is_empty() || !self.settings.is_empty() {
            let mut text = self.settings.concat();
            if !self.registries.is_empty() {
                text += "registryAuth:\n  registries:\n";
                text += &self.registries.concat();
            }
            let path = self.world.file("bootc.conf", text);
            self.args.extend(["--config".into(), path.into()]);
        }
        let mut command = if self.plan.is_some() {
            let mut shell = Command::new("sh");
            let script = if self.parent { WITH_PARENT } else { WITH_PIPE };
            shell.args(["-c", script]).arg(&self.program);
            shell
        } else if let Some(digits) = self.umask {
            let mut shell = Command::new("sh");
            let script = format!("umask {digits}; exec \"$0\" \"$@\"");
            shell.args(["-c", &script]).arg(&self.program);
            shell
        } else {
            Command::new(&self.program)
        };
        command.args(&self.args);
        // Of its own, so that a signal to the group is like Ctrl-C at a terminal.
        command.process_group(0);
        // The more is logged, the more could get out.
        let log = if self.secrets.is_empty() {
            "debug"
        } else {
            "trace"
        };
        command.env("RUST_LOG", log);
        // What the machine's user has must not matter.
        command
            .env_remove("REGISTRY_AUTH_FILE")
            .env("HOME", self.world.dir());
        command
            .env_remove("XDG_RUNTIME_DIR")
            .env_remove("XDG_CONFIG_HOME");
        if let Some(id) = self.user {
            command.uid(id);
        }
        command
    }

    /// Starts it.
    #[must_use]
    pub fn start(mut self) -> Running<'w> {
        let stderr = self.world.new_path("stderr");
        let mut command = self.command();
        let stdin = if self.plan.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        };
        let mut child = command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(File::create(&stderr).unwrap())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take();
        if let (Some(pipe), Some(plan)) = (&mut pipe, &self.plan) {
            pipe.write_all(plan.as_bytes()).unwrap();
        }
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, receiver) = mpsc::channel();
        let limit = self.lines;
        let reader = std::thread::spawn(move || {
            let mut all = String::new();
            for line in stdout.lines().take(limit).map_while(Result::ok) {
                all += &line;
                all.push('\n');
                // The test may have seen enough.
                sender.send(line).ok();
            }
            all
        });
        Running {
            logs: self.logs(),
            world: self.world,
            secrets: self.secrets,
            child,
            pipe,
            stderr,
            receiver,
            reader: Some(reader),
            events: Vec::new(),
        }
    }

    /// Runs it to its end.
    #[must_use]
    pub fn run(self) -> Run {
        self.start().finish()
    }

    /// Runs it to its end and gives its standard output, which must be all.
    #[track_caller]
    pub fn output(self) -> String {
        let run = self.run();
        assert!(run.status.success(), "{run}");
        run.stdout
    }
}

/// The program while it runs. Killed when dropped before its end.
#[derive(Debug)]
pub struct Running<'w> {
    world: &'w World,
    secrets: Vec<(String, String)>,
    child: Child,
    pipe: Option<ChildStdin>,
    stderr: PathBuf,
    logs: PathBuf,
    receiver: Receiver<String>,
    reader: Option<JoinHandle<String>>,
    events: Vec<Event>,
}

impl Running<'_> {
    /// The process.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap())
    }

    /// Waits for an event.
    #[track_caller]
    pub fn until(&mut self, wanted: impl Fn(&Event) -> bool) {
        // Something is told every second, so that the clock is looked at.
        let end = Instant::now() + LIMIT;
        let mut how = "it ended before";
        while let Some(event) = self.next() {
            if wanted(&event) {
                return;
            }
            if Instant::now() > end {
                how = "it did not come";
                break;
            }
        }
        let stderr = fs::read_to_string(&self.stderr).unwrap_or_default();
        panic!("{how}:\n{:#?}\n{stderr}", self.events);
    }

    /// Waits for the start of a task.
    #[track_caller]
    pub fn until_task(&mut self, wanted: Task) {
        self.until(|event| matches!(event, Event::TaskStart { task, .. } if *task == wanted));
    }

    /// Waits until a task has done something.
    #[track_caller]
    pub fn until_progress(&mut self, wanted: Task) {
        self.until(|event| {
            matches!(event, Event::Progress { task, progress, .. }
                if *task == wanted && progress.bytes > 0)
        });
    }

    /// Sends a signal to the process alone.
    pub fn signal(&self, signal: Signal) {
        signal::kill(self.pid(), signal).unwrap();
    }

    /// Sends a signal to the process group, as a terminal does.
    pub fn signal_group(&self, signal: Signal) {
        signal::killpg(self.pid(), signal).unwrap();
    }

    /// Closes the plan's pipe.
    pub fn close_plan(&mut self) {
        self.pipe.take().expect("an open pipe");
    }

    /// All processes of the installation: number, arguments, environment.
    pub fn processes(&self) -> Vec<String> {
        self.world.traces().descriptions()
    }

    /// Kills the process that would remove scratch, so that a kill of the rest
    /// is like a power loss.
    pub fn kill_janitor(&self) {
        let janitors = traces::processes_with(self.world.dir(), "scratch-janitor");
        assert_eq!(janitors.len(), 1, "{janitors:?}");
        signal::kill(Pid::from_raw(janitors[0]), Signal::SIGKILL).unwrap();
    }

    /// Kills it without warning, and waits for the end of all that it started.
    #[must_use]
    pub fn kill(mut self) -> Run {
        self.child.kill().unwrap();
        self.end()
    }

    /// Waits for its end and for that of all that it started.
    #[must_use]
    #[track_caller]
    pub fn finish(mut self) -> Run {
        while self.next().is_some() {}
        self.end()
    }

    #[track_caller]
    fn next(&mut self) -> Option<Event> {
        loop {
            let line = match self.receiver.recv_timeout(LIMIT) {
                Ok(line) => line,
                Err(mpsc::RecvTimeoutError::Disconnected) => return None,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    let stderr = fs::read_to_string(&self.stderr).unwrap_or_default();
                    panic!("silent for too long: {:?}\n{stderr}", self.events.last());
                }
            };
            match serde_json::from_str::<Event>(&line) {
                Ok(event) => {
                    self.events.push(event.clone());
                    return Some(event);
                }
                // Where there are events, there is nothing else.
                Err(error) => assert!(self.events.is_empty(), "{line:?}: {error}"),
            }
        }
    }

    #[track_caller]
    fn end(&mut self) -> Run {
        let status = self.child.wait().unwrap();
        if status.signal().is_some() {
            // Whoever was killed could not wait for the others.
            let left = traces::wait_for_the_end(self.world.dir());
            assert_eq!(left, None, "it does not end");
        }
        self.world.traces().assert_no_process();
        while self.next().is_some() {}
        let stdout = self
            .reader
            .take()
            .map(|r| r.join().unwrap())
            .unwrap_or_default();
        let run = Run {
            status,
            events: std::mem::take(&mut self.events),
            stdout,
            stderr: fs::read_to_string(&self.stderr).unwrap(),
            logs: texts(&self.logs),
        };
        for (user, secret) in &self.secrets {
            run.assert_keeps(user, secret);
        }
        run
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // Both fail only when it has ended.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// All files in `dir`, one after the other.
fn texts(dir: &Path) -> String {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| fs::read_to_string(entry.path()).ok())
        .collect()
}
