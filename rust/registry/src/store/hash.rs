// SPDX-License-Identifier: MIT OR Apache-2.0
//! Hashing.

use imageref::{Algorithm, Digest};
use ring::digest;

/// Takes in bytes and gives their digest.
pub(crate) struct Hasher {
    algorithm: Algorithm,
    context: digest::Context,
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        let context = digest::Context::new(match algorithm {
            Algorithm::Sha256 => &digest::SHA256,
            Algorithm::Sha512 => &digest::SHA512,
        });
        Self { algorithm, context }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
    }

    pub(crate) fn finish(self) -> Digest {
        let hash = self.context.finish();
        #[allow(clippy::expect_used)] // the length belongs to the algorithm
        Digest::from_bytes(self.algorithm, hash.as_ref()).expect("a hash of the right length")
    }
}

/// The SHA-256 digest of bytes in memory.
pub fn sha256(bytes: &[u8]) -> Digest {
    digest_of(Algorithm::Sha256, bytes)
}

/// The digest of bytes in memory.
pub(crate) fn digest_of(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(bytes);
    hasher.finish()
}
