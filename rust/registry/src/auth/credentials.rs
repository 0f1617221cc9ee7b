// SPDX-License-Identifier: MIT OR Apache-2.0
//! One login.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

/// How to log in to a registry. `Debug` shows no secret.
#[derive(Debug, Clone, Default)]
pub enum Credentials {
    /// Not at all.
    #[default]
    Anonymous,
    /// With a user name and a password, directly or to get a token with.
    Basic {
        /// The user name.
        username: String,
        /// The password, or what the registry gives out in place of one.
        password: SecretString,
    },
    /// With a token that the registry itself accepts.
    Bearer {
        /// The token.
        token: SecretString,
    },
    /// With a token that stands for a login and is exchanged for others by
    /// OAuth2 (`identitytoken` of `containers-auth.json(5)`).
    IdentityToken {
        /// The token.
        token: SecretString,
    },
}

impl Credentials {
    /// `auth` of containers-auth.json(5): base64 of `user:password`, which may be
    /// wrapped as base64(1) does it. `None` when it is not that.
    pub fn from_encoded(auth: &SecretString) -> Option<Self> {
        let mut packed = Zeroizing::new(Vec::with_capacity(auth.expose_secret().len()));
        packed.extend(
            auth.expose_secret()
                .bytes()
                .filter(|b| !b.is_ascii_whitespace()),
        );
        let bytes = Zeroizing::new(STANDARD.decode(&*packed).ok()?);
        let (username, password) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
        Some(Self::Basic {
            username: username.to_owned(),
            password: SecretString::from(password.trim_end_matches('\0')),
        })
    }

    /// Whether this is a login at all.
    pub fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous)
    }
}
