// SPDX-License-Identifier: MIT OR Apache-2.0
//! Is the image from whoever should have made it? What configuration and policy
//! demand, and what the image's signatures fulfil of it (`docs/signatures.md`).

use std::path::Path;

use contract::error::{Code, Error, Result};
use contract::fault::Stopped;
use contract::plan::{Plan, RegistryPlan, Source};
use contract::trust::{Trust, Unverified};
use host::cancel::Cancel;
use registry::policy::{Policy, Subject};
use registry::signature::{Demands, PublicKey, SignatureError, Verification, Wanted};
use registry::{OciLayout, Registry};

use crate::client;
use crate::coded::Coded;
use crate::medium::Medium;

use crate::found::Found;
use crate::secret::Secrets;

/// Largest policy.json that is read, in bytes.
const POLICY_MAX: u64 = 1024 * 1024;

/// What must be signed by whom: the keys of the image's registry, and what the
/// system's `policy` demands, where there is one.
///
/// # Errors
/// `SIGNATURE_POLICY` when the policy rejects the image, or cannot be applied.
pub fn demands(plan: &Plan, policy: &Path) -> Result<Demands> {
    let mut demands = Demands::default();
    if let Some(registry) = keys_for(plan).filter(|_| !plan.image.no_signature_verification) {
        let keys = public_keys(registry)?;
        demands.add_keys(&format!("the configuration for {}", registry.prefix), keys);
    }
    if let Some(text) = read_policy(policy)? {
        let by = policy.display().to_string();
        let read = Policy::parse(&text).map_err(|e| unusable(policy, &e.to_string()))?;
        let subject = match &plan.source {
            Source::Registry => Subject::Docker(&plan.image.imgref),
            Source::OciLayout { path, reference } => Subject::Oci {
                path,
                name: reference.as_deref(),
            },
        };
        demands
            .add_policy(&by, &read, &subject)
            .map_err(|e| coded(plan, e))?;
    }
    Ok(demands)
}

/// The entry with keys that is about the plan's image.
pub fn keys_for(plan: &Plan) -> Option<&RegistryPlan> {
    plan.registry_for(&plan.image.imgref.name())
        .filter(|registry| !registry.signature_keys.is_empty())
}

fn public_keys(registry: &RegistryPlan) -> Result<Vec<PublicKey>> {
    let keys = registry.signature_keys.iter();
    keys.map(|pem| {
        PublicKey::from_pem(pem.as_bytes()).map_err(|e| {
            let prefix = &registry.prefix;
            let what = format!("A text in `signatureKeys` of {prefix} is no key: {e}.");
            Error::new(Code::PlanInvalid, what)
        })
    })
    .collect()
}

fn read_policy(path: &Path) -> Result<Option<String>> {
    use std::io::Read as _;
    let mut text = String::new();
    let read =
        std::fs::File::open(path).and_then(|file| file.take(POLICY_MAX).read_to_string(&mut text));
    match read {
        Ok(_) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(unusable(path, &e.to_string())),
    }
}

fn unusable(path: &Path, problem: &str) -> Error {
    let what = format!("The policy {} cannot be used.", path.display());
    Error::new(Code::SignaturePolicy, what).detail(problem)
}

/// Refuses what cannot be a key among the plan's `signatureKeys`.
///
/// # Errors
/// `PLAN_INVALID`.
pub fn require_keys(plan: &Plan) -> Result<()> {
    plan.registries
        .iter()
        .try_for_each(|registry| public_keys(registry).map(drop))
}

/// Verifies what `found` is against `demands`, where its signatures are: in the
/// registry, or beside the image in a layout when that is all there is.
///
/// # Errors
/// `IMAGE_NOT_SIGNED`, `SIGNATURE_INVALID`, or why the signatures could not be
/// read.
pub fn verify(
    plan: &Plan,
    secrets: &Secrets,
    found: &Found,
    demands: &Demands,
    cancel: &Cancel,
) -> Result<Trust> {
    if demands.is_empty() {
        let why = match keys_for(plan) {
            Some(_) => Unverified::TurnedOff,
            None => Unverified::NoKey,
        };
        return Ok(Trust::NotVerified { why });
    }
    let wanted = Wanted {
        name: &plan.image.imgref,
        manifest_digest: &found.image.manifest_digest,
        manifest: &found.image.manifest_bytes,
        index: found.image.index_digest.as_ref(),
    };
    let here = found.offline || matches!(plan.source, Source::OciLayout { .. });
    let runtime = client::runtime()?;
    let verified = runtime.block_on(async {
        let verifying = async {
            if here {
                in_layouts(plan, found, wanted, demands).await
            } else {
                in_registry(plan, secrets, found, wanted, demands).await
            }
        };
        tokio::select! {
            () = cancel.token().cancelled() => Err(Stopped.into()),
            verified = verifying => verified,
        }
    })?;
    Ok(match verified {
        Some(verification) => Trust::Verified {
            keys: verification.keys.iter().map(ToString::to_string).collect(),
            signed_name: verification.signed_name,
            // bootc verifies what the tag leads to, which is the index.
            updates: verification.tag_scheme
                && (found.image.index_digest.is_none()
                    || verification.digest != found.image.manifest_digest),
        },
        None => Trust::default(),
    })
}

/// First where the image was found, which may be a mirror without signatures.
async fn in_registry(
    plan: &Plan,
    secrets: &Secrets,
    found: &Found,
    wanted: Wanted<'_>,
    demands: &Demands,
) -> Result<Option<Verification>> {
    let registry = Registry::new(client::client_config(plan, secrets)?).map_err(Coded::coded)?;
    let places = registry.places(&found.image).map_err(Coded::coded)?;
    let mut last = None;
    for place in &places {
        match registry.verify(place, wanted, demands).await {
            Ok(verified) => return Ok(verified),
            Err(error) => {
                tracing::debug!(place = %place.reference, %error, "no signature from there");
                last = Some(error);
            }
        }
    }
    Err(last.map_or_else(
        || Error::new(Code::Internal, "There is no place to look for signatures."),
        |error| coded(plan, error),
    ))
}

async fn in_layouts(
    plan: &Plan,
    found: &Found,
    wanted: Wanted<'_>,
    demands: &Demands,
) -> Result<Option<Verification>> {
    let mut layouts = Vec::new();
    if let Source::OciLayout { path, .. } = &found.source {
        layouts.push(OciLayout::open(path).map_err(|e| crate::coded::layout_error(path, e))?);
    }
    layouts.extend(Medium::of(plan).layouts);
    let mut last = None;
    for layout in &layouts {
        match layout.verify(wanted, demands).await {
            Ok(verified) => return Ok(verified),
            Err(SignatureError::NotSigned { .. }) if last.is_some() => {}
            Err(error) => last = Some(error),
        }
    }
    let error = last.map_or_else(
        || Error::new(Code::Internal, "There is no place to look for signatures."),
        |error| coded(plan, error),
    );
    Err(match error.code {
        Code::ImageNotSigned => error
            .why("Without the registry only signatures on this medium can be verified, and there is none for this image.")
            .next("Connect to the network and try again, or use an installation medium that was made with the image's signatures."),
        _ => error,
    })
}

/// Gives an error of a verification its code.
fn coded(plan: &Plan, error: SignatureError) -> Error {
    let image = &plan.image.imgref;
    match error {
        SignatureError::Registry(error) => error.coded(),
        SignatureError::NotSigned { by, .. } => Error::new(
            Code::ImageNotSigned,
            format!("The image {image} is not signed."),
        )
        .detail(format!("a signature is demanded by {by}")),
        SignatureError::Invalid { by, reasons, .. } => {
            let what = format!("The image {image} is not signed as it must be.");
            let error = Error::new(Code::SignatureInvalid, what)
                .detail(format!("the signature is demanded by {by}"));
            reasons.into_iter().fold(error, Error::detail)
        }
        SignatureError::Rejected { by } => {
            let what = format!("The policy {by} rejects the image {image}.");
            Error::new(Code::SignaturePolicy, what)
        }
        SignatureError::Unsupported { by, what, why } => {
            let failed = format!("The policy {by} demands `{what}` of the image {image}.");
            Error::new(Code::SignaturePolicy, failed)
                .why("This kind of signature cannot be verified by the installer, which therefore refuses the image.")
                .next("Sign the image with a cosign key and let the policy demand `sigstoreSigned` with `keyPath`.")
                .detail(why)
        }
        SignatureError::Policy { by, problem } => unusable(Path::new(&by), &problem),
        // A kind that is newer than this table.
        other => Error::new(Code::SignatureInvalid, format!("{other}.")),
    }
}

/// What the person should know although it stops nothing.
pub(crate) fn warning(plan: &Plan, trust: &Trust) -> Option<String> {
    match trust {
        Trust::NotVerified {
            why: Unverified::TurnedOff,
        } => Some(format!(
            "The signature of {} is not verified: there is a key for it, and noSignatureVerification turns that off.",
            plan.image.imgref
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
