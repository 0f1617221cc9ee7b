// SPDX-License-Identifier: MIT OR Apache-2.0
//! HTTP: one client for each set of certificates, and requests whose redirects
//! are followed here, so that a login never goes along to another host.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER,
};
use reqwest::{Response, Url};
use rustls::pki_types::CertificateDer;
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use crate::error::{RegistryError, TlsProblem};
use crate::http::classify::{Context, Timeouts};
use crate::http::redirect::{host_of, next_hop, same_origin};
use crate::settings::authorities;
use crate::settings::certs_d::{CertsDirs, HostCerts};

const USER_AGENT: &str = concat!("calamares-bootc/", env!("CARGO_PKG_VERSION"));
/// Longest body of an answer other than success that is read, in bytes.
const ERROR_BODY_MAX: usize = 64 * 1024;

/// Whose word counts on a connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TlsTrust {
    /// The registry, `host[:port]`: its authorities are trusted for hosts that
    /// it leads to as well, which is what the containers tools do.
    pub(crate) registry: String,
    /// Whether any certificate will do (`insecure` of
    /// `containers-registries.conf(5)`).
    pub(crate) insecure: bool,
}

/// The HTTP clients.
#[derive(Debug)]
pub(crate) struct HttpTransport {
    timeouts: Timeouts,
    authorities: Authorities,
    certs: CertsDirs,
    /// By trust, and by the host if it has certificates of its own.
    clients: Mutex<HashMap<Key, Client>>,
}

/// A client, and the certificate files that were to count for it and do not.
#[derive(Debug, Clone)]
struct Client {
    http: reqwest::Client,
    skipped: Arc<[String]>,
}

type Key = (TlsTrust, Option<String>);
/// Authorities that somebody named, by the host of their registry.
type Authorities = HashMap<String, Vec<CertificateDer<'static>>>;

/// An answer, after all redirects.
#[derive(Debug)]
pub(crate) struct HttpAnswer {
    pub(crate) response: Response,
    /// The storage host that the registry led to, if it did.
    pub(crate) storage: Option<String>,
}

impl HttpTransport {
    /// `extra_ca_pem`: certificates of authorities to trust besides those of the
    /// system, by the host, `host[:port]`, of the registry that they are for.
    pub(crate) fn new(
        timeouts: Timeouts,
        extra_ca_pem: &[(String, Vec<u8>)],
        certs: CertsDirs,
    ) -> Result<Self, RegistryError> {
        let transport = Self {
            timeouts,
            authorities: named_authorities(extra_ca_pem)?,
            certs,
            clients: Mutex::default(),
        };
        // Tells at once when there can be no client at all.
        transport.build(false, &[], &[])?;
        Ok(transport)
    }

    pub(crate) fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// The client for a host that is reached for the sake of a registry: with
    /// the authorities of the registry and of the host, and with the client
    /// certificate of the host alone.
    fn client(&self, trust: &TlsTrust, host: &str) -> Result<Client, RegistryError> {
        let mut key = (trust.clone(), Some(host.to_owned()));
        let known = self.lock().get(&key).cloned();
        if let Some(client) = known {
            return Ok(client);
        }
        let mut all = vec![self.certs.for_host(&trust.registry)?];
        if trust.registry != host {
            all[0].identity = None;
            all.push(self.certs.for_host(host)?);
            if all[1].directory.is_none() && !self.authorities.contains_key(host) {
                // All such hosts share one client: a registry could lead to
                // any number of them.
                key.1 = None;
            }
        }
        let mut clients = self.lock();
        let client = match clients.get(&key) {
            Some(client) => client.clone(),
            None => Client {
                http: self.build(trust.insecure, &all, &[&trust.registry, host])?,
                skipped: all.into_iter().flat_map(|c| c.skipped).collect(),
            },
        };
        clients.insert(key, client.clone());
        Ok(client)
    }

    /// The certificate files that were not used so far, each once.
    pub(crate) fn skipped(&self) -> Vec<String> {
        let clients = self.lock();
        let all = clients.values().flat_map(|c| c.skipped.iter().cloned());
        let sorted: BTreeSet<String> = all.collect();
        sorted.into_iter().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Client>> {
        // A panic elsewhere cannot leave a map of finished clients half done.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// With the authorities in `certs`, and those that were named for `hosts`.
    fn build(
        &self,
        insecure: bool,
        certs: &[HostCerts],
        hosts: &[&str],
    ) -> Result<reqwest::Client, RegistryError> {
        let named = hosts.iter().filter_map(|host| self.authorities.get(*host));
        let mut authorities: Vec<_> = named.flatten().cloned().collect();
        for pem in certs.iter().flat_map(|host| &host.ca_pem) {
            // What is wrong with some of them is told elsewhere.
            authorities.extend(authorities::parse(pem).0);
        }
        let mut trusted = Vec::new();
        for certificate in &authorities {
            trusted.push(reqwest::Certificate::from_der(certificate).map_err(setup)?);
        }
        let mut client = reqwest::Client::builder()
            .connect_timeout(self.timeouts.connect)
            .read_timeout(outer_timeout(self.timeouts.stall))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(USER_AGENT)
            .tls_certs_merge(trusted)
            .tls_danger_accept_invalid_certs(insecure);
        if let Some(identity) = certs.iter().find_map(|c| c.identity.as_ref()) {
            let mut pem = Zeroizing::new(identity.cert_pem.clone());
            pem.push(b'\n');
            pem.extend_from_slice(identity.key_pem.expose_secret().as_bytes());
            let identity =
                reqwest::Identity::from_pem(&pem).map_err(|e| RegistryError::Config {
                    what: format!(
                        "the client certificate {} cannot be used: {e}",
                        identity.name
                    ),
                })?;
            client = client.identity(identity);
        }
        client.build().map_err(setup)
    }

    /// Asks for `url` and follows redirects. `authorization` goes to the origin
    /// of `url` alone, and no more once a redirect has led away from it.
    pub(crate) async fn get(
        &self,
        trust: &TlsTrust,
        context: &Context,
        url: Url,
        headers: &HeaderMap,
        authorization: Option<&HeaderValue>,
    ) -> Result<HttpAnswer, RegistryError> {
        let mut hops = vec![url];
        let mut at_home = true;
        loop {
            let (Some(first), Some(url)) = (hops.first(), hops.last()) else {
                return Err(RegistryError::malformed(&context.what, "no address"));
            };
            at_home &= same_origin(first, url);
            let asking = match hops.len() {
                1 => context.clone(),
                _ => context.at(host_of(url)),
            };
            let client = self.client(trust, &asking.host)?;
            let mut request = client.http.get(url.clone()).headers(headers.clone());
            if let Some(value) = authorization.filter(|_| at_home) {
                request = request.header(AUTHORIZATION, value);
            }
            let response = answered(&asking, request.send())
                .await?
                .map_err(|e| client.failed(&asking, e))?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                let storage = (!at_home).then(|| host_of(url));
                return Ok(HttpAnswer { response, storage });
            }
            let location = response.headers().get(LOCATION);
            let location = location.and_then(|l| l.to_str().ok());
            let next = next_hop(&hops, location).map_err(|problem| RegistryError::Insecure {
                host: context.host.clone(),
                problem: problem.to_string(),
            })?;
            hops.push(next);
        }
    }

    /// Sends a form, to a login page. A redirect is an answer like others: the
    /// secret in the form goes nowhere else.
    pub(crate) async fn post_form(
        &self,
        trust: &TlsTrust,
        context: &Context,
        url: Url,
        form: &[(&'static str, Zeroizing<String>)],
    ) -> Result<HttpAnswer, RegistryError> {
        let pairs: Vec<(&str, &str)> = form.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let client = self.client(trust, &context.host)?;
        let request = client.http.post(url).form(&pairs);
        let response = answered(context, request.send())
            .await?
            .map_err(|e| client.failed(context, e))?;
        Ok(HttpAnswer {
            response,
            storage: None,
        })
    }
}

impl Client {
    /// A request that brought no answer.
    fn failed(&self, context: &Context, error: reqwest::Error) -> RegistryError {
        let mut error = context.request(error);
        if let RegistryError::Tls {
            problem: TlsProblem::NotTrusted,
            skipped,
            ..
        } = &mut error
        {
            *skipped = self.skipped.to_vec();
        }
        error
    }
}

impl HttpAnswer {
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// The value of a header, if it is text.
    pub(crate) fn header(&self, name: impl reqwest::header::AsHeaderName) -> Option<&str> {
        let value = self.response.headers().get(name)?;
        value.to_str().ok().filter(|v| !v.is_empty())
    }

    /// Whether it is meant for a browser.
    pub(crate) fn is_web_page(&self) -> bool {
        let kind = self.header(CONTENT_TYPE).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("text/html")
    }

    /// What an answer other than success means. Reads its body, but not all of
    /// one that is larger than any honest message.
    pub(crate) async fn refusal(self, context: &Context) -> RegistryError {
        let status = self.status();
        self.refusal_as(status, context).await
    }

    /// [`HttpAnswer::refusal`] for a status that means another one.
    pub(crate) async fn refusal_as(mut self, status: u16, context: &Context) -> RegistryError {
        let retry_after = self
            .header(RETRY_AFTER)
            .and_then(|h| crate::http::retry_after::parse(h, self.header(DATE), SystemTime::now()));
        // What is in trouble may well stand before a registry, and so may what
        // says that something is not there.
        let is_plain = matches!(status, 400 | 402 | 403 | 405..=407 | 411..=428 | 430..=499);
        if is_plain && self.storage.is_none() && self.is_web_page() {
            return context.no_registry(status, true);
        }
        let mut body = Vec::new();
        while body.len() < ERROR_BODY_MAX {
            match in_time(context, self.response.chunk()).await {
                Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
                // The status alone says enough.
                _ => break,
            }
        }
        body.truncate(ERROR_BODY_MAX);
        match &self.storage {
            None => context.answer(status, &body, retry_after),
            Some(host) => context.at(host.clone()).storage_answer(status, retry_after),
        }
    }
}

/// Waits for the next bytes, but not for ever.
pub(crate) async fn in_time<T>(
    context: &Context,
    bytes: impl Future<Output = T>,
) -> Result<T, RegistryError> {
    tokio::time::timeout(context.timeouts.stall, bytes)
        .await
        .map_err(|_| context.stalled())
}

/// Waits for an answer, for which a connection may have to be made first.
pub(crate) async fn answered<T>(
    context: &Context,
    answer: impl Future<Output = T>,
) -> Result<T, RegistryError> {
    let Timeouts { connect, stall } = context.timeouts;
    tokio::time::timeout(connect + stall, answer)
        .await
        .map_err(|_| context.stalled())
}

/// The timeout of the HTTP library itself. It also runs while nobody waits for
/// data because the disk is slow, and is therefore only the outer of two.
fn outer_timeout(stall: Duration) -> Duration {
    stall.saturating_mul(8)
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

/// Those that somebody named are to be good, all of them.
fn named_authorities(pems: &[(String, Vec<u8>)]) -> Result<Authorities, RegistryError> {
    let mut all = Authorities::new();
    for (host, pem) in pems {
        let (usable, problem) = authorities::parse(pem);
        if let Some(problem) = problem {
            return Err(RegistryError::Config {
                what: format!("the extra CA for {host}: {problem}"),
            });
        }
        all.entry(host.clone()).or_default().extend(usable);
    }
    Ok(all)
}
