// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a policy demands of an image's signatures.

use super::{Policy, PolicyError, Requirement, Subject};
use crate::signature::{Demand, Demands, SignatureError};

impl Demands {
    /// Adds what `policy` asks for. A bundle does not fulfil it: a policy always
    /// asks for a name that was signed, and no bundle has one.
    ///
    /// # Errors
    /// [`SignatureError::Rejected`], [`SignatureError::Unsupported`] when the
    /// policy asks for what no signature can fulfil here, and
    /// [`SignatureError::Policy`] when one of its keys cannot be read.
    pub fn add_policy(
        &mut self,
        by: &str,
        policy: &Policy,
        subject: &Subject<'_>,
    ) -> Result<(), SignatureError> {
        let unusable = |e: PolicyError| SignatureError::Policy {
            by: by.to_owned(),
            problem: e.to_string(),
        };
        for requirement in policy.requirements(subject) {
            match requirement {
                Requirement::InsecureAcceptAnything => {}
                Requirement::Reject => return Err(SignatureError::Rejected { by: by.to_owned() }),
                Requirement::Unsupported { what, why } => {
                    return Err(SignatureError::Unsupported {
                        by: by.to_owned(),
                        what,
                        why,
                    });
                }
                Requirement::SigstoreSigned(signed) => self.add(Demand {
                    by: by.to_owned(),
                    keys: signed.keys().map_err(unusable)?,
                    logs: signed.logs().map_err(unusable)?,
                    identity: signed.identity.clone(),
                    bundles: false,
                }),
            }
        }
        Ok(())
    }
}
