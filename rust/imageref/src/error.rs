// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can be wrong with a reference, where, and what to write instead.

use std::fmt;

/// A text that is not an image reference: what is wrong, where, and what to
/// write instead. The text that it repeats never holds a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    input: String,
    at: usize,
    problem: Problem,
}

/// What is wrong with the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// There is nothing to parse.
    #[error("the image reference is empty; write it as host/name:tag")]
    Empty,
    /// The name has no host and could mean different images on different machines.
    #[error("the name has no registry host and is therefore ambiguous; write `{qualified}`")]
    ShortName {
        /// The same image on Docker Hub, in full.
        qualified: String,
    },
    /// A host, but no repository behind it.
    #[error("the repository name is missing; write host/name:tag")]
    MissingRepository,
    /// A web address instead of a reference.
    #[error("an image reference is not a web address; leave out `{scheme}` and write `{without}`")]
    WebAddress {
        /// `http://` or `https://`.
        scheme: &'static str,
        /// The same text without the scheme.
        without: String,
    },
    /// `user:password@host`.
    #[error("a reference cannot hold a user name or password; put them into an auth file")]
    Credentials,
    /// A transport of the containers tools that cannot be read here.
    #[error(
        "the transport `{name}` is not supported; use one of {}",
        crate::transport::names()
    )]
    UnsupportedTransport {
        /// The transport as written, without its colon.
        name: String,
    },
    /// A transport without the path that it needs.
    #[error("the transport `{transport}` needs a path: {transport}:PATH[:TAG]")]
    MissingPath {
        /// The transport as written.
        transport: &'static str,
    },
    /// White space or a control character somewhere.
    #[error("{character:?} cannot be part of an image reference; remove it")]
    Blank {
        /// The character found.
        character: char,
    },
    /// A host that no DNS name, IPv4 or bracketed IPv6 address can be.
    #[error("`{host}` is not a host name, IPv4 address or [IPv6 address]")]
    BadHost {
        /// The host as written, without the port.
        host: String,
    },
    /// A port that is not a number between 1 and 65535.
    #[error("`{port}` is not a port; it must be a number from 1 to 65535")]
    BadPort {
        /// The port as written.
        port: String,
    },
    /// An upper-case letter in the repository.
    #[error("repository names are lower case; write `{lower}`")]
    UppercaseRepository {
        /// The repository in lower case.
        lower: String,
    },
    /// A repository component outside the grammar.
    #[error(
        "`{component}` is not a valid part of a repository name: letters a-z and digits, \
         separated by single dots, one or two underscores, or dashes"
    )]
    BadRepository {
        /// The component between two slashes.
        component: String,
    },
    /// Host and repository are longer than 255 characters.
    #[error("the name is {length} characters long; at most 255 are allowed")]
    NameTooLong {
        /// Its length in bytes, host included.
        length: usize,
    },
    /// Sixty-four hex digits: an image ID, which no registry can serve.
    #[error("this is an image ID, not a name; write host/name@sha256:{id}")]
    BareId {
        /// The ID as written.
        id: String,
    },
    /// A tag outside the grammar.
    #[error(
        "`{tag}` is not a valid tag: letters, digits, `_`, `.` and `-`, \
         not starting with `.` or `-`"
    )]
    BadTag {
        /// The tag as written.
        tag: String,
    },
    /// A tag of more than 128 characters.
    #[error("the tag is {length} characters long; at most 128 are allowed")]
    TagTooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// A digest without `algorithm:` or with nothing behind it.
    #[error("`{digest}` is not a digest; write it as sha256:<64 hex digits>")]
    BadDigest {
        /// The digest as written.
        digest: String,
    },
    /// A digest with an algorithm that nothing here can compute.
    #[error("the digest algorithm `{algorithm}` is not supported; use sha256 or sha512")]
    UnsupportedAlgorithm {
        /// The algorithm as written.
        algorithm: String,
    },
    /// A digest of the wrong length.
    #[error("a {algorithm} digest has {expected} hex digits, this one has {found}")]
    DigestLength {
        /// The algorithm.
        algorithm: &'static str,
        /// Digits that it must have.
        expected: usize,
        /// Digits that are there.
        found: usize,
    },
    /// A digest with something else than lower-case hex digits.
    #[error("{character:?} is not a lower-case hex digit (0-9, a-f)")]
    DigestDigit {
        /// The character found.
        character: char,
    },
}

impl ParseError {
    pub(crate) fn new(input: &str, at: usize, problem: Problem) -> Self {
        Self {
            input: without_secrets(input),
            at,
            problem,
        }
    }

    /// The same error within a longer text that starts `offset` bytes earlier.
    pub(crate) fn within(self, input: &str, offset: usize) -> Self {
        Self {
            input: without_secrets(input),
            at: self.at + offset,
            problem: self.problem,
        }
    }

    /// What is wrong.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// Where in the text, in bytes from its start.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The text, with `***` in place of anything that may be a password.
    pub fn input(&self) -> &str {
        &self.input
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.input.is_empty() {
            return write!(f, "{}", self.problem);
        }
        write!(f, "`{}`: {}", self.input, self.problem)?;
        if self.at > 0 {
            write!(f, " (at character {})", self.at + 1)?;
        }
        Ok(())
    }
}

impl std::error::Error for ParseError {}

/// Replaces what stands before an `@` that no digest follows: it may be
/// `user:password@host`.
fn without_secrets(input: &str) -> String {
    match input.rsplit_once('@') {
        Some((_, rest)) if !looks_like_digest(rest) => format!("***@{rest}"),
        Some((before, rest)) if before.contains('@') => {
            format!("{}@{rest}", without_secrets(before))
        }
        _ => input.to_owned(),
    }
}

fn looks_like_digest(text: &str) -> bool {
    !text.contains('/') && !text.contains('.')
}
