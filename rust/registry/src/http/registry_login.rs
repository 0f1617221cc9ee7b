// SPDX-License-Identifier: MIT OR Apache-2.0
//! The login to one repository: what a registry asks for, and the token that
//! is got for it, renewed before it expires and once when it is refused.

use std::time::Instant;

use base64::Engine as _;
use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::auth::credentials::Credentials;
use crate::error::RegistryError;
use crate::http::challenge::{self, Challenge};
use crate::http::classify::Context;
use crate::http::redirect::host_of;
use crate::http::token::{self, Token};
use crate::http::transport::{HttpAnswer, HttpTransport, TlsTrust, in_time};

/// Longest answer with a token, in bytes.
const TOKEN_MAX: usize = 1024 * 1024;

/// The login to one repository.
pub(crate) struct RegistryLogin {
    credentials: Credentials,
    repository: String,
    trust: TlsTrust,
    /// Held while a token is being got, so that requests that run at the same
    /// time wait for one instead of getting one each.
    state: Mutex<LoginState>,
}

#[derive(Default)]
struct LoginState {
    /// Counts the logins.
    generation: u64,
    /// What the registry asked for last.
    challenges: Vec<Challenge>,
    authorization: Option<HeaderValue>,
    /// When to get another token.
    renew_at: Option<Instant>,
    /// The identity token that replaced the configured one.
    identity: Option<SecretString>,
}

/// What to show the registry.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pass {
    generation: u64,
    pub(crate) authorization: Option<HeaderValue>,
}

impl RegistryLogin {
    pub(crate) fn new(credentials: Credentials, repository: &str, trust: TlsTrust) -> Self {
        Self {
            credentials,
            repository: repository.to_owned(),
            trust,
            state: Mutex::default(),
        }
    }

    pub(crate) fn has_credentials(&self) -> bool {
        !self.credentials.is_anonymous()
    }

    /// What to send with the next request; renewed when it is about to expire.
    pub(crate) async fn pass(
        &self,
        transport: &HttpTransport,
        context: &Context,
    ) -> Result<Pass, RegistryError> {
        let mut state = self.state.lock().await;
        if state.renew_at.is_some_and(|at| at <= Instant::now()) {
            self.log_in(&mut state, transport, context).await?;
        }
        Ok(state.pass())
    }

    /// Logs in because the registry refused `refused` with 401 and
    /// `challenges`. `None` when there is nothing else to show.
    pub(crate) async fn renew(
        &self,
        refused: &Pass,
        challenges: Vec<Challenge>,
        transport: &HttpTransport,
        context: &Context,
    ) -> Result<Option<Pass>, RegistryError> {
        let mut state = self.state.lock().await;
        if state.generation != refused.generation {
            // Somebody else has done it meanwhile.
            return Ok(Some(state.pass()));
        }
        if !challenges.is_empty() {
            state.challenges = challenges;
        }
        self.log_in(&mut state, transport, context).await?;
        let pass = state.pass();
        Ok((pass.authorization != refused.authorization).then_some(pass))
    }

    /// Uses the first challenge that the credentials are good for.
    async fn log_in(
        &self,
        state: &mut LoginState,
        transport: &HttpTransport,
        context: &Context,
    ) -> Result<(), RegistryError> {
        let mut authorization = None;
        let mut renew_at = None;
        let challenges = state.challenges.clone();
        let usable = |c: &&Challenge| match c.scheme.as_str() {
            "basic" => matches!(self.credentials, Credentials::Basic { .. }),
            "bearer" => c.param("realm").is_some(),
            _ => false,
        };
        match (challenges.iter().find(usable), &self.credentials) {
            // It was got elsewhere, and is sent as it is.
            (_, Credentials::Bearer { token }) => authorization = Some(bearer(token)?),
            (Some(challenge), _) if challenge.scheme == "bearer" => {
                let token = self.token(state, challenge, transport, context).await?;
                authorization = Some(bearer(&token.secret)?);
                renew_at = Some(Instant::now() + token.use_for);
                if token.refresh.is_some() {
                    state.identity = token.refresh;
                }
            }
            // Some say no more than 401. Who names other schemes alone gets no
            // password that was not asked for.
            (found, Credentials::Basic { username, password })
                if found.is_some() || challenges.is_empty() =>
            {
                authorization = Some(basic(username, password)?);
            }
            _ => {}
        }
        state.generation += 1;
        state.authorization = authorization;
        state.renew_at = renew_at;
        Ok(())
    }

    async fn token(
        &self,
        state: &LoginState,
        challenge: &Challenge,
        transport: &HttpTransport,
        context: &Context,
    ) -> Result<Token, RegistryError> {
        let realm = token::realm(challenge, self.trust.insecure).map_err(|problem| {
            RegistryError::Insecure {
                host: context.host.clone(),
                problem: problem.to_string(),
            }
        })?;
        let mut at_realm = context.at(host_of(&realm));
        at_realm.what = format!("the login to {}", context.host);
        let service = challenge.param("service");
        let scopes = token::scopes(&self.repository, challenge);
        let answer = match &self.credentials {
            Credentials::IdentityToken { token } => {
                let identity = state.identity.as_ref().unwrap_or(token);
                let form = token::refresh_form(identity, service, &scopes);
                transport
                    .post_form(&self.trust, &at_realm, realm, &form)
                    .await?
            }
            credentials => {
                let login = match credentials {
                    Credentials::Basic { username, password } => Some(basic(username, password)?),
                    _ => None,
                };
                let url = token::get_url(realm, service, &scopes);
                // The realm is a place of its own, whose redirects must not
                // take the password along either.
                let headers = HeaderMap::new();
                transport
                    .get(&self.trust, &at_realm, url, &headers, login.as_ref())
                    .await?
            }
        };
        match answer.status() {
            200 => {}
            // Some say "bad request" to a login that they do not accept.
            400 => return Err(answer.refusal_as(401, context).await),
            401 | 403 => return Err(answer.refusal(context).await),
            // It is the page that is missing, and not the image.
            status @ (404 | 410) => return Err(at_realm.no_registry(status, false)),
            _ => return Err(answer.refusal(&at_realm).await),
        }
        let body = Zeroizing::new(read(answer, &at_realm).await?);
        token::parse(&body).ok_or_else(|| {
            let what = format!("the token from the login page at {}", at_realm.host);
            RegistryError::malformed(&what, "it is no token")
        })
    }
}

impl LoginState {
    fn pass(&self) -> Pass {
        Pass {
            generation: self.generation,
            authorization: self.authorization.clone(),
        }
    }
}

/// What a registry asks for. A header that cannot be understood asks for nothing.
pub(crate) fn challenges(answer: &HttpAnswer) -> Vec<Challenge> {
    let mut all = Vec::new();
    for value in answer.response.headers().get_all(WWW_AUTHENTICATE) {
        match value.to_str().map(challenge::parse) {
            Ok(Ok(some)) => all.extend(some),
            Ok(Err(problem)) => tracing::warn!(%problem, "a registry's login cannot be understood"),
            Err(_) => tracing::warn!("a registry's login cannot be understood"),
        }
    }
    all
}

async fn read(mut answer: HttpAnswer, context: &Context) -> Result<Vec<u8>, RegistryError> {
    let mut body = Vec::new();
    while let Some(chunk) = in_time(context, answer.response.chunk())
        .await?
        .map_err(|e| context.request(e))?
    {
        body.extend_from_slice(&chunk);
        if body.len() > TOKEN_MAX {
            return Err(RegistryError::TooLarge {
                what: format!("the token from the login page at {}", context.host),
                limit: TOKEN_MAX as u64,
            });
        }
    }
    Ok(body)
}

fn bearer(token: &SecretString) -> Result<HeaderValue, RegistryError> {
    let text = Zeroizing::new(format!("Bearer {}", token.expose_secret()));
    secret_header(&text)
}

fn basic(username: &str, password: &SecretString) -> Result<HeaderValue, RegistryError> {
    let pair = Zeroizing::new(format!("{username}:{}", password.expose_secret()));
    let pair = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(pair.as_bytes()));
    secret_header(&Zeroizing::new(format!("Basic {}", *pair)))
}

fn secret_header(text: &str) -> Result<HeaderValue, RegistryError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| RegistryError::Config {
        what: "the credentials hold characters that HTTP cannot carry".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}
