// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use secrecy::zeroize::Zeroizing;

use super::*;

fn config(text: &str) -> Config {
    conf::parse(
        Path::new("/etc/bootc.conf"),
        Zeroizing::new(text.to_owned()),
    )
    .unwrap()
}

fn made(args: ImageArgs, text: &str) -> Result<Plan> {
    assemble(&args, &config(text), Path::new("/mnt"))
}

fn image(image: &str) -> ImageArgs {
    ImageArgs {
        image: Some(image.into()),
        ..ImageArgs::default()
    }
}

#[test]
fn options_win_over_the_file() {
    let text = "containerUrl: a.b/c:1\nstateroot: file\nkeepCredentials: true\n\
                installOptions: { kargs: [quiet], bootloader: grub }\n";
    let plan = made(ImageArgs::default(), text).unwrap();
    assert_eq!(plan.image.imgref.to_string(), "a.b/c:1");
    assert_eq!(plan.bootc.stateroot.as_str(), "file");
    assert_eq!(plan.bootc.bootloader, BootloaderChoice::Grub);
    assert!(plan.deployment.keep_auth && plan.deployment.keep_registries);
    let args = ImageArgs {
        stateroot: Some("option".into()),
        bootloader: Some(BootloaderChoice::None),
        karg: vec!["debug".into()],
        no_keep_registries: true,
        unmount: true,
        ..image("docker://d.e/f")
    };
    let plan = made(args, text).unwrap();
    assert_eq!(plan.image.imgref.to_string(), "d.e/f:latest");
    assert_eq!(plan.bootc.stateroot.as_str(), "option");
    assert_eq!(plan.bootc.bootloader, BootloaderChoice::None);
    assert_eq!(plan.bootc.kargs, ["quiet", "debug"]);
    assert!(!plan.deployment.keep_registries && plan.finish.unmount);
}

#[test]
fn where_the_bytes_come_from() {
    let layout = |path: &str, tag: Option<&str>| Source::OciLayout {
        path: path.into(),
        reference: tag.map(str::to_owned),
    };
    let with_source = |source: &str| ImageArgs {
        source: Some(source.into()),
        ..image("a.b/c:1")
    };
    let with_target = |named: &str| ImageArgs {
        target_imgref: Some("a.b/c:2".into()),
        ..image(named)
    };
    for (args, source, imgref, origin) in [
        (image("a.b/c:1"), Source::Registry, "a.b/c:1", "a.b/c:1"),
        (
            with_source("oci:/m/oci:x"),
            layout("/m/oci", Some("x")),
            "a.b/c:1",
            "a.b/c:1",
        ),
        (
            with_source("/m/oci"),
            layout("/m/oci", None),
            "a.b/c:1",
            "a.b/c:1",
        ),
        (
            with_target("a.b/c:1"),
            Source::Registry,
            "a.b/c:1",
            "a.b/c:2",
        ),
        (
            with_target("oci:/m/oci:x"),
            layout("/m/oci", Some("x")),
            "a.b/c:2",
            "a.b/c:2",
        ),
    ] {
        let plan = made(args, "").unwrap();
        assert_eq!(plan.source, source, "{imgref}");
        assert_eq!(plan.image.imgref.to_string(), imgref);
        assert_eq!(plan.image.origin().to_string(), origin);
    }
    let plan = made(
        ImageArgs::default(),
        "containerUrl: /m/oci:x\ntransport: oci\ntargetImgref: a.b/c:2\n",
    )
    .unwrap();
    assert_eq!(plan.source, layout("/m/oci", Some("x")));
}

#[test]
fn what_cannot_be_installed() {
    for (args, code, part) in [
        (ImageArgs::default(), Code::Usage, "--image"),
        (image("a b"), Code::ImageRefInvalid, "`a b`"),
        (image("oci:/m/oci:x"), Code::Usage, "--target-imgref"),
        (image("oci-archive:/m/x.tar"), Code::Usage, "skopeo copy"),
        (
            image("containers-storage:a.b/c:1"),
            Code::Usage,
            "skopeo copy",
        ),
        (
            ImageArgs {
                source: Some("a.b/c:1".into()),
                ..image("a.b/c:1")
            },
            Code::Usage,
            "oci:DIR",
        ),
        (
            ImageArgs {
                target_imgref: Some("oci:/x".into()),
                ..image("a.b/c:1")
            },
            Code::ImageRefInvalid,
            "update from",
        ),
    ] {
        let err = made(args, "").unwrap_err();
        assert_eq!(err.code, code, "{err}");
        assert!(err.to_string().contains(part), "{err}");
    }
}

#[test]
fn registry_options_go_to_the_images_registry() {
    let args = ImageArgs {
        insecure: true,
        ca: Some("/ca.pem".into()),
        authfile: Some("/auth.json".into()),
        ..image("r.io:5000/team/os:1")
    };
    for (text, prefix, count) in [
        ("", "r.io:5000", 1),
        (
            "registryAuth: { registries: { \"r.io:5000/team\": { mirrors: [m.io] }, x.io: {} } }",
            "r.io:5000/team",
            2,
        ),
    ] {
        let mut plan = assemble(&args, &config(text), Path::new(NO_TARGET)).unwrap();
        let reference = plan.image.imgref.clone();
        add_registry_options(&mut plan, &args, &reference).unwrap();
        assert_eq!(plan.registries.len(), count);
        let entry = plan.registry_for("r.io:5000/team/os").unwrap();
        assert_eq!(entry.prefix, prefix);
        assert!(entry.insecure);
        assert_eq!(entry.ca.as_deref(), Some(Path::new("/ca.pem")));
        assert!(
            matches!(&entry.auth, Some(SecretRef::AuthFile { path }) if path == Path::new("/auth.json"))
        );
    }
}

#[test]
fn layouts_of_the_command_line_come_before_those_of_the_file() {
    let args = ImageArgs {
        layout: vec!["/m/first".into()],
        ..image("a.b/c:1")
    };
    let text = "layouts: [images, /m/last]\n";
    let plan = made(args, text).unwrap();
    let expected = ["/m/first", "/etc/images", "/m/last"].map(|dir| LayoutPlace::Path(dir.into()));
    assert_eq!(plan.layouts, expected);
    assert_eq!(plan.source, Source::Registry);
    assert!(made(image("a.b/c:1"), "").unwrap().layouts.is_empty());
}

#[test]
fn a_key_on_the_command_line_is_demanded_whatever_the_file_says() {
    const KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENmPF4ZwjQgMpWP/FqXXCq3xMlc3l
jvMWJ0czelU4sz8F62cDbBMAg5cx9u1F7ke82w99WsiTAezVXBJnx9d0qQ==
-----END PUBLIC KEY-----
";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cosign.pub");
    std::fs::write(&path, KEY).unwrap();
    let with = |key: Option<&PathBuf>| {
        let args = ImageArgs {
            signature_key: key.into_iter().cloned().collect(),
            ..image("r.io/team/os:1")
        };
        let file = config("noSignatureVerification: true\n");
        let mut plan = assemble(&args, &file, Path::new("/mnt")).unwrap();
        let reference = plan.image.imgref.clone();
        add_registry_options(&mut plan, &args, &reference).map(|()| plan)
    };
    let plan = with(None).unwrap();
    assert!(plan.image.no_signature_verification && plan.registries.is_empty());
    let plan = with(Some(&path)).unwrap();
    assert!(!plan.image.no_signature_verification);
    assert_eq!(plan.registries[0].prefix, "r.io");
    assert_eq!(plan.registries[0].signature_keys, [KEY]);
    // It survives the way through a file.
    let text = plan.to_json().unwrap();
    assert_eq!(Plan::from_json(&text).unwrap(), plan);
    let other = Plan::from_json(&text.replace("MFkw", "MFkx")).unwrap();
    assert_eq!(
        trust::require_keys(&other).unwrap_err().code,
        Code::PlanInvalid
    );
    let missing = dir.path().join("missing.pub");
    let error = with(Some(&missing)).unwrap_err();
    assert_eq!(error.code, Code::ConfigInvalid, "{error}");
}
