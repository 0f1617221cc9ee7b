// SPDX-License-Identifier: MIT OR Apache-2.0
//! The public keys that a configuration names.

use std::path::Path;

use conf::Config;
use contract::error::{Code, Error, Result};
use registry::signature::PublicKey;

/// Reads the files of `signatureKeys`, which [`conf::parse`] only names;
/// `CONFIG_INVALID` when one is no key.
pub fn with_keys(mut config: Config) -> Result<Config> {
    for registry in &mut config.registries {
        registry.signature_pems = registry
            .signature_keys
            .iter()
            .map(|key| read_key(key))
            .collect::<Result<_>>()?;
    }
    Ok(config)
}

/// The public key in `path`, in PEM form; `CONFIG_INVALID` when there is none.
pub fn read_key(path: &Path) -> Result<String> {
    let key = PublicKey::read(path).map_err(|e| {
        Error::new(
            Code::ConfigInvalid,
            format!("The key {} cannot be used: {e}.", path.display()),
        )
        .why("Images are verified with public keys, such as the `cosign.pub` that cosign makes.")
        .next("Correct the path in `signatureKeys` or --signature-key, or the file.")
    })?;
    Ok(key.to_pem())
}
