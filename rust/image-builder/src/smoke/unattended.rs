// SPDX-License-Identifier: MIT OR Apache-2.0
//! A medium that installs by a recipe, without anybody at it: the recipe comes
//! into the machine as the credential `installer.recipe`, and the medium's
//! `installer-unattended.service` does what it says.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use host::cancel::Cancel;
use vm::Shell;

use super::boot::of_machine;
use super::case::Verdict;
use crate::error::{Error, Result};
use crate::progress::Progress;

/// The credential that the medium's service looks for.
pub(super) const CREDENTIAL: &str = "installer.recipe";
const UNIT: &str = "installer-unattended.service";
/// Ends when the state changes, or soon.
const LOOK: &str =
    "timeout 5 sh -c 'while [ \"$(systemctl is-active UNIT)\" = activating ]; do sleep 1; done'
systemctl show -p LoadState,ActiveState,Result,InactiveExitTimestampMonotonic UNIT
echo \"Last=$(journalctl --no-pager -q -u UNIT -n 1 -o cat)\"";
/// A look takes seconds; a system that goes down answers no more.
const LOOK_LIMIT: Duration = Duration::from_secs(90);
/// Unmounting and switching off, in emulation.
const OFF_LIMIT: Duration = Duration::from_secs(180);

/// What the service is at.
#[derive(Clone, Debug, Eq, PartialEq)]
enum State {
    /// The medium has none.
    Missing,
    /// It was not started yet.
    NotYet,
    /// It works.
    Runs,
    /// It is done.
    Done,
    /// It failed, by this word of systemd.
    Failed(String),
}

/// Reads the answer of `systemctl show`.
fn state(answer: &str) -> State {
    let value = |key: &str| {
        let lines = answer.lines().filter_map(|line| line.split_once('='));
        let mut lines = lines.filter(|(name, _)| *name == key);
        lines.next().map_or("", |(_, value)| value)
    };
    let begun = !matches!(value("InactiveExitTimestampMonotonic"), "" | "0");
    match (value("LoadState"), value("ActiveState")) {
        ("not-found", _) => State::Missing,
        (_, "failed") => State::Failed(value("Result").to_owned()),
        (_, "activating" | "reloading" | "deactivating") => State::Runs,
        (_, "active") => State::Done,
        (_, "inactive") if begun => match value("Result") {
            "success" => State::Done,
            other => State::Failed(other.to_owned()),
        },
        _ => State::NotYet,
    }
}

/// Follows the installation up to the end of the machine, at most for `limit`.
/// The service's journal goes to `log` when it fails.
///
/// # Errors
/// `INTERRUPTED`, `IO`.
pub(super) fn follow(
    mut shell: Shell,
    limit: Duration,
    log: &Path,
    progress: &mut Progress,
    stop: &Cancel,
) -> Result<Verdict> {
    let begun = Instant::now();
    loop {
        stop.check()?;
        let look = shell.run_within(LOOK_LIMIT, &LOOK.replace("UNIT", UNIT));
        let Ok(look) = look else {
            // It goes down, with its agent.
            return Ok(match shell.wait_off(OFF_LIMIT) {
                Ok(()) => Verdict::passed("The machine switched itself off."),
                Err(error) => Verdict::failed(error.to_string()),
            });
        };
        let answer = look.stdout_text();
        let failed = match state(&answer) {
            State::Missing => "The medium has no installer-unattended.service.".to_owned(),
            State::Failed(why) => format!("The installation failed ({why})."),
            State::Done => {
                // It switches off by itself, unless the recipe says otherwise.
                if shell.wait_off(OFF_LIMIT).is_err() {
                    shell.power_off().map_err(of_machine)?;
                    return Ok(Verdict::passed("It is installed; the machine stayed on."));
                }
                return Ok(Verdict::passed("The machine switched itself off."));
            }
            State::Runs | State::NotYet if begun.elapsed() > limit => {
                format!("It is not done after {} s.", limit.as_secs())
            }
            State::Runs | State::NotYet => {
                if let Some((_, last)) = answer.split_once("Last=") {
                    progress.at(last.trim());
                }
                continue;
            }
        };
        let journal = format!("journalctl --no-pager -u {UNIT}");
        let journal = shell.run(&journal).map_err(of_machine)?.stdout;
        fs::write(log, &journal).map_err(|err| Error::io("Writing", log, &err))?;
        let last = vm::console::tail(&journal, 12);
        return Ok(Verdict::failed(format!("{failed}\n{last}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_state_is_read() {
        let shown = |load: &str, active: &str, result: &str, since: &str| {
            format!(
                "LoadState={load}\nActiveState={active}\nResult={result}\n\
                 InactiveExitTimestampMonotonic={since}\nLast=x\n"
            )
        };
        let table = [
            (
                shown("not-found", "inactive", "success", "0"),
                State::Missing,
            ),
            (shown("loaded", "inactive", "success", "0"), State::NotYet),
            (shown("loaded", "activating", "success", "5"), State::Runs),
            (shown("loaded", "inactive", "success", "5"), State::Done),
            (shown("loaded", "active", "success", "5"), State::Done),
            (
                shown("loaded", "failed", "exit-code", "5"),
                State::Failed("exit-code".to_owned()),
            ),
            (String::new(), State::NotYet),
        ];
        for (answer, want) in table {
            assert_eq!(state(&answer), want, "{answer}");
        }
    }
}
