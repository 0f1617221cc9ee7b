// SPDX-License-Identifier: MIT OR Apache-2.0
//! The registry client as a plan wants it, without its errors ([`crate::coded`]).

use std::path::Path;

use contract::error::{Code, Error, Result};
use contract::plan::Plan;
use registry::ClientConfig;

use crate::machine;
use crate::medium::Medium;
use crate::secret::Secrets;

/// The client's configuration: what this machine and the plan say about
/// registries, credentials, and the layouts and archives that layers are taken
/// from.
pub fn client_config(plan: &Plan, secrets: &Secrets) -> Result<ClientConfig> {
    let medium = Medium::of(plan);
    let mut config = ClientConfig {
        credentials: secrets.credentials().clone(),
        registries: machine::registries(plan)?,
        certs: machine::certs(),
        layouts: medium.layer_layouts().cloned().collect(),
        archives: medium.archives,
        ..ClientConfig::default()
    };
    for registry in &plan.registries {
        if registry.insecure {
            config.insecure_hosts.insert(registry.host().to_owned());
        }
        if let Some(ca) = &registry.ca {
            let host = registry.host().to_owned();
            config.extra_ca_pem.push((host, read_ca(ca)?));
        }
    }
    Ok(config)
}

/// What a pull or a look-up runs on: one thread, since the network is the limit.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| {
            Error::new(Code::Io, "Failed to start the network client.").detail(e.to_string())
        })
}

fn read_ca(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| {
        Error::new(
            Code::ConfigInvalid,
            format!("The certificate file {} cannot be read.", path.display()),
        )
        .why("The path is misspelt, or its permissions are too strict.")
        .next("Correct the key `ca` or the option --ca.")
        .detail(e.to_string())
    })
}
