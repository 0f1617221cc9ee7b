// SPDX-License-Identifier: MIT OR Apache-2.0
//! A login at a registry, on its way to the engine.

use std::io::Write;
use std::os::fd::OwnedFd;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::error::{Code, Error, Result};
use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

/// Longer ones are refused: all of it must fit into a pipe.
const MAX_BYTES: usize = 4096;

/// User name and password for one registry. `Debug` shows neither.
#[derive(Clone)]
pub struct Login {
    host: String,
    username: String,
    password: SecretString,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

/// containers-auth.json(5).
#[derive(Serialize)]
struct AuthFile<'a> {
    auths: std::collections::BTreeMap<&'a str, AuthEntry<'a>>,
}

#[derive(Serialize)]
struct AuthEntry<'a> {
    auth: &'a str,
}

impl Login {
    /// A login for `host[:port]`. `USAGE` when it cannot be one.
    pub fn new(host: &str, username: &str, password: SecretString) -> Result<Self> {
        let refuse = |what: &str| {
            Err(Error::new(Code::Usage, what)
                .why("Registries have no such user names and passwords.")
                .next("Type user name and password again."))
        };
        if username.is_empty() {
            return refuse("The user name is empty.");
        }
        // The two are joined by a colon (RFC 7617).
        if username.contains(':') || username.contains(char::is_control) {
            return refuse("The user name has a character that no user name can have.");
        }
        if username.len() + password.expose_secret().len() > MAX_BYTES {
            return refuse("The user name or the password is too long.");
        }
        Ok(Self {
            host: host.to_owned(),
            username: username.to_owned(),
            password,
        })
    }

    /// The registry, `host[:port]`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// A pipe that delivers the login as containers-auth.json(5), once. It is
    /// filled already: the secret is in no argument, environment or file.
    pub fn pipe(&self) -> Result<OwnedFd> {
        let failed = |err: std::io::Error| {
            Error::new(Code::Io, "The login cannot be handed to the installer.")
                .detail(err.to_string())
        };
        let plain = Zeroizing::new(format!(
            "{}:{}",
            self.username,
            self.password.expose_secret()
        ));
        let auth = Zeroizing::new(STANDARD.encode(plain.as_bytes()));
        let file = AuthFile {
            auths: [(self.host.as_str(), AuthEntry { auth: &auth })].into(),
        };
        // Into a buffer of its full size, so that growing leaves no copies.
        let mut json = Zeroizing::new(Vec::with_capacity(auth.len() + self.host.len() + 64));
        serde_json::to_writer(&mut *json, &file).map_err(|err| failed(err.into()))?;
        let (read, write) = pipe2(OFlag::O_CLOEXEC).map_err(|errno| failed(errno.into()))?;
        std::fs::File::from(write)
            .write_all(&json)
            .map_err(failed)?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Read;

    #[test]
    fn the_pipe_delivers_an_auth_file() {
        let login = Login::new("r.example:5000", "al\"ice", "p:w\\ü".into()).unwrap();
        let mut text = String::new();
        std::fs::File::from(login.pipe().unwrap())
            .read_to_string(&mut text)
            .unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let auth = json["auths"]["r.example:5000"]["auth"].as_str().unwrap();
        assert_eq!(STANDARD.decode(auth).unwrap(), "al\"ice:p:w\\ü".as_bytes());
    }

    #[test]
    fn what_is_no_login() {
        for (user, password) in [("", "x"), ("a:b", "x"), ("a\n", "x")] {
            assert!(Login::new("r", user, password.into()).is_err(), "{user:?}");
        }
        assert!(Login::new("r", "a", "x".repeat(5000).into()).is_err());
        assert!(Login::new("r", "a", "".into()).is_ok());
    }

    #[test]
    fn debug_shows_no_secret() {
        let login = Login::new("r", "alice", "hunter2".into()).unwrap();
        let shown = format!("{login:?}");
        assert!(shown.contains('r') && !shown.contains("alice") && !shown.contains("hunter2"));
    }
}
