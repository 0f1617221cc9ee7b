// SPDX-License-Identifier: MIT OR Apache-2.0
//! The line to the driver in the live system.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Child;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use serde_json::Value;

/// What the driver may need beyond the time that a request allows: some calls
/// to a GUI that does not answer.
const SLACK: Duration = Duration::from_secs(60);
/// How long the live system may take to end.
const END: Duration = Duration::from_secs(20);

/// A running driver: a JSON object a line to it, one back for each.
pub struct Driver {
    /// The first process of everything in the live system, where it is ours.
    child: Option<Child>,
    requests: Option<Box<dyn Write + Send>>,
    answers: Receiver<String>,
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("child", &self.child)
            .finish_non_exhaustive()
    }
}

impl Driver {
    /// Speaks with a driver over these, for example the two halves of a socket.
    pub fn new(requests: impl Write + Send + 'static, answers: impl Read + Send + 'static) -> Self {
        let lines = BufReader::new(answers).lines();
        let (sender, answers) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            child: None,
            requests: Some(Box::new(requests)),
            answers,
        }
    }

    /// Takes over a child with pipes for requests and answers.
    pub(crate) fn of_child(mut child: Child) -> Self {
        let requests = child.stdin.take().unwrap();
        let answers = child.stdout.take().unwrap();
        let mut driver = Self::new(requests, answers);
        driver.child = Some(child);
        driver
    }

    /// Sends a request that should take no longer than `limit`.
    ///
    /// # Errors
    /// What the driver says, or that it says nothing.
    pub fn ask(&mut self, request: &Value, limit: Duration) -> Result<Value, String> {
        let requests = self.requests.as_mut().ok_or("the live system has ended")?;
        writeln!(requests, "{request}")
            .map_err(|error| format!("the driver has ended: {error}"))?;
        let line = match self.answers.recv_timeout(limit + SLACK) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => return Err("the driver does not answer".to_owned()),
            Err(RecvTimeoutError::Disconnected) => return Err("the driver has ended".to_owned()),
        };
        let mut answer: Value =
            serde_json::from_str(&line).map_err(|error| format!("{error} in {line:?}"))?;
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer["ok"].take()),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.requests = None;
        let Some(child) = &mut self.child else {
            return;
        };
        // The pipe is closed when the last process has gone.
        let end = loop {
            match self.answers.recv_timeout(END) {
                Ok(_) => {}
                Err(end) => break end,
            }
        };
        if end == RecvTimeoutError::Timeout {
            // Takes the first process of the namespace with it, and that all others.
            child.kill().ok();
        }
        child.wait().ok();
    }
}
