// SPDX-License-Identifier: MIT OR Apache-2.0
//! From bootc's last words to a coded error.

use std::path::Path;

use contract::error::{Code, Error};

/// Phrases of a full disk: bootc's own check, ostree's reserve, errno.
const DISK_FULL: [&str; 5] = [
    "Insufficient free space",
    "min-free-space",
    "No space left on device",
    "os error 28",
    "Disk quota exceeded",
];

/// Phrases of a boot loader that failed after everything else had worked.
const BOOTLOADER: [&str; 3] = [
    "Installing bootloader",
    "bootupd is required",
    "Setting up composefs boot",
];

/// The error for a bootc that ended with `exit` (a phrase such as `exit status
/// 1`); `message` is the text after its last `error: `.
pub(super) fn classify(message: Option<&str>, exit: &str, log: &Path) -> Error {
    let has = |phrases: &[&str]| message.is_some_and(|m| phrases.iter().any(|p| m.contains(p)));
    let error = if has(&DISK_FULL) {
        Error::new(
            Code::DiskFull,
            "The target filled up while bootc wrote the deployment.",
        )
    } else if has(&BOOTLOADER) {
        Error::new(
            Code::BootloaderFailed,
            "bootc could not install the boot loader.",
        )
    } else {
        Error::new(Code::BootcFailed, "bootc could not install the image.")
    };
    let error = match message {
        Some(message) => error.detail(format!("bootc: {message}")),
        None => error.detail(format!("bootc ended with {exit} and no error line")),
    };
    error.detail(format!("bootc's log: {}", log.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages() {
        let table = [
            (
                "Installing to filesystem: Creating ostree deployment: Insufficient free space \
                 for r/os:1 (available: 170.2 MB required: 295.5 MB)",
                Code::DiskFull,
            ),
            (
                "Installing to filesystem: Creating ostree deployment: Pulling: Importing: \
                 Parsing layer blob sha256:0: error: ostree-tar: Writing content object: \
                 min-free-space-percent '3%' would be exceeded, at least 33.1 MB requested",
                Code::DiskFull,
            ),
            (
                "Installing to filesystem: x: No space left on device (os error 28)",
                Code::DiskFull,
            ),
            (
                "Installing to filesystem: bootupd is required for ostree-based installs",
                Code::BootloaderFailed,
            ),
            (
                "Installing to filesystem: Installing bootloader: Probing bootupd --filesystem \
                 support: No such file or directory (os error 2)",
                Code::BootloaderFailed,
            ),
            (
                "Installing to filesystem: Verifying empty rootfs: Non-empty root filesystem",
                Code::BootcFailed,
            ),
        ];
        for (message, code) in table {
            let error = classify(Some(message), "exit status 1", Path::new("/l"));
            assert_eq!(error.code, code, "{message}");
            assert_eq!(error.details[0], format!("bootc: {message}"));
            assert_eq!(error.details[1], "bootc's log: /l");
        }
    }

    #[test]
    fn without_a_word() {
        let error = classify(None, "killed by SIGKILL", Path::new("/l"));
        assert_eq!(error.code, Code::BootcFailed);
        assert!(error.details[0].contains("killed by SIGKILL"));
    }
}
