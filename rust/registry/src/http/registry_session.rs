// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way to one repository: scheme, certificates and login.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use imageref::Reference;
use reqwest::Url;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue};

use crate::auth::credential_store::CredentialStore;
use crate::auth::credentials::Credentials;
use crate::error::{ErrorKind, Missing, RegistryError, TlsProblem};
use crate::http::classify::Context;
use crate::http::registry_login::{RegistryLogin, challenges};
use crate::http::transport::{HttpAnswer, HttpTransport, TlsTrust};
use crate::settings::registries_conf::Endpoint;

/// Where Docker Hub really is, which goes by another name in references.
const DOCKER_HUB_API: &str = "registry-1.docker.io";

/// What the sessions of one client share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) transport: Arc<HttpTransport>,
    /// What insecure hosts turned out to speak.
    schemes: Mutex<HashMap<String, &'static str>>,
}

impl Shared {
    pub(crate) fn new(transport: HttpTransport) -> Self {
        Self {
            transport: Arc::new(transport),
            schemes: Mutex::default(),
        }
    }

    fn scheme_of(&self, host: &str) -> Option<&'static str> {
        self.schemes().get(host).copied()
    }

    fn remember_scheme(&self, host: &str, scheme: &'static str) {
        self.schemes().insert(host.to_owned(), scheme);
    }

    fn schemes(&self) -> std::sync::MutexGuard<'_, HashMap<String, &'static str>> {
        // A panic elsewhere cannot leave a map of finished things half done.
        self.schemes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connection to one repository, logged in.
pub(crate) struct RegistrySession {
    pub(crate) host: String,
    pub(crate) repository: String,
    transport: Arc<HttpTransport>,
    trust: TlsTrust,
    /// `…/v2/`
    base: Url,
    login: RegistryLogin,
    /// Why there are no credentials although somebody meant there to be: it
    /// matters only where a login is wanted.
    no_login: Mutex<Option<RegistryError>>,
    /// The status of the first answer, when no registry answers so.
    odd_welcome: Option<u16>,
}

impl std::fmt::Debug for RegistrySession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegistrySession")
            .field("host", &self.host)
            .field("repository", &self.repository)
            .finish_non_exhaustive()
    }
}

impl RegistrySession {
    /// Asks the registry how it wants to be spoken to, and logs in if it wants
    /// that.
    pub(crate) async fn open(
        shared: &Shared,
        credentials: &CredentialStore,
        endpoint: &Endpoint,
    ) -> Result<Self, RegistryError> {
        let reference = &endpoint.reference;
        let host = reference.registry().to_owned();
        let trust = TlsTrust {
            registry: host.clone(),
            insecure: endpoint.insecure,
        };
        let (credentials, no_login) = match look_up(credentials, reference).await {
            Ok(credentials) => (credentials, None),
            Err(
                error @ (RegistryError::CredentialHelper { .. } | RegistryError::AuthEntry { .. }),
            ) => (Credentials::Anonymous, Some(error)),
            Err(error) => return Err(error),
        };
        let mut session = Self {
            base: base(&host, "https")?,
            repository: reference.repository().to_owned(),
            transport: shared.transport.clone(),
            login: RegistryLogin::new(credentials, reference.repository(), trust.clone()),
            host,
            trust,
            no_login: Mutex::new(no_login),
            odd_welcome: None,
        };
        let answer = session.first_contact(shared).await?;
        // distribution-spec, Determining Support. Some that serve images all the
        // same answer otherwise: it matters when the image is not there.
        session.odd_welcome = Some(answer.status()).filter(|s| !matches!(s, 200 | 401));
        // Another host than the registry's gets no password, whatever it asks.
        let is_own = answer.storage.is_none() || !session.login.has_credentials();
        if answer.status() == 401 && is_own {
            let context = session.context("the login page", Missing::Repository);
            let mut asked = challenges(&answer);
            // Nothing in particular was asked for; some name an example here.
            asked.iter_mut().for_each(|c| c.forget("scope"));
            // Whether this is enough shows when something is asked for.
            let nothing = Default::default();
            let renewed = session
                .login
                .renew(&nothing, asked, &session.transport, &context);
            renewed.await.map_err(|e| session.explained(e))?;
        }
        Ok(session)
    }

    /// An error of this session; one that wants a login says why there is none,
    /// and what is not there at all is no registry.
    pub(crate) fn explained(&self, error: RegistryError) -> RegistryError {
        if let (RegistryError::NotFound { .. }, Some(status)) = (&error, self.odd_welcome) {
            let context = self.context("the first question", Missing::Repository);
            return context.no_registry(status, false);
        }
        if !matches!(error, RegistryError::AuthRequired { .. }) {
            return error;
        }
        let mut no_login = self.no_login.lock().unwrap_or_else(PoisonError::into_inner);
        no_login.take().unwrap_or(error)
    }

    /// The answer of `/v2/` (distribution-spec, *Determining Support*),
    /// whatever it is. An insecure registry may speak TLS or not: TLS is tried
    /// first, and what was found is remembered.
    async fn first_contact(&mut self, shared: &Shared) -> Result<HttpAnswer, RegistryError> {
        if !self.trust.insecure {
            return self.ping().await;
        }
        if let Some(scheme) = shared.scheme_of(&self.host) {
            self.base = base(&self.host, scheme)?;
            return self.ping().await;
        }
        let over_tls = match self.ping().await {
            Ok(answer) => {
                shared.remember_scheme(&self.host, "https");
                return Ok(answer);
            }
            Err(error) => error,
        };
        let speaks_tls = matches!(
            over_tls,
            RegistryError::Tls { problem, .. } if problem != TlsProblem::PlainHttp
        );
        if speaks_tls || over_tls.kind() == ErrorKind::HostUnknown {
            return Err(over_tls);
        }
        tracing::debug!(host = self.host, error = %over_tls, "no TLS, trying plain HTTP");
        self.base = base(&self.host, "http")?;
        let answer = self.ping().await?;
        shared.remember_scheme(&self.host, "http");
        Ok(answer)
    }

    async fn ping(&self) -> Result<HttpAnswer, RegistryError> {
        let context = self.context("the first answer", Missing::Repository);
        let url = self.base.clone();
        self.transport
            .get(&self.trust, &context, url, &HeaderMap::new(), None)
            .await
    }

    pub(crate) fn context(&self, what: &str, missing: Missing) -> Context {
        Context {
            host: self.host.clone(),
            repository: self.repository.clone(),
            what: what.to_owned(),
            missing,
            has_credentials: self.login.has_credentials(),
            timeouts: self.transport.timeouts(),
        }
    }

    /// Asks for a document at a path within the repository, such as
    /// `manifests/latest`, in one of the forms `accept`.
    pub(crate) async fn document(
        &self,
        context: &Context,
        path: &str,
        accept: &[&str],
    ) -> Result<HttpAnswer, RegistryError> {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(&accept.join(", ")) {
            headers.insert(ACCEPT, value);
        }
        let path = format!("{}/{path}", self.repository);
        self.get(context, &path, headers).await
    }

    /// Asks for a blob, from the byte `from` on.
    pub(crate) async fn blob(
        &self,
        context: &Context,
        digest: &imageref::Digest,
        from: u64,
    ) -> Result<HttpAnswer, RegistryError> {
        let mut headers = HeaderMap::new();
        // The digest is that of the bytes as they are stored.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if from > 0
            && let Ok(value) = HeaderValue::from_str(&format!("bytes={from}-"))
        {
            headers.insert(reqwest::header::RANGE, value);
        }
        let path = format!("{}/blobs/{digest}", self.repository);
        self.get(context, &path, headers).await
    }

    /// Asks for a path below `/v2/`, with the login. When that is refused, a
    /// new one is got, once.
    pub(crate) async fn get(
        &self,
        context: &Context,
        path: &str,
        headers: HeaderMap,
    ) -> Result<HttpAnswer, RegistryError> {
        let url = self
            .base
            .join(path)
            .map_err(|e| RegistryError::malformed(path, e))?;
        let pass = self.login.pass(&self.transport, context).await?;
        let send = |pass: crate::http::registry_login::Pass| {
            let (url, headers) = (url.clone(), &headers);
            async move {
                let login = pass.authorization.as_ref();
                self.transport
                    .get(&self.trust, context, url, headers, login)
                    .await
            }
        };
        let answer = send(pass.clone()).await?;
        if answer.status() != 401 || answer.storage.is_some() {
            return Ok(answer);
        }
        let renewed = self
            .login
            .renew(&pass, challenges(&answer), &self.transport, context);
        match renewed.await? {
            Some(pass) => send(pass).await,
            None => Ok(answer),
        }
    }
}

/// Where the API of a registry is.
pub(crate) fn api_host(host: &str) -> &str {
    match host {
        imageref::DOCKER_HUB => DOCKER_HUB_API,
        other => other,
    }
}

/// The credentials for an image. Helpers may run for seconds.
async fn look_up(
    store: &CredentialStore,
    reference: &Reference,
) -> Result<Credentials, RegistryError> {
    let (store, reference) = (store.clone(), reference.clone());
    tokio::task::spawn_blocking(move || store.lookup(&reference))
        .await
        .map_err(|e| RegistryError::Config {
            what: format!("a worker thread is gone: {e}"),
        })?
}

fn base(host: &str, scheme: &str) -> Result<Url, RegistryError> {
    let address = format!("{scheme}://{}/v2/", api_host(host));
    address
        .parse()
        .map_err(|e| RegistryError::malformed(&format!("the registry host {host}"), e))
}
