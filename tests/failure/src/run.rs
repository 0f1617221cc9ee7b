// SPDX-License-Identifier: MIT OR Apache-2.0
//! A run of the program that has ended, and what must be true of each.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::error::{Code, Error};
use contract::event::{Closed, Event, Level, Summary, Task};

/// A run that has ended.
#[derive(Debug)]
pub struct Run {
    /// How it ended.
    pub status: ExitStatus,
    /// Its events, when it was to write some.
    pub events: Vec<Event>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// bootc's logs.
    pub logs: String,
}

impl Run {
    /// Asserts that it was refused or failed with `code`: exit status, one last
    /// event, and three sentences of which the first names `object`.
    #[track_caller]
    pub fn assert_error(&self, code: Code, object: &str) -> &Error {
        let Some(Event::Error(error)) = self.events.last() else {
            panic!("no error at the end, but:\n{self}");
        };
        assert_eq!(error.code, code, "{self}");
        let info = code.info();
        assert_eq!(self.status.code(), Some(i32::from(info.exit)), "{self}");
        let ends = self
            .events
            .iter()
            .filter(|e| matches!(e, Event::Error(_) | Event::Done(_) | Event::Closed(_)));
        assert_eq!(ends.count(), 1, "{self}");
        assert!(
            matches!(self.events.first(), Some(Event::Start { .. })),
            "{self}"
        );
        for sentence in [&error.what, &error.why, &error.next] {
            assert_sentence(sentence);
        }
        assert!(
            error.what.contains(object),
            "{object:?} is not in {:?}",
            error.what
        );
        error
    }

    /// Asserts that it went well.
    #[track_caller]
    pub fn assert_done(&self) -> &Summary {
        let Some(Event::Done(summary)) = self.events.last() else {
            panic!("not done:\n{self}");
        };
        assert!(self.status.success(), "{self}");
        summary
    }

    /// Asserts that something was closed, or that there was nothing to close.
    #[track_caller]
    pub fn assert_closed(&self) -> &Closed {
        let Some(Event::Closed(closed)) = self.events.last() else {
            panic!("not closed:\n{self}");
        };
        assert!(self.status.success(), "{self}");
        closed
    }

    /// The texts of its warnings.
    pub fn warnings(&self) -> Vec<&str> {
        let warning = |event| match event {
            &Event::Message {
                level: Level::Warning,
                ref text,
                ..
            } => Some(text.as_str()),
            _ => None,
        };
        self.events.iter().filter_map(warning).collect()
    }

    /// Asserts that somebody killed it, and that it said nothing at its end.
    #[track_caller]
    pub fn assert_killed(&self) {
        assert_eq!(self.status.signal(), Some(9), "{self}");
        assert!(
            !matches!(self.events.last(), Some(Event::Error(_) | Event::Done(_))),
            "{self}"
        );
    }

    /// The tasks in the order in which they started.
    pub fn tasks(&self) -> Vec<Task> {
        let started = |event: &Event| match event {
            Event::TaskStart { task, .. } => Some(*task),
            _ => None,
        };
        self.events.iter().filter_map(started).collect()
    }

    /// Asserts that `secret` is in nothing that it wrote, not even encoded.
    #[track_caller]
    pub(crate) fn assert_keeps(&self, user: &str, secret: &str) {
        let encoded = STANDARD.encode(format!("{user}:{secret}"));
        for text in [secret, &encoded] {
            let places = [&self.stdout, &self.stderr, &self.logs];
            assert!(
                !places.iter().any(|place| place.contains(text)),
                "a secret got out:\n{self}"
            );
        }
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            status,
            stdout,
            stderr,
            logs,
            ..
        } = self;
        write!(
            f,
            "{status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n--- logs\n{logs}"
        )
    }
}

#[track_caller]
fn assert_sentence(text: &str) {
    let begins = text.chars().next().is_some_and(|c| !c.is_whitespace());
    assert!(begins && text.ends_with('.'), "no sentence: {text:?}");
    assert!(
        text.contains(' ') && !text.contains('\n'),
        "no sentence: {text:?}"
    );
    assert!(
        !text.contains("..") || text.contains("../"),
        "no sentence: {text:?}"
    );
}
