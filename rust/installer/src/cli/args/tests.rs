// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;
use clap::CommandFactory;

#[test]
fn the_definition_holds_together() {
    Cli::command().debug_assert();
}

#[test]
fn a_plan_excludes_every_image_option() {
    let command = ImageArgs::augment_args(clap::Command::new("x"));
    let ids: Vec<_> = command
        .get_arguments()
        .map(|a| a.get_id().as_str())
        .collect();
    assert_eq!(ids, ImageArgs::ALL);
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let parse = |line: &str| Cli::try_parse_from(line.split(' ')).is_ok();
    for (line, ok) in [
        ("x install --image a.b/c --root /t", true),
        ("x install --image a.b/c", false),
        ("x install --config f --root /t", true),
        ("x install --plan p", true),
        ("x install --plan -", true),
        ("x install --plan p --root /t", false),
        ("x install --plan p --karg quiet", false),
        ("x install --plan p --plan-fd 3", false),
        ("x install --plan-fd 3 --events 4", true),
        ("x install --plan-fd 0", false),
        ("x install --plan p --events 2", false),
        ("x install --plan p --events -", true),
        (
            "x install --image a.b/c --root /t --karg -x=y --karg z",
            true,
        ),
        ("x install --image a.b/c --root /t --bootloader lilo", false),
        ("x check --image a.b/c --layout /m --layout n", true),
        ("x plan --image a.b/c --root /t --layout /m", true),
        ("x install --plan p --layout /m", false),
        ("x plan --image a.b/c --root /t --no-lookup", true),
        ("x plan --image a.b/c --calamares -", true),
        ("x plan --config f --calamares f --no-lookup", true),
        ("x plan --image a.b/c --calamares - --root /t", false),
        ("x plan --image a.b/c", false),
        ("x to-disk --image a.b/c --file f", true),
        (
            "x to-disk --image a.b/c --file f --size 10G --overwrite",
            true,
        ),
        ("x to-disk --image a.b/c --file f --wipe", false),
        ("x to-disk --image a.b/c --file f --disk /dev/x", false),
        (
            "x to-disk --image a.b/c --disk /dev/x --wipe --table mbr",
            true,
        ),
        ("x to-disk --image a.b/c --disk /dev/x --size 10G", false),
        (
            "x to-disk --image a.b/c --disk /dev/x --filesystem vfat",
            false,
        ),
        ("x to-disk --image a.b/c", false),
        ("x check --image a.b/c", true),
        ("x check --image a.b/c --format json", true),
        ("x close", true),
        (
            "x close --root /t --after-pid 12 --events - --no-trim",
            true,
        ),
        ("x close --calamares -", true),
        ("x close --after-pid 1", false),
        ("x close --after-pid -5", false),
        ("x errors", true),
        ("x version", true),
    ] {
        assert_eq!(parse(line), ok, "{line}");
    }
}

/// Every option has a help text, and no line of it is too long.
#[test]
fn help_is_complete_and_narrow() {
    let mut root = Cli::command();
    root.build();
    for command in root.get_subcommands_mut() {
        for arg in command.get_arguments() {
            assert!(
                arg.get_help().is_some(),
                "{} {}",
                command.get_name(),
                arg.get_id()
            );
        }
        let help = command.clone().term_width(80).render_help().to_string();
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
        }
    }
}
