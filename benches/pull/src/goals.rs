// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the puller is to reach, and whether it does.

use bench_kit::report::{self, Verdict};
use bench_kit::stats::ratio;

use crate::case::Case;
use crate::image::Size;
use crate::report::{Figure, Report};
use crate::tools::Tool;

/// Which goals the report meets; nothing when it has none of them.
pub(crate) fn markdown(report: &Report) -> String {
    report::goals(
        "the default image on an idle machine",
        GOALS.iter().filter_map(|goal| goal.verdict(report)),
    )
}

/// What a goal looks at.
#[derive(Debug, Clone, Copy)]
enum Measure {
    /// Ours against another tool.
    Against(Tool, Figure, Tool),
    /// Bytes.
    Rss,
    /// Growth of the RSS from the small image to the default one.
    RssGrowth,
    /// Wall against the time at the line's rate.
    Line,
    /// Share of bytes that came more than once.
    Extra,
    /// Ends with the image, at 0, or does not, at 1.
    Finishes,
}

#[derive(Debug)]
struct Goal {
    what: &'static str,
    case: Case,
    measure: Measure,
    at_most: f64,
}

impl Goal {
    fn value(&self, report: &Report) -> Option<f64> {
        let median = |tool, figure| report.median(self.case, tool, figure);
        match self.measure {
            Measure::Against(ours, figure, other) => {
                ratio(median(ours, figure)?, median(other, figure)?)
            }
            Measure::Rss => median(Tool::Ours, Figure::Rss),
            Measure::RssGrowth => ratio(
                median(Tool::Ours, Figure::Rss)?,
                report.median_of(self.case, Tool::Ours, Size::Small, Figure::Rss)?,
            )
            .filter(|_| report.image.size != Size::Small),
            Measure::Line => ratio(median(Tool::Ours, Figure::Wall)?, report.line_time()),
            Measure::Extra => report.extra(self.case, Tool::Ours),
            Measure::Finishes => report
                .finishes(self.case, Tool::Ours)
                .map(|finishes| if finishes { 0.0 } else { 1.0 }),
        }
    }

    fn show(&self, value: f64) -> String {
        match self.measure {
            Measure::Against(..) | Measure::RssGrowth => format!("{value:.2}x"),
            Measure::Line => format!("{value:.3}x"),
            Measure::Rss => format!("{:.0} MiB", value / (1024.0 * 1024.0)),
            Measure::Extra => format!("{:.1} %", value * 100.0),
            Measure::Finishes if value > 0.0 => "it does not".to_owned(),
            Measure::Finishes => "it does".to_owned(),
        }
    }

    fn verdict(&self, report: &Report) -> Option<Verdict> {
        let value = self.value(report)?;
        Some(Verdict {
            goal: format!("{}: {}", self.case.title(), self.what),
            at_most: match self.measure {
                Measure::Finishes => None,
                _ => Some(self.show(self.at_most)),
            },
            measured: self.show(value),
            met: value <= self.at_most,
        })
    }
}

const fn goal(case: Case, what: &'static str, measure: Measure, at_most: f64) -> Goal {
    Goal {
        what,
        case,
        measure,
        at_most,
    }
}

const fn against(figure: Figure, other: Tool) -> Measure {
    Measure::Against(Tool::Ours, figure, other)
}

const MOST_RSS: f64 = 64.0 * 1024.0 * 1024.0;

const GOALS: &[Goal] = &[
    goal(
        Case::Clean,
        "wall against skopeo",
        against(Figure::Wall, Tool::Skopeo),
        1.0,
    ),
    // skopeo syncs what it writes, blob by blob; ours leaves that to the end.
    goal(
        Case::Clean,
        "wall with the sync against skopeo",
        against(Figure::Synced, Tool::Skopeo),
        1.0,
    ),
    goal(
        Case::Clean,
        "CPU against skopeo",
        against(Figure::Cpu, Tool::Skopeo),
        0.8,
    ),
    goal(Case::Clean, "RSS", Measure::Rss, MOST_RSS),
    goal(
        Case::Clean,
        "RSS against that with an image of a fifth",
        Measure::RssGrowth,
        1.25,
    ),
    goal(
        Case::Clean,
        "CPU of pull and runtime root against podman",
        Measure::Against(Tool::OursRoot, Figure::Cpu, Tool::Podman),
        0.45,
    ),
    goal(Case::Link, "wall against the line", Measure::Line, 1.03),
    goal(Case::Resets, "wall against the line", Measure::Line, 1.08),
    goal(
        Case::Resets,
        "bytes over those of the image",
        Measure::Extra,
        0.05,
    ),
    goal(Case::Stalls, "finishes", Measure::Finishes, 0.0),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Outcome::{Done, Failed};
    use crate::report::tests::{report, run};

    #[test]
    fn verdicts() {
        let report = report(vec![
            run(Case::Clean, Tool::Ours, 2.0, Done),
            run(Case::Clean, Tool::Skopeo, 2.4, Done),
            run(Case::Resets, Tool::Ours, 10.5, Done),
            run(Case::Stalls, Tool::Ours, 10.5, Failed),
        ]);
        let text = markdown(&report);
        for line in [
            "- Loopback, plain HTTP: wall with the sync against skopeo at most 1.00x, measured 0.86x: met",
            "- Loopback, plain HTTP: CPU against skopeo at most 0.80x, measured 0.83x: missed",
            "- Loopback, plain HTTP: RSS at most 64 MiB, measured 32 MiB: met",
            "- 100 Mbit/s, 20 ms, a reset about every 25 MB of a connection: wall against the line at most 1.080x, measured 1.050x: met",
            "- 100 Mbit/s, 20 ms, a reset about every 25 MB of a connection: bytes over those of the image at most 5.0 %, measured 1.0 %: met",
            "- 100 Mbit/s, 20 ms, a stall about every 60 MB of a connection: finishes, measured it does not: missed",
        ] {
            assert!(text.lines().any(|l| l == line), "no `{line}` in:\n{text}");
        }
        // What was not measured is neither met nor missed.
        assert!(!text.contains("podman"), "{text}");
    }
}
