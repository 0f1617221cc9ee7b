// SPDX-License-Identifier: MIT OR Apache-2.0
//! The places where an image can be had, and why some did not help.

use imageref::Reference;

use crate::error::RegistryError;
use crate::pull::client::Registry;
use crate::settings::registries_conf::Endpoint;

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
        let mut endpoints = self.config.registries.endpoints(reference)?;
        for endpoint in &mut endpoints {
            endpoint.insecure |= self.is_insecure(endpoint.reference.registry());
        }
        Ok(endpoints)
    }

    fn is_insecure(&self, host: &str) -> bool {
        let hosts = &self.config.insecure_hosts;
        hosts.contains(host) || hosts.contains(crate::http::registry_session::api_host(host))
    }
}
