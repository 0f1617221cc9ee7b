// SPDX-License-Identifier: MIT OR Apache-2.0
//! The certificates that belong to a registry, after `containers-certs.d(5)`.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::error::RegistryError;
use crate::settings::authorities;

const SYSTEM: [&str; 2] = ["/etc/containers/certs.d", "/etc/docker/certs.d"];

/// Directories with one directory for each registry, `host[:port]`. The
/// default is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertsDirs {
    directories: Vec<PathBuf>,
}

/// What there is for one registry. `Debug` shows no secret.
#[derive(Debug, Clone, Default)]
pub struct HostCerts {
    /// The directory that it is from, if there is one.
    pub directory: Option<PathBuf>,
    /// Authorities to trust besides those of the system, one `*.crt` each with
    /// one or more certificates in PEM form.
    pub ca_pem: Vec<Vec<u8>>,
    /// What is there and not used, wholly or in part, and why: one text for each
    /// file, with its path. As with containers/image it stops nothing: links to
    /// certificates that are not there are usual in distributions.
    pub skipped: Vec<String>,
    /// What to show to a registry that asks who is there.
    pub identity: Option<ClientIdentity>,
}

/// A client certificate and its key. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct ClientIdentity {
    /// The name of both files without their ending.
    pub name: String,
    /// The certificate in PEM form, with those between it and the authority.
    pub cert_pem: Vec<u8>,
    /// Its key in PEM form.
    pub key_pem: SecretString,
}

impl CertsDirs {
    /// Exactly these directories, the first one first.
    pub fn new(directories: Vec<PathBuf>) -> Self {
        Self { directories }
    }

    /// Those of the machine, in this order:
    ///
    /// 1. `~/.config/containers/certs.d`;
    /// 2. `/etc/containers/certs.d`;
    /// 3. `/etc/docker/certs.d`.
    ///
    /// `env` looks up an environment variable.
    pub fn search(env: impl Fn(&str) -> Option<OsString>) -> Self {
        let home = env("HOME").filter(|v| !v.is_empty()).map(PathBuf::from);
        let own = home.map(|h| h.join(".config/containers/certs.d"));
        Self::new(own.into_iter().chain(SYSTEM.map(PathBuf::from)).collect())
    }

    /// What there is for `host[:port]`: the content of the first directory with
    /// that name, whatever the others have. Reads the disk.
    ///
    /// # Errors
    /// [`RegistryError::Io`] when the directory or a client certificate cannot be
    /// read, [`RegistryError::Config`] when such a certificate is without its key
    /// or a key without its certificate. containers/image refuses these too.
    pub fn for_host(&self, host: &str) -> Result<HostCerts, RegistryError> {
        // What becomes part of a path here came from a configuration file.
        if host.is_empty() || host.contains(['/', '\0']) || host.starts_with('.') {
            return Ok(HostCerts::default());
        }
        for parent in &self.directories {
            let directory = parent.join(host);
            let entries = match std::fs::read_dir(&directory) {
                Ok(entries) => entries,
                // As containers/image: others may have theirs elsewhere.
                Err(e) if is_absent(&e) => continue,
                Err(e) => return Err(RegistryError::io("read", &directory)(e)),
            };
            let mut names = Vec::new();
            for entry in entries {
                let entry = entry.map_err(RegistryError::io("read", &directory))?;
                // Names that are no text cannot be written into a plan either.
                if let Ok(name) = entry.file_name().into_string() {
                    names.push(name);
                }
            }
            names.sort();
            return read(directory, &names);
        }
        Ok(HostCerts::default())
    }
}

fn is_absent(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    matches!(error.kind(), NotFound | NotADirectory | PermissionDenied)
}

fn read(directory: PathBuf, names: &[String]) -> Result<HostCerts, RegistryError> {
    let mut certs = HostCerts::default();
    for name in names {
        let path = directory.join(name);
        if name.ends_with(".crt") {
            certs.add_authorities(&path);
        }
        if let Some(base) = name.strip_suffix(".cert") {
            let key = partner(&path, names, base, "key")?;
            if let Some(first) = &certs.identity {
                let reason = format!("{}.cert is used", first.name);
                certs.skip(&path, &reason);
                continue;
            }
            let bytes = Zeroizing::new(read_file(&key)?);
            let text = std::str::from_utf8(&bytes).map_err(|_| RegistryError::Config {
                what: format!("the client key {} is not in PEM form", key.display()),
            })?;
            certs.identity = Some(ClientIdentity {
                name: base.to_owned(),
                cert_pem: read_file(&path)?,
                key_pem: SecretString::from(text),
            });
        }
        if let Some(base) = name.strip_suffix(".key") {
            partner(&path, names, base, "cert")?;
        }
    }
    certs.directory = Some(directory);
    Ok(certs)
}

impl HostCerts {
    fn add_authorities(&mut self, path: &Path) {
        let pem = match std::fs::read(path) {
            Ok(pem) => pem,
            Err(e) => return self.skip(path, &e.to_string()),
        };
        let (usable, problem) = authorities::parse(&pem);
        if let Some(problem) = problem {
            self.skip(path, &problem);
        }
        if !usable.is_empty() {
            self.ca_pem.push(pem);
        }
    }

    fn skip(&mut self, path: &Path, reason: &str) {
        tracing::warn!(path = %path.display(), reason, "a certificate is not used");
        self.skipped.push(format!("{}: {reason}", path.display()));
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, RegistryError> {
    std::fs::read(path).map_err(RegistryError::io("read", path))
}

/// The file beside `path` with the other ending.
fn partner(
    path: &Path,
    names: &[String],
    base: &str,
    ending: &str,
) -> Result<PathBuf, RegistryError> {
    let wanted = format!("{base}.{ending}");
    if names.contains(&wanted) {
        return Ok(path.with_file_name(wanted));
    }
    let note = match ending {
        "key" => "; a certificate authority is named *.crt",
        _ => "",
    };
    Err(RegistryError::Config {
        what: format!("{} is there without {wanted}{note}", path.display()),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use secrecy::ExposeSecret as _;
    use std::fs;

    /// An authority for nothing. Its key was thrown away.
    const AUTHORITY: &str = "-----BEGIN CERTIFICATE-----\n\
        MIIBezCCASGgAwIBAgIUScwrJ02i33QOXHUmnEGgxIJzQskwCgYIKoZIzj0EAwIw\n\
        EjEQMA4GA1UEAwwHbm90aGluZzAgFw0yNjExMjgyMDMxMDZaGA8yMTI2MTEwNDIw\n\
        MzEwNlowEjEQMA4GA1UEAwwHbm90aGluZzBZMBMGByqGSM49AgEGCCqGSM49AwEH\n\
        A0IABP9MZZ1kNALb4eRiur6zNr+lpfGqu7/Su7480XRJZQau1pBCCaooXtpaC7pW\n\
        /G6lnWagpgG+0xz+DSEmfNFore2jUzBRMB0GA1UdDgQWBBQX39UEISm64+t4qlv6\n\
        rgLDvXLKYzAfBgNVHSMEGDAWgBQX39UEISm64+t4qlv6rgLDvXLKYzAPBgNVHRMB\n\
        Af8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQD13BHHVUteEXs4R+/8b76v38Vk\n\
        UnoPrSZ9Dv1YKJBtTgIgD/67/TsYmgin14B+x8QqIc+htWaSjdCrnsa18BQtwXY=\n\
        -----END CERTIFICATE-----\n";

    #[test]
    fn directories() {
        let with = |home: Option<&'static str>| {
            CertsDirs::search(|name| home.filter(|_| name == "HOME").map(OsString::from))
        };
        let paths = |dirs: CertsDirs| -> Vec<String> {
            let paths = dirs.directories.iter();
            paths.map(|p| p.display().to_string()).collect()
        };
        assert_eq!(paths(with(None)), SYSTEM);
        assert_eq!(paths(with(Some(""))), SYSTEM);
        assert_eq!(paths(with(Some("/h")))[0], "/h/.config/containers/certs.d");
        assert_eq!(paths(with(Some("/h")))[1..], SYSTEM);
    }

    /// The files of `a/r.io`, and what is read of them.
    fn read_these(files: &[&str]) -> Result<HostCerts, RegistryError> {
        let dir = tempfile::tempdir().unwrap();
        let host = dir.path().join("a/r.io");
        fs::create_dir_all(&host).unwrap();
        for file in files {
            let content = match file.ends_with(".crt") {
                true => format!("{file}\n{AUTHORITY}"),
                false => format!("content of {file}"),
            };
            fs::write(host.join(file), content).unwrap();
        }
        CertsDirs::new(vec![dir.path().join("none"), dir.path().join("a")]).for_host("r.io")
    }

    #[test]
    fn content() {
        let certs = read_these(&["b.crt", "a.crt", "ca.pem", "x.cert", "x.key", "README"]).unwrap();
        let ca: Vec<&str> = certs
            .ca_pem
            .iter()
            .map(|c| std::str::from_utf8(c).unwrap().lines().next().unwrap())
            .collect();
        assert_eq!(ca, ["a.crt", "b.crt"]);
        assert!(certs.skipped.is_empty(), "{:?}", certs.skipped);
        let debug = format!("{certs:?}");
        assert!(!debug.contains("content of x.key"), "{debug}");
        let identity = certs.identity.unwrap();
        assert_eq!(identity.name, "x");
        assert_eq!(identity.cert_pem, b"content of x.cert");
        assert_eq!(identity.key_pem.expose_secret(), "content of x.key");

        let two = read_these(&["b.cert", "b.key", "a.cert", "a.key"]).unwrap();
        assert_eq!(two.identity.unwrap().name, "a");
        assert!(two.ca_pem.is_empty());
        let [skipped] = &two.skipped[..] else {
            panic!("{:?}", two.skipped);
        };
        assert!(skipped.ends_with("/b.cert: a.cert is used"), "{skipped}");
    }

    #[test]
    fn authorities_that_are_none_stop_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let host = dir.path().join("r.io");
        fs::create_dir_all(host.join("d.crt")).unwrap();
        std::os::unix::fs::symlink("/nowhere/redhat-uep.pem", host.join("a.crt")).unwrap();
        fs::write(host.join("b.crt"), [0x30, 0x82, 1, 0xff]).unwrap();
        fs::write(host.join("c.crt"), AUTHORITY).unwrap();
        let half = format!("{AUTHORITY}-----BEGIN CERTIFICATE-----\n!\n");
        fs::write(host.join("e.crt"), half).unwrap();
        let certs = CertsDirs::new(vec![dir.path().into()])
            .for_host("r.io")
            .unwrap();
        assert_eq!(certs.ca_pem.len(), 2);
        let expected = [
            "/a.crt: No such file",
            "/b.crt: no certificate in PEM form",
            "/d.crt: Is a directory",
            "/e.crt: certificate 2",
        ];
        assert_eq!(certs.skipped.len(), expected.len());
        for (text, part) in certs.skipped.iter().zip(expected) {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn one_without_the_other() {
        let table = [
            (&["client.cert"][..], "client.key"),
            (&["ca.cert", "x.key", "x.cert"], "named *.crt"),
            (&["client.key", "ca.crt"], "client.cert"),
        ];
        for (files, text) in table {
            let error = read_these(files).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Config);
            assert!(error.to_string().contains(text), "{error}");
        }
    }

    #[test]
    fn the_first_directory_counts_alone() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["a/r.io", "b/r.io", "b/r.io:5000", "b/..", "b"] {
            let path = dir.path().join(path);
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join("ca.crt"), AUTHORITY).unwrap();
        }
        fs::remove_file(dir.path().join("a/r.io/ca.crt")).unwrap();
        let dirs = CertsDirs::new(vec![dir.path().join("a"), dir.path().join("b")]);
        let count = |host: &str| dirs.for_host(host).unwrap().ca_pem.len();
        assert_eq!(count("r.io"), 0);
        assert_eq!(count("r.io:5000"), 1);
        assert_eq!(count("r.io:5001"), 0);
        for host in ["", ".", "..", "../b", "r.io/x"] {
            assert_eq!(count(host), 0, "{host}");
        }
        assert!(
            CertsDirs::default()
                .for_host("r.io")
                .unwrap()
                .directory
                .is_none()
        );
    }
}
