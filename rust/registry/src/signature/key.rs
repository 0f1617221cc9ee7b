// SPDX-License-Identifier: MIT OR Apache-2.0
//! Public keys that images are signed with.

use std::fmt;

use ring::signature::{self as algorithms, UnparsedPublicKey, VerificationAlgorithm};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{AlgorithmIdentifier, SubjectPublicKeyInfoDer, alg_id};

use crate::store::hash::digest_of;

/// Largest PEM file with a key that is read, in bytes.
pub const KEY_MAX: u64 = 64 * 1024;

/// Shortest RSA key in bits: what the library below verifies with.
const RSA_MIN_BITS: usize = 2048;

/// A public key, as cosign writes it to `cosign.pub`: PEM, `PUBLIC KEY`, of the
/// kinds ECDSA P-256 and P-384, Ed25519, and RSA from 2048 bits on.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    spki: Vec<u8>,
    kind: KeyKind,
    /// Where the key itself begins within `spki`: a point, or RSAPublicKey.
    at: usize,
}

/// The kinds of keys that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA on NIST P-256, what cosign makes.
    EcdsaP256,
    /// ECDSA on NIST P-384.
    EcdsaP384,
    /// Ed25519.
    Ed25519,
    /// RSA, PKCS #1 v1.5 or PSS, with SHA-256.
    Rsa,
}

/// Why a text is not a public key that can be used; a part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(String);

impl KeyError {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}

/// The SHA-256 of a key's SubjectPublicKeyInfo in DER form; shown as
/// `SHA256:<hex>`, the same as that of
/// `openssl pkey -pubin -in FILE -outform DER | sha256sum`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SHA256:{}", self.0)
    }
}

impl PublicKey {
    /// Reads the one key of a PEM text.
    ///
    /// # Errors
    /// When there is none, more than one, or one of another kind.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        if pem.len() as u64 > KEY_MAX {
            return Err(KeyError::new("it is too large for a key"));
        }
        let mut keys = SubjectPublicKeyInfoDer::pem_slice_iter(pem);
        let none_or = |problem| {
            KeyError::new(if contains(pem, b"PRIVATE KEY-----") {
                "it holds a private key, and the public one is needed"
            } else if contains(pem, b"CERTIFICATE-----") {
                "it holds a certificate, and a public key is needed"
            } else {
                problem
            })
        };
        let der = keys
            .next()
            .ok_or_else(|| none_or("there is no `BEGIN PUBLIC KEY` in it"))?
            // What the library says may quote the file, which may be a private key.
            .map_err(|_| none_or("it is no valid PEM"))?;
        if keys.next().is_some() {
            return Err(KeyError::new("it holds more than one key"));
        }
        Self::from_der(&der)
    }

    /// Reads a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) in DER form.
    ///
    /// # Errors
    /// When it is none, or of a kind that cannot be used.
    pub fn from_der(spki: &[u8]) -> Result<Self, KeyError> {
        let broken = || KeyError::new("the key in it is damaged");
        let (outer, rest) = element(0x30, spki).ok_or_else(broken)?;
        let (algorithm, bits) = element(0x30, outer).ok_or_else(broken)?;
        let (bits, more) = element(0x03, bits).ok_or_else(broken)?;
        // A whole number of bytes, and nothing after it.
        let (Some((0, key)), true, true) = (bits.split_first(), more.is_empty(), rest.is_empty())
        else {
            return Err(broken());
        };
        let is = |known: AlgorithmIdentifier| algorithm == known.as_ref();
        let (kind, fits) = if is(alg_id::ECDSA_P256) {
            (KeyKind::EcdsaP256, key.len() == 65 && key[0] == 4)
        } else if is(alg_id::ECDSA_P384) {
            (KeyKind::EcdsaP384, key.len() == 97 && key[0] == 4)
        } else if is(alg_id::ED25519) {
            (KeyKind::Ed25519, key.len() == 32)
        } else if is(alg_id::RSA_ENCRYPTION) {
            let modulus = rsa_modulus(key).ok_or_else(broken)?;
            if modulus.len() * 8 < RSA_MIN_BITS {
                return Err(KeyError::new(format!(
                    "its RSA key is shorter than {RSA_MIN_BITS} bits"
                )));
            }
            (KeyKind::Rsa, true)
        } else {
            return Err(KeyError::new(
                "its key is of a kind that cannot be used here; \
                 ECDSA P-256 and P-384, Ed25519 and RSA can",
            ));
        };
        if !fits {
            return Err(broken());
        }
        Ok(Self {
            at: spki.len() - key.len(),
            spki: spki.to_owned(),
            kind,
        })
    }

    /// Its kind.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// What people compare it by.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(
            digest_of(imageref::Algorithm::Sha256, &self.spki)
                .hex()
                .to_owned(),
        )
    }

    /// The key as PEM, for a file.
    pub fn to_pem(&self) -> String {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(&self.spki);
        let mut pem = "-----BEGIN PUBLIC KEY-----\n".to_owned();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, more) = rest.split_at(rest.len().min(64));
            pem += line;
            pem.push('\n');
            rest = more;
        }
        pem + "-----END PUBLIC KEY-----\n"
    }

    /// Whether `signature` is one of `message` by this key. ECDSA and RSA sign
    /// a SHA-256; for P-384 SHA-384 counts as well, which newer versions of
    /// cosign use.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let algorithms: &[&'static dyn VerificationAlgorithm] = match self.kind {
            KeyKind::EcdsaP256 => &[&algorithms::ECDSA_P256_SHA256_ASN1],
            KeyKind::EcdsaP384 => &[
                &algorithms::ECDSA_P384_SHA384_ASN1,
                &algorithms::ECDSA_P384_SHA256_ASN1,
            ],
            KeyKind::Ed25519 => &[&algorithms::ED25519],
            KeyKind::Rsa => &[
                &algorithms::RSA_PKCS1_2048_8192_SHA256,
                &algorithms::RSA_PSS_2048_8192_SHA256,
            ],
        };
        algorithms.iter().any(|algorithm| {
            UnparsedPublicKey::new(*algorithm, &self.spki[self.at..])
                .verify(message, signature)
                .is_ok()
        })
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?}, {})", self.kind, self.fingerprint())
    }
}

/// The content of the DER element with this tag at the start, and what follows
/// it. Only the shortest form of a length is DER.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, der) = der.split_first()?;
    let (first, mut der) = der.split_first()?;
    let length = match *first {
        short @ ..=0x7f => usize::from(short),
        long @ (0x81 | 0x82) => {
            let (bytes, rest) = der.split_at_checked(usize::from(long & 0x7f))?;
            der = rest;
            let length = bytes.iter().fold(0, |n, b| n << 8 | usize::from(*b));
            let least = if long == 0x81 { 0x80 } else { 0x100 };
            (length >= least).then_some(length)?
        }
        _ => return None,
    };
    (*found == tag).then_some(())?;
    der.split_at_checked(length)
}

/// The modulus of an RSAPublicKey (RFC 8017, A.1.1), without a leading zero.
fn rsa_modulus(key: &[u8]) -> Option<&[u8]> {
    let (numbers, rest) = element(0x30, key)?;
    let (modulus, exponent) = element(0x02, numbers)?;
    let (_, more) = element(0x02, exponent)?;
    (rest.is_empty() && more.is_empty()).then_some(())?;
    Some(modulus.strip_prefix(&[0]).unwrap_or(modulus))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|w| w == part)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    // Made with `cosign generate-key-pair` and openssl; the private parts are gone.
    const P256: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENmPF4ZwjQgMpWP/FqXXCq3xMlc3l
jvMWJ0czelU4sz8F62cDbBMAg5cx9u1F7ke82w99WsiTAezVXBJnx9d0qQ==
-----END PUBLIC KEY-----
";

    #[test]
    fn pem_there_and_back() {
        let key = PublicKey::from_pem(P256.as_bytes()).unwrap();
        assert_eq!(key.kind(), KeyKind::EcdsaP256);
        assert_eq!(key.to_pem(), P256);
        let text = key.fingerprint().to_string();
        assert_eq!(text.len(), "SHA256:".len() + 64, "{text}");
        assert!(format!("{key:?}").contains(&text));
    }

    #[test]
    fn what_is_no_key_is_refused_with_a_reason() {
        let two = format!("{P256}{P256}");
        let private = P256.replace("PUBLIC", "PRIVATE");
        let certificate = P256.replace("PUBLIC KEY", "CERTIFICATE");
        let cut = P256.replace(
            "jvMWJ0czelU4sz8F62cDbBMAg5cx9u1F7ke82w99WsiTAezVXBJnx9d0qQ==\n",
            "",
        );
        let large = "x".repeat(KEY_MAX as usize + 1);
        for (text, reason) in [
            ("", "no `BEGIN PUBLIC KEY`"),
            ("hello", "no `BEGIN PUBLIC KEY`"),
            (&two, "more than one"),
            (&private, "private key"),
            (&certificate, "certificate"),
            (&cut, "damaged"),
            (&large, "too large"),
            (
                "-----BEGIN PUBLIC KEY-----\n!!\n-----END PUBLIC KEY-----\n",
                "no valid PEM",
            ),
        ] {
            let error = PublicKey::from_pem(text.as_bytes())
                .unwrap_err()
                .to_string();
            assert!(error.contains(reason), "{reason}: {error}");
        }
    }

    #[test]
    fn other_kinds_and_damage_are_told_apart() {
        let der = PublicKey::from_pem(P256.as_bytes()).unwrap().spki;
        for length in 0..der.len() {
            assert!(PublicKey::from_der(&der[..length]).is_err(), "{length}");
        }
        let mut longer = der.clone();
        longer.push(0);
        assert!(PublicKey::from_der(&longer).is_err());
        let mut compressed = der.clone();
        compressed[der.len() - 65] = 2;
        assert!(PublicKey::from_der(&compressed).is_err());
        // The last byte of the curve's identifier: another curve.
        let mut other = der;
        other[22] ^= 0x10;
        let error = PublicKey::from_der(&other).unwrap_err().to_string();
        assert!(error.contains("of a kind"), "{error}");
    }

    #[test]
    fn lengths_have_one_form() {
        assert_eq!(element(4, &[4, 1, 9, 7]), Some((&[9][..], &[7][..])));
        for bad in [
            &[4][..],
            &[4, 2, 9],
            &[5, 1, 9],
            &[4, 0x81, 1, 9],
            &[4, 0x82, 0, 1, 9],
            &[4, 0x80, 0, 0],
            &[4, 0x84, 0, 0, 0, 1, 9],
        ] {
            assert_eq!(element(4, bad), None, "{bad:?}");
        }
    }
}
