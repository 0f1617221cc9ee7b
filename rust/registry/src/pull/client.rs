// SPDX-License-Identifier: MIT OR Apache-2.0
//! How to talk to registries.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use crate::auth::credential_store::CredentialStore;
use crate::error::RegistryError;
use crate::http::classify::Timeouts;
use crate::http::registry_session::{RegistrySession, Shared};
use crate::http::retry::RetryPolicy;
use crate::http::transport::HttpTransport;
use crate::settings::certs_d::CertsDirs;
use crate::settings::registries_conf::{Endpoint, RegistriesConf};
use crate::store::archive::OciArchive;
use crate::store::layout::OciLayout;

/// How to talk to registries.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// Who to log in as, and where.
    pub credentials: CredentialStore,
    /// Which servers stand behind the names of images.
    pub registries: RegistriesConf,
    /// Where certificates that belong to a registry are.
    pub certs: CertsDirs,
    /// Registries, `host[:port]`, that may have any certificate or speak plain
    /// HTTP, as `insecure` of `containers-registries.conf(5)` has it. All others
    /// get nothing but TLS.
    pub insecure_hosts: BTreeSet<String>,
    /// Certificates of authorities to trust besides those of the system, each
    /// one or more in PEM form.
    pub extra_ca_pem: Vec<Vec<u8>>,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for the next bytes on a connection.
    pub stall_timeout: Duration,
    /// Layers fetched at a time.
    pub max_concurrent_layers: NonZeroUsize,
    /// When to try again.
    pub retry: RetryPolicy,
    /// Layouts at hand, such as one on an installation medium. A layer that is
    /// in one of them is copied from there instead of fetched.
    pub layouts: Vec<OciLayout>,
    /// Archives that layers are copied from instead of being downloaded, in
    /// order, after the layouts.
    pub archives: Vec<OciArchive>,
}

impl Default for ClientConfig {
    /// Anonymous, TLS only, 10 s for a connection, 15 s for a read, three
    /// layers at a time, no layouts and archives.
    fn default() -> Self {
        Self {
            credentials: CredentialStore::default(),
            registries: RegistriesConf::default(),
            certs: CertsDirs::default(),
            insecure_hosts: BTreeSet::new(),
            extra_ca_pem: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(15),
            max_concurrent_layers: NonZeroUsize::MIN.saturating_add(2),
            retry: RetryPolicy::default(),
            layouts: Vec::new(),
            archives: Vec::new(),
        }
    }
}

/// A client for any number of registries.
#[derive(Debug)]
pub struct Registry {
    pub(crate) config: ClientConfig,
    shared: Shared,
    sessions: Mutex<Sessions>,
}

/// By repository, `host/name`.
type Sessions = HashMap<String, Arc<OnceCell<Arc<RegistrySession>>>>;

impl Registry {
    /// Sets up the client; talks to nobody yet.
    ///
    /// # Errors
    /// [`RegistryError::Config`] when a certificate cannot be read or the TLS
    /// library cannot be set up.
    pub fn new(config: ClientConfig) -> Result<Self, RegistryError> {
        // Fails when the program has chosen a provider already: then that holds.
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let timeouts = Timeouts {
            connect: config.connect_timeout,
            stall: config.stall_timeout,
        };
        let transport = HttpTransport::new(timeouts, &config.extra_ca_pem, config.certs.clone())?;
        Ok(Self {
            shared: Shared::new(transport),
            config,
            sessions: Mutex::default(),
        })
    }

    /// The way to every host.
    pub(crate) fn transport(&self) -> &HttpTransport {
        &self.shared.transport
    }

    /// The certificate files of the machine that should have counted for the
    /// registries that were asked so far, and why they did not; see
    /// [`HostCerts::skipped`](crate::HostCerts).
    pub fn skipped_certificates(&self) -> Vec<String> {
        self.shared.transport.skipped()
    }

    /// Logs in at an endpoint, or finds that no login is needed. Whoever asks
    /// meanwhile waits for the same login.
    pub(crate) async fn session(
        &self,
        endpoint: &Endpoint,
    ) -> Result<Arc<RegistrySession>, RegistryError> {
        let name = endpoint.reference.name();
        let cell = self.sessions().entry(name).or_default().clone();
        let session = cell.get_or_try_init(|| async {
            let credentials = &self.config.credentials;
            let session = RegistrySession::open(&self.shared, credentials, endpoint);
            Ok::<_, RegistryError>(Arc::new(session.await?))
        });
        Ok(session.await?.clone())
    }

    /// Logs in anew, since much may have changed since the last time.
    pub(crate) async fn new_session(
        &self,
        endpoint: &Endpoint,
    ) -> Result<Arc<RegistrySession>, RegistryError> {
        self.sessions().remove(&endpoint.reference.name());
        self.session(endpoint).await
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        // A panic elsewhere cannot leave a map of finished things half done.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
