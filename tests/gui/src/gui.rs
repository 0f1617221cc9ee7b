// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that a person can do with a Calamares on a screen, wherever that
//! screen is: in a live system of a test's own, or in a virtual machine.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::driver::Driver;
use crate::want::{Want, Widget};
use crate::words::Words;

/// For whatever a person would not call slow, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is around the screen.
pub trait Around {
    /// Takes a picture of the screen; gives its file.
    ///
    /// # Errors
    /// Why there is none.
    fn picture(&mut self, driver: &mut Driver, name: &str) -> Result<PathBuf, String>;

    /// For a failure: the ends of logs.
    fn evidence(&mut self) -> String;
}

/// A Calamares that is used through a driver.
///
/// What fails here fails the test, with what is on the screen.
#[derive(Debug)]
pub struct Gui<A> {
    driver: Driver,
    pub(crate) around: A,
    patience: Duration,
    words: &'static Words,
    prompts: bool,
}

/// What a command in the live system wrote and how it ended.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Output {
    pub status: i64,
    pub stdout: String,
    pub stderr: String,
}

/// Where a widget is on the screen, in pixels.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Extents {
    pub left: i64,
    pub top: i64,
    pub right: i64,
    pub bottom: i64,
}

/// For how long the GUI thread did not answer, of many measurements.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Responsiveness {
    pub count: u64,
    pub median: Duration,
    pub max: Duration,
}

impl<A: Around> Gui<A> {
    /// Uses Calamares through this driver. `prompts` says whether it asks once
    /// more before it installs.
    pub fn new(driver: Driver, around: A, words: &'static Words, prompts: bool) -> Self {
        Self {
            driver,
            around,
            patience: PATIENCE,
            words,
            prompts,
        }
    }

    /// What is around the screen.
    pub fn around(&mut self) -> &mut A {
        &mut self.around
    }

    /// The screen is no longer driven: what is left of it.
    pub fn leave(self) -> A {
        self.around
    }

    /// How long the following waits may take.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    pub(crate) fn prompts(&self) -> bool {
        self.prompts
    }

    /// The words of Calamares in its language.
    pub fn words(&self) -> &'static Words {
        self.words
    }

    /// Sends the driver a request.
    ///
    /// # Errors
    /// What the driver says, or that it says nothing.
    pub fn request(&mut self, what: &str, arguments: Value) -> Result<Value, String> {
        let mut request = arguments;
        request["do"] = what.into();
        request["timeout"] = self.patience.as_secs_f64().into();
        self.driver.ask(&request, self.patience)
    }

    /// Sends the driver a request that must succeed.
    #[track_caller]
    pub fn ask(&mut self, what: &str, arguments: Value) -> Value {
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
        let evidence = self.around.evidence();
        panic!("{message}\n--- screen: {picture}\n{widgets}\n{evidence}");
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

    /// Where the widget is, once it shows.
    #[track_caller]
    pub fn extents(&mut self, want: impl Into<Want>) -> Extents {
        let value = self.ask_widget("extents", want.into());
        let number = |index: usize| value[index].as_i64().unwrap();
        let (left, top) = (number(0), number(1));
        Extents {
            left,
            top,
            right: left + number(2),
            bottom: top + number(3),
        }
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
        self.around.picture(&mut self.driver, name)
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
}

fn join(lines: &Value) -> String {
    let lines = lines.as_array().into_iter().flatten();
    let lines: Vec<_> = lines.filter_map(Value::as_str).collect();
    lines.join("\n")
}
