// SPDX-License-Identifier: MIT OR Apache-2.0
//! Registries and networks that do not give the image. Nothing of it comes as
//! far as the target.

use std::fs;
use std::os::unix::fs::symlink;

use contract::error::Code;
use failure::{Installer, Run, Tiny, World};
use testkit::fault_proxy::{Fault, FaultProxy};
use testkit::refusing::Refusing;
use testkit::registry::{Options, Registry, ServerCertificate};

/// Installs `image`, which `configured` may change, onto a disk that must stay
/// untouched.
#[track_caller]
pub(crate) fn refused<'w>(
    world: &'w World,
    image: &str,
    configured: impl FnOnce(Installer<'w>) -> Installer<'w>,
    code: Code,
    object: &str,
) -> Run {
    let disk = world.small_disk();
    let before = disk.look();
    let installer = world
        .install(image, disk.path())
        .args(["--bootloader", "none"]);
    let run = configured(installer).run();
    run.assert_error(code, object);
    before.assert_untouched(&disk);
    run
}

#[test]
fn unknown_host_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    refused(
        &world,
        "registry.invalid/os/tiny:v1",
        |installer| installer,
        Code::RegistryHostUnknown,
        "registry.invalid",
    );
}

#[test]
fn refused_connection_is_told() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let nobody = Refusing::new().unwrap();
    let host = nobody.host();
    let image = format!("{host}/os/tiny:v1");
    let code = Code::RegistryUnreachable;
    refused(&world, &image, |installer| installer, code, &host);
    refused(
        &world,
        &image,
        |installer| installer.plain_http(&host),
        code,
        &host,
    );
}

/// A registry with TLS that has the tiny image.
fn with_tls(world: &World, names: &[&str]) -> Option<(Registry, ServerCertificate)> {
    let storage = world.new_path("storage");
    if !testkit::registry::available() {
        return None;
    }
    let plain = Options::default().storage(&storage).start().unwrap();
    let image = Tiny::working().write(world);
    plain.push(&image.reference(), "os/tiny", "v1").unwrap();
    drop(plain);
    let certificate = ServerCertificate::make(names).unwrap();
    let registry = Options::default()
        .storage(&storage)
        .tls(&certificate)
        .start()
        .unwrap();
    Some((registry, certificate))
}

#[test]
fn untrusted_certificate_is_refused_and_its_authority_mends_it() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, certificate)) = with_tls(&world, &["IP:127.0.0.1"]) else {
        return;
    };
    let host = registry.host();
    let image = format!("{host}/os/tiny:v1");
    let run = refused(&world, &image, |i| i, Code::RegistryTls, &host);
    assert!(run.stdout.contains("configuration (ca)"), "{run}");

    let ca = world.file("ca.pem", certificate.authority().unwrap());
    let disk = world.small_disk();
    let installer = world
        .install(&image, disk.path())
        .args(["--bootloader", "none", "--ca"]);
    installer.arg(ca).run().assert_done();
}

/// A file of certs.d that is no certificate stops nothing by itself.
#[test]
fn unusable_certificate_of_the_machine_is_a_warning() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, certificate)) = with_tls(&world, &["IP:127.0.0.1"]) else {
        return;
    };
    let host = registry.host();
    let directory = world.dir().join(".config/containers/certs.d").join(&host);
    fs::create_dir_all(&directory).unwrap();
    let dangling = directory.join("redhat-ca.crt");
    symlink("/nowhere/redhat-uep.pem", &dangling).unwrap();
    fs::write(directory.join("text.crt"), "see the wiki").unwrap();
    let image = format!("{host}/os/tiny:v1");
    let check = || world.installer().args(["check", "--image", &image]).run();

    let run = check();
    assert_eq!(run.status.code(), Some(4), "{run}");
    for part in ["REGISTRY_TLS", dangling.to_str().unwrap(), "text.crt"] {
        assert!(run.stderr.contains(part), "{part}: {run}");
    }

    fs::write(directory.join("own.crt"), certificate.authority().unwrap()).unwrap();
    let run = check();
    assert!(run.status.success(), "{run}");
    let answer: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let warnings = answer["warnings"].to_string();
    for part in [dangling.to_str().unwrap(), "text.crt: no certificate"] {
        assert!(warnings.contains(part), "{part}: {run}");
    }
    assert!(!warnings.contains("own.crt"), "{run}");
}

#[test]
fn certificate_for_another_name_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, certificate)) = with_tls(&world, &["DNS:other.example"]) else {
        return;
    };
    let ca = world.file("ca.pem", certificate.authority().unwrap());
    let image = format!("{}/os/tiny:v1", registry.host());
    refused(
        &world,
        &image,
        |installer| installer.arg("--ca").arg(&ca),
        Code::RegistryTls,
        &registry.host(),
    );
}

#[test]
fn missing_authority_file_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let ca = world.new_path("absent.pem");
    refused(
        &world,
        "r.example/os/tiny:v1",
        |installer| installer.arg("--ca").arg(&ca),
        Code::ConfigInvalid,
        ca.to_str().unwrap(),
    );
}

#[test]
fn plain_http_that_was_not_allowed_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, image)) = world.serve(&Tiny::working()) else {
        return;
    };
    let run = refused(&world, &image, |i| i, Code::RegistryTls, &registry.host());
    assert!(run.stdout.contains("insecure"), "{run}");
}

#[test]
fn missing_tag_and_repository_are_told() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, _)) = world.serve(&Tiny::working()) else {
        return;
    };
    let host = registry.host();
    for name in ["os/tiny:v2", "os/other:v1"] {
        let image = format!("{host}/{name}");
        let repository = name.split(':').next().unwrap();
        let object = format!("{host}/{repository}");
        refused(
            &world,
            &image,
            |i| i.plain_http(&host),
            Code::ImageNotFound,
            &object,
        );
    }
    // The digest of something else.
    let image = format!("{host}/os/tiny@sha256:{}", "0".repeat(64));
    refused(
        &world,
        &image,
        |i| i.plain_http(&host),
        Code::ImageNotFound,
        &host,
    );
}

#[test]
fn image_for_other_machines_is_refused() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    for recipe in [
        Tiny::working().architecture("s390x"),
        Tiny::working().architecture("s390x").in_index(),
    ] {
        let Some((registry, image)) = world.serve(&recipe) else {
            return;
        };
        let host = registry.host();
        let run = refused(
            &world,
            &image,
            |i| i.plain_http(&host),
            Code::ImageNoPlatform,
            "",
        );
        assert!(run.stdout.contains("s390x"), "{run}");
    }
}

/// A portal that wants a login for the network answers everything with a page.
#[test]
fn captive_portal_is_told_from_a_registry() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, _)) = world.serve(&Tiny::working()) else {
        return;
    };
    let proxy = FaultProxy::start(registry.address(), |_| {
        let head = "Content-Type: text/html\r\n".to_owned();
        Fault::Answer("200 OK", head, b"<html>Please log in</html>".to_vec())
    })
    .unwrap();
    let host = proxy.host();
    let image = format!("{host}/os/tiny:v1");
    refused(
        &world,
        &image,
        |i| i.plain_http(&host),
        Code::RegistryMalformed,
        "",
    );
}

#[test]
fn broken_registry_is_told() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, _)) = world.serve(&Tiny::working()) else {
        return;
    };
    let proxy = FaultProxy::start(registry.address(), |_| {
        Fault::Answer("503 Service Unavailable", String::new(), Vec::new())
    })
    .unwrap();
    let host = proxy.host();
    let image = format!("{host}/os/tiny:v1");
    refused(
        &world,
        &image,
        |i| i.plain_http(&host),
        Code::NetworkInterrupted,
        &host,
    );
}

/// What a registry says on purpose has its own code and advice.
#[test]
fn check_tells_how_a_registry_refuses() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let limit = "toomanyrequests: You have reached your pull limit";
    let policy = "current image with 12 vulnerabilities cannot be pulled";
    for (status, header, said, expected) in [
        (
            "429 Too Many Requests",
            "Retry-After: 3600\r\n",
            limit,
            ["REGISTRY_RATE_LIMITED", limit, "Wait 60 minutes, or log in"],
        ),
        (
            "412 Precondition Failed",
            "",
            policy,
            ["REGISTRY_REFUSED", policy, "Ask whoever runs the registry"],
        ),
        (
            "503 Service Unavailable",
            "",
            "busy",
            ["NETWORK_INTERRUPTED", "busy", "Try again later"],
        ),
        (
            "511 Network Authentication Required",
            "",
            "hotel",
            ["REGISTRY_MALFORMED", "511", "a login page of the network"],
        ),
    ] {
        let proxy = FaultProxy::start(([127, 0, 0, 1], 9).into(), move |request| {
            match request.target.as_str() {
                "/v2/" => Fault::Answer("200 OK", String::new(), Vec::new()),
                _ => Fault::Answer(status, header.to_owned(), said.into()),
            }
        })
        .unwrap();
        let host = proxy.host();
        let image = format!("{host}/os/tiny:v1");
        let installer = world.installer().args(["check", "--image", &image]);
        let run = installer.plain_http(&host).run();
        assert_eq!(run.status.code(), Some(4), "{run}");
        for part in expected {
            assert!(run.stderr.contains(part), "{part}: {run}");
        }
        assert!(
            !run.stderr.contains("Check the network connection"),
            "{run}"
        );
    }
}

/// `check` alone says the same, without a target.
#[test]
fn check_tells_of_a_missing_image() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, image)) = world.serve(&Tiny::working()) else {
        return;
    };
    let check = |image: &str| {
        let installer = world.installer().args(["check", "--image", image]);
        installer.plain_http(&registry.host()).run()
    };
    let run = check(&image.replace("v1", "v2"));
    assert_eq!(run.status.code(), Some(4), "{run}");
    assert!(
        run.stderr.contains("IMAGE_NOT_FOUND") && run.stderr.contains("v2"),
        "{run}"
    );
    let run = check(&image);
    assert!(run.status.success(), "{run}");
    let digest = registry.digest("os/tiny", "v1").unwrap();
    assert!(run.stdout.contains(&digest), "{run}");
}
