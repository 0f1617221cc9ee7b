// SPDX-License-Identifier: MIT OR Apache-2.0
//! A running Calamares, and everything that a person can do with it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{json, Map, Value};

use crate::driver::Driver;
use crate::ended::Ended;
use crate::live;
use crate::want::{Want, Widget};
use crate::words::Words;
use crate::world::World;

/// For whatever a person would not call slow.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much of the log a failure shows.
const LOG_LINES: usize = 25;

/// What a session starts with.
#[derive(Debug)]
pub(crate) struct Start<'w> {
    pub(crate) world: &'w World,
    pub(crate) options: String,
    pub(crate) root: PathBuf,
    pub(crate) upper: PathBuf,
    pub(crate) devices: Vec<PathBuf>,
    pub(crate) argv: Vec<String>,
    pub(crate) environment: Map<String, Value>,
    pub(crate) words: &'static Words,
    pub(crate) prompts: bool,
}

/// A live system with a running Calamares. When dropped all of it ends.
///
/// What fails here fails the test, with what is on the screen.
#[derive(Debug)]
pub struct Session<'w> {
    driver: Driver,
    artefacts: PathBuf,
    upper: PathBuf,
    patience: Duration,
    screenshots: usize,
    start_up: Duration,
    words: &'static Words,
    prompts: bool,
    _world: &'w World,
}

/// What a command in the live system wrote and how it ended.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Output {
    pub status: i64,
    pub stdout: String,
    pub stderr: String,
}

/// For how long the GUI thread did not answer, of many measurements.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Responsiveness {
    pub count: u64,
    pub median: Duration,
    pub max: Duration,
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
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut session = Self {
            driver: Driver::new(child),
            artefacts,
            upper: start.upper,
            patience: PATIENCE,
            screenshots: 0,
            start_up: Duration::ZERO,
            words: start.words,
            prompts: start.prompts,
            _world: start.world,
        };
        session.ask(
            "start",
            json!({"argv": start.argv, "environment": start.environment}),
        );
        session.start_up = begin.elapsed();
        session
    }

    /// How long the following waits may take.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    pub(crate) fn prompts(&self) -> bool {
        self.prompts
    }

    /// How long it took until the window was there.
    pub fn start_up(&self) -> Duration {
        self.start_up
    }

    /// The words of Calamares in the session's language.
    pub fn words(&self) -> &'static Words {
        self.words
    }

    fn request(&mut self, what: &str, arguments: Value) -> Result<Value, String> {
        let mut request = arguments;
        request["do"] = what.into();
        request["timeout"] = self.patience.as_secs_f64().into();
        self.driver.ask(&request, self.patience)
    }

    #[track_caller]
    fn ask(&mut self, what: &str, arguments: Value) -> Value {
        match self.request(what, arguments) {
            Ok(value) => value,
            Err(error) => self.fail(&format!("{what}: {error}")),
        }
    }

    #[track_caller]
    fn ask_widget(&mut self, what: &str, want: Want) -> Value {
        self.ask(what, json!({"want": want.json()}))
    }

    /// Fails the test, with all that helps to see why.
    #[track_caller]
    pub fn fail(&mut self, message: &str) -> ! {
        let picture = self
            .take_screenshot("failure")
            .map_or_else(|error| error, |path| path.display().to_string());
        let widgets = self
            .request("dump", json!({}))
            .map_or_else(|error| error, |lines| join(&lines));
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        let log = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n");
        let driver = fs::read_to_string(self.artefacts.join("driver.log")).unwrap_or_default();
        panic!(
            "{message}\n--- screen: {picture}\n{widgets}\n--- end of session.log\n{log}\n\
             --- driver\n{driver}"
        );
    }

    /// Waits until such a widget shows.
    #[track_caller]
    pub fn wait(&mut self, want: impl Into<Want>) -> Widget {
        let value = self.ask_widget("wait", want.into());
        Widget::parse(&value).unwrap()
    }

    /// Waits until a text with this part shows, for example a status.
    #[track_caller]
    pub fn wait_text(&mut self, part: &str) -> Widget {
        self.wait(Want::containing(part))
    }

    /// Waits until this button can be pressed.
    #[track_caller]
    pub fn wait_enabled(&mut self, button: &str) {
        self.wait(Want::button(button).sensitive());
    }

    /// Waits until this button cannot be pressed.
    #[track_caller]
    pub fn wait_disabled(&mut self, button: &str) {
        self.wait(Want::button(button).insensitive());
    }

    /// Waits until no such widget shows any more.
    #[track_caller]
    pub fn wait_gone(&mut self, want: impl Into<Want>) {
        self.ask_widget("wait_gone", want.into());
    }

    /// The widget, when it shows now.
    #[track_caller]
    pub fn find(&mut self, want: impl Into<Want>) -> Option<Widget> {
        let value = self.ask_widget("find", want.into());
        Widget::parse(&value)
    }

    /// Whether this button can be pressed now.
    #[track_caller]
    pub fn is_enabled(&mut self, button: &str) -> bool {
        self.find(Want::button(button).sensitive()).is_some()
    }

    /// What the widget says, once it shows.
    #[track_caller]
    pub fn text(&mut self, want: impl Into<Want>) -> String {
        self.wait(want).text
    }

    /// Presses this button as soon as it can be pressed.
    #[track_caller]
    pub fn press(&mut self, button: &str) {
        self.press_widget(Want::button(button));
    }

    /// Presses whatever this is: a check box, a radio button, an item.
    #[track_caller]
    pub fn press_widget(&mut self, want: impl Into<Want>) {
        self.ask_widget("press", want.into());
    }

    /// Clicks into the middle of a widget.
    #[track_caller]
    pub fn click(&mut self, want: impl Into<Want>) {
        self.ask_widget("click", want.into());
    }

    /// Types a text in the place of what a field holds; fails when the field
    /// does not take all of it.
    #[track_caller]
    pub fn type_into(&mut self, field: impl Into<Want>, text: &str) {
        let holds = self.try_type(field, text);
        if holds.chars().count() != text.chars().count() {
            self.fail(&format!("the field holds {holds:?} instead of {text:?}"));
        }
    }

    /// Types a text in the place of what a field holds; gives what it holds then.
    #[track_caller]
    pub fn try_type(&mut self, field: impl Into<Want>, text: &str) -> String {
        let value = self.ask("type", json!({"want": field.into().json(), "text": text}));
        value.as_str().unwrap().to_owned()
    }

    /// Sets a field's text through AT-SPI, of which Qt tells the program as of
    /// a change by itself and not by a person.
    #[track_caller]
    pub fn set_text(&mut self, field: impl Into<Want>, text: &str) {
        self.ask(
            "set_text",
            json!({"want": field.into().json(), "text": text}),
        );
    }

    /// Gives a widget the keyboard.
    #[track_caller]
    pub fn focus(&mut self, want: impl Into<Want>) {
        self.ask_widget("focus", want.into());
    }

    /// Chooses an item of a list or combo box.
    #[track_caller]
    pub fn select(&mut self, list: impl Into<Want>, item: &str) {
        self.ask("select", json!({"want": list.into().json(), "item": item}));
    }

    /// The progress bar, from 0 to 1.
    #[track_caller]
    pub fn progress(&mut self) -> f64 {
        let bar = Want::default().role("progress bar");
        self.ask_widget("value", bar).as_f64().unwrap()
    }

    /// Sends keys, in xdotool's spelling.
    #[track_caller]
    pub fn key(&mut self, keys: &[&str]) {
        self.ask("key", json!({"keys": keys}));
    }

    /// Everything that shows, a line each.
    #[track_caller]
    pub fn dump(&mut self) -> String {
        let lines = self.ask("dump", json!({}));
        join(&lines)
    }

    /// Takes a picture of the screen.
    #[track_caller]
    pub fn screenshot(&mut self, name: &str) -> PathBuf {
        match self.take_screenshot(name) {
            Ok(path) => path,
            Err(error) => self.fail(&error),
        }
    }

    fn take_screenshot(&mut self, name: &str) -> Result<PathBuf, String> {
        self.screenshots += 1;
        let file = format!("{:02}-{name}.png", self.screenshots);
        self.request("screenshot", json!({ "file": file }))?;
        Ok(self.artefacts.join(file))
    }

    /// For how long the GUI did not answer since the last call of this.
    #[track_caller]
    pub fn responsiveness(&mut self) -> Responsiveness {
        let value = self.ask("probe", json!({}));
        let time = |key: &str| Duration::from_secs_f64(value[key].as_f64().unwrap() / 1000.0);
        Responsiveness {
            count: value["count"].as_u64().unwrap(),
            median: time("median"),
            max: time("max"),
        }
    }

    /// Runs a command in the live system.
    #[track_caller]
    pub fn run(&mut self, argv: &[&str]) -> Output {
        let value = self.ask("run", json!({ "argv": argv }));
        let text = |key: &str| value[key].as_str().unwrap().to_owned();
        Output {
            status: value["status"].as_i64().unwrap(),
            stdout: text("stdout"),
            stderr: text("stderr"),
        }
    }

    /// Pids of the processes in the live system with this name (`comm`).
    #[track_caller]
    pub fn pids(&mut self, name: &str) -> Vec<i64> {
        let output = self.run(&["pgrep", "-x", name]);
        let pids = output.stdout.lines();
        pids.filter_map(|pid| pid.parse().ok()).collect()
    }

    /// Kills one process of the live system.
    #[track_caller]
    pub fn kill(&mut self, pid: i64) {
        self.run(&["kill", "-KILL", &pid.to_string()]);
    }

    /// Closes the window, as a person does with the window manager, up to the
    /// question that follows.
    #[track_caller]
    pub fn close_window(&mut self) {
        self.ask("close", json!({}));
    }

    /// Sends Calamares a signal, for example `SIGTERM`.
    #[track_caller]
    pub fn signal(&mut self, name: &str) {
        self.ask("signal", json!({ "name": name }));
    }

    /// Whether Calamares runs.
    #[track_caller]
    pub fn is_running(&mut self) -> bool {
        self.ask("is_running", json!({})).as_bool().unwrap()
    }

    /// Waits until Calamares has ended; tells how, and what it left.
    #[track_caller]
    pub fn wait_exit(&mut self) -> Ended {
        let value = self.ask("wait_exit", json!({}));
        Ended::parse(&value, self.log()).unwrap()
    }

    /// Calamares' log up to now.
    pub fn log(&self) -> String {
        let bytes = fs::read(live::session_log(&self.artefacts)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// What dumpstorage wrote, an object for each time that it ran.
    pub fn storage(&self) -> Vec<Value> {
        let name = Path::new(live::STORAGE).file_name().unwrap();
        let text = fs::read_to_string(self.artefacts.join(name)).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// What the session wrote below this path of the live system's root; what
    /// it did not write is not there.
    pub fn written(&self, path: &str) -> PathBuf {
        self.upper.join(path.trim_start_matches('/'))
    }

    /// Where the session's logs and pictures are.
    pub fn artefacts(&self) -> &Path {
        &self.artefacts
    }
}

fn join(lines: &Value) -> String {
    let lines = lines.as_array().into_iter().flatten();
    let lines: Vec<_> = lines.filter_map(Value::as_str).collect();
    lines.join("\n")
}
