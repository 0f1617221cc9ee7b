// SPDX-License-Identifier: MIT OR Apache-2.0
//! A recipe of a web server.

use std::time::Duration;

use contract::error::{Code, Error, Result};
use contract::fault::Stopped;
use host::cancel::Cancel;
use registry::{ClientConfig, Registry};
use source::client;
use source::coded::Coded;
use source::machine;

use super::super::by_recipe::RECIPE_MAX;

/// Waits before the next attempt, in seconds: a switch forwards half a minute after a
/// cable came up.
const WAITS: [u64; 5] = [2, 4, 8, 16, 32];

/// The text behind an address; one that does not answer is asked again.
///
/// # Errors
/// `RECIPE_UNREADABLE`, `CANCELLED`.
pub(super) fn file(address: &str, cancel: &Cancel) -> Result<String> {
    let config = ClientConfig {
        certs: machine::certs(),
        ..ClientConfig::default()
    };
    let max = usize::try_from(RECIPE_MAX).unwrap_or(usize::MAX);
    let registry = Registry::new(config).map_err(Coded::coded)?;
    let attempts = async {
        let mut waits = WAITS.iter();
        loop {
            let error = match registry.file(address, max).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) => error.coded(),
            };
            // A server that refuses does so the next time, too.
            let again = [
                Code::RegistryHostUnknown,
                Code::RegistryUnreachable,
                Code::NetworkInterrupted,
            ];
            match waits.next().filter(|_| again.contains(&error.code)) {
                Some(seconds) => tokio::time::sleep(Duration::from_secs(*seconds)).await,
                None => return Err(unreadable(address).detail(error.what)),
            }
        }
    };
    let bytes = client::runtime()?.block_on(async {
        tokio::select! {
            () = cancel.token().cancelled() => Err(Stopped.into()),
            bytes = attempts => bytes,
        }
    })?;
    String::from_utf8(bytes).map_err(|err| unreadable(address).detail(err.to_string()))
}

fn unreadable(address: &str) -> Error {
    let what = format!("The recipe {address} cannot be fetched.");
    Error::new(Code::RecipeUnreadable, what)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use testkit::refusing::Refusing;

    #[test]
    fn a_stop_ends_the_attempts() {
        let refusing = Refusing::new().unwrap();
        let cancel = Cancel::new();
        cancel.cancel();
        let address = format!("http://{}/r", refusing.host());
        let error = file(&address, &cancel).unwrap_err();
        assert_eq!(error.code, Code::Cancelled);
    }

    #[test]
    fn what_is_no_address_is_not_asked_again() {
        let error = file("http://", &Cancel::new()).unwrap_err();
        assert_eq!(error.code, Code::RecipeUnreadable);
    }
}
