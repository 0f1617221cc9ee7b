// SPDX-License-Identifier: MIT OR Apache-2.0
//! How to talk to registries, and the login to one of them.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use imageref::Reference;
use oci_client::client::{Certificate, CertificateEncoding, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use oci_client::RegistryOperation;
use reqwest::header::HeaderValue;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::CertificateDer;
use secrecy::ExposeSecret as _;

use crate::classify::Context;
use crate::credentials::{CredentialStore, Credentials};
use crate::error::{Missing, RegistryError};
use crate::layout::OciLayout;
use crate::retry::RetryPolicy;

/// How to talk to registries.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// Who to log in as, and where.
    pub credentials: CredentialStore,
    /// Registries, `host[:port]`, that are spoken to over plain HTTP. All
    /// others get nothing but TLS.
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
}

impl Default for ClientConfig {
    /// Anonymous, TLS only, 10 s for a connection, 15 s for a read, three
    /// layers at a time, no layouts.
    fn default() -> Self {
        Self {
            credentials: CredentialStore::default(),
            insecure_hosts: BTreeSet::new(),
            extra_ca_pem: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(15),
            max_concurrent_layers: NonZeroUsize::MIN.saturating_add(2),
            retry: RetryPolicy::default(),
            layouts: Vec::new(),
        }
    }
}

/// A client for any number of registries.
#[derive(Debug)]
pub struct Registry {
    pub(crate) config: ClientConfig,
    certificates: Vec<CertificateDer<'static>>,
    http: reqwest::Client,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
}

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
        let certificates = parse_certificates(&config.extra_ca_pem)?;
        let mut http = reqwest::Client::builder()
            .connect_timeout(config.connect_timeout)
            .read_timeout(outer_timeout(config.stall_timeout))
            .redirect(reqwest::redirect::Policy::custom(follow_without_downgrade))
            .user_agent(USER_AGENT);
        let mut extra = Vec::new();
        for certificate in &certificates {
            extra.push(reqwest::Certificate::from_der(certificate).map_err(setup)?);
        }
        http = http.tls_certs_merge(extra);
        Ok(Self {
            http: http.build().map_err(setup)?,
            config,
            certificates,
            sessions: Mutex::default(),
        })
    }

    /// Logs in where `reference` is, or finds that no login is needed.
    pub(crate) async fn session(
        &self,
        reference: &Reference,
    ) -> Result<Arc<Session>, RegistryError> {
        let name = reference.name();
        let known = self.lock_sessions().get(&name).cloned();
        if let Some(session) = known {
            return Ok(session);
        }
        let session = Arc::new(Session::login(self, reference).await?);
        self.lock_sessions().insert(name, session.clone());
        Ok(session)
    }

    /// Logs in anew, for instance because a token has expired.
    pub(crate) async fn new_session(
        &self,
        reference: &Reference,
    ) -> Result<Arc<Session>, RegistryError> {
        self.lock_sessions().remove(&reference.name());
        self.session(reference).await
    }

    fn lock_sessions(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Session>>> {
        // A panic elsewhere cannot leave a map of finished sessions half done.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn oci_client(&self) -> Result<oci_client::Client, RegistryError> {
        let insecure = self.config.insecure_hosts.iter().cloned().collect();
        let certificate = |der: &CertificateDer<'_>| Certificate {
            encoding: CertificateEncoding::Der,
            data: der.to_vec(),
        };
        // Not Client::new: that one goes on without the certificates if it
        // cannot use them.
        oci_client::Client::try_from(oci_client::client::ClientConfig {
            protocol: ClientProtocol::HttpsExcept(insecure),
            extra_root_certificates: self.certificates.iter().map(certificate).collect(),
            platform_resolver: None,
            read_timeout: Some(outer_timeout(self.config.stall_timeout)),
            connect_timeout: Some(self.config.connect_timeout),
            user_agent: USER_AGENT,
            ..Default::default()
        })
        .map_err(setup)
    }
}

const USER_AGENT: &str = concat!("calamares-bootc/", env!("CARGO_PKG_VERSION"));

/// The timeout of the HTTP library itself. It also runs while nobody waits for
/// data because the disk is slow, and is therefore only the outer of two.
fn outer_timeout(stall: Duration) -> Duration {
    stall.saturating_mul(8)
}

/// A tag has no digest to check against, so that nothing but TLS protects it:
/// a redirect must not lead out of it.
fn follow_without_downgrade(attempt: reqwest::redirect::Attempt<'_>) -> reqwest::redirect::Action {
    let tls = |url: &reqwest::Url| url.scheme() == "https";
    if attempt.previous().iter().any(tls) && !tls(attempt.url()) {
        return attempt.error("redirected from TLS to plain HTTP");
    }
    if attempt.previous().len() > 10 {
        return attempt.error("redirected too often");
    }
    attempt.follow()
}

fn setup(error: impl std::error::Error) -> RegistryError {
    let mut what = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        what = format!("{what}: {error}");
        source = error.source();
    }
    RegistryError::Config { what }
}

fn parse_certificates(pems: &[Vec<u8>]) -> Result<Vec<CertificateDer<'static>>, RegistryError> {
    let mut all = Vec::new();
    for (index, pem) in pems.iter().enumerate() {
        let error = |problem: String| RegistryError::Config {
            what: format!("extra CA certificate {}: {problem}", index + 1),
        };
        let before = all.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            all.push(certificate.map_err(|e| error(e.to_string()))?);
        }
        if all.len() == before {
            return Err(error("no certificate in PEM form in it".to_owned()));
        }
    }
    Ok(all)
}

/// The connection to one repository, logged in.
pub(crate) struct Session {
    pub(crate) host: String,
    pub(crate) repository: String,
    /// For blobs; sends what the login brought.
    pub(crate) oci: oci_client::Client,
    pub(crate) oci_reference: oci_client::Reference,
    http: reqwest::Client,
    base: String,
    authorization: Option<HeaderValue>,
    has_credentials: bool,
    connect_timeout: Duration,
    pub(crate) stall_timeout: Duration,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("host", &self.host)
            .field("repository", &self.repository)
            .finish_non_exhaustive()
    }
}

impl Session {
    async fn login(registry: &Registry, reference: &Reference) -> Result<Self, RegistryError> {
        let config = &registry.config;
        let host = reference.registry().to_owned();
        let repository = reference.repository().to_owned();
        let credentials = config.credentials.lookup(reference);
        let auth = match &credentials {
            Credentials::Anonymous => RegistryAuth::Anonymous,
            Credentials::Basic { username, password } => {
                RegistryAuth::Basic(username.clone(), password.expose_secret().to_owned())
            }
            Credentials::Bearer { token } => RegistryAuth::Bearer(token.expose_secret().to_owned()),
        };
        let oci_reference = oci_client::Reference::with_tag(
            host.clone(),
            repository.clone(),
            imageref::DEFAULT_TAG.to_owned(),
        );
        let scheme = if config
            .insecure_hosts
            .contains(oci_reference.resolve_registry())
        {
            "http"
        } else {
            "https"
        };
        let base = format!(
            "{scheme}://{}/v2/{repository}",
            oci_reference.resolve_registry()
        );
        let mut session = Self {
            host,
            repository,
            oci: registry.oci_client()?,
            oci_reference,
            http: registry.http.clone(),
            base,
            authorization: None,
            has_credentials: !credentials.is_anonymous(),
            connect_timeout: config.connect_timeout,
            stall_timeout: config.stall_timeout,
        };
        let context = session.context("the login page", Missing::Repository);
        // Without this call a refused login would look like a missing one later.
        let login = session
            .oci
            .auth(&session.oci_reference, &auth, RegistryOperation::Pull);
        let token = crate::resolve::answered(&context, login)
            .await?
            .map_err(|e| context.oci(e))?;
        session.authorization = match (&token, &auth) {
            (Some(token), _) => Some(format!("Bearer {token}")),
            (None, RegistryAuth::Basic(username, password)) => {
                use base64::Engine as _;
                let pair = zeroize::Zeroizing::new(format!("{username}:{password}"));
                let pair = base64::engine::general_purpose::STANDARD.encode(pair.as_bytes());
                Some(format!("Basic {pair}"))
            }
            _ => None,
        }
        .map(|text| secret_header(&text))
        .transpose()?;
        if token.is_none() && credentials.is_anonymous() {
            // A client that was never asked to log in sends no extra request
            // before each blob to find out whether it should.
            session.oci = registry.oci_client()?;
        }
        Ok(session)
    }

    pub(crate) fn context(&self, what: &str, missing: Missing) -> Context {
        Context {
            host: self.host.clone(),
            repository: self.repository.clone(),
            what: what.to_owned(),
            missing,
            has_credentials: self.has_credentials,
            connect_timeout: self.connect_timeout,
            stall_timeout: self.stall_timeout,
        }
    }

    /// A request for a manifest by tag or digest.
    pub(crate) fn manifest_request(&self, reference: &str) -> reqwest::RequestBuilder {
        self.document_request(&format!("manifests/{reference}"))
    }

    /// A request for the list of what refers to an image (distribution-spec
    /// 1.1, *Listing Referrers*).
    pub(crate) fn referrers_request(&self, digest: &imageref::Digest) -> reqwest::RequestBuilder {
        self.document_request(&format!("referrers/{digest}"))
    }

    fn document_request(&self, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/{path}", self.base);
        let accept = crate::manifest::ACCEPT.join(", ");
        let request = self.http.get(url).header(reqwest::header::ACCEPT, accept);
        match &self.authorization {
            Some(value) => request.header(reqwest::header::AUTHORIZATION, value),
            None => request,
        }
    }
}

fn secret_header(text: &str) -> Result<HeaderValue, RegistryError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| RegistryError::Config {
        what: "the credentials hold characters that HTTP cannot carry".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}
