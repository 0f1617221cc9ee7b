// SPDX-License-Identifier: MIT OR Apache-2.0
//! The keys of an image in the installed system, so that `bootc upgrade`
//! verifies as the installation did: containers-policy.json(5) and
//! containers-registries.d(5).

use std::path::Path;

use contract::error::{Error, Result};
use contract::plan::Plan;
use contract::trust::Trust;
use host::write::Root;
use registry::policy::Policy;
use serde_json::{Value, json};
use source::trust;

use super::Deployment;

/// The policy, below the deployment.
const POLICY: &str = "etc/containers/policy.json";
/// Where signatures are looked for.
const LOOKUP: &str = "etc/containers/registries.d/50-installer.yaml";
/// Directory of the keys.
const KEYS: &str = "etc/containers/keys";

impl Deployment {
    /// Has the installed system demand for its updates the signature that the
    /// installation demanded. Gives what it could not do, one sentence each: a
    /// policy that says more than "accept anything" is the image's own and
    /// stays.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn keep_keys(&self, plan: &Plan, trust: &Trust) -> Result<Vec<String>> {
        let Some(keys) = trust::keys_for(plan).map(|registry| &registry.signature_keys) else {
            return Ok(Vec::new());
        };
        let Trust::Verified { updates, .. } = trust else {
            return Ok(Vec::new());
        };
        if !plan.deployment.keep_registries {
            return Ok(Vec::new());
        }
        let name = plan.image.origin().name();
        if name != plan.image.imgref.name() {
            return Ok(vec![format!(
                "Updates from {name} are not verified by the key that verified this image, which is from another repository."
            )]);
        }
        if !updates {
            return Ok(vec![
                "Updates of the installed system are not verified: bootc cannot verify the kind of signature that this image has.".into(),
            ]);
        }
        let root = Root::open(&self.dir)?;
        let old = root.read(Path::new(POLICY))?;
        let paths: Vec<String> = (1..=keys.len())
            .map(|number| format!("/{KEYS}/installer-{number}.pub"))
            .collect();
        let Some(policy) = with_keys(old.as_deref(), &name, &paths) else {
            return Ok(vec![
                "The image's own /etc/containers/policy.json decides which updates are accepted, and was left as it is.".into(),
            ]);
        };
        for (path, key) in paths.iter().zip(keys) {
            root.write(Path::new(&path[1..]), key.as_bytes(), 0o644)?;
        }
        root.write(Path::new(LOOKUP), lookup(&name).as_bytes(), 0o644)?;
        let text = serde_json::to_string_pretty(&policy).map_err(|e| {
            let io = std::io::Error::other(e);
            Error::io("writing", Path::new(POLICY), &io)
        })?;
        // Last: from here on a signature is demanded.
        root.write(Path::new(POLICY), (text + "\n").as_bytes(), 0o644)?;
        Ok(Vec::new())
    }
}

/// The policy with a scope for `name`; `None` when it must stay as it is.
fn with_keys(old: Option<&str>, name: &str, paths: &[String]) -> Option<Value> {
    let mut policy = match old {
        None => json!({"default": [{"type": "insecureAcceptAnything"}]}),
        Some(text) => {
            let known = Policy::parse(text).ok()?;
            known.accepts_everything().then_some(())?;
            serde_json::from_str(text).ok()?
        }
    };
    let mut requirement = json!({
        "type": "sigstoreSigned",
        "signedIdentity": {"type": "matchRepository"},
    });
    match paths {
        [path] => requirement["keyPath"] = path.as_str().into(),
        many => requirement["keyPaths"] = many.into(),
    }
    policy["transports"]["docker"][name] = json!([requirement]);
    Some(policy)
}

fn lookup(name: &str) -> String {
    format!(
        "# Written by the installer.\ndocker:\n  \"{name}\":\n    use-sigstore-attachments: true\n"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;

    const DEBIAN: &str = r#"{"default":[{"type":"insecureAcceptAnything"}],
        "transports":{"docker-daemon":{"":[{"type":"insecureAcceptAnything"}]}}}"#;
    const STRICT: &str = r#"{"default":[{"type":"reject"}]}"#;

    fn verified(updates: bool) -> Trust {
        Trust::Verified {
            keys: vec!["SHA256:0".into()],
            signed_name: None,
            updates,
        }
    }

    fn plan(keys: usize) -> Plan {
        let keys = vec!["key\n"; keys];
        serde_json::from_value(json!({
            "version": 1,
            "image": {"imgref": "r.io:5000/team/os:1"},
            "source": {"type": "registry"},
            "runtimeRoot": {"type": "unpack"},
            "target": {"root": "/t"},
            "registries": [{"prefix": "r.io:5000", "signatureKeys": keys}],
            "bootc": {"stateroot": "default"},
            "deployment": {"keepRegistries": true},
        }))
        .unwrap()
    }

    /// A deployment with this policy in it.
    fn deployment(policy: Option<&str>) -> (tempfile::TempDir, Deployment) {
        let dir = tempfile::tempdir().unwrap();
        if let Some(text) = policy {
            fs::create_dir_all(dir.path().join("etc/containers")).unwrap();
            fs::write(dir.path().join(POLICY), text).unwrap();
        }
        let deployment = Deployment {
            dir: dir.path().to_owned(),
            var: dir.path().join("var"),
            relative: "x".into(),
        };
        (dir, deployment)
    }

    fn read(deployment: &Deployment, file: &str) -> Option<String> {
        fs::read_to_string(deployment.dir.join(file)).ok()
    }

    #[test]
    fn updates_are_verified_by_the_same_keys() {
        for (old, keys, key) in [
            (None, 1, "keyPath"),
            (Some(DEBIAN), 1, "keyPath"),
            (Some(DEBIAN), 2, "keyPaths"),
        ] {
            let (_dir, deployment) = deployment(old);
            // A second time changes nothing: the policy is then the system's own.
            let warnings = deployment.keep_keys(&plan(keys), &verified(true)).unwrap();
            assert!(warnings.is_empty(), "{warnings:?}");
            let text = read(&deployment, POLICY).unwrap();
            Policy::parse(&text).unwrap();
            let policy: Value = serde_json::from_str(&text).unwrap();
            let scope = &policy["transports"]["docker"]["r.io:5000/team/os"];
            assert_eq!(scope[0]["type"], "sigstoreSigned");
            assert!(!scope[0][key].is_null(), "{scope}");
            assert_eq!(policy["default"][0]["type"], "insecureAcceptAnything");
            assert_eq!(
                policy["transports"]["docker-daemon"].is_null(),
                old.is_none()
            );
            assert_eq!(
                read(&deployment, &format!("{KEYS}/installer-{keys}.pub")).unwrap(),
                "key\n"
            );
            assert!(
                read(&deployment, LOOKUP)
                    .unwrap()
                    .contains("\"r.io:5000/team/os\":\n")
            );
        }
    }

    #[test]
    fn what_is_left_alone_is_said() {
        let other = {
            let mut plan = plan(1);
            plan.image.target_imgref = Some("r.io:5000/other/os:1".parse().unwrap());
            plan
        };
        let not_kept = {
            let mut plan = plan(1);
            plan.deployment.keep_registries = false;
            plan
        };
        for (old, plan, trust, warning) in [
            (
                Some(STRICT),
                plan(1),
                verified(true),
                "own /etc/containers/policy.json",
            ),
            (
                Some("{"),
                plan(1),
                verified(true),
                "own /etc/containers/policy.json",
            ),
            (None, plan(1), verified(false), "the kind of signature"),
            (None, other, verified(true), "another repository"),
            (None, plan(0), verified(true), ""),
            (None, not_kept, verified(true), ""),
            (None, plan(1), Trust::default(), ""),
        ] {
            let (_dir, deployment) = deployment(old);
            let warnings = deployment.keep_keys(&plan, &trust).unwrap();
            assert_eq!(warnings.is_empty(), warning.is_empty(), "{warnings:?}");
            assert!(warnings.join(" ").contains(warning), "{warnings:?}");
            assert_eq!(read(&deployment, POLICY).as_deref(), old);
            assert_eq!(read(&deployment, LOOKUP), None);
        }
    }
}
