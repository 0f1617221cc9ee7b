// SPDX-License-Identifier: MIT OR Apache-2.0
//! Findings as JUnit's XML, as CI systems read it: a suite for each boot.

use super::case::{Case, Findings, Outcome};

/// The whole file.
pub fn document(found: &Findings) -> String {
    let total: f64 = found.cases.iter().map(seconds).sum();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml += &format!(
        "<testsuites name=\"{}\" {}>\n",
        escaped(&found.file),
        numbers(&found.cases, total)
    );
    for suite in found.suites() {
        let cases: Vec<Case> = found.of(suite).cloned().collect();
        let time = cases.iter().map(seconds).sum();
        xml += &format!(
            "  <testsuite name=\"{}.{}\" timestamp=\"{}\" {}>\n",
            escaped(&found.file),
            escaped(suite),
            escaped(&found.begun),
            numbers(&cases, time)
        );
        xml += "    <properties>\n";
        for (name, value) in [("kind", found.kind), ("accel", found.accel)] {
            xml += &format!("      <property name=\"{name}\" value=\"{value}\"/>\n");
        }
        xml += "    </properties>\n";
        for case in &cases {
            xml += &of_case(case);
        }
        xml += "  </testsuite>\n";
    }
    xml + "</testsuites>\n"
}

fn of_case(case: &Case) -> String {
    let told = case.verdict.told.trim();
    let message = escaped(told.lines().next().unwrap_or_default());
    let told = verbatim(told);
    let inner = match case.verdict.outcome {
        Outcome::Passed => format!("<system-out>{told}</system-out>"),
        Outcome::Failed => {
            format!("<failure message=\"{message}\" type=\"smoke\">{told}</failure>")
        }
        Outcome::Skipped => format!("<skipped message=\"{message}\"/>"),
    };
    format!(
        "    <testcase classname=\"smoke.{}\" name=\"{}\" time=\"{:.3}\">{inner}</testcase>\n",
        escaped(&case.suite),
        case.name,
        seconds(case)
    )
}

fn numbers(cases: &[Case], time: f64) -> String {
    let count = |outcome| {
        let ended = cases.iter().filter(|case| case.verdict.outcome == outcome);
        ended.count()
    };
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{time:.3}\"",
        cases.len(),
        count(Outcome::Failed),
        count(Outcome::Skipped)
    )
}

fn seconds(case: &Case) -> f64 {
    case.time.as_secs_f64()
}

/// Text in an attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in sayable(text) {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            c => escaped.push(c),
        }
    }
    escaped
}

/// Text in an element: some parsers lose references there.
fn verbatim(text: &str) -> String {
    let text: String = sayable(text).collect();
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

/// Without what XML 1.0 has no way to say: most control characters.
fn sayable(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| match c {
        '\n' | '\t' => true,
        c => !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}'),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::smoke::case::tests::some;
    use junit_parser::TestStatus;

    #[test]
    fn a_parser_of_others_reads_it() {
        let text = document(&some());
        let read = junit_parser::from_reader(text.as_bytes()).unwrap();
        assert_eq!((read.tests, read.failures, read.skipped), (3, 1, 1));
        assert_eq!(read.suites.len(), 2);
        let bios = &read.suites[0];
        assert_eq!(bios.name, "a & <b>.qcow2.bios");
        assert_eq!((bios.tests, bios.failures, bios.skipped), (2, 1, 0));
        assert!(bios.cases[0].status.is_success());
        match &bios.cases[1].status {
            TestStatus::Failure(failure) => {
                assert_eq!(failure.message, "degraded:");
                assert_eq!(failure.text, "degraded:\n\"a\" & <b>[0m");
            }
            other => panic!("{other:?}"),
        }
        let skipped = &read.suites[1].cases[0];
        assert!(skipped.status.is_skipped());
        assert_eq!(skipped.time, 1.5);
    }
}
