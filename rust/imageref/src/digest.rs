// SPDX-License-Identifier: MIT OR Apache-2.0
//! Digests, after image-spec `descriptor.md`, section *Digests*.

use std::fmt;
use std::str::FromStr;

use crate::error::{ParseError, Problem};

/// A hash algorithm that the image specification registers and that must or
/// may be supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// SHA-256, what every registry uses.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// The name as written before the colon.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The number of hex digits of a digest.
    pub fn hex_len(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The digest of some content, `sha256:<64 lower-case hex digits>` or
/// `sha512:<128>`. A value of this type is always well formed, so that its hex
/// part is safe as a file name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    algorithm: Algorithm,
    hex: String,
}

impl Digest {
    /// Makes a digest from raw hash bytes.
    ///
    /// # Errors
    /// When the number of bytes is not that of the algorithm.
    pub fn from_bytes(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, ParseError> {
        use fmt::Write as _;
        let mut hex = String::with_capacity(bytes.len() * 2);
        for byte in bytes {
            // Writing to a String cannot fail.
            write!(hex, "{byte:02x}").ok();
        }
        format!("{algorithm}:{hex}").parse()
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The hash in lower-case hex.
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        &self.hex[..12]
    }
}

impl FromStr for Digest {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = |at, problem| Err(ParseError::new(text, at, problem));
        let Some((name, hex)) = text.split_once(':') else {
            let digest = text.to_owned();
            return error(0, Problem::BadDigest { digest });
        };
        let algorithm = match name {
            "sha256" => Algorithm::Sha256,
            "sha512" => Algorithm::Sha512,
            _ => {
                let algorithm = name.to_owned();
                return error(0, Problem::UnsupportedAlgorithm { algorithm });
            }
        };
        let start = name.len() + 1;
        let odd = |c: &(usize, char)| !matches!(c.1, '0'..='9' | 'a'..='f');
        if let Some((at, character)) = hex.char_indices().find(odd) {
            return error(start + at, Problem::DigestDigit { character });
        }
        if hex.len() != algorithm.hex_len() {
            return error(
                start,
                Problem::DigestLength {
                    algorithm: algorithm.as_str(),
                    expected: algorithm.hex_len(),
                    found: hex.len(),
                },
            );
        }
        Ok(Self {
            algorithm,
            hex: hex.to_owned(),
        })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.hex)
    }
}

crate::serde_as_text!(Digest);
