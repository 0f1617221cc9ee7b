// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs `bootc-installer` in the guest and shows its events.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use test_guest::Guest;

use crate::stage::say;

/// Emulation is slow: a whole installation may take this long.
const INSTALL_LIMIT: Duration = Duration::from_secs(40 * 60);
/// How often a running task is shown.
const SHOW_EVERY: Duration = Duration::from_secs(10);

/// Runs `command` (which must write its events to stdout), prints them
/// condensed, and returns the `Done` event. All events go to the file `log`.
///
/// # Errors
/// When the command fails, with its `Error` event and its stderr.
pub fn run(guest: &mut Guest, command: &str, log: &Path) -> Result<Value> {
    let mut printer = Printer::default();
    let mut rest = Vec::new();
    let mut file = File::create(log).with_context(|| format!("making {}", log.display()))?;
    let mut logged = Ok(());
    let (status, stderr) = guest.run_streaming(INSTALL_LIMIT, command, |bytes| {
        if logged.is_ok() {
            logged = file.write_all(bytes);
        }
        rest.extend_from_slice(bytes);
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            printer.line(&String::from_utf8_lossy(&line));
        }
    })?;
    if status != 0 {
        bail!(
            "`{command}` failed with status {status}\n{}\n{}",
            printer.error.unwrap_or_default(),
            String::from_utf8_lossy(&stderr)
        );
    }
    logged.with_context(|| format!("writing {}", log.display()))?;
    printer
        .done
        .with_context(|| format!("`{command}` ended well without a Done event"))
}

/// Turns events into lines for a person.
#[derive(Debug, Default)]
struct Printer {
    shown: Option<Instant>,
    done: Option<Value>,
    error: Option<String>,
}

impl Printer {
    fn line(&mut self, line: &str) {
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            say(&format!("    {}", line.trim_end()));
            return;
        };
        match event["type"].as_str() {
            Some("Progress") => {
                if self.shown.is_some_and(|at| at.elapsed() < SHOW_EVERY) {
                    return;
                }
                self.shown = Some(Instant::now());
            }
            Some("Done") => self.done = Some(event.clone()),
            Some("Error") => self.error = Some(explain(&event)),
            _ => {}
        }
        if let Some(text) = describe(&event) {
            say(&format!("    {text}"));
        }
    }
}

/// One line for an event; `None` for those that a person need not see.
fn describe(event: &Value) -> Option<String> {
    let task = event["task"].as_str().unwrap_or_default();
    let number = |key: &str| event[key].as_u64().unwrap_or_default();
    let mb = |key: &str| number(key) as f64 / 1e6;
    Some(match event["type"].as_str()? {
        "TaskStart" => format!(
            "{task}: {}",
            event["description"].as_str().unwrap_or_default()
        ),
        "Progress" if number("bytesTotal") > 0 => {
            let mut text = format!("{task}: {:.0} of {:.0} MB", mb("bytes"), mb("bytesTotal"));
            if number("rate") > 0 {
                text += &format!(", {:.1} MB/s", mb("rate"));
            }
            if let Some(eta) = event["eta"].as_u64() {
                text += &format!(", {eta} s left");
            }
            text
        }
        "Progress" => format!("{task}: {} of {}", number("steps"), number("stepsTotal")),
        "TaskEnd" => format!("{task}: done in {:.1} s", number("elapsedMs") as f64 / 1e3),
        "Message" => event["text"].as_str().unwrap_or_default().to_owned(),
        "Done" => format!("installed {}", event["digest"].as_str().unwrap_or_default()),
        _ => return None,
    })
}

/// An `Error` event as text: code, what, why, what to do, details.
fn explain(event: &Value) -> String {
    let text = |key: &str| event[key].as_str().unwrap_or_default();
    let mut lines = vec![
        format!("{}: {}", text("code"), text("what")),
        format!("  Why: {}", text("why")),
        format!("  Next step: {}", text("next")),
    ];
    let details = event["details"].as_array().into_iter().flatten();
    lines.extend(details.filter_map(|detail| Some(format!("  {}", detail.as_str()?))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_become_lines() {
        let table = [
            (
                r#"{"type":"Start","version":"1.0","program":"0.1.0"}"#,
                None,
            ),
            (
                r#"{"type":"TaskStart","task":"pull","description":"Downloading","id":"pull"}"#,
                Some("pull: Downloading"),
            ),
            (
                r#"{"type":"Progress","task":"pull","id":"pull","bytes":12000000,"bytesTotal":300000000,"rate":4500000,"eta":64}"#,
                Some("pull: 12 of 300 MB, 4.5 MB/s, 64 s left"),
            ),
            (
                r#"{"type":"Progress","task":"deploy","id":"deploy","bytes":0,"bytesTotal":0,"steps":1,"stepsTotal":3}"#,
                Some("deploy: 1 of 3"),
            ),
            (
                r#"{"type":"TaskEnd","task":"boot","elapsedMs":1500}"#,
                Some("boot: done in 1.5 s"),
            ),
        ];
        for (event, want) in table {
            let event: Value = serde_json::from_str(event).expect("test data");
            assert_eq!(describe(&event).as_deref(), want);
        }
    }

    #[test]
    fn an_error_is_told_at_its_end() {
        let event = r#"{"type":"Error","code":"REGISTRY_AUTH","what":"The login failed.",
            "why":"Wrong password.","next":"Mend it.","details":["status: 401"]}"#;
        let event: Value = serde_json::from_str(event).expect("test data");
        assert_eq!(describe(&event), None);
        assert_eq!(
            explain(&event),
            "REGISTRY_AUTH: The login failed.\n  Why: Wrong password.\n  \
             Next step: Mend it.\n  status: 401"
        );
    }
}
