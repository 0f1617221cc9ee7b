// SPDX-License-Identifier: MIT OR Apache-2.0
//! Medians, ratios, and the tables that show them.

use std::fmt::Write as _;

use bench_kit::cpu::CpuTime;
use bench_kit::machine::Machine;
use bench_kit::report::{NOTHING, Table};
use bench_kit::stats::{median, ratio};
use serde::Serialize;

use crate::cgroup::Accounting;
use crate::image::{self, Image};
use crate::run::Measured;
use crate::ways::Way;

/// One run of one way.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Run {
    /// What was run.
    pub(crate) way: Way,
    /// From 1.
    pub(crate) round: usize,
    /// CPU time of everything that the run started.
    pub(crate) cpu: CpuTime,
    /// Busy time of the whole machine meanwhile, seconds.
    pub(crate) machine_cpu_s: f64,
    /// What pid 1 saw.
    pub(crate) measured: Measured,
}

/// A row of the table. Seconds or bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Figure {
    /// Wall time with the final sync.
    Wall,
    /// CPU time of everything started.
    Cpu,
    /// Peak of the sum of resident memory.
    Rss,
    /// Peak of the sum of proportional memory.
    Pss,
    /// Peak of the sum of anonymous memory.
    Anon,
    /// Peak on the live root.
    Live,
    /// Peak on the target over empty.
    TargetPeak,
    /// Finally on the target over empty.
    TargetFinal,
    /// CPU time of the whole machine.
    MachineCpu,
}

impl Figure {
    const ALL: [Figure; 9] = [
        Figure::Wall,
        Figure::Cpu,
        Figure::Rss,
        Figure::Pss,
        Figure::Anon,
        Figure::Live,
        Figure::TargetPeak,
        Figure::TargetFinal,
        Figure::MachineCpu,
    ];

    /// The head of its row.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Figure::Wall => "wall, s",
            Figure::Cpu => "CPU (user + sys), s",
            Figure::Rss => "peak RSS, all processes, MiB",
            Figure::Pss => "the same, shared pages once (PSS), MiB",
            Figure::Anon => "anonymous, all processes, MiB",
            Figure::Live => "peak on the live root, MB",
            Figure::TargetPeak => "peak on the target, MB",
            Figure::TargetFinal => "finally on the target, MB",
            Figure::MachineCpu => "CPU of the whole machine, s",
        }
    }

    fn of(self, run: &Run) -> f64 {
        let m = &run.measured;
        let over = |used: u64, empty: u64| used.saturating_sub(empty) as f64;
        match self {
            Figure::Wall => m.wall_s,
            Figure::Cpu => run.cpu.total(),
            Figure::Rss => m.peaks.rss as f64,
            Figure::Pss => m.peaks.pss as f64,
            Figure::Anon => m.peaks.anon as f64,
            Figure::Live => over(m.peaks.live, m.live_before_after.0),
            Figure::TargetPeak => over(m.peaks.target, m.target_before_after.0),
            Figure::TargetFinal => over(m.target_before_after.1, m.target_before_after.0),
            Figure::MachineCpu => run.machine_cpu_s,
        }
    }

    /// The value in the unit of [`Figure::title`].
    pub(crate) fn show(self, value: f64) -> String {
        const MIB: f64 = 1024.0 * 1024.0;
        match self {
            Figure::Wall | Figure::Cpu | Figure::MachineCpu => format!("{value:.1}"),
            Figure::Rss | Figure::Pss | Figure::Anon => format!("{:.0}", value / MIB),
            Figure::Live | Figure::TargetPeak | Figure::TargetFinal => {
                format!("{:.1}", value / 1e6)
            }
        }
    }
}

/// Everything that one call has measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// Where.
    pub(crate) machine: Machine,
    /// What.
    pub(crate) image: Image,
    /// What the image's bootc calls itself.
    pub(crate) bootc: String,
    /// Who counted CPU time.
    pub(crate) accounting: Accounting,
    /// Why podman is not the baseline, if it is not.
    pub(crate) podman_failure: Option<String>,
    /// In the order in which they ran.
    pub(crate) runs: Vec<Run>,
}

impl Report {
    fn ways(&self) -> Vec<Way> {
        let mut ways = Vec::new();
        for run in &self.runs {
            if !ways.contains(&run.way) {
                ways.push(run.way);
            }
        }
        ways
    }

    /// Median of the way's runs; `None` without any.
    pub(crate) fn median(&self, way: Way, figure: Figure) -> Option<f64> {
        let values = self.runs.iter().filter(|run| run.way == way);
        median(values.map(|run| figure.of(run)).collect())
    }

    /// The median against the baseline's.
    pub(crate) fn ratio(&self, way: Way, figure: Figure) -> Option<f64> {
        let baseline = self.ways().into_iter().find(|way| way.is_baseline())?;
        ratio(self.median(way, figure)?, self.median(baseline, figure)?)
    }

    /// The text for a person, in Markdown; goals come after it.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        self.write(&mut text).unwrap_or_default();
        text
    }

    /// The machine-readable form: everything, and the medians.
    pub(crate) fn json(&self) -> serde_json::Result<serde_json::Value> {
        let mut value = serde_json::to_value(self)?;
        let mut medians = serde_json::Map::new();
        for way in self.ways() {
            let mut figures = serde_json::Map::new();
            for figure in Figure::ALL {
                let key = serde_json::to_value(figure)?;
                figures.insert(
                    key.as_str().unwrap_or_default().to_owned(),
                    serde_json::json!({
                        "median": self.median(way, figure),
                        "ratio": self.ratio(way, figure),
                    }),
                );
            }
            medians.insert(way.name().to_owned(), figures.into());
        }
        value["medians"] = medians.into();
        Ok(value)
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        self.write_head(out)?;
        self.write_medians(out)?;
        self.write_runs(out)
    }

    fn write_head(&self, out: &mut String) -> std::fmt::Result {
        let (m, i) = (&self.machine, &self.image);
        let kind = if image::is_standin(&self.bootc) {
            "the stand-in, not a real bootc"
        } else {
            "a real bootc"
        };
        writeln!(out, "## Installation benchmark, {} image\n", i.name)?;
        writeln!(
            out,
            "- machine: {m}, target file on {}, load {:.2} at the start",
            m.work_fs, m.load
        )?;
        writeln!(out, "- versions: {}", m.versions.join("; "))?;
        writeln!(
            out,
            "- image: {} layers, {:.1} MB compressed, {}",
            i.layers,
            i.compressed as f64 / 1e6,
            i.digest
        )?;
        writeln!(out, "- bootc in the image: {} ({kind})", self.bootc)?;
        if image::is_standin(&self.bootc) {
            writeln!(
                out,
                "- the stand-in imports a layout at less cost than bootc, and what podman has \
                 stored at more (a copy of it on the target): all times are too short, and the \
                 ratios flatter the engine; with BOOTC_BIN a real bootc is measured"
            )?;
        }
        writeln!(out, "- CPU time: {}", self.accounting.describe())?;
        writeln!(
            out,
            "- wall time ends when the target is synced; the target is a fresh ext4 on a loop \
             device in every run; RSS sums count pages that processes share once for each, so a process that forks \
             counts twice for a moment"
        )?;
        if let Some(failure) = &self.podman_failure {
            writeln!(
                out,
                "- podman cannot run here, so skopeo + chroot is the baseline: {}",
                failure.replace('\n', " / ")
            )?;
        }
        writeln!(out)
    }

    fn write_medians(&self, out: &mut String) -> std::fmt::Result {
        let ways = self.ways();
        let mut table = Table::new()
            .text(format!("median of {}", self.rounds()))
            .numbers(ways.iter().map(|way| way.title()));
        for figure in Figure::ALL {
            let title = std::iter::once(figure.title().to_owned());
            table.row(title.chain(ways.iter().map(|way| self.cell(*way, figure))));
        }
        writeln!(out, "{table}")
    }

    /// The median, and how it is to the baseline's.
    fn cell(&self, way: Way, figure: Figure) -> String {
        let value = self.median(way, figure);
        let cell = value.map_or_else(|| NOTHING.to_owned(), |v| figure.show(v));
        match self.ratio(way, figure) {
            Some(ratio) if !way.is_baseline() => format!("{cell} ({ratio:.2}x)"),
            _ => cell,
        }
    }

    fn write_runs(&self, out: &mut String) -> std::fmt::Result {
        let mut table = Table::new()
            .text("run")
            .number("wall, s")
            .text("of it")
            .numbers(["CPU user + sys, s", "load"])
            .text("peak RSS by");
        for run in &self.runs {
            let m = &run.measured;
            let steps: Vec<String> = m
                .steps
                .iter()
                .map(|step| format!("{} {:.1}", step.name, step.wall_s))
                .collect();
            let by: Vec<String> = m
                .peaks
                .rss_by
                .iter()
                .take(4)
                .map(|p| format!("{} {}", p.name, Figure::Rss.show(p.rss as f64)))
                .collect();
            table.row([
                format!("{} {}", run.way.name(), run.round),
                format!("{:.1}", m.wall_s),
                steps.join(", "),
                format!("{:.1} + {:.1}", run.cpu.user_s, run.cpu.system_s),
                format!("{:.1}–{:.1}", m.load.0, m.load.1),
                by.join(", "),
            ]);
        }
        writeln!(out, "{table}")
    }

    fn rounds(&self) -> usize {
        self.runs.iter().map(|run| run.round).max().unwrap_or(0)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::sample::Peaks;

    fn run(way: Way, round: usize, wall_s: f64, target: (u64, u64, u64)) -> Run {
        Run {
            way,
            round,
            cpu: CpuTime {
                user_s: wall_s / 2.0,
                system_s: 0.0,
            },
            machine_cpu_s: wall_s,
            measured: Measured {
                wall_s,
                steps: Vec::new(),
                rusage: CpuTime::default(),
                machine_ticks: 0,
                peaks: Peaks {
                    rss: 100 << 20,
                    target: target.1,
                    live: 3_000_000,
                    ..Peaks::default()
                },
                live_before_after: (1_000_000, 1_000_000),
                target_before_after: (target.0, target.2),
                load: (1.0, 2.0),
                deployments: vec!["default/a.0".to_owned()],
                failure: None,
            },
        }
    }

    pub(crate) fn report() -> Report {
        Report {
            machine: Machine {
                cpu: "2 x CPU".to_owned(),
                memory: 1 << 30,
                kernel: "6".to_owned(),
                os: "Debian".to_owned(),
                work_fs: "ext4".to_owned(),
                load: 0.5,
                versions: vec!["podman version 5".to_owned()],
            },
            image: Image {
                name: "small",
                layout: "/l".into(),
                tag: "v1".to_owned(),
                digest: "sha256:aa".to_owned(),
                layers: 3,
                compressed: 300_000_000,
            },
            bootc: "bootc-standin 0.1.0".to_owned(),
            accounting: Accounting::Cpuacct,
            podman_failure: None,
            runs: vec![
                run(Way::Podman, 1, 10.0, (1_000_000, 51_000_000, 51_000_000)),
                run(Way::InPlace, 1, 6.0, (1_000_000, 51_000_000, 51_000_000)),
                run(Way::Podman, 2, 30.0, (1_000_000, 51_000_000, 51_000_000)),
                run(Way::InPlace, 2, 4.0, (1_000_000, 101_000_000, 51_000_000)),
            ],
        }
    }

    #[test]
    fn the_table_shows_medians_over_empty_and_ratios() {
        let text = report().markdown();
        for line in [
            "| median of 2 | podman pull + run | engine, layout and runtime root in place |",
            "| wall, s | 20.0 | 5.0 (0.25x) |",
            "| peak RSS, all processes, MiB | 100 | 100 (1.00x) |",
            "| peak on the live root, MB | 2.0 | 2.0 (1.00x) |",
            "| peak on the target, MB | 50.0 | 75.0 (1.50x) |",
            "| finally on the target, MB | 50.0 | 50.0 (1.00x) |",
            "- bootc in the image: bootc-standin 0.1.0 (the stand-in, not a real bootc)",
        ] {
            assert!(text.lines().any(|l| l == line), "no `{line}` in:\n{text}");
        }
    }

    #[test]
    fn a_fallback_is_said() {
        let mut report = report();
        report.podman_failure = Some("crun:\nno cgroups".to_owned());
        let text = report.markdown();
        assert!(text.contains("podman cannot run here"), "{text}");
        assert!(text.contains("crun: / no cgroups"), "{text}");
    }

    #[test]
    fn json_has_medians_by_way() {
        let value = report().json().unwrap();
        assert_eq!(value["medians"]["podman"]["wall"]["median"], 20.0);
        assert_eq!(value["medians"]["in-place"]["wall"]["ratio"], 0.25);
        assert_eq!(value["runs"].as_array().unwrap().len(), 4);
    }
}
