// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc-installer check`: what is the image, and can it be installed?

use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, ChildStdout};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::check_answer::{CheckAnswer, OnMedium};
use contract::error::{Code, Error, Result};

use crate::login::Login;
use crate::program::{self, Program};

/// No answer is longer.
const MAX_ANSWER: u64 = 1024 * 1024;

/// Which image, and how to reach it.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// bootc.conf.
    pub config: Option<PathBuf>,
    /// The reference; without it the configuration's own.
    pub image: Option<String>,
    /// The login at its registry.
    pub login: Option<Login>,
}

/// Ends a running check from another thread.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Mutex<CheckState>>);

#[derive(Debug, Default)]
struct CheckState {
    stopped: bool,
    child: Option<Child>,
}

impl Stop {
    /// Ends the check; nothing happens when it has ended.
    pub fn stop(&self) {
        let mut state = self.state();
        state.stopped = true;
        if let Some(child) = &mut state.child {
            // Without effect on a child that has ended: it is reaped by
            // `ended` alone, so the id still is its own.
            drop(child.kill());
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, CheckState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the child in charge and gives its output.
    fn started(&self, mut child: Child) -> Result<ChildStdout> {
        let stdout = child.stdout.take();
        let mut state = self.state();
        if state.stopped {
            drop(child.kill());
        }
        state.child = Some(child);
        stdout.ok_or_else(|| Error::new(Code::Internal, "A pipe was not made."))
    }

    /// Reaps the child and says whether it was stopped.
    fn ended(&self) -> bool {
        let mut state = self.state();
        if let Some(mut child) = state.child.take() {
            drop(child.wait());
        }
        state.stopped
    }
}

/// Whether an image of this name is on the medium, as a registry is not asked for
/// that. It may be older than that of the registry. Blocks for a moment; without an
/// answer it is not there.
pub fn is_on_medium(program: &Program, question: &Question) -> bool {
    let mut command = program.command("check");
    command
        .args(["--on-medium", "--format", "json"])
        .args(program::image_args(
            question.config.as_deref(),
            question.image.as_deref(),
        ));
    let text = command.output().map(|output| output.stdout);
    text.is_ok_and(|text| {
        serde_json::from_slice(&text).is_ok_and(|OnMedium { on_medium }| on_medium)
    })
}

/// Asks the engine, which asks the registry; blocks until it has answered.
///
/// # Errors
/// The engine's own, `CANCELLED` after [`Stop::stop`], `TOOL_MISSING` without
/// an engine, `INTERNAL` when it ended without an answer.
pub fn check(program: &Program, question: &Question, stop: &Stop) -> Result<CheckAnswer> {
    let mut command = program.command("check");
    command.args(["--format", "json"]).args(program::image_args(
        question.config.as_deref(),
        question.image.as_deref(),
    ));
    if let Some(fd) = program::login_fd(question.login.as_ref())? {
        command.arg(program::auth_arg());
        program::give(&mut command, vec![fd])?;
    }
    let child = command.spawn().map_err(|err| program.not_started(&err))?;
    // Holds the read end of the login's pipe.
    drop(command);
    let mut text = String::new();
    let read = stop
        .started(child)
        .map(|stdout| stdout.take(MAX_ANSWER).read_to_string(&mut text));
    if stop.ended() {
        return Err(Error::new(Code::Cancelled, "The check was stopped."));
    }
    read?.map_err(|err| no_answer(&err.to_string()))?;
    answer(&text)
}

/// As [`check`], but stopped after `limit`: for a first look, which nobody
/// should wait for long.
pub fn check_within(
    program: &Program,
    question: &Question,
    limit: Duration,
) -> Result<CheckAnswer> {
    let stop = Stop::default();
    let of_timer = stop.clone();
    let (done, ended) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // Ends at once when the check has: the sender is dropped then.
            if ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                of_timer.stop();
            }
        });
        let answer = check(program, question, &stop);
        drop(done);
        answer
    })
}

/// Without the engine's own sentence for `offline`, the first of the warnings: a
/// page says that in the person's language.
fn answer(text: &str) -> Result<CheckAnswer> {
    let mut answer: CheckAnswer = program::answer(text, no_answer)?;
    if answer.offline && !answer.warnings.is_empty() {
        answer.warnings.remove(0);
    }
    Ok(answer)
}

fn no_answer(why: &str) -> Error {
    Error::new(Code::Internal, "The check ended without an answer.").detail(why)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use contract::trust::Trust;

    #[test]
    fn answers() {
        const DIGEST: &str = concat!(
            "sha256:",
            "0123456789abcdef0123456789abcdef",
            "0123456789abcdef0123456789abcdef"
        );
        let answer = |text: &str| answer(&text.replace("DIGEST", DIGEST));
        let facts = answer(
            r#"{"imgref":"r.io/os:1","digest":"DIGEST","name":null,"version":"13",
                "created":null,"architecture":"linux/amd64","layers":3,"downloadBytes":5,
                "unpackedBytes":9,"spaceBytes":20,"warnings":["old"],"indexDigest":"DIGEST",
                "signature":{"state":"verified","keys":["SHA256:2"],"updates":true}}"#,
        )
        .unwrap();
        assert_eq!(facts.index_digest, DIGEST.parse().ok());
        assert!(matches!(facts.signature, Trust::Verified { .. }));
        assert_eq!(facts.version.as_deref(), Some("13"));
        assert_eq!((facts.layers, facts.space_bytes), (3, 20));
        assert_eq!((facts.medium_bytes, facts.offline), (0, false));
        assert_eq!(facts.warnings, ["old"]);
        let offline = answer(
            r#"{"imgref":"r.io/os:1","digest":"DIGEST","name":null,"version":null,
                "created":null,"downloadBytes":0,"mediumBytes":7,"offline":true,
                "warnings":["r cannot be reached.","old"]}"#,
        )
        .unwrap();
        assert_eq!((offline.medium_bytes, offline.offline), (7, true));
        // Whoever does not say that it is verified has not verified it.
        assert_eq!(offline.signature, Trust::default());
        assert_eq!(offline.warnings, ["old"]);
        let failed =
            answer(r#"{"error":{"code":"IMAGE_NOT_FOUND","what":"a.","why":"b.","next":"c."}}"#);
        assert_eq!(failed.unwrap_err().code, Code::ImageNotFound);
        for text in ["", "bad", "[]"] {
            assert_eq!(answer(text).unwrap_err().code, Code::Internal, "{text}");
        }
    }
}
