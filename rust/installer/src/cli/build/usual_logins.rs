// SPDX-License-Identifier: MIT OR Apache-2.0
//! Logins that a person has made with other container tools.

use std::path::PathBuf;

use contract::error::{Code, Error, Result};
use imageref::Reference;
use registry::{CredentialStore, Credentials, Endpoint};
use secrecy::zeroize::Zeroizing;

/// What the usual files say about the places that an image may come from.
#[derive(Default)]
pub(super) struct UsualLogins {
    /// A place, and the first file that has credentials for it.
    pub(super) found: Vec<(Reference, PathBuf)>,
    /// Files that are there and cannot be used.
    pub(super) warnings: Vec<String>,
}

/// The usual files (containers-auth.json(5)), looked through for each place of
/// an image: a mirror's login need not be where the registry's is.
///
/// # Errors
/// `SECRET_UNREADABLE` for a file that `$REGISTRY_AUTH_FILE` names.
pub(super) fn read(places: &[Endpoint]) -> Result<UsualLogins> {
    let mut usual = UsualLogins::default();
    for file in registry::search_order(None, |name| std::env::var_os(name)) {
        let shown = file.path.display();
        let named = |what: String| {
            Error::new(Code::SecretUnreadable, what).why("$REGISTRY_AUTH_FILE names this file.")
        };
        let text = match std::fs::read_to_string(&file.path) {
            Ok(text) => Zeroizing::new(text),
            Err(err) if !file.must_exist => {
                tracing::debug!(path = %shown, error = %err, "no credentials there");
                continue;
            }
            Err(err) => {
                return Err(named(format!("The credentials in {shown} cannot be read."))
                    .detail(err.to_string()));
            }
        };
        // What tools leave behind after a logout.
        if text.trim().is_empty() {
            continue;
        }
        let read = match file.old_form {
            true => CredentialStore::from_dockercfg(&text),
            false => CredentialStore::from_auth_json(&text),
        };
        let store = match read {
            Ok(store) => store,
            Err(error) if file.must_exist => {
                let what = format!("The credentials in {shown} cannot be understood.");
                return Err(named(what).detail(error.to_string()));
            }
            Err(error) => {
                usual
                    .warnings
                    .push(format!("{shown} is not used for credentials: {error}."));
                continue;
            }
        };
        for place in places {
            let known = usual.found.iter().any(|(r, _)| *r == place.reference);
            // One whose helper fails says so later, when it is asked in earnest.
            if !known && has_credentials(&store, place) {
                let found = (place.reference.clone(), file.path.clone());
                usual.found.push(found);
            }
        }
    }
    Ok(usual)
}

fn has_credentials(store: &CredentialStore, place: &Endpoint) -> bool {
    !matches!(store.lookup(&place.reference), Ok(Credentials::Anonymous))
}
