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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keys_are_read_with_the_file() {
        const KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENmPF4ZwjQgMpWP/FqXXCq3xMlc3l
jvMWJ0czelU4sz8F62cDbBMAg5cx9u1F7ke82w99WsiTAezVXBJnx9d0qQ==
-----END PUBLIC KEY-----
";
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("bootc.conf");
        let with = |keys: &str| {
            let text =
                format!("registryAuth: {{registries: {{r.io: {{signatureKeys: [{keys}]}}}}}}\n");
            std::fs::write(&file, text).unwrap();
            with_keys(conf::read(&file)?)
        };
        std::fs::write(dir.path().join("a.pub"), format!("a comment\n{KEY}")).unwrap();
        std::fs::write(dir.path().join("b.key"), KEY.replace("PUBLIC", "PRIVATE")).unwrap();
        let config = with("a.pub, a.pub").unwrap();
        assert_eq!(config.registries[0].signature_pems, [KEY, KEY]);
        assert_eq!(config.no_signature_verification, None);
        for (keys, part) in [("b.key", "private key"), ("c.pub", "cannot be read")] {
            let error = with(keys).unwrap_err();
            assert_eq!(error.code, Code::ConfigInvalid, "{error:?}");
            assert!(error.what.contains(part), "{error:?}");
            assert!(error.what.contains(keys), "{error:?}");
        }
    }
}
