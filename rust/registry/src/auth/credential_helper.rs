// SPDX-License-Identifier: MIT OR Apache-2.0
//! Credential helpers: programs `docker-credential-<name>` that hand out a
//! login, after the protocol of docker-credential-helpers. What one prints is
//! a secret and goes nowhere else.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::auth::credentials::Credentials;
use crate::error::RegistryError;

/// Some ask a person, some a server.
const LIMIT: Duration = Duration::from_secs(20);
/// Some hand out tokens that do not live long.
const FRESH: Duration = Duration::from_secs(300);
/// More than any honest login.
const MAX_BYTES: u64 = 1024 * 1024;
/// What helpers say, with status 1, when they have nothing.
const NOT_FOUND: &str = "credentials not found in native keychain";
/// The user name that stands for an identity token.
const TOKEN_USER: &str = "<token>";

/// Whether `name` can be part of a program's name and of nothing else.
pub(crate) fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    !name.is_empty() && name.bytes().all(plain)
}

/// Runs helpers and remembers for a while what they said.
#[derive(Debug, Clone)]
pub(crate) struct CredentialHelpers {
    /// Where they are, if not on the search path.
    directory: Option<PathBuf>,
    limit: Duration,
    answers: Arc<Mutex<HashMap<(String, String), Remembered>>>,
}

type Remembered = (Instant, Option<Credentials>);

impl Default for CredentialHelpers {
    fn default() -> Self {
        Self {
            directory: None,
            limit: LIMIT,
            answers: Arc::default(),
        }
    }
}

impl CredentialHelpers {
    #[cfg(test)]
    pub(crate) fn within(directory: PathBuf, limit: Duration) -> Self {
        Self {
            directory: Some(directory),
            limit,
            ..Self::default()
        }
    }

    /// What `docker-credential-<name>` has for `server`. Waits for it.
    ///
    /// # Errors
    /// [`RegistryError::CredentialHelper`] when there is no answer.
    pub(crate) fn ask(
        &self,
        name: &str,
        server: &str,
    ) -> Result<Option<Credentials>, RegistryError> {
        let key = (name.to_owned(), server.to_owned());
        // Held over the call, so that a person is not asked twice at a time.
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((when, answer)) = answers.get(&key)
            && when.elapsed() < FRESH
        {
            return Ok(answer.clone());
        }
        let program = format!("docker-credential-{name}");
        let answer = self.run(name, &program, server).map_err(|problem| {
            RegistryError::CredentialHelper {
                program,
                server: server.to_owned(),
                problem,
            }
        })?;
        answers.insert(key, (Instant::now(), answer.clone()));
        Ok(answer)
    }

    fn run(&self, name: &str, program: &str, server: &str) -> Result<Option<Credentials>, String> {
        if !is_name(name) {
            return Err("its name has other characters than A-Z a-z 0-9 . _ -".to_owned());
        }
        let path: OsString = match &self.directory {
            Some(directory) => directory.join(program).into(),
            None => program.into(),
        };
        let mut child = Command::new(path)
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("it cannot be started: {e}"))?;
        let done = exchange(&mut child, server, self.limit);
        if done.is_err() {
            // It may have ended meanwhile; then there is nothing to do.
            child.kill().ok();
            child.wait().ok();
        }
        let (status, output) = done?;
        understand(status, &output)
    }
}

/// Gives the server's name to the helper and takes what it prints.
fn exchange(
    child: &mut Child,
    server: &str,
    limit: Duration,
) -> Result<(ExitStatus, Zeroizing<Vec<u8>>), String> {
    let end = Instant::now() + limit;
    let late = || format!("it did not end within {} s", limit.as_secs_f64());
    if let Some(mut stdin) = child.stdin.take() {
        // One that ends without reading says why with its status.
        stdin.write_all(server.as_bytes()).ok();
    }
    let stdout = child.stdout.take().ok_or("it has no output")?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut output = Zeroizing::new(Vec::new());
        let read = stdout.take(MAX_BYTES).read_to_end(&mut output);
        // Nobody listens any more when it took too long.
        sender.send(read.map(|_| output)).ok();
    });
    let output = receiver
        .recv_timeout(limit)
        .map_err(|_| late())?
        .map_err(|e| format!("its output cannot be read: {e}"))?;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok((status, output)),
            Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
            Ok(None) => return Err(late()),
            Err(e) => return Err(e.to_string()),
        }
    }
}

#[derive(Deserialize)]
struct HelperLogin {
    #[serde(rename = "Username")]
    username: String,
    #[serde(rename = "Secret")]
    secret: SecretString,
}

fn understand(status: ExitStatus, output: &[u8]) -> Result<Option<Credentials>, String> {
    if !status.success() {
        let said = String::from_utf8_lossy(output);
        return match said.trim() == NOT_FOUND {
            true => Ok(None),
            false => Err(format!("it ended with {status}")),
        };
    }
    // The text of a serde error may quote the output.
    let login: HelperLogin = serde_json::from_slice(output)
        .map_err(|_| "its output is not JSON with Username and Secret".to_owned())?;
    if login.secret.expose_secret().is_empty() {
        return Ok(None);
    }
    Ok(Some(if login.username == TOKEN_USER {
        Credentials::IdentityToken {
            token: login.secret,
        }
    } else {
        Credentials::Basic {
            username: login.username,
            password: login.secret,
        }
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Longer than anything here takes on a busy machine.
    const LONG: Duration = Duration::from_secs(60);

    fn helpers(script: &str, limit: Duration) -> (tempfile::TempDir, CredentialHelpers) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("docker-credential-test");
        testkit::program::write(&path, &format!("#!/bin/sh\n{script}\n")).unwrap();
        let helpers = CredentialHelpers::within(dir.path().to_owned(), limit);
        (dir, helpers)
    }

    fn ask(script: &str) -> Result<Option<Credentials>, String> {
        let (_dir, helpers) = helpers(script, LONG);
        helpers
            .ask("test", "r.io")
            .map_err(|e| format!("{e} {e:?}"))
    }

    #[test]
    fn a_login() {
        let script = r#"read -r server || true
            [ "$1" = get ] || exit 3
            echo "{\"ServerURL\":\"$server\",\"Username\":\"u-$server\",\"Secret\":\"hunter2\"}""#;
        let Some(Credentials::Basic { username, password }) = ask(script).unwrap() else {
            panic!("no login");
        };
        assert_eq!(username, "u-r.io");
        assert_eq!(password.expose_secret(), "hunter2");
    }

    #[test]
    fn an_identity_token() {
        let answer = ask(r#"echo '{"Username":"<token>","Secret":"tok"}'"#).unwrap();
        let Some(Credentials::IdentityToken { token, .. }) = answer else {
            panic!("{answer:?}");
        };
        assert_eq!(token.expose_secret(), "tok");
    }

    #[test]
    fn nothing_there() {
        for script in [
            "echo credentials not found in native keychain; exit 1",
            r#"echo '{"Username":"","Secret":""}'"#,
        ] {
            assert!(ask(script).unwrap().is_none(), "{script}");
        }
    }

    #[test]
    fn failures_repeat_nothing_of_the_output() {
        for (script, problem) in [
            ("echo hunter2; exit 1", "ended with"),
            ("echo hunter2", "not JSON"),
            (r#"echo '{"Username":"hunter2"}'"#, "not JSON"),
            ("echo hunter2; kill -9 $$", "signal: 9"),
        ] {
            let error = ask(script).unwrap_err();
            assert!(error.contains(problem), "{script}: {error}");
            assert!(error.contains("docker-credential-test gave no answer for r.io"));
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn one_that_hangs_is_stopped() {
        let limit = Duration::from_millis(300);
        // The second closes its output and goes on.
        for script in ["exec sleep 1000", "exec >&-; exec sleep 1000"] {
            let (_dir, helpers) = helpers(script, limit);
            let started = Instant::now();
            let error = helpers.ask("test", "r.io").unwrap_err();
            assert!(started.elapsed() < Duration::from_secs(100));
            assert!(
                error.to_string().contains("did not end within 0.3 s"),
                "{error}"
            );
        }
    }

    #[test]
    fn names() {
        for (name, good) in [
            ("ecr-login", true),
            ("secretservice", true),
            ("a_b.c", true),
            ("", false),
            ("../sh", false),
            ("a b", false),
            ("a\n", false),
        ] {
            assert_eq!(is_name(name), good, "{name}");
        }
        let error = CredentialHelpers::default()
            .ask("../x", "r.io")
            .unwrap_err();
        assert!(error.to_string().contains("its name"), "{error}");
        let missing = CredentialHelpers::default()
            .ask("not-installed", "r.io")
            .unwrap_err();
        assert!(
            missing.to_string().contains("cannot be started"),
            "{missing}"
        );
    }

    #[test]
    fn an_answer_is_remembered() {
        let script = r#"echo x >> "$(dirname "$0")/calls"; echo '{"Username":"u","Secret":"s"}'"#;
        let (dir, helpers) = helpers(script, LONG);
        for server in ["a.io", "b.io", "a.io", "b.io"] {
            assert!(helpers.clone().ask("test", server).unwrap().is_some());
        }
        let calls = std::fs::read_to_string(dir.path().join("calls")).unwrap();
        assert_eq!(calls.lines().count(), 2);
    }
}
