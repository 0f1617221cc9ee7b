// SPDX-License-Identifier: MIT OR Apache-2.0
//! One login.

use secrecy::SecretString;

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
    /// Whether this is a login at all.
    pub fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous)
    }
}
