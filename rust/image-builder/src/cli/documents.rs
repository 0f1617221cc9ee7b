// SPDX-License-Identifier: MIT OR Apache-2.0
//! Documents made from the definition of the command line: the manual page,
//! completions, the list of error codes.

use std::io;

use clap::CommandFactory;
use clap_complete::Shell;

use super::args::Cli;
use crate::error::Code;

/// The manual page, section 1, with a part for each subcommand.
///
/// # Errors
/// Only when memory cannot be written to.
pub fn man_page() -> io::Result<String> {
    manual::page(Cli::command())
}

/// The completions for a shell.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut root = Cli::command();
    let name = root.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut root, name, &mut script);
    script
}

/// The list of error codes, as Markdown.
pub fn error_codes() -> String {
    let mut text = String::from("| code | exit | meaning |\n|---|---|---|\n");
    for code in Code::ALL {
        text += &format!(
            "| `{}` | {} | {} |\n",
            code.name(),
            code.exit_status(),
            meaning(code)
        );
    }
    text
}

fn meaning(code: Code) -> &'static str {
    match code {
        Code::Usage => "The command line is wrong.",
        Code::ConfigInvalid => "distro.yaml, or a file that it names, is wrong.",
        Code::NotRoot => "It needs root.",
        Code::ToolMissing => "A program of this machine is missing.",
        Code::HostUnsuitable => {
            "This machine cannot build: a feature of the kernel, or how a file system is mounted."
        }
        Code::DiskFull => "There is not enough space, before or while building.",
        Code::MirrorUnreachable => "The mirror does not answer.",
        Code::SuiteUnknown => "The mirror has no such suite.",
        Code::SuiteExpired => "What the mirror has of the suite is too old.",
        Code::PackageUnknown => "A package does not exist in the suite.",
        Code::ImageRefused => "The image does not exist, or cannot be installed.",
        Code::Busy => "Another build works in the same directory.",
        Code::BuildFailed => "live-build failed.",
        Code::SmokeFailed => "What was booted is not as it should be.",
        Code::Interrupted => "It was stopped on request.",
        Code::Io => "The operating system refused an operation.",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_manual_page_has_every_command_and_option() {
        let page = man_page().unwrap();
        assert!(
            page.starts_with(".TH \"DEBIAN-BOOTC-IMAGE-BUILDER\" 1 "),
            "{page}"
        );
        let mut root = Cli::command();
        root.build();
        let mut options = 0;
        for command in root.get_subcommands().filter(|c| c.get_name() != "help") {
            let heading = format!("\n.SH {}\n", command.get_name().to_uppercase());
            let (_, part) = page.split_once(&heading).unwrap();
            let part = part.split("\n.SH ").next().unwrap();
            for long in command.get_arguments().filter_map(|arg| arg.get_long()) {
                // roff wants dashes that are dashes.
                let name = format!("\\-\\-{}", long.replace('-', "\\-"));
                assert!(part.contains(&name), "{name}\n{part}");
                options += 1;
            }
        }
        assert!(options > 15, "{options}");
        assert!(page.contains(".SH \"EXIT STATUSES\""));
        assert_eq!(page.matches("\n.SH NAME").count(), 1);
    }

    #[test]
    fn completions_know_commands_and_types() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = String::from_utf8(completions(shell)).unwrap();
            for word in ["validate", "no-image-check", "calamares"] {
                assert!(script.contains(word), "{shell} {word}");
            }
        }
    }

    #[test]
    fn every_code_has_a_row() {
        let text = error_codes();
        for code in Code::ALL {
            let row = format!("| `{}` | {} | ", code.name(), code.exit_status());
            assert_eq!(text.matches(&row).count(), 1, "{row}");
        }
    }
}
