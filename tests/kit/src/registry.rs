// SPDX-License-Identifier: MIT OR Apache-2.0
//! A real registry on the loopback interface: Debian's `docker-registry`, with
//! its own storage and port, gone when dropped.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::apt;
use crate::cmd::{CommandExt, find};
use crate::registry_log::Log;

pub use crate::registry_log::Answered;

/// A running registry.
#[derive(Debug)]
pub struct Registry {
    child: Child,
    address: SocketAddr,
    log: Log,
    _directory: TempDir,
}

/// How a registry is to run; the default is plain HTTP, no login, own storage.
#[derive(Debug, Clone, Default)]
pub struct Options {
    login: Option<(String, String)>,
    tls: Option<(PathBuf, PathBuf)>,
    storage: Option<PathBuf>,
    listen: Option<SocketAddr>,
    client_authority: Option<PathBuf>,
    token_realm: Option<String>,
    log_requests: bool,
}

impl Options {
    /// Demands this user name and password (HTTP basic authentication).
    #[must_use]
    pub fn login(mut self, user: &str, password: &str) -> Self {
        self.login = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Speaks TLS with this certificate and key.
    #[must_use]
    pub fn tls(mut self, server: &ServerCertificate) -> Self {
        self.tls = Some((server.certificate.clone(), server.key.clone()));
        self
    }

    /// Keeps its content in this directory, which stays.
    #[must_use]
    pub fn storage(mut self, directory: &Path) -> Self {
        self.storage = Some(directory.to_owned());
        self
    }

    /// Listens on this address instead of a free loopback port.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = Some(address);
        self
    }

    /// Answers nobody without a certificate of the authority of `client`, with
    /// [`Options::tls`].
    #[must_use]
    pub fn client_authority(mut self, client: &ServerCertificate) -> Self {
        self.client_authority = Some(client.authority_path());
        self
    }

    /// Demands tokens from this page, of which none are good here.
    #[must_use]
    pub fn token_realm(mut self, realm: &str) -> Self {
        self.token_realm = Some(realm.to_owned());
        self
    }

    /// Logs its requests, for [`Registry::answered_until`].
    #[must_use]
    pub fn log_requests(mut self) -> Self {
        self.log_requests = true;
        self
    }

    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// When a program is missing or the registry ends at once; its log is in
    /// the error.
    pub fn start(self) -> Result<Registry> {
        let program = find("docker-registry").context(MISSING)?;
        let directory = tempfile::Builder::new().prefix("registry-").tempdir()?;
        let config = directory.path().join("config.yml");
        fs::write(&config, self.config(directory.path())?).context("writing its configuration")?;
        // It must not outlive a test run that is killed.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program)
            .arg("serve")
            .arg(&config)
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let log = Log::default();
        let (child, address) = spawn(command, log.clone())?;
        Ok(Registry {
            child,
            address,
            log,
            _directory: directory,
        })
    }

    fn config(&self, directory: &Path) -> Result<String> {
        let own_storage = directory.join("storage");
        let storage = self.storage.as_deref().unwrap_or(&own_storage);
        // Port 0: the kernel chooses, the log tells, and nobody can be faster.
        let listen = self.listen.unwrap_or(([127, 0, 0, 1], 0).into());
        // Only the small talk tells who was logged in.
        let level = if self.log_requests { "debug" } else { "info" };
        let mut text = format!(
            "version: 0.1\nlog:\n  level: {level}\n  accesslog:\n    disabled: true\n\
             storage:\n  filesystem:\n    rootdirectory: {}\n  delete:\n    enabled: true\n\
             http:\n  addr: '{listen}'\n",
            storage.display(),
        );
        if let Some((certificate, key)) = &self.tls {
            text += &format!(
                "  tls:\n    certificate: {}\n    key: {}\n",
                certificate.display(),
                key.display()
            );
            if let Some(authority) = &self.client_authority {
                text += &format!("    clientcas:\n      - {}\n", authority.display());
            }
            if let Some(realm) = &self.token_realm {
                text += &format!(
                    "auth:\n  token:\n    realm: '{realm}'\n    service: test\n    issuer: test\n    \
                     rootcertbundle: {}\n",
                    certificate.display()
                );
            }
        }
        if let Some((user, password)) = &self.login {
            let htpasswd = find("htpasswd").context(MISSING)?;
            let line = Command::new(htpasswd)
                .args(["-Bbn", user, password])
                .read()?;
            let path = directory.join("htpasswd");
            fs::write(&path, line).context("writing the password file")?;
            text += &format!(
                "auth:\n  htpasswd:\n    realm: test\n    path: {}\n",
                path.display()
            );
        }
        Ok(text)
    }
}

impl Registry {
    /// Starts one with the default options.
    ///
    /// # Errors
    /// As [`Options::start`].
    pub fn start() -> Result<Self> {
        Options::default().start()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until `enough` is true of the requests that it has answered, and
    /// gives them; after a minute, those there are. With
    /// [`Options::log_requests`].
    pub fn answered_until(&self, enough: impl Fn(&[Answered]) -> bool) -> Vec<Answered> {
        self.log.until(Duration::from_secs(60), enough)
    }

    /// `127.0.0.1:port`, as the first part of a reference.
    pub fn host(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

const MISSING: &str =
    "the test registry needs: apt-get install docker-registry apache2-utils openssl";

/// Whether the registry's programs are here; root gets them installed. Says
/// what to install if not; in continuous integration (`$CI` is set) that is a
/// failure.
///
/// # Panics
/// When a program is missing and `$CI` is set.
pub fn available() -> bool {
    let Err(error) = apt::ensure(&["docker-registry", "htpasswd", "openssl"]) else {
        return true;
    };
    assert!(std::env::var_os("CI").is_none(), "{error:#}");
    eprintln!("skipped: {error:#}");
    false
}

/// A certificate for a server and its key, signed by an authority of its own.
#[derive(Debug)]
pub struct ServerCertificate {
    directory: TempDir,
    certificate: PathBuf,
    key: PathBuf,
}

impl ServerCertificate {
    /// Makes one for these names, each `DNS:name` or `IP:address`.
    ///
    /// # Errors
    /// When `openssl` is missing or fails.
    pub fn make(names: &[&str]) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("certificate-").tempdir()?;
        let path = |name: &str| directory.path().join(name);
        let openssl = find("openssl").context(MISSING)?;
        let key = [
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ];
        Command::new(&openssl)
            .args(["req", "-x509", "-subj", "/CN=Test authority", "-days", "2"])
            .args(["-addext", "keyUsage=critical,keyCertSign"])
            .args(key)
            .arg("-keyout")
            .arg(path("ca.key"))
            .arg("-out")
            .arg(path("ca.pem"))
            .run()?;
        Command::new(&openssl)
            .args(["req", "-subj", "/CN=Test registry"])
            .args(key)
            .arg("-keyout")
            .arg(path("server.key"))
            .arg("-out")
            .arg(path("server.csr"))
            .run()?;
        let extensions = format!("subjectAltName={}\n", names.join(","));
        fs::write(path("extensions"), extensions).context("writing the names")?;
        Command::new(&openssl)
            .args(["x509", "-req", "-days", "2", "-CAcreateserial"])
            .arg("-in")
            .arg(path("server.csr"))
            .arg("-CA")
            .arg(path("ca.pem"))
            .arg("-CAkey")
            .arg(path("ca.key"))
            .arg("-extfile")
            .arg(path("extensions"))
            .arg("-out")
            .arg(path("server.pem"))
            .run()?;
        Ok(Self {
            certificate: path("server.pem"),
            key: path("server.key"),
            directory,
        })
    }

    /// The certificate of the authority, in PEM form.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn authority(&self) -> Result<Vec<u8>> {
        fs::read(self.authority_path()).context("reading the authority")
    }

    /// The file with the certificate of the authority.
    pub fn authority_path(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// Certificate and key in PEM form, to show as a client.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn identity(&self) -> Result<(Vec<u8>, Vec<u8>)> {
        let certificate = fs::read(&self.certificate).context("reading the certificate")?;
        let key = fs::read(&self.key).context("reading the key")?;
        Ok((certificate, key))
    }
}

/// Starts a registry and waits until it listens. The thread that starts it
/// stays until it ends, because that thread's end would be the death signal;
/// meanwhile it reads on, so that the registry never waits for its log.
fn spawn(mut command: Command, requests: Log) -> Result<(Child, SocketAddr)> {
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new()
        .name("registry-log".to_owned())
        .spawn(move || {
            let started = start(&mut command);
            // The receiver waits for exactly this message.
            match started {
                Err(error) => drop(sender.send(Err(error))),
                Ok((child, address, log)) => {
                    drop(sender.send(Ok((child, address))));
                    log.for_each(|line| {
                        if let Ok(line) = line {
                            requests.line(&line);
                        }
                    });
                }
            }
        })
        .context("starting the thread for docker-registry")?;
    receiver
        .recv()
        .context("the thread that starts docker-registry died")?
}

type Output = Lines<BufReader<ChildStderr>>;

fn start(command: &mut Command) -> Result<(Child, SocketAddr, Output)> {
    let mut child = command.spawn().context("starting docker-registry")?;
    match wait_until_it_listens(&mut child) {
        Ok((address, log)) => Ok((child, address, log)),
        Err(error) => {
            end(&mut child);
            Err(error)
        }
    }
}

/// Reads the log up to the line that names the address.
fn wait_until_it_listens(child: &mut Child) -> Result<(SocketAddr, Output)> {
    let log = child.stderr.take().context("its log is not there")?;
    let mut lines = BufReader::new(log).lines();
    let mut seen = String::new();
    for line in lines.by_ref() {
        let line = line.context("reading the log of docker-registry")?;
        if let Some((_, rest)) = line.split_once("listening on ") {
            let end = rest.find([',', '"']).unwrap_or(rest.len());
            let address = rest[..end]
                .parse()
                .with_context(|| format!("the address in `{line}`"))?;
            return Ok((address, lines));
        }
        seen += &line;
        seen.push('\n');
    }
    bail!("docker-registry ended at once:\n{seen}")
}

/// Ends the process and waits for it.
fn end(child: &mut Child) {
    // Both fail only when it has ended already.
    child.kill().ok();
    child.wait().ok();
}
