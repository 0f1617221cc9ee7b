// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs that a test makes and runs.
//!
//! The kernel refuses to execute what somebody has open for writing ("Text file
//! busy"). A test that writes a program has it open only for a moment; but when
//! another thread starts a process in that moment, the new process has it open
//! too, until it executes something else. A rename does not help, nor does a
//! script's interpreter. So a process that no thread of ours copies does the
//! writing.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use buildroot::cmd::CommandExt;

/// Makes an executable file (mode 0755) with this text, in place of what is
/// there.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, text: &str) -> Result<()> {
    let mut source = tempfile::NamedTempFile::new().context("making a file for a program")?;
    source
        .write_all(text.as_bytes())
        .context("writing a program")?;
    copy(source.path(), path)
}

/// Copies a program; the copy can be executed by everybody.
///
/// # Errors
/// When it cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    Command::new("install")
        .args(["--mode=0755", "--no-target-directory", "--"])
        .args([from, to])
        .run()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn they_run_while_other_threads_start_processes() {
        let dir = tempfile::tempdir().unwrap();
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !ended.load(Ordering::Relaxed) {
                        Command::new("true").status().unwrap();
                    }
                });
            }
            let made: Vec<_> = (0..50)
                .map(|n| {
                    let (script, of) = (dir.path().join(format!("s{n}")), format!("echo {n}"));
                    let tool = dir.path().join(format!("t{n}"));
                    write(&script, &format!("#!/bin/sh\n{of}\n"))?;
                    copy(Path::new("/bin/echo"), &tool)?;
                    let said = Command::new(&script).read()?;
                    Ok((said, Command::new(&tool).arg(n.to_string()).read()?))
                })
                .collect();
            // Before anything can panic, since the threads are waited for.
            ended.store(true, Ordering::Relaxed);
            for (n, made) in made.into_iter().enumerate() {
                let made: Result<(String, String)> = made;
                assert_eq!(made.unwrap(), (format!("{n}\n"), format!("{n}\n")));
            }
        });
    }

    #[test]
    fn what_is_there_is_replaced_and_can_be_executed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("program");
        std::fs::write(&path, "something longer than the program").unwrap();
        write(&path, "#!/bin/true\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "#!/bin/true\n");
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o755);
        let error = copy(&dir.path().join("none"), &path).unwrap_err();
        assert!(error.to_string().contains("none"), "{error:#}");
        assert!(write(&dir.path().join("no/such"), "").is_err());
    }

    /// Every source file below a directory.
    fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                sources(&path, found);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                found.push(path);
            }
        }
    }

    /// Whether a statement makes a program that the own process has open.
    fn offends(statement: &str) -> bool {
        let has = |words: &[&str]| words.iter().any(|word| statement.contains(word));
        // Of directories, names say that they are some.
        let mode = has(&["set_permissions(", ".mode(0o"]) && has(&["0o755", "0o700", "0o555"]);
        let copy = has(&["fs::copy("]) && has(&["rogram", "PROGRAM", "find(", "_exe", "_EXE"]);
        (mode && !has(&["dir", "Dir"])) || copy
    }

    #[test]
    fn nobody_else_makes_programs() {
        for (statement, bad) in [
            (
                "fs::set_permissions(&path, fs::Permissions::from_mode(0o755))",
                true,
            ),
            ("File::options()\n.mode(0o755).open(path)", true),
            ("fs::copy(PROGRAM, &program).unwrap()", true),
            ("fs::copy(cmd::find(name).unwrap(), &real)", true),
            (
                "fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755))",
                false,
            ),
            ("DirBuilder::new().mode(0o700).create(path)", false),
            (
                "fs::set_permissions(&file, fs::Permissions::from_mode(0o600))",
                false,
            ),
            ("fs::copy(&deb, &copy)", false),
        ] {
            assert_eq!(offends(statement), bad, "{statement}");
        }
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut files = Vec::new();
        for dir in ["rust", "tests", "benches"] {
            sources(&workspace.join(dir), &mut files);
        }
        assert!(files.len() > 100, "{}", files.len());
        files.retain(|file| !file.ends_with("tests/kit/src/program.rs"));
        let mut found = Vec::new();
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let statements = text.split([';', '{']).filter(|s| offends(s));
            found.extend(statements.map(|s| format!("{}: {}", file.display(), s.trim())));
        }
        assert!(found.is_empty(), "testkit::program makes them: {found:#?}");
    }
}
