// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading a serial console as text: control sequences away, prompts found.
//! Pure functions.

/// Turns console bytes into text: no escape sequences (ECMA-48 CSI, OSC and
/// the shorter ones), no carriage returns or other control characters but
/// newline and tab. An unfinished sequence at the end is left out.
pub fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_sequence(&mut chars),
            '\n' | '\t' => plain.push(c),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

/// Skips what follows an ESC.
fn skip_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.next() {
        // CSI: parameters, then one final byte from @ to ~.
        Some('[') => {
            for c in chars.by_ref() {
                if ('@'..='~').contains(&c) {
                    return;
                }
            }
        }
        // OSC, DCS, PM, APC: up to BEL or ESC \.
        Some(']' | 'P' | '^' | '_') => {
            while let Some(c) = chars.next() {
                match c {
                    '\u{7}' => return,
                    '\u{1b}' => {
                        chars.next_if_eq(&'\\');
                        return;
                    }
                    _ => {}
                }
            }
        }
        // Character set selection and the like: intermediates, then one more.
        Some(' '..='/') => {
            while chars.next_if(|c| (' '..='/').contains(c)).is_some() {}
            chars.next();
        }
        _ => {}
    }
}

/// What a console asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Prompt {
    /// getty wants a user name.
    User,
    /// login wants a password.
    Password,
    /// A shell waits for a command.
    Shell,
    /// login refused; a new [`Prompt::User`] follows.
    Refused,
}

/// The last prompt in a piece of console text. Kernel messages may have come
/// after a prompt on the same line or below it, so all lines are looked at.
pub(crate) fn last_prompt(text: &str) -> Option<Prompt> {
    text.lines().rev().find_map(prompt_of)
}

fn prompt_of(line: &str) -> Option<Prompt> {
    let end = line.trim_end();
    if end.ends_with("login:") && !end.ends_with("Last login:") {
        return Some(Prompt::User);
    }
    if end.ends_with("Password:") {
        return Some(Prompt::Password);
    }
    if end.ends_with("Login incorrect") {
        return Some(Prompt::Refused);
    }
    // "root@host:~# ", "sh-5.2$ ", "[root@host ~]# ", "# ": one word (or a
    // bracket with a user in it) and the sign, with the blank that follows.
    let sign = line.find("# ").or_else(|| line.find("$ "))?;
    let word = &line[..sign];
    let bracket = word.starts_with('[') && word.ends_with(']') && word.contains('@');
    (bracket || !word.contains(char::is_whitespace)).then_some(Prompt::Shell)
}

/// Where a boot ended that does not go on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// The firmware has nothing to start.
    Firmware,
    /// The boot loader waits for somebody.
    BootLoader,
    /// The kernel panicked.
    Kernel,
    /// A shell of the initramfs, dracut's or another, or none.
    Initramfs,
    /// The emergency or rescue shell of the system.
    System,
}

/// A boot that does not go on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DeadEnd {
    /// Where.
    pub place: Place,
    /// What that means, in words.
    pub meaning: &'static str,
}

/// What a console says when nothing else will come, and what that means.
const DEAD_ENDS: &[(&str, Place, &str)] = &[
    (
        "Kernel panic - not syncing",
        Place::Kernel,
        "the kernel panicked",
    ),
    (
        "Failed to switch root",
        Place::Initramfs,
        "the initramfs found no root to go on with",
    ),
    // dracut's emergency shell; the second is its prompt.
    (
        "Entering emergency mode. Exit the shell to continue",
        Place::Initramfs,
        "the initramfs went to its emergency shell",
    ),
    (
        "dracut:/# ",
        Place::Initramfs,
        "the initramfs went to its emergency shell",
    ),
    // That of initramfs-tools.
    (
        "(initramfs) ",
        Place::Initramfs,
        "the initramfs went to its emergency shell",
    ),
    (
        "You are in emergency mode",
        Place::System,
        "the system went to emergency mode",
    ),
    (
        "You are in rescue mode",
        Place::System,
        "the system went to rescue mode",
    ),
    (
        "Cannot open access to console",
        Place::System,
        "the system went to emergency mode",
    ),
    (
        "grub rescue> ",
        Place::BootLoader,
        "GRUB found none of its files",
    ),
    ("grub> ", Place::BootLoader, "GRUB found no menu"),
    (
        "BdsDxe: No bootable option",
        Place::Firmware,
        "the firmware found nothing that it may boot",
    ),
    // SeaBIOS says it on the screen, and in its log.
    (
        "No bootable device.",
        Place::Firmware,
        "the firmware found nothing to boot",
    ),
    (
        "UEFI Interactive Shell",
        Place::Firmware,
        "the firmware found nothing to boot",
    ),
];

/// Why a boot will not go on, when the console's text says so.
pub fn dead_end(text: &str) -> Option<DeadEnd> {
    DEAD_ENDS
        .iter()
        .find(|(said, ..)| text.contains(said))
        .map(|&(_, place, meaning)| DeadEnd { place, meaning })
}

/// Whether somebody is asked for a name in the last lines of a console.
pub fn asks_for_login(text: &str) -> bool {
    last_prompt(text) == Some(Prompt::User)
}

/// Whether the kernel panicked while it served an interrupt. Seen once, early in
/// a boot under TCG; the emulation is suspected, which is not proven.
pub(crate) fn interrupt_panic(text: &str) -> bool {
    text.contains("Kernel panic - not syncing: Fatal exception in interrupt")
}

/// Whether a boot looks as if emulation had failed, not the guest: besides
/// [`interrupt_panic`] a starved guest hangs in the test of its timer.
pub fn emulation_failed(text: &str) -> bool {
    let last = text.trim_end().lines().next_back().unwrap_or_default();
    interrupt_panic(text) || last.contains("8254 timer not connected to IO-APIC")
}

/// The last `count` lines of a console log, as text.
pub fn tail(bytes: &[u8], count: usize) -> String {
    let text = plain(bytes);
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_sequences_go_away() {
        let cases = [
            ("plain\r\n", "plain\n"),
            ("\x1b[1;31mred\x1b[0m", "red"),
            ("\x1b[?2004h$ ", "$ "),
            ("\x1b]0;title\x07text", "text"),
            ("\x1b]3008;start=1\x1b\\root", "root"),
            ("\x1b(Bascii", "ascii"),
            ("\x1bcreset", "reset"),
            ("\x1b[01;01H\x1b[=3hGRUB", "GRUB"),
            ("a\x08\0b\tc", "ab\tc"),
            ("cut \x1b[3", "cut "),
            ("cut \x1b", "cut "),
            ("naïve", "naïve"),
        ];
        for (raw, text) in cases {
            assert_eq!(plain(raw.as_bytes()), text, "{raw:?}");
        }
        assert_eq!(plain(b"a\xffb"), "a\u{fffd}b");
    }

    #[test]
    fn only_a_panic_in_an_interrupt_is_tried_again() {
        let cases = [
            (
                "[    2.010934] Kernel panic - not syncing: Fatal exception in interrupt\n\
                 [    2.011] ---[ end Kernel panic - not syncing: Fatal exception in interrupt ]---",
                true,
            ),
            (
                "[ 9.1] Kernel panic - not syncing: VFS: Unable to mount root fs",
                false,
            ),
            (
                "[ 9.1] Kernel panic - not syncing: Attempted to kill init!",
                false,
            ),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(interrupt_panic(text), expected, "{text:?}");
            assert_eq!(emulation_failed(text), expected, "{text:?}");
        }
        let hung = "[ 0.4] ..MP-BIOS bug: 8254 timer not connected to IO-APIC\n";
        assert!(emulation_failed(hung));
        assert!(!emulation_failed(&format!("{hung}[ 0.5] goes on\n")));
    }

    #[test]
    fn prompts_are_recognised() {
        let cases = [
            (
                "Debian GNU/Linux forky host ttyS0\n\nhost login: ",
                Some(Prompt::User),
            ),
            (
                "host login: \n[   60.1] a late kernel message\n",
                Some(Prompt::User),
            ),
            ("host login: root\nPassword: ", Some(Prompt::Password)),
            ("Password: \n\nLogin incorrect\n", Some(Prompt::Refused)),
            ("Login incorrect\nhost login: ", Some(Prompt::User)),
            (
                "Last login: Tue Nov 24 on ttyS0\nroot@host:~# ",
                Some(Prompt::Shell),
            ),
            (
                "root@host:~# [   61.0] random: ready\n",
                Some(Prompt::Shell),
            ),
            ("user@host:~$ ", Some(Prompt::Shell)),
            ("sh-5.2# ", Some(Prompt::Shell)),
            ("[root@host ~]# ", Some(Prompt::Shell)),
            ("# ", Some(Prompt::Shell)),
            ("[  OK  ] Started unit 5# of 7\n", None),
            ("[    1.0] item # 5\n", None),
            ("Last login: Tue Nov 24 on ttyS0\n", None),
            ("The price is 5 $ today", None),
            ("", None),
        ];
        for (text, prompt) in cases {
            assert_eq!(last_prompt(text), prompt, "{text:?}");
        }
    }

    #[test]
    fn dead_ends_are_recognised() {
        let cases = [
            (
                "GNU GRUB  version 2.14\n  The highlighted entry will be executed\n",
                None,
            ),
            (
                "Unknown command `search'.\ngrub> ",
                Some("GRUB found no menu"),
            ),
            (
                "error: no such device.\ngrub rescue> ",
                Some("GRUB found none of its files"),
            ),
            (
                "[  9.1] Kernel panic - not syncing: VFS: Unable to mount root fs",
                Some("the kernel panicked"),
            ),
            (
                "You are in emergency mode. After logging in, type \"journalctl -xb\"",
                Some("the system went to emergency mode"),
            ),
            ("[  OK  ] Reached target emergency.target\n", None),
            (
                "BdsDxe: No bootable option or device was found.\r\n",
                Some("the firmware found nothing that it may boot"),
            ),
        ];
        for (text, meaning) in cases {
            assert_eq!(dead_end(text).map(|end| end.meaning), meaning, "{text}");
        }
    }

    #[test]
    fn the_tail_has_no_blank_lines() {
        assert_eq!(tail(b"a\r\n\r\nb\r\n \r\nc\r\n", 2), "b\nc");
        assert_eq!(tail(b"a", 5), "a");
    }
}
