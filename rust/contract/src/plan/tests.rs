// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;

const MINIMAL: &str = r#"{"version":1,"image":{"imgref":"quay.io/os/debian:13"},
    "source":{"type":"registry"},"runtimeRoot":{"type":"unpack"},
    "target":{"root":"/target"},"bootc":{"stateroot":"default"}}"#;

#[test]
fn round_trip() {
    let plan = Plan::from_json(MINIMAL).unwrap();
    assert_eq!(Plan::from_json(&plan.to_json().unwrap()).unwrap(), plan);
    assert!(plan.finish.trim && !plan.finish.unmount && !plan.finish.hand_over);
    let json = plan.to_json().unwrap();
    for default in ["handOver", "firmware", "tidyPartitionTable", "layouts"] {
        assert!(!json.contains(default), "{default}");
    }
    let made = MINIMAL.replace(
        r#""root":"/target""#,
        r#""root":"/target","firmware":"bios","tidyPartitionTable":true"#,
    );
    let made = made.replace("\"bootc\":", r#""layouts":["/m/a","auto"],"bootc":"#);
    let plan = Plan::from_json(&made).unwrap();
    assert_eq!(
        plan.layouts,
        [LayoutPlace::Path("/m/a".into()), LayoutPlace::Auto]
    );
    assert_eq!(plan.target.firmware, Some(Firmware::Bios));
    assert_eq!(Plan::from_json(&plan.to_json().unwrap()).unwrap(), plan);
}

#[test]
fn texts_go_in_and_out_as_they_are() {
    let digest = format!("sha256:{}", "a".repeat(64));
    for (imgref, written) in [
        ("quay.io/os/debian:13", "quay.io/os/debian:13"),
        ("localhost:5000/os@DIGEST", "localhost:5000/os@DIGEST"),
        ("quay.io/os/debian:13@DIGEST", "quay.io/os/debian:13@DIGEST"),
        // By hand, since a plan is made with normalised ones.
        ("quay.io/os/debian", "quay.io/os/debian:latest"),
        ("docker.io/debian:13", "docker.io/library/debian:13"),
    ] {
        let [imgref, written] = [imgref, written].map(|text| text.replace("DIGEST", &digest));
        let image = format!(
            r#"{imgref}","digest":"{digest}","indexDigest":"{digest}","targetImgref":"{imgref}"#
        );
        let text = MINIMAL.replace("quay.io/os/debian:13", &image);
        let plan = Plan::from_json(&text).unwrap();
        let json: serde_json::Value = serde_json::from_str(&plan.to_json().unwrap()).unwrap();
        for key in ["imgref", "targetImgref"] {
            assert_eq!(json["image"][key], *written);
        }
        for key in ["digest", "indexDigest"] {
            assert_eq!(json["image"][key], *digest);
        }
        assert_eq!(json["bootc"]["stateroot"], "default");
    }
}

#[test]
fn an_image_is_pinned_to_its_digest() {
    let mut image = Plan::from_json(MINIMAL).unwrap().image;
    assert_eq!(image.pinned(), image.imgref);
    let digest = format!("sha256:{}", "a".repeat(64));
    image.digest = digest.parse().ok();
    let pinned = format!("quay.io/os/debian:13@{digest}");
    assert_eq!(image.pinned().to_string(), pinned);
}

#[test]
fn a_wrong_value_is_told_with_its_field_and_line() {
    for (from, to, field, problem, place) in [
        (
            "quay.io/os/debian:13",
            "debian",
            "`image.imgref`",
            "docker.io/library/debian",
            "line 1 ",
        ),
        (
            "debian:13\"",
            "debian:13\",\"targetImgref\":\"a.b/C\"",
            "`image.targetImgref`",
            "write `c`",
            "line 1 ",
        ),
        (
            "debian:13\"",
            "debian:13\",\"digest\":\"v1\"",
            "`image.digest`",
            "`v1` is not a digest",
            "line 1 ",
        ),
        (
            "debian:13\"",
            "debian:13\",\"indexDigest\":\"sha256:0\"",
            "`image.indexDigest`",
            "64 hex digits",
            "line 1 ",
        ),
        (
            "\"default\"",
            "\"..\"",
            "`bootc.stateroot`",
            "`..` cannot be the name",
            "line 3 ",
        ),
    ] {
        assert!(MINIMAL.contains(from), "{from}");
        let err = Plan::from_json(&MINIMAL.replace(from, to)).unwrap_err();
        assert_eq!(err.code, Code::PlanInvalid, "{err}");
        assert!(err.what.contains(field), "{err}");
        let [detail] = err.details.as_slice() else {
            panic!("{:?}", err.details);
        };
        assert!(detail.contains(problem), "{detail}");
        assert!(detail.contains(place), "{detail}");
    }
}

#[test]
fn refusals() {
    let edit = |from: &str, to: &str| {
        assert!(MINIMAL.contains(from), "{from}");
        MINIMAL.replace(from, to)
    };
    let fstab = |mount_point: &str, options: &str| {
        edit(
            "\"bootc\":",
            &format!(
                r#""deployment":{{"fstab":[{{"source":"UUID=1","mountPoint":"{mount_point}","fsType":"ext4","options":[{options}]}}]}},"bootc":"#
            ),
        )
    };
    let table = [
        ("{}".to_owned(), Code::PlanInvalid, "no `version`"),
        ("[".to_owned(), Code::PlanInvalid, "understood"),
        (
            edit("\"version\":1", "\"version\":2"),
            Code::PlanInvalid,
            "version 2",
        ),
        (
            edit("\"target\":", "\"traget\":"),
            Code::PlanInvalid,
            "traget",
        ),
        (edit("/target", "target"), Code::PlanInvalid, "absolute"),
        (
            edit("\"bootc\":", r#""layouts":["/m/a","b"],"bootc":"#),
            Code::PlanInvalid,
            "`layouts` must be an absolute path, not `b`",
        ),
        (
            edit("\"default\"", "\"a/b\""),
            Code::PlanInvalid,
            "stateroot",
        ),
        (
            edit("\"default\"", "\"..\""),
            Code::PlanInvalid,
            "stateroot",
        ),
        (fstab("/", "\"ro\""), Code::PlanInvalid, "`/`"),
        (fstab(r"/a\nb", "\"ro\""), Code::PlanInvalid, "line break"),
        (fstab("home", "\"ro\""), Code::PlanInvalid, "`home`"),
        (fstab("/home", "\"\""), Code::PlanInvalid, "fstab"),
        (fstab("none", "\"ro\""), Code::PlanInvalid, "absolute"),
        (fstab("/var", "\"ro\""), Code::PlanInvalid, "/var"),
        (
            edit(
                "\"bootc\":",
                r#""registries":[{"prefix":"a.b","auth":{"type":"auth-fd","fd":1}}],"bootc":"#,
            ),
            Code::PlanInvalid,
            "Descriptor 1",
        ),
    ];
    for (text, code, part) in table {
        let err = Plan::from_json(&text).unwrap_err();
        let message = format!("{err} {}", err.details.join(" "));
        assert_eq!(err.code, code, "{text}: {message}");
        assert!(message.contains(part), "{text}: {message}");
    }
    for plain in ["/home", "/data/a b", r"/data/a\\040b"] {
        assert!(Plan::from_json(&fstab(plain, "\"ro\"")).is_ok(), "{plain}");
    }
    for nowhere in ["none", "swap", ""] {
        let swap = fstab(nowhere, "\"sw\"").replace("ext4", "swap");
        assert!(Plan::from_json(&swap).is_ok(), "{nowhere}");
    }
}

#[test]
fn the_longest_prefix_counts() {
    let mut plan = Plan::from_json(MINIMAL).unwrap();
    plan.registries = ["quay.io", "quay.io/os", "quay.io/o"]
        .map(|prefix| RegistryPlan {
            prefix: prefix.into(),
            ..RegistryPlan::default()
        })
        .into();
    let prefix = |name: &str| plan.registry_for(name).map(|r| r.prefix.as_str());
    assert_eq!(prefix("quay.io/os/debian"), Some("quay.io/os"));
    assert_eq!(prefix("quay.io/osx"), Some("quay.io"));
    assert_eq!(prefix("quay.io:5000/os"), None);
    assert_eq!(plan.registries[1].host(), "quay.io");
}
