// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the medium does at the end.

use contract::error::{Code, Result};
use host::cancel::Cancel;
use host::cmd::Tool;
use recipe::After;

/// The unit with root's shell on the screen.
const SHELL: &str = "installer-shell.service";

/// Does it. systemd is only told, since this program is a part of what it ends.
///
/// # Errors
/// `IO` when systemd does not take the order.
pub(super) fn end(after: After) -> Result<()> {
    let Some(words) = order(after) else {
        return Ok(());
    };
    Tool::new("systemctl")
        .arg("--no-block")
        .args(words)
        .failing_as(Code::Io)
        .run(&Cancel::new())?;
    Ok(())
}

/// Words for systemctl(1).
fn order(after: After) -> Option<&'static [&'static str]> {
    match after {
        After::Poweroff => Some(&["poweroff"]),
        After::Reboot => Some(&["reboot"]),
        After::Shell => Some(&["start", SHELL]),
        After::Nothing => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_is_a_unit_of_the_medium() {
        let units = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../iso/includes.chroot_after_packages/etc/systemd/system"
        );
        let there = |unit: &str| std::path::Path::new(units).join(unit).is_file();
        assert!(order(After::Shell).is_some_and(|words| words.iter().any(|unit| there(unit))));
        assert_eq!(order(After::Nothing), None);
    }
}
