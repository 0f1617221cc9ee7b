// SPDX-License-Identifier: MIT OR Apache-2.0
//! Handing the deployment over as a complete root, so that other programs (the
//! stock modules of Calamares, or a person with chroot(8)) can configure it as
//! they would configure any freshly installed system.
//!
//! ```text
//! /run/bootc-installer/            0700
//!   handover.json                  what was made (0600)
//!   deployment                     the deployment; /etc is its own
//!     usr                          read-only: content of the image
//!     var                          of the stateroot
//!     boot, boot/efi               of the target
//!     sysroot                      the target's root file system
//!     var/home, …                  what else is mounted below the target
//!     proc sys dev run tmp
//! ```
//!
//! These are the only mounts that the engine makes in the mount namespace of
//! its caller, who must see them. [`undo`] takes them away: after a failure,
//! when a later installation finds them without an owner, and from
//! [`crate::close`].

mod bind;
mod state;
mod undo;

use contract::error::{Code, Error, Result};
use contract::event::HandOver;
use host::cancel::Cancel;
use host::process::Process;
use host::unmount;

use crate::boot::Backend;
use crate::deployment::Deployment;
use crate::target::Target;

pub use state::{FILE, ROOT};
pub(crate) use state::{State, active};
pub(crate) use undo::undo;

/// Refuses what cannot be handed over, before the image is deployed.
///
/// # Errors
/// `HANDOVER_UNSUPPORTED` for bootc's composefs backend.
pub fn check(backend: Backend) -> Result<()> {
    match backend {
        Backend::Ostree => Ok(()),
        Backend::Composefs => Err(Error::new(
            Code::HandoverUnsupported,
            "The image is installed with bootc's composefs backend, and cannot be configured before \
             its first boot.",
        )),
    }
}

/// Undoes a hand-over whose owner is gone; gives warnings.
///
/// # Errors
/// `HANDOVER_ACTIVE` when the owner is still there.
pub fn clear_stale() -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    if !nix::unistd::geteuid().is_root() {
        // Who cannot see it cannot install, either.
        return Ok(warnings);
    }
    let state = match State::read() {
        Ok(state) => state,
        Err(error) => {
            warnings.push(error.what);
            None
        }
    };
    if let Some(state) = &state
        && state.owner.is_alive()
    {
        return Err(active(Some(state.owner)));
    }
    let undone = undo(state.as_ref(), unmount::PATIENCE, &mut |text| {
        warnings.push(text);
    })?;
    if !undone.is_empty() {
        warnings.push(match state {
            Some(state) => format!(
                "An earlier installation onto {} had handed its deployment over and was never \
                 closed: the hand-over was undone.",
                state.physical_root.display()
            ),
            None => "What was left of an earlier hand-over was undone.".to_owned(),
        });
    }
    Ok(warnings)
}

/// Hands `deployment` over at [`ROOT`]; gives warnings as well. The owner is
/// the program that started this one.
///
/// # Errors
/// `HANDOVER_FAILED`, `HANDOVER_ACTIVE`, `CANCELLED`; what was mounted until
/// then is unmounted again.
pub fn hand_over(
    deployment: &Deployment,
    target: &Target,
    cancel: &Cancel,
) -> Result<(HandOver, Vec<String>)> {
    let mut state = State::begin(&target.root)?;
    let mut make = || -> Result<Vec<String>> {
        state.make_root()?;
        let warnings = bind::complete_root(&mut state, deployment, target, cancel)?;
        state.complete(Process::parent())?;
        cancel.check()?;
        Ok(warnings)
    };
    match make() {
        Ok(warnings) => Ok((
            HandOver {
                root: ROOT.into(),
                state: FILE.into(),
            },
            warnings,
        )),
        Err(mut error) => {
            let undone = undo(Some(&state), unmount::PATIENCE, &mut |text| {
                error.details.push(text);
            });
            if let Err(left) = undone {
                error.details.push(left.what);
                error.details.extend(left.details);
            }
            Err(error)
        }
    }
}

fn failed(doing: &str, err: &std::io::Error) -> Error {
    Error::new(Code::HandoverFailed, format!("Failed {doing}.")).detail(err.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_tree_can_be_handed_over() {
        assert!(check(Backend::Ostree).is_ok());
        let refused = check(Backend::Composefs).map_err(|error| error.code);
        assert_eq!(refused, Err(Code::HandoverUnsupported));
    }
}
