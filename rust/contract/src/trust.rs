// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether an image is known to be from whoever should have made it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is known of an image's origin. There is no third state: an image whose
/// signature is demanded and not right is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "state",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Trust {
    /// All that is demanded was found and is right.
    Verified {
        /// Fingerprints of the keys, `SHA256:<hex>`.
        keys: Vec<String>,
        /// The name that was signed; sigstore bundles have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signed_name: Option<String>,
        /// The installed system can verify such signatures, too.
        updates: bool,
    },
    /// Nothing was demanded, so nothing was looked at.
    NotVerified {
        /// Why not.
        why: Unverified,
    },
}

/// Why a signature was not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unverified {
    /// Neither a key nor a policy demands one.
    NoKey,
    /// There is a key, and `noSignatureVerification` turns it off.
    TurnedOff,
}

impl Default for Trust {
    fn default() -> Self {
        Self::NotVerified {
            why: Unverified::NoKey,
        }
    }
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified { keys, .. } => write!(f, "verified (key {})", keys.join(", ")),
            Self::NotVerified {
                why: Unverified::NoKey,
            } => f.write_str("not verified: no key is configured"),
            Self::NotVerified {
                why: Unverified::TurnedOff,
            } => f.write_str("not verified: noSignatureVerification is set"),
        }
    }
}
