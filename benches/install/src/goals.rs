// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the engine is to reach against the baseline, and whether it does.

use bench_kit::report::{self, Verdict};
use bench_kit::stats::ratio;

use crate::report::{Figure, Report};
use crate::ways::Way;

/// Which goals the report meets; nothing when none of its ways has one.
pub(crate) fn markdown(report: &Report) -> String {
    let verdict = |goal: &Goal| {
        let value = goal.measure.of(report, goal.way)?;
        Some(Verdict {
            goal: format!("{}: {}", goal.way.name(), goal.measure.title()),
            at_most: Some(goal.measure.show(goal.at_most)),
            measured: goal.measure.show(value),
            met: value <= goal.at_most,
        })
    };
    report::goals(
        "a real bootc and an image of at least 2 GB and 60 layers",
        GOALS.iter().filter_map(verdict),
    )
}

/// What a goal looks at.
#[derive(Debug, Clone, Copy)]
enum Measure {
    Value(Figure),
    Ratio(Figure),
    /// Peak on the target divided by what stays there.
    PeakOverFinal,
}

impl Measure {
    fn of(self, report: &Report, way: Way) -> Option<f64> {
        match self {
            Measure::Value(figure) => report.median(way, figure),
            Measure::Ratio(figure) => report.ratio(way, figure),
            Measure::PeakOverFinal => ratio(
                report.median(way, Figure::TargetPeak)?,
                report.median(way, Figure::TargetFinal)?,
            ),
        }
    }

    fn title(self) -> &'static str {
        match self {
            Measure::Value(figure) => figure.title(),
            Measure::Ratio(Figure::Cpu) => "CPU against the baseline",
            Measure::Ratio(Figure::Wall) => "wall against the baseline",
            Measure::Ratio(figure) => figure.title(),
            Measure::PeakOverFinal => "peak on the target against what stays",
        }
    }

    fn show(self, value: f64) -> String {
        match self {
            Measure::Value(figure) => figure.show(value),
            Measure::Ratio(_) | Measure::PeakOverFinal => format!("{value:.2}x"),
        }
    }
}

#[derive(Debug)]
struct Goal {
    way: Way,
    measure: Measure,
    at_most: f64,
}

const fn goal(way: Way, measure: Measure, at_most: f64) -> Goal {
    Goal {
        way,
        measure,
        at_most,
    }
}

const MOST_LIVE: f64 = 5e6;
const MOST_RSS: f64 = 150.0 * 1024.0 * 1024.0;
/// Journal and directories that grow and shrink again are no second copy.
const AS_GOOD_AS_EQUAL: f64 = 1.02;

const GOALS: &[Goal] = &[
    goal(Way::Unpack, Measure::Value(Figure::Live), MOST_LIVE),
    goal(Way::Unpack, Measure::Value(Figure::Rss), MOST_RSS),
    goal(Way::Unpack, Measure::Ratio(Figure::Cpu), 0.85),
    goal(Way::Unpack, Measure::Ratio(Figure::Wall), 0.92),
    goal(Way::InPlace, Measure::Value(Figure::Live), MOST_LIVE),
    goal(Way::InPlace, Measure::Value(Figure::Rss), MOST_RSS),
    goal(Way::InPlace, Measure::Ratio(Figure::Cpu), 0.52),
    goal(Way::InPlace, Measure::Ratio(Figure::Wall), 0.62),
    goal(Way::InPlace, Measure::PeakOverFinal, AS_GOOD_AS_EQUAL),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::report;

    #[test]
    fn verdicts() {
        let text = markdown(&report());
        for line in [
            "- in-place: wall against the baseline at most 0.62x, measured 0.25x: met",
            "- in-place: peak on the target against what stays at most 1.02x, measured 1.50x: missed",
        ] {
            assert!(text.lines().any(|l| l == line), "no `{line}` in:\n{text}");
        }
        // What was not measured is neither met nor missed.
        assert!(!text.contains(Way::Unpack.name()), "{text}");
    }
}
