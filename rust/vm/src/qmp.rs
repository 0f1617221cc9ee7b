// SPDX-License-Identifier: MIT OR Apache-2.0
//! Commands for QEMU itself.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::error::{Code, Error, Result};

/// Until QEMU answers. It draws in the same thread.
const LIMIT: Duration = Duration::from_secs(60);
/// Between two looks for the socket.
const INTERVAL: Duration = Duration::from_millis(100);

/// A connection to QEMU's command socket, which takes one at a time.
#[derive(Debug)]
pub struct Qmp {
    reader: BufReader<UnixStream>,
    writer: UnixStream,
}

impl Qmp {
    /// Connects, as soon as QEMU listens.
    ///
    /// # Errors
    /// When it does not within `limit`.
    pub fn connect(socket: &Path, limit: Duration) -> Result<Self> {
        let end = Instant::now() + limit;
        let writer = loop {
            match UnixStream::connect(socket) {
                Ok(stream) => break stream,
                Err(_) if Instant::now() < end => sleep(INTERVAL),
                Err(error) => {
                    return Err(Error::io("connecting to QEMU's command socket")(error));
                }
            }
        };
        writer
            .set_read_timeout(Some(LIMIT))
            .map_err(Error::io("a limit for QEMU's answers"))?;
        let reader = writer.try_clone().map_err(Error::io("sharing a socket"))?;
        let reader = BufReader::new(reader);
        let mut qmp = Self { reader, writer };
        qmp.line("the greeting")?;
        qmp.execute("qmp_capabilities", &json!({}))?;
        Ok(qmp)
    }

    /// Executes a command.
    ///
    /// # Errors
    /// When QEMU refuses it or does not answer.
    pub fn execute(&mut self, command: &str, arguments: &Value) -> Result<Value> {
        let request = json!({"execute": command, "arguments": arguments});
        writeln!(self.writer, "{request}")
            .map_err(Error::io(format_args!("asking QEMU to {command}")))?;
        loop {
            let mut answer = self.line(command)?;
            // What is neither is an event.
            if answer.get("return").is_some() {
                return Ok(answer["return"].take());
            }
            if let Some(error) = answer.get("error") {
                let what = format!("QEMU's {command}: {error}");
                return Err(Error::new(Code::Refused, what));
            }
        }
    }

    fn line(&mut self, of: &str) -> Result<Value> {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line);
        if read.map_err(Error::io(format_args!("QEMU's {of}")))? == 0 {
            return Err(Error::new(
                Code::Ended,
                format!("QEMU's {of}: it has ended"),
            ));
        }
        serde_json::from_str(&line).map_err(|err| {
            let what = format!("QEMU's {of} is no JSON: {err}");
            Error::new(Code::Refused, what)
        })
    }

    /// Presses a key and lets it go; keys have QEMU's names (QKeyCode).
    ///
    /// # Errors
    /// As [`Qmp::execute`].
    pub fn press(&mut self, key: &str) -> Result<()> {
        let arguments = json!({"keys": [{"type": "qcode", "data": key}]});
        self.execute("send-key", &arguments)?;
        Ok(())
    }

    /// Writes what is on the screen as PNG.
    ///
    /// # Errors
    /// As [`Qmp::execute`].
    pub fn screenshot(&mut self, file: &Path) -> Result<()> {
        let file = std::path::absolute(file).map_err(Error::io("where a picture goes"))?;
        let arguments = json!({"filename": file, "format": "png"});
        self.execute("screendump", &arguments)?;
        Ok(())
    }
}
