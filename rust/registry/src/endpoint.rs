// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where an image can be had.

use imageref::Reference;

use crate::client::Registry;
use crate::error::RegistryError;

/// One place that has an image: a mirror, or the registry itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The image there.
    pub reference: Reference,
    /// Whether any certificate, and plain HTTP, will do.
    pub insecure: bool,
    /// Whether it is a mirror and not the registry itself.
    pub mirror: bool,
}

/// Why mirrors were passed over.
#[derive(Debug, Clone, Default)]
pub(crate) struct MirrorFailures(Vec<String>);

impl MirrorFailures {
    pub(crate) fn add(&mut self, endpoint: &Endpoint, error: &RegistryError) {
        tracing::warn!(mirror = %endpoint.reference.name(), %error, "the mirror is passed over");
        self.0.push(format!(
            "mirror {}: {error} [{}]",
            endpoint.reference.name(),
            error.kind().as_str()
        ));
    }

    pub(crate) fn into_texts(self) -> Vec<String> {
        self.0
    }

    /// The error of the last place, with what kept the others from helping.
    pub(crate) fn with(self, error: RegistryError) -> RegistryError {
        // To be stopped is nobody's failure.
        if self.0.is_empty() || matches!(error, RegistryError::Cancelled) {
            return error;
        }
        RegistryError::Mirrors {
            error: Box::new(error),
            failures: self.0,
        }
    }
}

impl Registry {
    /// Where `reference` can be had: its mirrors in their order, the registry
    /// itself last.
    pub(crate) fn endpoints(&self, reference: &Reference) -> Result<Vec<Endpoint>, RegistryError> {
        Ok(vec![Endpoint {
            reference: reference.clone(),
            insecure: false,
            mirror: false,
        }])
    }
}
