// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signatures by the real cosign, of both schemes, in a real registry.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::Path;
use std::process::Command;

use common::*;
use imageref::{Digest, Reference};
use registry::policy::{Policy, Subject};
use registry::signature::{Demands, PublicKey, SignatureError, Verification, Wanted};
use registry::{Endpoint, OciLayout, Registry, ResolvedImage};
use serde_json::json;
use testkit::cosign::{Cosign, Version};
use testkit::fault_proxy::{Fault, FaultProxy, Request};

/// A registry with images, and keys that cosign has made.
struct Bench {
    server: testkit::registry::Registry,
    cosign: Cosign,
    keys: tempfile::TempDir,
    client: Registry,
}

impl Bench {
    fn new(version: Version) -> Option<Self> {
        if !testkit::registry::available() {
            return None;
        }
        let cosign = Cosign::available(version)?;
        let server = testkit::registry::Registry::start().unwrap();
        let client = client(&[&server.host()]);
        Some(Self {
            server,
            cosign,
            keys: tempfile::tempdir().unwrap(),
            client,
        })
    }

    fn key(&self, name: &str) -> PublicKey {
        let path = self.keys.path().join(format!("{name}.pub"));
        if !path.exists() {
            self.cosign.make_key(self.keys.path(), name).unwrap();
        }
        PublicKey::read(&path).unwrap()
    }

    fn sign(&self, name: &str, image: &str) {
        self.cosign
            .sign(self.keys.path(), name, image, &[])
            .unwrap();
    }

    /// An image for one platform, by itself or below an index.
    async fn push(&self, repository: &str, indexed: bool) -> ResolvedImage {
        let host = self.server.host();
        let image = TestImage::amd64(1000);
        let pusher = Pusher::new(&host, repository);
        pusher.image("1", &image).await;
        if indexed {
            let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [{
                "mediaType": MANIFEST, "digest": image.digest(), "size": image.manifest.len(),
                "platform": {"os": "linux", "architecture": "amd64"},
            }]});
            pusher
                .manifest("1", INDEX, index.to_string().as_bytes())
                .await;
        }
        let name = reference(&format!("{host}/{repository}:1"));
        self.client.resolve(&name, &amd64()).await.unwrap()
    }

    async fn verify(&self, image: &ResolvedImage, demands: &Demands) -> Outcome {
        let at = self.client.places(image).unwrap().remove(0);
        verify_at(&self.client, &at, image, demands).await
    }
}

type Outcome = Result<Option<Verification>, SignatureError>;

async fn verify_at(
    client: &Registry,
    at: &Endpoint,
    image: &ResolvedImage,
    demands: &Demands,
) -> Outcome {
    client.verify(at, wanted(image), demands).await
}

fn wanted(image: &ResolvedImage) -> Wanted<'_> {
    Wanted {
        name: image.reference.as_ref().unwrap(),
        manifest_digest: &image.manifest_digest,
        manifest: &image.manifest_bytes,
        index: image.index_digest.as_ref(),
    }
}

fn of(name: &Reference, digest: &Digest) -> String {
    format!("{}@{digest}", name.name())
}

fn by(keys: &[&PublicKey]) -> Demands {
    let mut demands = Demands::default();
    for key in keys {
        demands.add_keys("bootc.conf", vec![(*key).clone()]);
    }
    demands
}

fn reasons(outcome: Outcome) -> Vec<String> {
    match outcome {
        Err(SignatureError::Invalid { reasons, .. }) => reasons,
        other => panic!("{other:?}"),
    }
}

fn is_unsigned(outcome: &Outcome) -> bool {
    matches!(outcome, Err(SignatureError::NotSigned { .. }))
}

#[test]
fn both_schemes_and_both_digests() {
    for version in [Version::Two, Version::Three] {
        let Some(bench) = Bench::new(version) else {
            return;
        };
        run(async {
            let (key, other) = (bench.key("key"), bench.key("other"));
            for indexed in [false, true] {
                let image = bench
                    .push(&format!("team/os{}", u8::from(indexed)), indexed)
                    .await;
                let name = image.reference.clone().unwrap();
                let demands = by(&[&key]);
                assert!(is_unsigned(&bench.verify(&image, &demands).await));

                bench.sign("other", &of(&name, image.reference_digest()));
                let found = reasons(bench.verify(&image, &demands).await);
                assert_eq!(found, ["it was made with another key"]);

                bench.sign("key", &of(&name, image.reference_digest()));
                let found = bench.verify(&image, &demands).await.unwrap().unwrap();
                assert_eq!(found.keys, [key.fingerprint()]);
                assert_eq!(&found.digest, image.reference_digest());
                assert_eq!(found.tag_scheme, version == Version::Two);

                // Both keys have signed it.
                let both = bench.verify(&image, &by(&[&key, &other])).await;
                assert_eq!(both.unwrap().unwrap().keys.len(), 2);
            }
        });
    }
}

#[test]
fn a_signature_of_the_manifest_below_an_index_counts() {
    let Some(bench) = Bench::new(Version::Two) else {
        return;
    };
    run(async {
        let key = bench.key("key");
        let image = bench.push("team/os", true).await;
        let name = image.reference.clone().unwrap();
        bench.sign("key", &of(&name, &image.manifest_digest));
        let found = bench.verify(&image, &by(&[&key])).await.unwrap().unwrap();
        assert_eq!(found.digest, image.manifest_digest);
        assert_eq!(found.signed_name.unwrap(), name.name());
    });
}

/// A tag that moves between the look-up and the verification moves nothing.
#[test]
fn what_was_looked_up_is_what_is_verified() {
    let Some(bench) = Bench::new(Version::Two) else {
        return;
    };
    run(async {
        let key = bench.key("key");
        let unsigned = bench.push("team/os", false).await;
        let name = unsigned.reference.clone().unwrap();
        let host = bench.server.host();
        let next = TestImage::amd64(2000);
        Pusher::new(&host, "team/os").image("1", &next).await;
        bench.sign("key", &format!("{}@{}", name.name(), next.digest()));
        assert!(is_unsigned(&bench.verify(&unsigned, &by(&[&key])).await));
        let signed = bench.client.resolve(&name, &amd64()).await.unwrap();
        assert!(bench.verify(&signed, &by(&[&key])).await.is_ok());
    });
}

/// Moves what is tagged for one digest or repository to another.
#[test]
fn signatures_that_were_moved_do_not_count() {
    let Some(bench) = Bench::new(Version::Two) else {
        return;
    };
    run(async {
        let key = bench.key("key");
        let image = bench.push("team/os", true).await;
        let name = image.reference.clone().unwrap();
        bench.sign("key", &of(&name, &image.manifest_digest));
        let host = bench.server.host();
        let tag = |digest: &Digest| format!("sha256-{}.sig", digest.hex());
        let copy = |from: String, to: String| {
            let status = Command::new("skopeo")
                .args([
                    "copy",
                    "-q",
                    "--src-tls-verify=false",
                    "--dest-tls-verify=false",
                ])
                .args([format!("docker://{from}"), format!("docker://{to}")])
                .status();
            assert!(status.unwrap().success());
        };
        if testkit::cmd::find("skopeo").is_none() {
            eprintln!("skipped: no skopeo");
            return;
        }
        // Another image of the same repository: the signature names the digest.
        let host_os = format!("{host}/team/os");
        let other = TestImage::amd64(5000);
        Pusher::new(&host, "team/os").image("2", &other).await;
        let second = reference(&format!("{host_os}:2"));
        let second = bench.client.resolve(&second, &amd64()).await.unwrap();
        copy(
            format!("{host_os}:{}", tag(&image.manifest_digest)),
            format!("{host_os}:{}", tag(&second.manifest_digest)),
        );
        let found = reasons(bench.verify(&second, &by(&[&key])).await);
        assert_eq!(found, ["it is a signature of another image"]);
        // The same image in another repository: the signature names that.
        let moved = bench.push("evil/os", false).await;
        copy(
            format!("{host_os}:{}", tag(&image.manifest_digest)),
            format!("{host}/evil/os:{}", tag(&image.manifest_digest)),
        );
        let found = reasons(bench.verify(&moved, &by(&[&key])).await);
        assert_eq!(found, [format!("it is a signature of `{host_os}`")]);
        // A policy may say where the signed name is from.
        let text = policy(
            bench.keys.path(),
            r#"{"type":"exactRepository","dockerRepository":"REPO"}"#,
        )
        .replace("REPO", &host_os);
        assert!(bench.verify(&moved, &demands(&text, &moved)).await.is_ok());
    });
}

/// A registry that knows the question, one that refuses it in its own way, and
/// one that knows only the tag scheme's tag.
#[test]
fn registries_with_and_without_referrers() {
    let Some(bench) = Bench::new(Version::Three) else {
        return;
    };
    run(async {
        let key = bench.key("key");
        let image = bench.push("team/os", false).await;
        let name = image.reference.clone().unwrap();
        let digest = image.manifest_digest.clone();
        bench.sign("key", &of(&name, &digest));
        let http = reqwest::Client::new();
        let tag = format!(
            "http://{}/v2/team/os/manifests/sha256-{}",
            bench.server.host(),
            digest.hex()
        );
        let list = http.get(&tag).header("accept", INDEX).send().await.unwrap();
        let list = list.bytes().await.unwrap();
        for (status, body, tag_works) in [
            ("200 OK", list.to_vec(), false),
            (
                "200 OK",
                br#"{"schemaVersion":2,"manifests":[]}"#.to_vec(),
                true,
            ),
            ("200 OK", b"<html>".to_vec(), true),
            ("404 Not Found", Vec::new(), true),
            ("400 Bad Request", Vec::new(), true),
            ("403 Forbidden", Vec::new(), true),
            ("405 Method Not Allowed", Vec::new(), true),
            ("501 Not Implemented", Vec::new(), true),
        ] {
            let digest = digest.clone();
            let proxy = FaultProxy::start(bench.server.address(), move |request: &Request| {
                if request.target.contains("/referrers/") {
                    return Fault::Answer(status, String::new(), body.clone());
                }
                if !tag_works
                    && request
                        .target
                        .ends_with(&format!("sha256-{}", digest.hex()))
                {
                    return Fault::Answer("404 Not Found", String::new(), Vec::new());
                }
                Fault::None
            })
            .unwrap();
            let host = proxy.host();
            let at = Endpoint {
                reference: reference(&format!("{host}/team/os:1")),
                insecure: true,
                mirror: false,
            };
            let client = client(&[&host]);
            let found = verify_at(&client, &at, &image, &by(&[&key])).await;
            assert!(found.is_ok(), "{status}: {found:?}");
            let digest = image.manifest_digest.clone();
            assert_eq!(found.unwrap().unwrap().digest, digest);
        }
    });
}

fn policy(keys: &Path, identity: &str) -> String {
    json!({"default": [{"type": "reject"}], "transports": {"docker": {"": [{
        "type": "sigstoreSigned",
        "keyPath": keys.join("key.pub"),
        "signedIdentity": serde_json::from_str::<serde_json::Value>(identity).unwrap(),
    }]}}})
    .to_string()
}

fn demands(policy: &str, image: &ResolvedImage) -> Demands {
    let mut demands = Demands::default();
    let subject = Subject::Docker(image.reference.as_ref().unwrap());
    let policy = Policy::parse(policy).unwrap();
    demands
        .add_policy("policy.json", &policy, &subject)
        .unwrap();
    demands
}

/// What skopeo lets through with the same policy, and what it does not.
#[test]
fn as_skopeo_decides() {
    let Some(bench) = Bench::new(Version::Two) else {
        return;
    };
    if testkit::cmd::find("skopeo").is_none() {
        eprintln!("skipped: no skopeo");
        return;
    }
    run(async {
        bench.key("key");
        let host = bench.server.host();
        let image = bench.push("team/os", false).await;
        let name = image.reference.clone().unwrap();
        bench.sign("key", &of(&name, &image.manifest_digest));
        let other = bench.push("team/other", false).await;
        bench.key("second");
        bench.sign(
            "second",
            &of(other.reference.as_ref().unwrap(), &other.manifest_digest),
        );
        let plain = bench.push("team/plain", false).await;
        let dir = bench.keys.path();
        std::fs::create_dir(dir.join("registries.d")).unwrap();
        let attachments = "default-docker:\n  use-sigstore-attachments: true\n";
        std::fs::write(dir.join("registries.d/default.yaml"), attachments).unwrap();
        let mut accepted = 0;
        for identity in [
            r#"{"type":"matchRepository"}"#.to_owned(),
            r#"{"type":"matchExact"}"#.to_owned(),
            r#"{"type":"matchRepoDigestOrExact"}"#.to_owned(),
            format!(r#"{{"type":"exactRepository","dockerRepository":"{host}/team/os"}}"#),
            format!(r#"{{"type":"exactRepository","dockerRepository":"{host}/team/x"}}"#),
            format!(r#"{{"type":"exactReference","dockerReference":"{host}/team/os:1"}}"#),
            format!(
                r#"{{"type":"remapIdentity","prefix":"{host}/team","signedPrefix":"{host}/x"}}"#
            ),
        ] {
            let text = policy(dir, &identity);
            std::fs::write(dir.join("policy.json"), &text).unwrap();
            for image in [&image, &other, &plain] {
                let pinned = image.reference.as_ref().unwrap();
                let digested = format!("{}@{}", pinned.name(), image.manifest_digest);
                for name in [pinned.to_string(), digested] {
                    let out = tempfile::tempdir().unwrap();
                    let theirs = Command::new("skopeo")
                        .arg("--policy")
                        .arg(dir.join("policy.json"))
                        .arg("--registries.d")
                        .arg(dir.join("registries.d"))
                        .args([
                            "copy",
                            "-q",
                            "--remove-signatures",
                            "--src-tls-verify=false",
                        ])
                        .arg(format!("docker://{name}"))
                        .arg(format!("dir:{}", out.path().display()))
                        .output()
                        .unwrap();
                    let said = String::from_utf8_lossy(&theirs.stderr).into_owned();
                    if said.contains("sigstore disabled") {
                        // Debian 12 builds it so.
                        eprintln!("skipped: this skopeo verifies no cosign signatures");
                        return;
                    }
                    let image = bench
                        .client
                        .resolve(&reference(&name), &amd64())
                        .await
                        .unwrap();
                    let ours = bench.verify(&image, &demands(&text, &image)).await;
                    assert_eq!(
                        ours.is_ok(),
                        theirs.status.success(),
                        "{name}, {identity}: {ours:?}, {said}"
                    );
                    accepted += u8::from(ours.is_ok());
                }
            }
        }
        assert!(accepted > 3, "{accepted}");
    });
}

/// Signatures that were copied beside an image hold without the registry.
#[test]
fn signatures_in_a_layout() {
    for version in [Version::Two, Version::Three] {
        let Some(bench) = Bench::new(version) else {
            return;
        };
        run(async {
            let key = bench.key("key");
            let image = bench.push("team/os", true).await;
            let name = image.reference.clone().unwrap();
            let dir = tempfile::tempdir().unwrap();
            let layout = OciLayout::create(dir.path()).unwrap();
            let alone = Wanted {
                index: None,
                ..wanted(&image)
            };
            let demands = by(&[&key]);
            assert!(is_unsigned(&layout.verify(alone, &demands).await));
            let index = image.index_digest.clone().unwrap();
            let at = bench.client.places(&image).unwrap().remove(0);
            let copy = || bench.client.copy_signatures(&at, &name, &index, &layout);
            assert_eq!(copy().await.unwrap(), 0);
            bench.sign("key", &of(&name, &index));
            assert_eq!(copy().await.unwrap(), 1);
            let found = layout.verify(alone, &demands).await.unwrap().unwrap();
            assert_eq!(found.digest, index);
            // Only under the name that the image has.
            let other = reference("elsewhere.example/os:1");
            let renamed = Wanted {
                name: &other,
                ..alone
            };
            assert!(is_unsigned(&layout.verify(renamed, &demands).await));
        });
    }
}
