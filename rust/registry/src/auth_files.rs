// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where credentials are looked for: the order of `containers-auth.json(5)`.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::credentials::CredentialStore;
use crate::error::RegistryError;

/// A file that may hold credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthFile {
    /// The file.
    pub path: PathBuf,
    /// Whether somebody named it, so that it is an error when it is not there.
    pub must_exist: bool,
}

/// The files to read, in this order:
///
/// 1. `explicit`, or else `$REGISTRY_AUTH_FILE`: then no other file is read;
/// 2. `$XDG_RUNTIME_DIR/containers/auth.json`;
/// 3. `/run/containers/0/auth.json`;
/// 4. `$XDG_CONFIG_HOME/containers/auth.json`, or `~/.config/containers/auth.json`;
/// 5. `~/.docker/config.json`.
///
/// `env` looks up an environment variable.
pub fn search_order(
    explicit: Option<&Path>,
    env: impl Fn(&str) -> Option<OsString>,
) -> Vec<AuthFile> {
    let env = |name| env(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(path) = explicit
        .map(Path::to_owned)
        .or_else(|| env("REGISTRY_AUTH_FILE"))
    {
        let must_exist = true;
        return vec![AuthFile { path, must_exist }];
    }
    let home = env("HOME");
    let in_home = |rest: &str| home.as_ref().map(|h| h.join(rest));
    let config = env("XDG_CONFIG_HOME").or_else(|| in_home(".config"));
    [
        env("XDG_RUNTIME_DIR").map(|d| d.join("containers/auth.json")),
        Some(PathBuf::from("/run/containers/0/auth.json")),
        config.map(|d| d.join("containers/auth.json")),
        in_home(".docker/config.json"),
    ]
    .into_iter()
    .flatten()
    .map(|path| AuthFile {
        path,
        must_exist: false,
    })
    .collect()
}

/// Reads the files in order; credentials in an earlier one come first.
///
/// # Errors
/// [`RegistryError::Io`] when a file cannot be read or a named one is missing,
/// [`RegistryError::Config`] when one cannot be understood.
pub fn load_credentials(files: &[AuthFile]) -> Result<CredentialStore, RegistryError> {
    let mut store = CredentialStore::default();
    for file in files {
        let text = match std::fs::read_to_string(&file.path) {
            Ok(text) => zeroize::Zeroizing::new(text),
            Err(e) if e.kind() == io::ErrorKind::NotFound && !file.must_exist => continue,
            Err(e) => return Err(RegistryError::io("read", &file.path)(e)),
        };
        let one = CredentialStore::from_auth_json(&text).map_err(|e| RegistryError::Config {
            what: format!("auth file {}: {e}", file.path.display()),
        })?;
        store.append(one);
    }
    Ok(store)
}
