// SPDX-License-Identifier: MIT OR Apache-2.0
//! Documents made from the definition of the command line: the manual page,
//! completions, the list of error codes.

use std::io;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::Cli;
use crate::error::Code;

/// The manual page, section 1, with a part for each subcommand.
///
/// # Errors
/// Only when memory cannot be written to.
pub fn man_page() -> io::Result<Vec<u8>> {
    let mut root = Cli::command();
    root.build();
    let mut page = Vec::new();
    let man = Man::new(root.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    for command in root.get_subcommands() {
        if command.get_name() != "help" {
            page.extend(part(command.clone())?);
        }
    }
    man.render_extra_section(&mut page)?;
    Ok(page)
}

/// The sections of a subcommand as subsections of one.
fn part(command: clap::Command) -> io::Result<Vec<u8>> {
    let title = format!(".SH {}\n", command.get_name().to_uppercase());
    let has_options = command.get_arguments().next().is_some();
    let has_extra = command.get_after_long_help().is_some();
    let man = Man::new(command);
    let mut sections = Vec::new();
    man.render_synopsis_section(&mut sections)?;
    man.render_description_section(&mut sections)?;
    if has_options {
        man.render_options_section(&mut sections)?;
    }
    if has_extra {
        man.render_extra_section(&mut sections)?;
    }
    let mut text = title.into_bytes();
    for line in sections.split_inclusive(|b| *b == b'\n') {
        match line.strip_prefix(b".SH ") {
            Some(heading) => text.extend([b".SS ", heading].concat()),
            None => text.extend(line),
        }
    }
    Ok(text)
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
        Code::PackageUnknown => "A package does not exist in the suite.",
        Code::ImageRefused => "The image does not exist, or cannot be installed.",
        Code::Busy => "Another build works in the same directory.",
        Code::BuildFailed => "live-build failed.",
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
        let page = String::from_utf8(man_page().unwrap()).unwrap();
        assert!(page.contains(".TH debian-bootc-image-builder 1"), "{page}");
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
        assert!(page.contains("Exit statuses"));
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
