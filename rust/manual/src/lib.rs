// SPDX-License-Identifier: MIT OR Apache-2.0
//! The manual page of a program, section 1, of the definition of its command
//! line: one page, in which each subcommand has a section.
//!
//! What comes after the help of a command (`after_long_help`) is prose for the
//! page as well. A line in it that is not indented and ends with a colon is the
//! heading of a section: `Exit statuses:`, `Examples:`, `Files:`.

use std::io;

use clap::Command;
use clap_mangen::Man;

/// What the page says it belongs to, at its bottom. No version, so that a page
/// that is kept somewhere is not out of date with each.
const SOURCE: &str = "calamares-bootc";
const MANUAL: &str = "User commands";

/// The page, as roff.
///
/// # Errors
/// Only when memory cannot be written to.
pub fn page(mut root: Command) -> io::Result<String> {
    root.build();
    let mut page = Vec::new();
    let man = Man::new(root.clone());
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    // The renderer's own title loses an argument that is empty, such as the date.
    let name = root.get_name().to_uppercase();
    let title = format!(".TH \"{name}\" 1 \"\" \"{SOURCE}\" \"{MANUAL}\"\n");
    let mut page = title + &cleaned(page);
    for command in root.get_subcommands() {
        if command.get_name() != "help" && !command.is_hide_set() {
            page += &part(command)?;
        }
    }
    page += &prose(&root, "SH");
    Ok(ascii(&page))
}

/// The sections of a subcommand as subsections of one.
fn part(command: &Command) -> io::Result<String> {
    let mut sections = Vec::new();
    let man = Man::new(command.clone());
    man.render_synopsis_section(&mut sections)?;
    man.render_description_section(&mut sections)?;
    if command.get_arguments().next().is_some() {
        man.render_options_section(&mut sections)?;
    }
    let title = format!(".SH {}\n", command.get_name().to_uppercase());
    let sections = cleaned(sections).replace("\n.SH ", "\n.SS ");
    // The first begins at the beginning.
    let sections = match sections.strip_prefix(".SH ") {
        Some(rest) => format!(".SS {rest}"),
        None => sections,
    };
    Ok(title + &sections + &prose(command, "SS"))
}

/// The text without what each call of the renderer begins with: a string that
/// the page does not need.
fn cleaned(roff: Vec<u8>) -> String {
    String::from_utf8_lossy(&roff)
        .lines()
        .filter(|line| !line.starts_with(".ie \\n(.g") && !line.starts_with(".el .ds Aq"))
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect::<String>()
        .replace("\\*(Aq", "\\(aq")
}

/// Letters that not every roff reads, by their numbers.
fn ascii(page: &str) -> String {
    let mut text = String::with_capacity(page.len());
    for c in page.chars() {
        match c.is_ascii() {
            true => text.push(c),
            false => text += &format!("\\[u{:04X}]", u32::from(c)),
        }
    }
    text
}

/// What comes after the help, in sections of this level.
fn prose(command: &Command, level: &str) -> String {
    let after = command
        .get_after_long_help()
        .or_else(|| command.get_after_help());
    let Some(after) = after else {
        return String::new();
    };
    let mut text = String::new();
    let mut in_section = false;
    for line in after.to_string().lines() {
        let heading = line
            .strip_suffix(':')
            .filter(|name| !name.starts_with(char::is_whitespace));
        if let Some(name) = heading {
            close(&mut text, in_section);
            text += &format!(".{level} \"{}\"\n.nf\n", plain(&name.to_uppercase()));
            in_section = true;
        } else if in_section {
            text += &format!("{}\n", plain(line.strip_prefix("  ").unwrap_or(line)));
        } else {
            if text.is_empty() {
                text += ".PP\n";
            }
            text += &format!("{}\n", plain(line));
        }
    }
    close(&mut text, in_section);
    text
}

/// Ends a section whose lines stand as they are, without empty ones.
fn close(text: &mut String, in_section: bool) {
    text.truncate(text.trim_end().len());
    if !text.is_empty() {
        text.push('\n');
    }
    if in_section {
        text.push_str(".fi\n");
    }
}

/// A line that roff shows as it is: no escapes, no requests, dashes that can be
/// copied.
fn plain(line: &str) -> String {
    let line = line
        .replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('\'', "\\(aq")
        .replace('`', "\\(ga")
        .replace('"', "\\(dq");
    match line.starts_with('.') {
        true => format!("\\&{line}"),
        false => line,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::Arg;

    fn command() -> Command {
        let run = Command::new("run")
            .about("Do it")
            .arg(Arg::new("dry").long("dry-run").help("Don't …"))
            .after_long_help("It is done.\n\nExamples:\n  tool run \\\n    .x\n\n");
        Command::new("tool")
            .about("A tool")
            .subcommand(run)
            .subcommand(Command::new("old").hide(true))
            .after_long_help("Exit statuses:\n  0  done\n\nSee also:\n  cat(1)")
    }

    #[test]
    fn commands_options_and_prose_are_on_the_page() {
        let page = page(command()).unwrap();
        let title = ".TH \"TOOL\" 1 \"\" \"calamares-bootc\" \"User commands\"\n.SH NAME\n";
        assert!(page.starts_with(title), "{page}");
        let (root, run) = page.split_once("\n.SH RUN\n").unwrap();
        assert!(root.contains("\n.SH DESCRIPTION\n"));
        let (run, end) = run.split_once("\n.SH ").unwrap();
        assert!(run.starts_with(".SS SYNOPSIS\n"), "{run}");
        assert!(
            run.contains("\\-\\-dry\\-run") && run.contains("Don\\(aqt \\[u2026]"),
            "{run}"
        );
        assert!(
            run.ends_with("\n.PP\nIt is done.\n.SS \"EXAMPLES\"\n.nf\ntool run \\e\n  .x\n.fi"),
            "{run}"
        );
        assert_eq!(
            end,
            "\"EXIT STATUSES\"\n.nf\n0  done\n.fi\n.SH \"SEE ALSO\"\n.nf\ncat(1)\n.fi\n"
        );
        assert!(
            !page.contains("OLD") && !page.contains(".SH HELP"),
            "{page}"
        );
    }

    #[test]
    fn a_line_is_shown_as_it_is() {
        for (line, roff) in [
            (".x", "\\&.x"),
            ("'x'", "\\(aqx\\(aq"),
            ("a \\ `b` \"c\"", "a \\e \\(gab\\(ga \\(dqc\\(dq"),
            ("--all", "\\-\\-all"),
        ] {
            assert_eq!(plain(line), roff);
        }
    }
}
