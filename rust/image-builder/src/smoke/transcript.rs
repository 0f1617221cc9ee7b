// SPDX-License-Identifier: MIT OR Apache-2.0
//! How far a boot came, by what its console and its firmware said. Pure.

use vm::console::{self, DeadEnd, Place};

use super::case::{Outcome, Verdict};

/// What a boot loader, or the kernel's own loader for UEFI, says.
const LOADERS: &[(&str, &str)] = &[
    ("GNU GRUB", "GRUB"),
    ("Welcome to GRUB", "GRUB"),
    ("GRUB loading", "GRUB"),
    ("Booting `", "GRUB"),
    ("grub> ", "GRUB"),
    ("grub rescue> ", "GRUB"),
    ("systemd-boot", "systemd-boot"),
    ("ISOLINUX", "ISOLINUX"),
    ("EFI stub: ", "the kernel's EFI stub"),
];
/// What only a kernel says.
const KERNELS: &[&str] = &["Linux version ", "Run /init as init process"];
/// What only a system with PID 1 says.
const SYSTEMS: &[&str] = &["systemd[1]: ", "[  OK  ] "];

/// What was seen of a boot so far.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Transcript {
    /// A boot loader, by its name.
    pub loader: Option<&'static str>,
    /// The kernel.
    pub kernel: bool,
    /// PID 1, of the initramfs or of the system.
    pub system: bool,
    /// Somebody is asked for a name.
    pub login: bool,
    /// It will not go on.
    pub end: Option<DeadEnd>,
}

impl Transcript {
    /// Reads what the serial console and SeaBIOS said.
    pub fn read(console: &str, firmware: &str) -> Self {
        let said = |marks: &[&str]| marks.iter().any(|mark| console.contains(mark));
        let loader = LOADERS.iter().find(|(mark, _)| console.contains(mark));
        let login = console::asks_for_login(console);
        Self {
            loader: loader.map(|(_, name)| *name),
            kernel: said(KERNELS),
            system: said(SYSTEMS),
            login,
            // A prompt is the end of what can go wrong on the way to it.
            end: match login {
                true => None,
                false => console::dead_end(console).or_else(|| console::dead_end(firmware)),
            },
        }
    }

    fn ended_at(&self, places: &[Place]) -> Option<DeadEnd> {
        self.end.filter(|end| places.contains(&end.place))
    }
}

/// How a boot came to its end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Arrival {
    /// Root's shell answers.
    Shell,
    /// Somebody is asked for a name, and there is no shell for root.
    Login,
    /// It will not go on, as the console says.
    DeadEnd,
    /// The machine ended by itself; QEMU's last words.
    Ended(String),
    /// Nothing of that in so many seconds.
    Late(u64),
}

/// The cases of a boot, from the firmware to the login, with their names.
pub fn boot_cases(
    seen: &Transcript,
    arrival: &Arrival,
    last: &str,
) -> Vec<(&'static str, Verdict)> {
    let arrived = matches!(arrival, Arrival::Shell | Arrival::Login);
    let begun = arrived || seen.kernel || seen.system;
    let not_so_far = || Verdict::skipped("The boot did not come so far.");
    let stopped = || match arrival {
        Arrival::Ended(why) => format!("The machine ended. {why}"),
        Arrival::Late(seconds) => format!("Nothing more came in {seconds} s."),
        Arrival::DeadEnd | Arrival::Shell | Arrival::Login => String::new(),
    };
    let with_last = |why: String| match last.trim() {
        "" => format!("{why}\nThe console said nothing."),
        last => format!("{why}\nThe console's last lines:\n{last}"),
    };
    let failed_at = |places: &[Place]| {
        let end = seen.ended_at(places)?;
        Some(Verdict::failed(with_last(sentence(end.meaning))))
    };

    let loader = failed_at(&[Place::Firmware, Place::BootLoader]).unwrap_or_else(|| {
        match (seen.loader, begun) {
            (Some(name), _) => Verdict::passed(name),
            (None, true) => Verdict::passed("It said nothing; the kernel was started."),
            (None, false) => {
                let why = format!("No boot loader was seen. {}", stopped());
                Verdict::failed(with_last(why))
            }
        }
    });
    // Short of the end each of them may still have come.
    let past = |place: Place| {
        failed_at(&[place]).unwrap_or_else(|| match arrived {
            true => Verdict::passed("none"),
            false => not_so_far(),
        })
    };
    let login = match arrival {
        _ if seen.login => Verdict::passed("on the first serial port"),
        // Whether there is to be one is known by whoever can ask.
        Arrival::Shell | Arrival::Login => Verdict::skipped("Nobody is asked for a name yet."),
        Arrival::DeadEnd => not_so_far(),
        Arrival::Ended(_) | Arrival::Late(_) => match loader.outcome {
            Outcome::Failed => not_so_far(),
            _ => Verdict::failed(with_last(format!("No login prompt. {}", stopped()))),
        },
    };
    vec![
        ("boot-loader", loader),
        ("no-kernel-panic", past(Place::Kernel)),
        ("no-initramfs-shell", past(Place::Initramfs)),
        ("no-emergency-shell", past(Place::System)),
        ("login-prompt", login),
    ]
}

/// A message as a sentence.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MENU: &str = "GNU GRUB  version 2.14\n Booting `Debian'\n";
    const KERNEL: &str = "[    0.000000] Linux version 7.0.1 (debian)\n";

    /// Letters of the outcomes: passed, failed, skipped.
    fn letters(console: &str, firmware: &str, arrival: &Arrival) -> String {
        let seen = Transcript::read(console, firmware);
        let cases = boot_cases(&seen, arrival, "last");
        let letter = |(_, verdict): &(_, Verdict)| match verdict.outcome {
            Outcome::Passed => 'p',
            Outcome::Failed => 'f',
            Outcome::Skipped => 's',
        };
        cases.iter().map(letter).collect()
    }

    #[test]
    fn each_way_to_fail_is_a_case_of_its_own() {
        let late = Arrival::Late(60);
        let table: &[(String, &str, Arrival, &str)] = &[
            // A whole boot.
            (
                format!("{MENU}{KERNEL}\nhost login: "),
                "",
                Arrival::Shell,
                "ppppp",
            ),
            (
                format!("{MENU}{KERNEL}\nhost login: "),
                "",
                Arrival::Login,
                "ppppp",
            ),
            // A quiet one, without a console on the serial port.
            (String::new(), "", Arrival::Shell, "pppps"),
            // No boot loader: SeaBIOS says so, OVMF says so, the code hangs.
            (
                String::new(),
                "Booting from Hard Disk...\nNo bootable device.\n",
                Arrival::DeadEnd,
                "fssss",
            ),
            (
                "BdsDxe: No bootable option or device was found.\n".into(),
                "",
                Arrival::DeadEnd,
                "fssss",
            ),
            (
                String::new(),
                "Booting from Hard Disk...\n",
                late.clone(),
                "fssss",
            ),
            (
                "error: no such device.\ngrub rescue> ".into(),
                "",
                Arrival::DeadEnd,
                "fssss",
            ),
            ("GNU GRUB\n\ngrub> ".into(), "", Arrival::DeadEnd, "fssss"),
            // A broken initrd.
            (
                format!(
                    "{MENU}{KERNEL}Initramfs unpacking failed\nKernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n"
                ),
                "",
                Arrival::DeadEnd,
                "pfsss",
            ),
            (
                format!("{MENU}{KERNEL}Failed to switch root: no\n"),
                "",
                Arrival::DeadEnd,
                "psfss",
            ),
            (
                format!(
                    "{MENU}{KERNEL}Entering emergency mode. Exit the shell to continue.\ndracut:/# "
                ),
                "",
                Arrival::DeadEnd,
                "psfss",
            ),
            (
                format!("{MENU}{KERNEL}ALERT!  UUID=1 does not exist.\n(initramfs) "),
                "",
                Arrival::DeadEnd,
                "psfss",
            ),
            (
                format!("{MENU}{KERNEL}You are in emergency mode. After\n"),
                "",
                Arrival::DeadEnd,
                "pssfs",
            ),
            (
                format!(
                    "{MENU}{KERNEL}Cannot open access to console, the root account is locked.\n"
                ),
                "",
                Arrival::DeadEnd,
                "pssfs",
            ),
            // Hangs: in the boot loader, and behind it.
            (MENU.into(), "", late.clone(), "psssf"),
            (
                format!("{MENU}{KERNEL}[  OK  ] Started x\n"),
                "",
                late,
                "psssf",
            ),
            // It ends by itself.
            (
                format!("{MENU}{KERNEL}reboot: Restarting system\n"),
                "",
                Arrival::Ended("bad".into()),
                "psssf",
            ),
            (String::new(), "", Arrival::Ended("no disk".into()), "fssss"),
        ];
        for (console, firmware, arrival, want) in table {
            let found = letters(console, firmware, arrival);
            assert_eq!(&found, want, "{console:?} {firmware:?} {arrival:?}");
        }
    }

    #[test]
    fn failures_say_why_and_what_came_last() {
        let seen = Transcript::read("GNU GRUB\n\ngrub> ", "");
        let cases = boot_cases(&seen, &Arrival::DeadEnd, "grub>");
        assert_eq!(
            cases[0].1.told,
            "GRUB found no menu.\nThe console's last lines:\ngrub>"
        );
        let seen = Transcript::default();
        let cases = boot_cases(&seen, &Arrival::Late(60), "");
        assert_eq!(
            cases[0].1.told,
            "No boot loader was seen. Nothing more came in 60 s.\nThe console said nothing."
        );
    }

    #[test]
    fn what_was_said_before_a_login_does_not_count() {
        let seen = Transcript::read("You are in emergency mode\n\nhost login: ", "");
        assert_eq!((seen.login, seen.end), (true, None));
    }
}
