// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use std::path::Path;

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
    assert_eq!(plan.layouts, [Path::new("/m/a"), Path::new("auto")]);
    assert_eq!(plan.target.firmware, Some(Firmware::Bios));
    assert_eq!(Plan::from_json(&plan.to_json().unwrap()).unwrap(), plan);
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
        (
            edit("quay.io/os/debian:13", "debian"),
            Code::ImageRefInvalid,
            "docker.io/library/debian",
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
