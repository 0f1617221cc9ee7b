// SPDX-License-Identifier: MIT OR Apache-2.0
//! Medians, ratios, and the tables that show them.

use std::fmt::Write as _;

use bench_kit::machine::Machine;
use bench_kit::report::{NOTHING, Table};
use bench_kit::stats::{median, range, ratio};
use serde::Serialize;

use crate::case::{Case, LINE_RATE};
use crate::image::{Image, Size};
use crate::measure::{Measured, Outcome};
use crate::tools::Tool;

/// What went over the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counts {
    pub(crate) connections: u64,
    pub(crate) breaks: u64,
    pub(crate) down: u64,
}

impl From<testkit::lossy_proxy::Counts> for Counts {
    fn from(counts: testkit::lossy_proxy::Counts) -> Self {
        Self {
            connections: counts.connections,
            breaks: counts.breaks,
            down: counts.down,
        }
    }
}

/// One pull.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Run {
    pub(crate) case: Case,
    pub(crate) tool: Tool,
    pub(crate) size: Size,
    /// Its times do not count.
    pub(crate) only_bytes: bool,
    /// What the proxy has seen, when there was one.
    pub(crate) counts: Option<Counts>,
    /// One-minute load at the end.
    pub(crate) load: f64,
    pub(crate) measured: Measured,
}

impl Run {
    /// For people who wait.
    pub(crate) fn line(&self) -> String {
        let m = &self.measured;
        format!(
            "{}, + {:.1} s sync, {:.1} s CPU, {:.0} MiB, load {:.1}",
            ended(m),
            m.sync_s,
            m.cpu.total(),
            mib(m.rss as f64),
            self.load
        )
    }
}

fn ended(measured: &Measured) -> String {
    match measured.outcome {
        Outcome::Done => format!("{:.1} s", measured.wall_s),
        Outcome::Failed => format!("fails after {:.1} s", measured.wall_s),
        Outcome::Stopped => format!("hangs (stopped at {:.0} s)", measured.wall_s),
    }
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    /// Until the command ended, s.
    Wall,
    /// Until everything was on the disk, s.
    Synced,
    /// User and system, s.
    Cpu,
    /// Peak of the largest process, bytes.
    Rss,
    /// On the wire towards the client, bytes.
    Down,
}

impl Figure {
    fn of(self, run: &Run) -> Option<f64> {
        let m = &run.measured;
        if run.only_bytes && self != Figure::Down {
            return None;
        }
        Some(match self {
            Figure::Wall => m.wall_s,
            Figure::Synced => m.wall_s + m.sync_s,
            Figure::Cpu => m.cpu.total(),
            Figure::Rss => m.rss as f64,
            Figure::Down => run.counts?.down as f64,
        })
    }

    fn show(self, value: f64) -> String {
        match self {
            Figure::Wall | Figure::Synced | Figure::Cpu => format!("{value:.1}"),
            Figure::Rss => format!("{:.0}", mib(value)),
            Figure::Down => format!("{:.1}", value / 1e6),
        }
    }
}

fn mib(bytes: f64) -> f64 {
    bytes / (1024.0 * 1024.0)
}

/// Everything that one call has measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    /// Seconds after which a run was stopped.
    pub(crate) limit: u64,
    pub(crate) image: Image,
    /// For the influence of the size.
    pub(crate) small: Image,
    /// In the order in which they ran.
    pub(crate) runs: Vec<Run>,
}

impl Report {
    /// The runs of a tool with the image of that size.
    fn runs(&self, case: Case, tool: Tool, size: Size) -> impl Iterator<Item = &Run> {
        self.runs
            .iter()
            .filter(move |run| run.case == case && run.tool == tool && run.size == size)
    }

    fn values(&self, case: Case, tool: Tool, size: Size, figure: Figure) -> Vec<f64> {
        self.runs(case, tool, size)
            .filter_map(|run| figure.of(run))
            .collect()
    }

    /// With the image of the report; `None` without any run, or when one of
    /// them was not done.
    pub(crate) fn median(&self, case: Case, tool: Tool, figure: Figure) -> Option<f64> {
        self.median_of(case, tool, self.image.size, figure)
    }

    /// The same with an image of that size.
    pub(crate) fn median_of(
        &self,
        case: Case,
        tool: Tool,
        size: Size,
        figure: Figure,
    ) -> Option<f64> {
        if self.unfinished(case, tool) {
            return None;
        }
        median(self.values(case, tool, size, figure))
    }

    /// Whether a run of the tool has failed or was stopped.
    fn unfinished(&self, case: Case, tool: Tool) -> bool {
        self.runs(case, tool, self.image.size)
            .any(|run| run.measured.outcome != Outcome::Done)
    }

    /// Whether there were runs, and all were done.
    pub(crate) fn finishes(&self, case: Case, tool: Tool) -> Option<bool> {
        self.runs(case, tool, self.image.size).next()?;
        Some(!self.unfinished(case, tool))
    }

    /// Seconds that the image's bytes need at the rate of the slow networks.
    pub(crate) fn line_time(&self) -> f64 {
        self.image.compressed as f64 / LINE_RATE as f64
    }

    /// Bytes over those of the image, as a share of these.
    pub(crate) fn extra(&self, case: Case, tool: Tool) -> Option<f64> {
        let down = self.median(case, tool, Figure::Down)?;
        Some(down / self.image.compressed as f64 - 1.0)
    }

    /// The text for a person, in Markdown; goals come after it.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        self.write(&mut text).unwrap_or_default();
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let (m, i) = (&self.machine, &self.image);
        writeln!(out, "## Pull benchmark, {} image\n", i.size.name())?;
        let loads: Vec<f64> = self.runs.iter().map(|run| run.load).collect();
        let (least, greatest) = range(&loads).unwrap_or_default();
        writeln!(
            out,
            "- machine: {m}, {}, load {:.2} at the start, {least:.1} to {greatest:.1} meanwhile",
            m.work_fs, m.load
        )?;
        writeln!(out, "- versions: {}", m.versions.join("; "))?;
        writeln!(
            out,
            "- image: {} layers, {:.1} MB compressed ({:.1} MB the small one), {}",
            i.layers,
            i.compressed as f64 / 1e6,
            self.small.compressed as f64 / 1e6,
            i.digest
        )?;
        writeln!(
            out,
            "- medians with (least to greatest); CPU is user and system time of everything that a \
             tool starts, RSS the peak of its largest process; bytes are counted by a proxy, \
             with all protocol around them, those of the loopback in a run of their own\n"
        )?;
        for case in Case::ALL {
            if self.runs.iter().any(|run| run.case == case) {
                self.write_case(case, out)?;
            }
        }
        Ok(())
    }

    fn write_case(&self, case: Case, out: &mut String) -> std::fmt::Result {
        writeln!(out, "### {}\n", case.title())?;
        let bad = case.network(0).is_some();
        if bad {
            writeln!(
                out,
                "{:.1} s at the line's rate; stopped after {} s.\n",
                self.line_time(),
                self.limit
            )?;
        }
        let mut table = match bad {
            true => Table::new().text("").text("wall, s").numbers([
                "of the line's time",
                "MB on the wire",
                "connections (broken)",
                "CPU, s",
                "RSS, MiB",
            ]),
            false => Table::new().text("").numbers([
                "wall, s",
                "with the sync, s",
                "CPU, s",
                "RSS, MiB",
                "MB on the wire",
            ]),
        };
        let size = self.image.size;
        for tool in case.tools() {
            if self.finishes(case, *tool).is_none() {
                continue;
            }
            table.row(match bad {
                true => self.bad_row(case, *tool),
                false => self.clean_row(case, *tool, size, tool.title()),
            });
        }
        if case == Case::Clean && size != Size::Small {
            table.row(self.clean_row(case, Tool::Ours, Size::Small, "ours, small image"));
        }
        writeln!(out, "{table}")
    }

    fn bad_row(&self, case: Case, tool: Tool) -> Vec<String> {
        let cell = |figure| self.cell(case, tool, self.image.size, figure);
        let wall = self.median(case, tool, Figure::Wall);
        let line = wall.and_then(|wall| ratio(wall, self.line_time()));
        vec![
            tool.title().to_owned(),
            self.outcomes(case, tool),
            line.map_or_else(|| NOTHING.to_owned(), |line| format!("{line:.3}x")),
            cell(Figure::Down),
            self.connections(case, tool),
            cell(Figure::Cpu),
            cell(Figure::Rss),
        ]
    }

    fn clean_row(&self, case: Case, tool: Tool, size: Size, title: &str) -> Vec<String> {
        let cell = |figure| self.cell(case, tool, size, figure);
        vec![
            title.to_owned(),
            match size == self.image.size {
                true => self.outcomes(case, tool),
                false => cell(Figure::Wall),
            },
            cell(Figure::Synced),
            cell(Figure::Cpu),
            cell(Figure::Rss),
            cell(Figure::Down),
        ]
    }

    /// Median and range.
    fn cell(&self, case: Case, tool: Tool, size: Size, figure: Figure) -> String {
        let values = self.values(case, tool, size, figure);
        let Some((least, greatest)) = range(&values) else {
            return NOTHING.to_owned();
        };
        let middle = figure.show(median(values).unwrap_or_default());
        match (figure.show(least), figure.show(greatest)) {
            (least, greatest) if least == greatest => middle,
            (least, greatest) => format!("{middle} ({least} to {greatest})"),
        }
    }

    /// The walls of those that were done, else how each run ended.
    fn outcomes(&self, case: Case, tool: Tool) -> String {
        if !self.unfinished(case, tool) {
            return self.cell(case, tool, self.image.size, Figure::Wall);
        }
        let runs = self.runs(case, tool, self.image.size);
        let ends: Vec<String> = runs.map(|run| ended(&run.measured)).collect();
        ends.join(", ")
    }

    fn connections(&self, case: Case, tool: Tool) -> String {
        let runs = self.runs(case, tool, self.image.size);
        let counts: Vec<Counts> = runs.filter_map(|run| run.counts).collect();
        let middle = |of: fn(&Counts) -> u64| {
            let values = counts.iter().map(|c| of(c) as f64).collect();
            median(values).unwrap_or_default()
        };
        format!(
            "{:.0} ({:.0})",
            middle(|c| c.connections),
            middle(|c| c.breaks)
        )
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use bench_kit::cpu::CpuTime;

    use super::*;

    pub(crate) fn run(case: Case, tool: Tool, wall_s: f64, outcome: Outcome) -> Run {
        Run {
            case,
            tool,
            size: Size::Default,
            only_bytes: false,
            counts: case.network(0).map(|_| Counts {
                connections: 9,
                breaks: 2,
                down: 126_250_000,
            }),
            load: 1.0,
            measured: Measured {
                outcome,
                wall_s,
                sync_s: 0.5,
                cpu: CpuTime {
                    user_s: wall_s / 2.0,
                    system_s: 0.0,
                },
                rss: 32 << 20,
            },
        }
    }

    pub(crate) fn report(runs: Vec<Run>) -> Report {
        let image = Image {
            size: Size::Default,
            layout: "/l".into(),
            digest: "sha256:aa".to_owned(),
            layers: 24,
            compressed: 125_000_000,
        };
        Report {
            machine: Machine {
                cpu: "2 x CPU".to_owned(),
                memory: 1 << 30,
                kernel: "6".to_owned(),
                os: "Debian".to_owned(),
                work_fs: "ext4".to_owned(),
                load: 0.5,
                versions: vec!["skopeo version 1".to_owned()],
            },
            limit: 150,
            small: Image {
                size: Size::Small,
                ..image.clone()
            },
            image,
            runs,
        }
    }

    #[test]
    fn tables_show_medians_ranges_and_how_it_ended() {
        use Outcome::{Done, Failed, Stopped};
        let text = report(vec![
            run(Case::Clean, Tool::Ours, 2.0, Done),
            run(Case::Clean, Tool::Ours, 4.0, Done),
            run(Case::Clean, Tool::Ours, 3.0, Done),
            run(Case::Resets, Tool::Ours, 10.5, Done),
            run(Case::Resets, Tool::Skopeo, 4.7, Failed),
            run(Case::Stalls, Tool::Skopeo, 150.0, Stopped),
        ])
        .markdown();
        for line in [
            "| ours | 3.0 (2.0 to 4.0) | 3.5 (2.5 to 4.5) | 1.5 (1.0 to 2.0) | 32 | – |",
            "10.0 s at the line's rate; stopped after 150 s.",
            "| ours | 10.5 | 1.050x | 126.2 | 9 (2) | 5.2 | 32 |",
            "| skopeo copy | fails after 4.7 s | – | 126.2 | 9 (2) | 2.4 | 32 |",
            "| skopeo copy | hangs (stopped at 150 s) | – | 126.2 | 9 (2) | 75.0 | 32 |",
        ] {
            assert!(text.lines().any(|l| l == line), "no `{line}` in:\n{text}");
        }
    }

    #[test]
    fn a_run_that_only_counts_has_no_times() {
        let mut counting = run(Case::Clean, Tool::Ours, 99.0, Outcome::Done);
        counting.only_bytes = true;
        counting.counts = Some(Counts {
            connections: 1,
            breaks: 0,
            down: 126_250_000,
        });
        let report = report(vec![
            run(Case::Clean, Tool::Ours, 2.0, Outcome::Done),
            counting,
        ]);
        assert_eq!(
            report.median(Case::Clean, Tool::Ours, Figure::Wall),
            Some(2.0)
        );
        let extra = report.extra(Case::Clean, Tool::Ours).unwrap();
        assert!((extra - 0.01).abs() < 1e-9, "{extra}");
    }
}
