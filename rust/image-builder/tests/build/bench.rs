// SPDX-License-Identifier: MIT OR Apache-2.0
//! A place for one test, and the program run in it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use testkit::cmd;

use crate::mirror::{Answer, Mirror};
use crate::traces;

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_debian-bootc-image-builder");
/// A directory with packages that are built already.
const DEBS: &str = "CALAMARES_BOOTC_DEBS";
/// Builds for real take a processor and some gigabytes each.
static REAL: Mutex<()> = Mutex::new(());

/// Whether this is root; says so when it is not.
pub(crate) fn root() -> bool {
    if !cmd::is_root() {
        eprintln!("skipped: a build needs root");
    }
    cmd::is_root()
}

/// Directories of a test's own.
pub(crate) struct Bench {
    dir: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        // Not in /tmp, which may be small or mounted with nodev.
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        Self { dir }
    }

    /// One that other users can read.
    pub(crate) fn for_everybody() -> Self {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { dir }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.path("work")
    }

    pub(crate) fn output(&self) -> PathBuf {
        self.path("out")
    }

    /// A cache that is not there, for what must not make one.
    pub(crate) fn cache(&self) -> PathBuf {
        self.path("cache")
    }

    /// Writes `distro.yaml`.
    pub(crate) fn distro(&self, text: &str) -> PathBuf {
        let path = self.path("distro.yaml");
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes one with a mirror.
    pub(crate) fn distro_of(&self, mirror: &str) -> PathBuf {
        self.distro(&mirrors(mirror))
    }

    /// Packages by their names only, for builds that do not get to them.
    pub(crate) fn empty_debs(&self) -> PathBuf {
        let dir = self.path("debs");
        fs::create_dir_all(&dir).unwrap();
        for name in ["bootc-installer_1_amd64.deb", "calamares-bootc_1_amd64.deb"] {
            File::create(dir.join(name)).unwrap();
        }
        dir
    }

    /// The program with words.
    pub(crate) fn program(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(words)
            .current_dir(self.dir())
            // Mirrors and registries of tests are not behind a proxy.
            .env("no_proxy", "127.0.0.1")
            .env_remove("SOURCE_DATE_EPOCH")
            .stdin(Stdio::null());
        command
    }

    /// A build in here as `distro.yaml` says.
    pub(crate) fn build(&self) -> Command {
        let mut command = self.program(&["build", "--config", "distro.yaml"]);
        command
            .args(["--work", "work", "--output", "out"])
            .arg("--debs")
            .arg(self.empty_debs());
        command
    }

    /// A build that is to be refused, and so must not make the cache.
    pub(crate) fn refused(&self) -> Command {
        let mut command = self.build();
        command.env("CALAMARES_BOOTC_CACHE", self.cache());
        command
    }

    /// Asserts that a refusal made nothing at all.
    #[track_caller]
    pub(crate) fn assert_nothing_made(&self) {
        for path in [self.work(), self.output(), self.cache()] {
            assert!(!path.exists(), "{} was made", path.display());
        }
        self.assert_nothing_left();
    }

    /// Asserts that there is no result, whole or in parts, and nothing that runs
    /// or is mounted.
    #[track_caller]
    pub(crate) fn assert_nothing_left(&self) {
        let mut results = traces::entries_of(&self.output());
        results.retain(|path| path.extension().is_none_or(|ext| ext != "log"));
        assert!(results.is_empty(), "results: {results:?}");
        traces::wait_until_none("processes", || traces::processes_of(self.dir()));
        assert_eq!(
            traces::mounts_below(&self.work()),
            [] as [PathBuf; 0],
            "mounts"
        );
        assert_eq!(
            traces::loops_of(&self.work()),
            [] as [PathBuf; 0],
            "loop devices"
        );
    }

    /// The log of the last build.
    pub(crate) fn log(&self) -> String {
        let path = self.output().join("debian-bootc-trixie-amd64.log");
        fs::read_to_string(path).unwrap()
    }

    /// What is known of the live system.
    pub(crate) fn state(&self) -> String {
        fs::read_to_string(self.work().join("state.json")).unwrap()
    }
}

/// `mirrors` of `distro.yaml`.
pub(crate) fn mirrors(url: &str) -> String {
    format!("mirrors:\n  debian: {url}\n  security: {url}-security\n")
}

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn of(command: &mut Command) -> Self {
        command.output().unwrap().into()
    }

    /// The message, which begins with its code.
    #[track_caller]
    pub(crate) fn message(&self) -> &str {
        let begin = "debian-bootc-image-builder: ";
        let at = self.err.find(begin);
        &self.err[at.unwrap_or_else(|| panic!("no message: {self:?}")) + begin.len()..]
    }

    /// Asserts how it failed, and that its message holds these words.
    #[track_caller]
    pub(crate) fn assert(&self, code: &str, status: i32, words: &[&str]) {
        let message = self.message();
        assert!(message.starts_with(&format!("{code}: ")), "{message}");
        assert_eq!(self.status, Some(status), "{message}");
        for word in words {
            assert!(message.contains(word), "no `{word}`: {message}");
        }
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            status: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

/// A build for real that runs. It is killed when dropped, and the kernel ends
/// what it started.
pub(crate) struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStderr>>,
    seen: String,
    _alone: MutexGuard<'static, ()>,
}

impl Running {
    /// Starts one with the packages of this tree.
    pub(crate) fn start(bench: &Bench) -> Self {
        let alone = REAL.lock().unwrap_or_else(PoisonError::into_inner);
        let mut command = bench.program(&["build", "--verbose", "--work", "work"]);
        command.args(["--output", "out", "--debs"]).arg(debs());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Self {
            child,
            lines,
            seen: String::new(),
            _alone: alone,
        }
    }

    /// Waits for a line that begins like this.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, begin: &str) {
        for line in self.lines.by_ref() {
            let line = line.unwrap();
            self.seen.push_str(&line);
            self.seen.push('\n');
            if line.starts_with(begin) {
                return;
            }
        }
        panic!("it ended without `{begin}`:\n{}", self.seen);
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        kill(pid, signal).unwrap();
    }

    /// The end, however it comes.
    pub(crate) fn end(mut self) -> Ended {
        for line in self.lines.by_ref() {
            self.seen.push_str(&line.unwrap());
            self.seen.push('\n');
        }
        let status = self.child.wait().unwrap();
        Ended {
            status: status.code(),
            out: String::new(),
            err: std::mem::take(&mut self.seen),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when it has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The directory with the packages of this tree.
fn debs() -> PathBuf {
    if let Some(dir) = std::env::var_os(DEBS) {
        return dir.into();
    }
    let built = debs::build("trixie", debs::Output::Inherited).unwrap();
    built[0].parent().unwrap().to_owned()
}

/// A mirror that has release files, and a `distro.yaml` with it.
pub(crate) fn with_release_files(bench: &Bench) -> Mirror {
    let mirror = Mirror::start(Answer::ReleaseFiles);
    bench.distro_of(&mirror.url());
    mirror
}
