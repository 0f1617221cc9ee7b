// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who asked a registry for what, by the registry's own log.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A request that the registry has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Who was logged in.
    pub user: Option<String>,
    /// `GET`, `HEAD` and so on.
    pub method: String,
    /// Path and query.
    pub uri: String,
    /// The program that asked.
    pub agent: String,
    /// The status of the answer.
    pub status: u16,
}

/// The log, read as it is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    /// By the number of the request.
    users: BTreeMap<String, String>,
    answered: Vec<(String, Answered)>,
}

impl Log {
    pub(crate) fn line(&self, line: &str) {
        let field = |key| field(line, key);
        let Some(id) = field("http.request.id") else {
            return;
        };
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        // The line about the answer does not always have it.
        if let Some(user) = field("auth.user.name") {
            state.users.insert(id.clone(), user);
        }
        if let Some(status) = field("http.response.status").and_then(|s| s.parse().ok()) {
            let text = |key| field(key).unwrap_or_default();
            let answered = Answered {
                user: None,
                method: text("http.request.method"),
                uri: text("http.request.uri"),
                agent: text("http.request.useragent"),
                status,
            };
            state.answered.push((id, answered));
        }
        changed.notify_all();
    }

    /// Waits until `enough` is true of the requests that were answered so far;
    /// those there are when that takes longer than `limit`.
    pub(crate) fn until(
        &self,
        limit: Duration,
        enough: impl Fn(&[Answered]) -> bool,
    ) -> Vec<Answered> {
        let (state, changed) = &*self.0;
        let guard = state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(guard, limit, |state| !enough(&state.all()));
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.all()
    }
}

impl State {
    fn all(&self) -> Vec<Answered> {
        let with_user = |(id, answered): &(String, Answered)| Answered {
            user: self.users.get(id).cloned(),
            ..answered.clone()
        };
        self.answered.iter().map(with_user).collect()
    }
}

/// The value of ` key=value` or ` key="value"`.
fn field(line: &str, key: &str) -> Option<String> {
    let (_, rest) = line.split_once(&format!(" {key}="))?;
    let value = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split(' ').next()?,
    };
    Some(value.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lines() {
        let log = Log::default();
        for line in [
            "level=info msg=\"listening on 127.0.0.1:1\" go.version=go1",
            "msg=GetBlob auth.user.name=alice http.request.id=1 http.request.uri=/v2/a",
            "msg=done http.request.id=1 http.request.method=GET http.request.uri=\"/v2/a\" \
             http.request.useragent=x/1 http.response.status=200 http.response.written=1",
            "msg=done http.request.id=2 http.request.method=HEAD http.request.uri=/v2/b \
             http.response.status=401",
        ] {
            log.line(line);
        }
        let all = log.until(Duration::from_secs(60), |all| all.len() > 1);
        let first = Answered {
            user: Some("alice".into()),
            method: "GET".into(),
            uri: "/v2/a".into(),
            agent: "x/1".into(),
            status: 200,
        };
        assert_eq!(all[0], first);
        assert_eq!((all[1].user.as_deref(), all[1].status), (None, 401));
        assert_eq!(log.until(Duration::ZERO, |_| false).len(), 2);
    }
}
