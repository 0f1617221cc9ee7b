// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a booted system is asked through root's shell.

use std::time::{Duration, Instant};

use host::cancel::Cancel;
use vm::Shell;

use super::answers;
use super::boot::login_prompt;
use super::case::{Case, Outcome, Verdict};
use super::unasked::Unasked;
use crate::error::Result;

/// Writes the least memory that was available so far, in MiB.
const WATCH_MEMORY: &str = "setsid sh -c 'least=; while sleep 2; do
    now=$(awk \"/^MemAvailable/ {print int(\\$2 / 1024)}\" /proc/meminfo)
    [ \"${least:-$now}\" -lt \"$now\" ] || { least=$now; echo $least >/run/least-memory; }
done' </dev/null >/dev/null 2>&1 &";
/// Ends when the system has booted, or soon, so that a stop is heard.
const STATE: &str = "timeout 5 systemctl is-system-running --wait || systemctl is-system-running";
const FAILED: &str = "systemctl --failed --plain --no-legend --no-pager";
const FAILED_MOUNTS: &str =
    "systemctl --failed --plain --no-legend --no-pager --type=mount,automount,swap";
const KILLED: &str = "dmesg | grep 'Out of memory: Killed' || true";
/// What a shell says when there is no such program.
const NOT_FOUND: i32 = 127;

type Answer<T> = std::result::Result<T, Unasked>;

/// Asks a system, and keeps what it answers as cases.
#[derive(Debug)]
pub(super) struct Questions<'a> {
    suite: &'a str,
    shell: &'a mut Shell,
    stop: &'a Cancel,
    pub(super) cases: Vec<Case>,
}

impl<'a> Questions<'a> {
    /// From here on the memory is watched.
    pub(super) fn new(suite: &'a str, shell: &'a mut Shell, stop: &'a Cancel) -> Self {
        // A shell that does not answer does not answer the first question either.
        drop(shell.run(WATCH_MEMORY));
        Self {
            suite,
            shell,
            stop,
            cases: Vec::new(),
        }
    }

    fn case(
        &mut self,
        name: &'static str,
        ask: impl FnOnce(&mut Self) -> Answer<Verdict>,
    ) -> Result<()> {
        self.stop.check()?;
        let begun = Instant::now();
        let verdict = ask(self).or_else(Unasked::verdict)?;
        self.cases.push(Case {
            suite: self.suite.to_owned(),
            name,
            time: begun.elapsed(),
            verdict,
        });
        Ok(())
    }

    fn text(&mut self, script: &str) -> Answer<String> {
        Ok(self.shell.run(script)?.stdout_text())
    }

    /// The system as a whole, at most for `limit`, and its mounts.
    pub(super) fn system(&mut self, limit: Duration) -> Result<()> {
        self.case("system", |asked| {
            let begun = Instant::now();
            let state = loop {
                asked.stop.check()?;
                let state = asked.text(STATE)?;
                // Two answers, when the first one came too soon.
                let state = state.lines().last().unwrap_or_default().to_owned();
                let boots = matches!(state.as_str(), "initializing" | "starting");
                if !boots || begun.elapsed() > limit {
                    break state;
                }
            };
            let failed = asked.text(FAILED)?;
            Ok(answers::system(&state, &failed))
        })?;
        self.case("mounts", |asked| {
            Ok(answers::mounts(&asked.text(FAILED_MOUNTS)?))
        })
    }

    /// Whether somebody is asked for a name; in place of what was known before.
    pub(super) fn login(&mut self, cases: &mut [Case]) -> Result<()> {
        let known = cases.iter_mut().find(|case| case.name == "login-prompt");
        let Some(known) = known.filter(|case| case.verdict.outcome != Outcome::Passed) else {
            return Ok(());
        };
        let begun = Instant::now();
        known.verdict = login_prompt(self.shell, self.stop).or_else(Unasked::verdict)?;
        known.time += begun.elapsed();
        Ok(())
    }

    /// What is booted, and what it updates from.
    pub(super) fn image(&mut self, expected: Option<&str>) -> Result<()> {
        let mut booted = None;
        self.case("digest", |asked| {
            let status = asked.shell.run("bootc status --json")?;
            booted = answers::booted(&status.stdout_text());
            if let Some(booted) = &booted {
                return Ok(answers::digest(booted, expected));
            }
            let why = match status.status {
                NOT_FOUND => "There is no bootc in the system.".to_owned(),
                _ => format!(
                    "bootc status knows of no booted image. {}",
                    status.stderr_text().trim()
                ),
            };
            Ok(match expected {
                Some(_) => Verdict::failed(why),
                None => Verdict::skipped(why),
            })
        })?;
        self.case("origin", |_| {
            let unknown = || Verdict::skipped("No booted image of bootc is known.");
            Ok(booted.as_ref().map_or_else(unknown, answers::origin))
        })
    }

    /// Who can speak to it.
    pub(super) fn ports(&mut self) -> Result<()> {
        self.case("open-ports", |asked| {
            let listing = asked.shell.run("ss -tulpnH")?;
            Ok(match listing.status {
                0 => answers::ports(&listing.stdout_text()),
                NOT_FOUND => Verdict::skipped("There is no ss in the system."),
                _ => Verdict::skipped(listing.stderr_text()),
            })
        })
    }

    /// Whether the medium's installer shows itself.
    pub(super) fn installer(&mut self, limit: Duration) -> Result<()> {
        const THERE: &str = "systemctl cat installer.service >/dev/null 2>&1";
        // The process alone says little: it has to stay, with a window.
        const RUNS: &str = "timeout 5 sh -c 'until
            grep -qs \"STARTUP: Window now visible\" /root/.cache/calamares/session.log &&
            pgrep -x calamares >/dev/null; do sleep 0.5; done'";
        self.case("installer", |asked| {
            if !asked.shell.run(THERE)?.success() {
                return Ok(Verdict::skipped("The medium has no installer.service."));
            }
            let begun = Instant::now();
            loop {
                asked.stop.check()?;
                if asked.shell.run(RUNS)?.success() {
                    return Ok(Verdict::passed("Calamares shows its window"));
                }
                if begun.elapsed() > limit {
                    let log = "journalctl --no-pager -u installer.service -n 15";
                    let log = asked.text(log)?;
                    return Ok(Verdict::failed(format!(
                        "Calamares shows no window.\n{log}"
                    )));
                }
            }
        })
    }

    /// What was left of the memory.
    pub(super) fn memory(&mut self) -> Result<()> {
        self.case("memory", |asked| {
            let least = asked.text("cat /run/least-memory 2>/dev/null")?;
            let total = asked.text("awk '/^MemTotal/ {print int($2 / 1024)}' /proc/meminfo")?;
            let killed = asked.text(KILLED)?;
            Ok(answers::memory(&least, &total, &killed))
        })
    }

    /// The cases that nobody can be asked for, because of `why`.
    pub(super) fn skipped(suite: &str, names: &[&'static str], why: &str) -> Vec<Case> {
        let case = |name: &&'static str| Case {
            suite: suite.to_owned(),
            name,
            time: Duration::ZERO,
            verdict: Verdict::skipped(why),
        };
        names.iter().map(case).collect()
    }
}
