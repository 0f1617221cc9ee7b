// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the image's skopeo is allowed to read while bootc installs.
//!
//! bootc reads our layout through `skopeo experimental-image-proxy`, which obeys
//! the containers-policy.json(5) of the root that it runs in: the image's own.
//! That one is about updates from registries. Many reject everything else, and
//! with it the copy that was verified on its way here. So in the sandbox a policy
//! covers it that says the same and lets in exactly this layout. The deployment
//! gets the image's own.

use contract::error::{Code, Error, Result};
use registry::policy::POLICY_PATH;
use serde_json::{Map, Value, json};

/// The image's policy with an exception for the layout in the directory `layout`.
///
/// # Errors
/// `IMAGE_NOT_BOOTABLE` when it is no JSON object: skopeo would refuse every
/// image, after bootc has begun to write.
pub(crate) fn letting_in(layout: &str, policy: &str) -> Result<String> {
    let mut policy: Map<String, Value> =
        serde_json::from_str(policy).map_err(|err| unusable(&err.to_string()))?;
    let transports = object(&mut policy, "transports")?;
    let layouts = object(transports, "oci")?;
    // The most special scope counts, and nothing is more special than a name in
    // the layout, of which a policy made elsewhere has none.
    layouts.insert(
        layout.to_owned(),
        json!([{"type": "insecureAcceptAnything"}]),
    );
    Ok(Value::Object(policy).to_string())
}

fn object<'a>(parent: &'a mut Map<String, Value>, key: &str) -> Result<&'a mut Map<String, Value>> {
    let value = parent.entry(key).or_insert_with(|| json!({}));
    value
        .as_object_mut()
        .ok_or_else(|| unusable(&format!("`{key}` is no object")))
}

fn unusable(problem: &str) -> Error {
    Error::new(
        Code::ImageNotBootable,
        format!("The image's {POLICY_PATH} cannot be used."),
    )
    .why("The image's own skopeo would refuse every image, also the one to be installed.")
    .detail(problem.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LAYOUT: &str = "/run/oci";

    #[test]
    fn nothing_but_the_layout_is_let_in() {
        let accept = r#"[{"type":"insecureAcceptAnything"}]"#;
        let own = format!(r#""/run/oci":{accept}"#);
        let table = [
            (
                r#"{"default":[{"type":"reject"}]}"#,
                format!(r#"{{"default":[{{"type":"reject"}}],"transports":{{"oci":{{{own}}}}}}}"#),
            ),
            (
                r#"{"default":[],"transports":{"docker":{"a.b":[]}}}"#,
                format!(
                    r#"{{"default":[],"transports":{{"docker":{{"a.b":[]}},"oci":{{{own}}}}}}}"#
                ),
            ),
            (
                r#"{"transports":{"oci":{"":[{"type":"reject"}]}}}"#,
                format!(r#"{{"transports":{{"oci":{{"":[{{"type":"reject"}}],{own}}}}}}}"#),
            ),
        ];
        for (policy, want) in table {
            let made: Value = serde_json::from_str(&letting_in(LAYOUT, policy).unwrap()).unwrap();
            assert_eq!(
                made,
                serde_json::from_str::<Value>(&want).unwrap(),
                "{policy}"
            );
        }
    }

    #[test]
    fn what_skopeo_could_not_read_is_refused() {
        for policy in [
            "",
            "[]",
            r#"{"transports":[]}"#,
            r#"{"transports":{"oci":1}}"#,
        ] {
            let error = letting_in(LAYOUT, policy).unwrap_err();
            assert_eq!(error.code, Code::ImageNotBootable, "{policy}");
        }
    }
}
