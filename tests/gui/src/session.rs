// SPDX-License-Identifier: MIT OR Apache-2.0
//! A running Calamares in a live system of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::driver::Driver;
use crate::ended::Ended;
use crate::gui::{Around, Gui};
use crate::live;
use crate::words::Words;
use crate::world::World;

/// How much of the log a failure shows.
const LOG_LINES: usize = 25;
/// Until a picture is taken.
const PICTURE: Duration = Duration::from_secs(30);

/// What a session starts with.
#[derive(Debug)]
pub(crate) struct Start<'w> {
    pub(crate) world: &'w World,
    pub(crate) options: String,
    pub(crate) root: PathBuf,
    pub(crate) upper: PathBuf,
    pub(crate) devices: Vec<PathBuf>,
    pub(crate) screen: Option<String>,
    pub(crate) argv: Vec<String>,
    pub(crate) environment: Map<String, Value>,
    pub(crate) words: &'static Words,
    pub(crate) prompts: bool,
}

/// A live system with a running Calamares. When dropped all of it ends.
///
/// What fails here fails the test, with what is on the screen.
pub type Session<'w> = Gui<Here<'w>>;

/// The live system of a [`Session`]. Pictures are the driver's, and go to the
/// artefacts.
#[derive(Debug)]
pub struct Here<'w> {
    artefacts: PathBuf,
    upper: PathBuf,
    screenshots: usize,
    start_up: Duration,
    _world: &'w World,
}

impl Around for Here<'_> {
    fn picture(&mut self, driver: &mut Driver, name: &str) -> Result<PathBuf, String> {
        self.screenshots += 1;
        let file = format!("{:02}-{name}.png", self.screenshots);
        driver.ask(&json!({"do": "screenshot", "file": file}), PICTURE)?;
        Ok(self.artefacts.join(file))
    }

    fn evidence(&mut self) -> String {
        let log = log(&self.artefacts);
        let lines: Vec<_> = log.lines().collect();
        let log = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n");
        let driver = fs::read_to_string(self.artefacts.join("driver.log")).unwrap_or_default();
        format!("--- end of session.log\n{log}\n--- driver\n{driver}")
    }
}

impl<'w> Session<'w> {
    #[track_caller]
    pub(crate) fn start(start: Start<'w>) -> Self {
        let artefacts = start.world.next_artefacts();
        let begin = Instant::now();
        let log = File::create(artefacts.join("driver.log")).unwrap();
        let child = Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--kill-child", "sh"])
            .arg(live::script())
            .arg(&start.options)
            .arg(&start.root)
            .arg(&artefacts)
            .args(&start.devices)
            // A live system knows nothing of the host's environment.
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("HOME", "/root")
            .env("LANG", "C.UTF-8")
            .envs(start.screen.map(|size| ("GUI_TEST_SCREEN", size)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let around = Here {
            artefacts,
            upper: start.upper,
            screenshots: 0,
            start_up: Duration::ZERO,
            _world: start.world,
        };
        let driver = Driver::of_child(child);
        let mut session = Self::new(driver, around, start.words, start.prompts);
        session.ask(
            "start",
            json!({"argv": start.argv, "environment": start.environment}),
        );
        session.around.start_up = begin.elapsed();
        session
    }

    /// How long it took until the window was there.
    pub fn start_up(&self) -> Duration {
        self.around.start_up
    }

    /// Waits until Calamares has ended; tells how, and what it left.
    #[track_caller]
    pub fn wait_exit(&mut self) -> Ended {
        let value = self.ask("wait_exit", json!({}));
        Ended::parse(&value, self.log()).unwrap()
    }

    /// Calamares' log up to now.
    pub fn log(&self) -> String {
        log(&self.around.artefacts)
    }

    /// What dumpstorage wrote, an object for each time that it ran.
    pub fn storage(&self) -> Vec<Value> {
        let name = Path::new(live::STORAGE).file_name().unwrap();
        let text = fs::read_to_string(self.around.artefacts.join(name)).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// What the session wrote below this path of the live system's root; what
    /// it did not write is not there.
    pub fn written(&self, path: &str) -> PathBuf {
        self.around.upper.join(path.trim_start_matches('/'))
    }

    /// Where the session's logs and pictures are.
    pub fn artefacts(&self) -> &Path {
        &self.around.artefacts
    }
}

fn log(artefacts: &Path) -> String {
    let bytes = fs::read(live::session_log(artefacts)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
