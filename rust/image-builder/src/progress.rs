// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a person sees of a build: stages with their time. Everything that tools
//! write goes to the log, and to the terminal only with `--verbose`.

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::error::{Error, Result};

/// How often something is said where nothing moves, so that a long stage is not
/// taken for one that hangs.
const SIGN_OF_LIFE: Duration = Duration::from_secs(60);
/// How often a spinner moves.
const TICK: Duration = Duration::from_millis(200);

/// Where a build tells what it does.
#[derive(Debug)]
pub struct Progress {
    begin: Instant,
    stage: Option<(String, Instant)>,
    told: Instant,
    spinner: Option<ProgressBar>,
    verbose: bool,
    log: Option<(PathBuf, File)>,
}

impl Progress {
    /// On standard error: a line that moves at a terminal, else one line for
    /// each stage.
    pub fn new(verbose: bool) -> Self {
        let spinner = (std::io::stderr().is_terminal() && !verbose).then(|| {
            // "{spinner} {msg}", without a template that could be wrong.
            let bar = ProgressBar::new_spinner().with_style(ProgressStyle::default_spinner());
            bar.enable_steady_tick(TICK);
            bar
        });
        Self {
            begin: Instant::now(),
            stage: None,
            told: Instant::now(),
            spinner,
            verbose,
            log: None,
        }
    }

    /// Writes everything to this file from now on.
    ///
    /// # Errors
    /// `IO` when it cannot be made.
    pub fn log_to(&mut self, path: &Path) -> Result<()> {
        let file = File::create(path).map_err(|err| Error::io("Writing", path, &err))?;
        self.log = Some((path.to_owned(), file));
        Ok(())
    }

    /// The log, once there is one.
    pub fn log(&self) -> Option<&Path> {
        self.log.as_ref().map(|(path, _)| path.as_path())
    }

    /// The log as a file, for what writes there by itself.
    pub fn log_file(&self) -> Option<&File> {
        self.log.as_ref().map(|(_, file)| file)
    }

    /// A stage begins; the one before it is done.
    pub fn stage(&mut self, name: &str) {
        self.end_stage();
        self.write_log(&format!("=== {name}"));
        match &self.spinner {
            Some(spinner) => spinner.set_message(name.to_owned()),
            None => self.say(&format!("{} {name} …", self.clock())),
        }
        self.stage = Some((name.to_owned(), Instant::now()));
        self.told = Instant::now();
    }

    /// What the current stage is at. Without a terminal that is said once in a
    /// while.
    pub fn at(&mut self, what: &str) {
        let Some((stage, begin)) = &self.stage else {
            return;
        };
        let line = format!("{stage}, {} s: {what}", begin.elapsed().as_secs());
        match &self.spinner {
            Some(spinner) => spinner.set_message(line),
            None if self.told.elapsed() < SIGN_OF_LIFE => {}
            None => {
                self.say(&format!("{} {line}", self.clock()));
                self.told = Instant::now();
            }
        }
    }

    /// One line that stays.
    pub fn note(&mut self, line: &str) {
        self.write_log(line);
        self.say(&format!("  {line}"));
    }

    /// The last stage is done.
    pub fn end(&mut self) {
        self.end_stage();
        if let Some(spinner) = self.spinner.take() {
            spinner.finish_and_clear();
        }
    }

    /// The last stage was not done.
    pub fn abandon(&mut self) {
        if let Some((name, begin)) = self.stage.take() {
            let line = format!(
                "{} {name}: failed after {:.1} s",
                self.clock(),
                begin.elapsed().as_secs_f32()
            );
            self.note(&line);
        }
        self.end();
    }

    /// How long it has taken so far.
    pub fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    fn end_stage(&mut self) {
        if let Some((name, begin)) = self.stage.take() {
            let seconds = begin.elapsed().as_secs_f32();
            self.write_log(&format!("=== {name}: {seconds:.1} s"));
            self.say(&format!("{} {name}: {seconds:.1} s", self.clock()));
        }
    }

    fn clock(&self) -> String {
        let seconds = self.begin.elapsed().as_secs();
        format!("[{:2}:{:02}]", seconds / 60, seconds % 60)
    }

    fn say(&self, line: &str) {
        match &self.spinner {
            Some(spinner) => spinner.println(line),
            // A terminal that was closed ends no build.
            None => drop(writeln!(std::io::stderr(), "{line}")),
        }
    }

    fn write_log(&mut self, line: &str) {
        if let Some((_, file)) = &mut self.log {
            // A full disk is told by what is being built.
            drop(writeln!(file, "{line}"));
        }
    }
}

/// Takes the lines that a child writes, standard output and error alike.
pub trait Sink {
    /// One line, without its end.
    fn line(&mut self, line: &str);
}

impl Sink for Progress {
    fn line(&mut self, line: &str) {
        self.write_log(line);
        if self.verbose {
            self.say(line);
        }
    }
}
