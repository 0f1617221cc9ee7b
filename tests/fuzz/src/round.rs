// SPDX-License-Identifier: MIT OR Apache-2.0
//! One target for some time, and what came of it.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use fuzz::Target;

/// For all rounds.
#[derive(Debug)]
pub(crate) struct Settings {
    /// libFuzzer with all targets.
    pub(crate) program: PathBuf,
    /// For each target.
    pub(crate) seconds: u32,
    /// Pick the inputs worth keeping afterwards.
    pub(crate) merge: bool,
    /// Where corpora grow and finds go.
    pub(crate) work: PathBuf,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Round {
    target: &'static Target,
    took: Duration,
    /// Why nothing ran.
    skipped: Option<&'static str>,
    success: bool,
    numbers: Numbers,
    /// Inputs that broke a promise.
    finds: Vec<PathBuf>,
    log: PathBuf,
    last_lines: String,
}

/// What libFuzzer says at the end.
#[derive(Debug, Default, PartialEq, Eq)]
struct Numbers {
    executions: u64,
    coverage: u64,
    features: u64,
    corpus: u64,
}

/// Longest time for one input.
const TIMEOUT_S: u32 = 10;
/// Memory, of which the instrumented program itself takes a good part.
const MEMORY_MB: u32 = 1024;
/// How much of the log of a failure is shown.
const LAST_LINES: usize = 40;

/// All targets, `jobs` at a time.
pub(crate) fn all(
    settings: &Settings,
    targets: &[&'static Target],
    jobs: usize,
) -> Result<Vec<Round>> {
    let waiting = Mutex::new(targets.iter().copied().enumerate());
    let next = || waiting.lock().map_or(None, |mut waiting| waiting.next());
    let mut rounds: Vec<(usize, Round)> = std::thread::scope(|scope| {
        let work = || -> Result<Vec<(usize, Round)>> {
            let mut done = Vec::new();
            while let Some((place, target)) = next() {
                done.push((place, one(settings, target)?));
            }
            Ok(done)
        };
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.join().map_err(|_| anyhow!("a worker panicked"))??);
        }
        Ok::<_, anyhow::Error>(all)
    })?;
    rounds.sort_by_key(|(place, _)| *place);
    Ok(rounds.into_iter().map(|(_, round)| round).collect())
}

fn one(settings: &Settings, target: &'static Target) -> Result<Round> {
    let directory = |kind: &str| -> Result<PathBuf> {
        let path = settings.work.join(kind).join(target.name);
        fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(path)
    };
    let (grown, finds) = (directory("corpus")?, directory("finds")?);
    let log = settings.work.join(format!("{}.log", target.name));
    let mut round = Round {
        target,
        took: Duration::ZERO,
        skipped: None,
        success: true,
        numbers: Numbers::default(),
        finds: Vec::new(),
        log: log.clone(),
        last_lines: String::new(),
    };
    if target.writes && !nix::unistd::geteuid().is_root() {
        round.skipped = Some("needs root");
        return Ok(round);
    }
    let before = files(&finds)?;
    let start = Instant::now();
    let mut command = program(settings, target)?;
    if let Some(dictionary) = target.dictionary() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    let output = File::create(&log).with_context(|| format!("creating {}", log.display()))?;
    let status = command
        .arg(format!("-artifact_prefix={}/", finds.display()))
        .arg(format!("-max_total_time={}", settings.seconds))
        .arg(format!("-max_len={}", target.max_len))
        .arg(format!("-timeout={TIMEOUT_S}"))
        .arg(format!("-rss_limit_mb={MEMORY_MB}"))
        .arg("-print_final_stats=1")
        // New inputs go to the first, the other one is only read.
        .arg(&grown)
        .arg(target.corpus())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(output)
        .status()
        .with_context(|| format!("starting {}", settings.program.display()))?;
    round.took = start.elapsed();
    round.success = status.success();
    let text = fs::read(&log).with_context(|| format!("reading {}", log.display()))?;
    let text = String::from_utf8_lossy(&text);
    round.numbers = Numbers::parse(&text);
    round.finds = files(&finds)?.difference(&before).cloned().collect();
    if !round.success {
        let lines: Vec<&str> = text.lines().collect();
        round.last_lines = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
    } else if settings.merge {
        merge(settings, target, &grown)?;
    }
    Ok(round)
}

/// Everything read-only but `$1`; the rest is the command.
const READ_ONLY: &str = r#"
work=$1; shift
mount --bind "$work" "$work"
mount -o remount,bind,ro /
exec "$@"
"#;

/// libFuzzer with the target. One that makes files as root gets a mount
/// namespace of its own, in which a mistake of ours does no harm.
fn program(settings: &Settings, target: &Target) -> Result<Command> {
    let mut command = if target.writes {
        let mut command = Command::new("unshare");
        command
            .args([
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-ec",
                READ_ONLY,
                "sh",
            ])
            .arg(&settings.work)
            .arg(&settings.program);
        command
    } else {
        Command::new(&settings.program)
    };
    command.env("FUZZ_TARGET", target.name);
    Ok(command)
}

/// Picks the smallest inputs that cover what all of them do.
fn merge(settings: &Settings, target: &Target, grown: &Path) -> Result<()> {
    let (corpus, merged) = (
        target.corpus(),
        settings.work.join("merged").join(target.name),
    );
    if merged.exists() {
        fs::remove_dir_all(&merged).with_context(|| format!("emptying {}", merged.display()))?;
    }
    fs::create_dir_all(&merged).with_context(|| format!("making {}", merged.display()))?;
    let status = program(settings, target)?
        .args(["-merge=1", "-timeout=10"])
        .args([&merged, &corpus, grown])
        .stderr(Stdio::null())
        .status()
        .context("starting the merge")?;
    anyhow::ensure!(status.success(), "the merge of {} failed", target.name);
    Ok(())
}

fn files(directory: &Path) -> Result<BTreeSet<PathBuf>> {
    let what = || format!("reading {}", directory.display());
    fs::read_dir(directory)
        .with_context(what)?
        .map(|entry| Ok(entry.with_context(what)?.path()))
        .collect()
}

impl Numbers {
    /// From libFuzzer's log: `#123  DONE   cov: 5 ft: 6 corp: 7/8b …` and the
    /// final statistics.
    fn parse(log: &str) -> Self {
        let mut numbers = Self::default();
        for line in log.lines() {
            if let Some(rest) = line.strip_prefix("stat::number_of_executed_units:") {
                numbers.executions = rest.trim().parse().unwrap_or(0);
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            for pair in words.windows(2) {
                let value = pair[1].split('/').next().and_then(|n| n.parse().ok());
                match (pair[0], value) {
                    ("cov:", Some(value)) => numbers.coverage = value,
                    ("ft:", Some(value)) => numbers.features = value,
                    ("corp:", Some(value)) => numbers.corpus = value,
                    _ => {}
                }
            }
        }
        numbers
    }
}

impl Round {
    /// The line above all rounds.
    pub(crate) const HEAD: &str =
        "target          seconds  executions  coverage  features  inputs  result";

    /// Whether something was found.
    pub(crate) fn failed(&self) -> bool {
        !self.success
    }

    /// What a person needs to go on.
    pub(crate) fn report(&self) -> String {
        let finds: Vec<String> = self.finds.iter().map(|f| f.display().to_string()).collect();
        format!(
            "{}: {}\nlog: {}\n{}\nNext step: mend it, and put the input into {} for good.",
            self.target.name,
            match finds.is_empty() {
                true => "ended with an error".to_owned(),
                false => format!("found {}", finds.join(", ")),
            },
            self.log.display(),
            self.last_lines,
            self.target.corpus().display()
        )
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Numbers {
            executions,
            coverage,
            features,
            corpus,
        } = self.numbers;
        let result = match (self.skipped, self.success) {
            (Some(why), _) => format!("skipped: {why}"),
            (None, true) => "nothing found".to_owned(),
            (None, false) => "FOUND".to_owned(),
        };
        write!(
            f,
            "{:<16}{:>7}{executions:>12}{coverage:>10}{features:>10}{corpus:>8}  {result}",
            self.target.name,
            self.took.as_secs()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_log() {
        let log = "#4\tINITED cov: 10 ft: 11 corp: 3/9b exec/s: 0 rss: 90Mb\n\
                   #99\tDONE   cov: 20 ft: 30 corp: 4/12b lim: 4 exec/s: 9 rss: 91Mb\n\
                   stat::number_of_executed_units: 99\n";
        let expected = Numbers {
            executions: 99,
            coverage: 20,
            features: 30,
            corpus: 4,
        };
        assert_eq!(Numbers::parse(log), expected);
        assert_eq!(Numbers::parse("cov: x\nft:"), Numbers::default());
    }
}
