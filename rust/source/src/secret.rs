// SPDX-License-Identifier: MIT OR Apache-2.0
//! Secrets: read once, handed out by registry, never printed.
//!
//! A plan only says where credentials are ([`contract::plan::SecretRef`]). Here
//! they are read from there, kept in memory that is wiped on drop, and given
//! to whoever pulls or writes the deployment's auth file. Nothing in this
//! module implements `Serialize`, and `Debug` never shows a secret.

use std::io::Read;
use std::path::{Path, PathBuf};

use conf::Login;
use contract::error::{Code, Error, Result};
use contract::plan::{Plan, SecretRef};
use imageref::Reference;
use registry::{AuthFileError, CredentialStore, Credentials};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use crate::machine;

/// More than any honest auth file or password.
const MAX_BYTES: u64 = 1024 * 1024;
/// The name in `credential-helpers` that stands for the auth files.
const AUTH_FILES: &str = "containers-auth.json";

/// All secrets of one plan.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    store: CredentialStore,
    warnings: Vec<String>,
}

impl Secrets {
    /// Reads every secret that `plan` refers to, and sees which credential
    /// helpers this machine has for all registries. `SECRET_UNREADABLE` names
    /// the place. Descriptors are read to their end, so call it once.
    pub fn read(plan: &Plan) -> Result<Self> {
        let mut store = CredentialStore::default();
        let mut warnings = Vec::new();
        let mut seen: Vec<&SecretRef> = Vec::new();
        for registry in &plan.registries {
            let Some(place) = &registry.auth else {
                continue;
            };
            if seen.contains(&place) {
                continue; // one file or descriptor for several registries
            }
            seen.push(place);
            match place {
                SecretRef::AuthFile { path } => {
                    let text = read_file(path, &mut warnings)?;
                    store.append(auth_file(path, &text)?);
                }
                SecretRef::AuthFd { fd } => {
                    // Opens the same pipe or file anew: no descriptor is taken
                    // over that something else might close.
                    let path = PathBuf::from(format!("/proc/self/fd/{fd}"));
                    let text = read_file(&path, &mut warnings)?;
                    store.append(auth_json(&text, &format!("descriptor {fd}"))?);
                }
                SecretRef::Config { path, registry } => {
                    store.append(from_config(path, registry, &mut warnings)?);
                }
            }
        }
        for name in machine::own_registries()?.credential_helpers() {
            if name != AUTH_FILES {
                store.append(CredentialStore::from_helper(name));
            }
        }
        Ok(Self { store, warnings })
    }

    /// What is doubtful about how the secrets are kept, a sentence for each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The credentials, for the registry client.
    pub fn credentials(&self) -> &CredentialStore {
        &self.store
    }

    /// A containers-auth.json(5) document with exactly the entries for these
    /// repositories, for the installed system's updates or for bootc; `None`
    /// when there are no credentials for them.
    pub fn auth_json(&self, repositories: &[Reference]) -> Result<Option<SecretString>> {
        let mut logins = Vec::new();
        for reference in repositories {
            let credentials = match self.store.lookup(reference) {
                Ok(credentials) => credentials,
                // What was pulled was given without a login then.
                Err(error) => {
                    tracing::warn!(%error, image = %reference.name(), "no login for updates");
                    continue;
                }
            };
            if !credentials.is_anonymous() {
                logins.push((reference.name(), credentials));
            }
        }
        if logins.is_empty() {
            return Ok(None);
        }
        let entries: Vec<_> = logins.iter().map(|(n, c)| (n.as_str(), c)).collect();
        registry::write_auth_json(&entries)
            .map(Some)
            .map_err(|_| Error::new(Code::Internal, "A token cannot be written."))
    }
}

fn unreadable(what: String) -> Error {
    Error::new(Code::SecretUnreadable, what)
}

/// Reads a file with secrets, and warns if others can.
fn read_file(path: &Path, warnings: &mut Vec<String>) -> Result<Zeroizing<String>> {
    let fail = |e: std::io::Error| {
        unreadable(format!(
            "The credentials in {} cannot be read.",
            path.display()
        ))
        .detail(e.to_string())
    };
    let mut text = Zeroizing::new(String::new());
    let file = std::fs::File::open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    warnings.extend(registry::open_to_others(path, &metadata));
    let read = file
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(fail)?;
    if read as u64 > MAX_BYTES {
        return Err(unreadable(format!(
            "{} is too large for credentials.",
            path.display()
        )));
    }
    Ok(text)
}

fn auth_file(path: &Path, text: &str) -> Result<CredentialStore> {
    let place = path.display().to_string();
    if path.ends_with(".dockercfg") {
        return CredentialStore::from_dockercfg(text).map_err(|e| not_understood(&place, &e));
    }
    auth_json(text, &place)
}

fn auth_json(text: &str, place: &str) -> Result<CredentialStore> {
    CredentialStore::from_auth_json(text).map_err(|e| not_understood(place, &e))
}

fn not_understood(place: &str, error: &AuthFileError) -> Error {
    unreadable(format!(
        "The credentials from {place} cannot be understood."
    ))
    .detail(error.to_string())
}

fn from_config(path: &Path, prefix: &str, warnings: &mut Vec<String>) -> Result<CredentialStore> {
    let config = conf::read(path)?;
    let place = format!("`registryAuth.registries.{prefix}` in {}", path.display());
    let login = config
        .registries
        .into_iter()
        .find(|r| r.prefix == prefix)
        .and_then(|r| r.login)
        .ok_or_else(|| {
            unreadable(format!("There are no credentials at {place}."))
                .why("The file was changed after the plan was made.")
                .next("Make a new plan with `bootc-installer plan`.")
        })?;
    if !matches!(login, Login::PasswordFile { .. }) {
        let metadata = std::fs::metadata(path).map_err(|err| Error::io("reading", path, &err))?;
        warnings.extend(registry::open_to_others(path, &metadata));
    }
    let (username, password) = match login {
        Login::Encoded(auth) => return decode(&auth, prefix, &place),
        Login::Password { username, password } => (username, password),
        Login::PasswordFile { username, path } => {
            let text = read_file(&path, warnings)?;
            let line = text.lines().next().unwrap_or_default();
            if line.is_empty() {
                return Err(
                    unreadable(format!("The password file {} is empty.", path.display()))
                        .why("Its first line must be the password."),
                );
            }
            (username, SecretString::from(line))
        }
    };
    let mut store = CredentialStore::default();
    store.insert(prefix, Credentials::Basic { username, password });
    Ok(store)
}

fn decode(auth: &SecretString, prefix: &str, place: &str) -> Result<CredentialStore> {
    let bad = || {
        unreadable(format!("`auth` of {place} is not base64 of user:password."))
            .why("It was copied incompletely, or is a placeholder.")
            .next("Copy the value from an auth.json file, or give `username` and `password`.")
    };
    let login = Credentials::from_encoded(auth).ok_or_else(bad)?;
    let mut store = CredentialStore::default();
    store.insert(prefix, login);
    Ok(store)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use secrecy::ExposeSecret;

    use super::*;
    use std::fs;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::PermissionsExt as _;

    fn plan(auth: &[(&str, SecretRef)]) -> Plan {
        let mut plan = Plan::from_json(
            r#"{"version":1,"image":{"imgref":"quay.io/os/debian:13"},
            "source":{"type":"registry"},"runtimeRoot":{"type":"unpack"},
            "target":{"root":"/target"},"bootc":{"stateroot":"default"}}"#,
        )
        .unwrap();
        plan.registries = auth
            .iter()
            .map(|(prefix, auth)| contract::plan::RegistryPlan {
                prefix: (*prefix).into(),
                auth: Some(auth.clone()),
                ..contract::plan::RegistryPlan::default()
            })
            .collect();
        plan
    }

    /// What would be kept for the image, decoded.
    fn kept(secrets: &Secrets, name: &str) -> Option<serde_json::Value> {
        let text = secrets.auth_json(&[name.parse().unwrap()]).unwrap()?;
        Some(serde_json::from_str(text.expose_secret()).unwrap())
    }

    #[test]
    fn auth_file_and_descriptor() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("auth.json");
        // user:pass for one namespace, other:pass for another registry
        fs::write(
            &path,
            r#"{"auths":{"quay.io/os":{"auth":"dXNlcjpwYXNz"},"x.io":{"auth":"b3RoZXI6cGFzcw=="}}}"#,
        )
        .unwrap();
        let file = fs::File::open(&path).unwrap();
        for place in [
            SecretRef::AuthFile { path: path.clone() },
            SecretRef::AuthFd {
                fd: file.as_raw_fd(),
            },
        ] {
            let secrets =
                Secrets::read(&plan(&[("quay.io", place.clone()), ("x.io", place)])).unwrap();
            assert_eq!(
                kept(&secrets, "quay.io/os/debian").unwrap(),
                serde_json::json!({"auths":{"quay.io/os/debian":{"auth":"dXNlcjpwYXNz"}}})
            );
            assert!(kept(&secrets, "quay.io/other/debian").is_none());
            assert!(kept(&secrets, "x.io/a").is_some());
            let both = ["quay.io/os/debian", "x.io/a"].map(|name| name.parse().unwrap());
            let both = secrets.auth_json(&both).unwrap().unwrap();
            let both: serde_json::Value = serde_json::from_str(both.expose_secret()).unwrap();
            assert_eq!(both["auths"].as_object().unwrap().len(), 2);
            // The umask of whoever runs this decides.
            let open = fs::metadata(&path).unwrap().permissions().mode() & 0o044 != 0;
            assert_eq!(secrets.warnings().len(), usize::from(open));
            let debug = format!("{secrets:?}");
            assert!(
                !debug.contains("pass") || debug.contains("REDACTED"),
                "{debug}"
            );
            assert!(!debug.contains("dXNl"), "{debug}");
        }
    }

    #[test]
    fn identity_tokens_are_kept_as_containers_image_reads_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("auth.json");
        fs::write(&path, r#"{"auths":{"r.io":{"identitytoken":"t\"k"}}}"#).unwrap();
        let secrets = Secrets::read(&plan(&[("r.io", SecretRef::AuthFile { path })])).unwrap();
        let auth = STANDARD.encode("<token>:");
        assert_eq!(
            kept(&secrets, "r.io/a").unwrap(),
            serde_json::json!({"auths":{"r.io/a":{"auth":auth,"identitytoken":"t\"k"}}})
        );
    }

    #[test]
    fn configuration() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bootc.conf");
        fs::write(dir.path().join("pw"), "pass\nnot this\n").unwrap();
        fs::write(dir.path().join("empty"), "\n").unwrap();
        fs::write(
            &path,
            "registryAuth:\n  registries:\n    a.io: { auth: dXNlcjpwYXNz }\n    \
             b.io: { username: user, password: pass }\n    c.io: { username: user, passwordFile: pw }\n    \
             d.io: { auth: base64-encoded-credentials }\n    e.io: { username: u, passwordFile: empty }\n    \
             f.io: { insecure: true }\n",
        )
        .unwrap();
        let read = |prefix: &str| {
            let place = SecretRef::Config {
                path: path.clone(),
                registry: prefix.into(),
            };
            Secrets::read(&plan(&[(prefix, place)]))
        };
        for prefix in ["a.io", "b.io", "c.io"] {
            let name = format!("{prefix}/x");
            assert_eq!(
                kept(&read(prefix).unwrap(), &name).unwrap(),
                serde_json::json!({"auths":{name:{"auth":"dXNlcjpwYXNz"}}})
            );
        }
        for prefix in ["d.io", "e.io", "f.io", "g.io"] {
            assert_eq!(
                read(prefix).unwrap_err().code,
                Code::SecretUnreadable,
                "{prefix}"
            );
        }
    }

    #[test]
    fn unreadable_places() {
        let dir = tempfile::tempdir().unwrap();
        let garbage = dir.path().join("garbage");
        fs::write(&garbage, "{ \"auths\": hunter2 }").unwrap();
        for place in [
            SecretRef::AuthFile { path: garbage },
            SecretRef::AuthFile {
                path: "/nonexistent".into(),
            },
            SecretRef::AuthFd { fd: 987 },
        ] {
            let err = Secrets::read(&plan(&[("quay.io", place)])).unwrap_err();
            assert_eq!(err.code, Code::SecretUnreadable);
            assert!(!format!("{err:?}").contains("hunter2"), "{err:?}");
        }
    }
}
