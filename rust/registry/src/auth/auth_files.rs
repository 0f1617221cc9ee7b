// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where credentials are looked for: the order of `containers-auth.json(5)`.

use std::ffi::OsString;
use std::fs::Metadata;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::auth::credential_store::CredentialStore;
use crate::error::RegistryError;

/// A file that may hold credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthFile {
    /// The file.
    pub path: PathBuf,
    /// Whether somebody named it, so that it is an error when it is not there.
    pub must_exist: bool,
    /// Whether it has the old form of `.dockercfg`.
    pub old_form: bool,
}

/// The files to read, in this order:
///
/// 1. `explicit`, or else `$REGISTRY_AUTH_FILE`: then no other file is read;
/// 2. `$XDG_RUNTIME_DIR/containers/auth.json`;
/// 3. `/run/containers/0/auth.json`;
/// 4. `$XDG_CONFIG_HOME/containers/auth.json`, or `~/.config/containers/auth.json`;
/// 5. `$DOCKER_CONFIG/config.json`, or `~/.docker/config.json`;
/// 6. `~/.dockercfg`;
/// 7. `/run/ostree/auth.json`, then `/etc/ostree/auth.json`, where bootc reads
///    its own.
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
        return vec![AuthFile {
            path,
            must_exist: true,
            old_form: false,
        }];
    }
    let home = env("HOME");
    let in_home = |rest: &str| home.as_ref().map(|h| h.join(rest));
    let config = env("XDG_CONFIG_HOME").or_else(|| in_home(".config"));
    let docker = env("DOCKER_CONFIG").or_else(|| in_home(".docker"));
    [
        env("XDG_RUNTIME_DIR").map(|d| d.join("containers/auth.json")),
        Some(PathBuf::from("/run/containers/0/auth.json")),
        config.map(|d| d.join("containers/auth.json")),
        docker.map(|d| d.join("config.json")),
        in_home(".dockercfg"),
        Some(PathBuf::from("/run/ostree/auth.json")),
        Some(PathBuf::from("/etc/ostree/auth.json")),
    ]
    .into_iter()
    .flatten()
    .map(|path| AuthFile {
        old_form: path.ends_with(".dockercfg"),
        path,
        must_exist: false,
    })
    .collect()
}

/// Reads the files in order; credentials in an earlier one come first. A file
/// with secrets that others may read gives a warning.
///
/// # Errors
/// [`RegistryError::Io`] when a file cannot be read or a named one is missing,
/// [`RegistryError::Config`] when one cannot be understood.
pub fn load_credentials(files: &[AuthFile]) -> Result<CredentialStore, RegistryError> {
    let mut store = CredentialStore::default();
    for file in files {
        let mut text = zeroize::Zeroizing::new(String::new());
        let read = std::fs::File::open(&file.path).and_then(|mut f| {
            f.read_to_string(&mut text)?;
            f.metadata()
        });
        let metadata = match read {
            Ok(metadata) => metadata,
            Err(e) if e.kind() == io::ErrorKind::NotFound && !file.must_exist => continue,
            Err(e) => return Err(RegistryError::io("read", &file.path)(e)),
        };
        // What tools leave behind after a logout.
        if text.trim().is_empty() {
            continue;
        }
        let read = match file.old_form {
            true => CredentialStore::from_dockercfg(&text),
            false => CredentialStore::from_auth_json(&text),
        };
        let mut one = read.map_err(|e| RegistryError::Config {
            what: format!("auth file {}: {e}", file.path.display()),
        })?;
        if one.holds_secrets()
            && let Some(warning) = open_to_others(&file.path, &metadata)
        {
            tracing::warn!("{warning}");
            one.warn(warning);
        }
        store.append(one);
    }
    Ok(store)
}

/// What to say about a file with secrets that is not for its owner alone.
pub fn open_to_others(path: &Path, metadata: &Metadata) -> Option<String> {
    let mode = metadata.permissions().mode();
    (metadata.is_file() && mode & 0o044 != 0).then(|| {
        format!(
            "Other users of this machine can read the credentials in {}.",
            path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;

    fn paths(explicit: Option<&str>, env: &[(&str, &str)]) -> Vec<String> {
        let lookup = |name: &str| {
            let value = env.iter().find(|(n, _)| *n == name)?.1;
            Some(value.into())
        };
        search_order(explicit.map(Path::new), lookup)
            .iter()
            .map(|f| {
                let marks = [(f.must_exist, "!"), (f.old_form, "~")];
                let marks = marks.iter().filter(|(on, _)| *on).map(|(_, m)| *m);
                format!("{}{}", marks.collect::<String>(), f.path.display())
            })
            .collect()
    }

    #[test]
    fn order() {
        let run = "/run/containers/0/auth.json";
        let (bootc, kept) = ("/run/ostree/auth.json", "/etc/ostree/auth.json");
        let home = ("HOME", "/h");
        let named = ("REGISTRY_AUTH_FILE", "/named");
        assert_eq!(paths(None, &[]), [run, bootc, kept]);
        assert_eq!(paths(Some("/x"), &[home, named]), ["!/x"]);
        assert_eq!(paths(None, &[home, named]), ["!/named"]);
        assert_eq!(
            paths(None, &[home, ("XDG_RUNTIME_DIR", "/r")]),
            [
                "/r/containers/auth.json",
                run,
                "/h/.config/containers/auth.json",
                "/h/.docker/config.json",
                "~/h/.dockercfg",
                bootc,
                kept
            ]
        );
        assert_eq!(
            paths(None, &[("XDG_CONFIG_HOME", "/c"), ("DOCKER_CONFIG", "/d")]),
            [
                run,
                "/c/containers/auth.json",
                "/d/config.json",
                bootc,
                kept
            ]
        );
    }

    #[test]
    fn files() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, must_exist: bool| AuthFile {
            path: dir.path().join(name),
            must_exist,
            old_form: name == ".dockercfg",
        };
        let mode = |name: &str, mode| {
            let permissions = fs::Permissions::from_mode(mode);
            fs::set_permissions(dir.path().join(name), permissions).unwrap();
        };
        // user:pass
        let entry = r#""r.io":{"auth":"dXNlcjpwYXNz"}"#;
        fs::write(
            dir.path().join("new"),
            format!(r#"{{"auths":{{{entry}}}}}"#),
        )
        .unwrap();
        fs::write(dir.path().join(".dockercfg"), format!("{{{entry}}}")).unwrap();
        fs::write(dir.path().join("empty"), "\n").unwrap();
        fs::write(dir.path().join("none"), r#"{"credsStore":"x"}"#).unwrap();
        fs::write(dir.path().join("bad"), "hunter2").unwrap();
        mode("none", 0o644);
        let image = "r.io/a:1".parse().unwrap();
        for name in ["new", ".dockercfg"] {
            let files = [
                file("absent", false),
                file("empty", false),
                file(name, true),
            ];
            for (bits, warnings) in [(0o600, 0), (0o640, 1), (0o604, 1), (0o622, 0)] {
                mode(name, bits);
                let store = load_credentials(&files).unwrap();
                assert!(!store.lookup(&image).unwrap().is_anonymous());
                assert_eq!(store.warnings().len(), warnings, "{bits:o}");
            }
        }
        assert!(
            load_credentials(&[file("none", true)])
                .unwrap()
                .warnings()
                .is_empty()
        );
        let error = load_credentials(&[file("absent", true)]).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Io);
        let error = load_credentials(&[file("bad", false)]).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Config);
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
