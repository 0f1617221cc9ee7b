// SPDX-License-Identifier: MIT OR Apache-2.0
//! Passwords, tokens and signed addresses: everything is logged, everything
//! that was written is searched, and none of them is in it.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use failure::{Installer, Tiny, World, files_with};
use serde_json::json;
use testkit::fault_proxy::{Fault, FaultProxy, Request};
use testkit::registry::Options;

use crate::registry_settings::{MIRROR_PASSWORD, NAME, PASSWORD, Private, encoded};

/// What the auth file has, what the registry gives for it, and what its storage
/// wants to see.
const IDENTITY_TOKEN: &str = "identity-Quagga-2207";
const ACCESS_TOKEN: &str = "access-Okapi-8841";
const SIGNATURE: &str = "signed-Axolotl-5190";

/// Every command that needs the login, with everything logged, and every file
/// that is left behind.
#[test]
fn no_password_is_written_anywhere() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some(private) = Private::start(&world) else {
        return;
    };
    private.configure(&world);
    let image = format!("{NAME}:v1");
    let disk = world.small_disk();
    run_all(&world, &image, disk.path(), |i| private.keeping(i));

    let mut secrets = Vec::new();
    for (user, password) in [("alice", PASSWORD), ("bob", MIRROR_PASSWORD)] {
        secrets.extend([
            password.to_owned(),
            encoded(user, password),
            STANDARD.encode(password).trim_end_matches('=').to_owned(),
        ]);
    }
    assert_only_given(&world, disk.path(), &secrets);
}

/// Logs in with an identity token, gets an access token for it, and is sent to
/// an address with a signature, where the connection breaks once.
fn token_registry(world: &World) -> Option<(FaultProxy, impl Sized + use<>)> {
    if !testkit::registry::available() {
        return None;
    }
    let open = Options::default().start().unwrap();
    let image = Tiny::working().write(world);
    open.push(&image.reference(), "os/tiny", "v1").unwrap();
    let proxy = FaultProxy::start(open.address(), |request: &Request| {
        let host = request.header("host").unwrap();
        if request.target.starts_with("/token") {
            let body = json!({"access_token": ACCESS_TOKEN, "refresh_token": IDENTITY_TOKEN});
            return Fault::Answer("200 OK", String::new(), body.to_string().into_bytes());
        }
        if request.target.contains(SIGNATURE) {
            return match request.nth {
                0 => Fault::Close(100),
                _ => Fault::None,
            };
        }
        if request.header("authorization") != Some(&format!("Bearer {ACCESS_TOKEN}")) {
            let challenge = format!(
                "WWW-Authenticate: Bearer realm=\"http://{host}/token\",service=\"tiny\"\r\n"
            );
            return Fault::Answer("401 Unauthorized", challenge, Vec::new());
        }
        if request.is_blob() {
            let target = &request.target;
            let to = format!("Location: http://{host}{target}?X-Amz-Signature={SIGNATURE}\r\n");
            return Fault::Answer("307 Temporary Redirect", to, Vec::new());
        }
        Fault::None
    });
    Some((proxy.unwrap(), open))
}

#[test]
fn no_token_and_no_signed_address_is_written_anywhere() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some((registry, _upstream)) = token_registry(&world) else {
        return;
    };
    let host = registry.host();
    let config = world.dir().join(".config/containers");
    fs::create_dir_all(&config).unwrap();
    let entry = json!({"auths": {&host: {"identitytoken": IDENTITY_TOKEN}}});
    fs::write(config.join("auth.json"), entry.to_string()).unwrap();
    let disk = world.small_disk();
    run_all(
        &world,
        &format!("{host}/os/tiny:v1"),
        disk.path(),
        |installer| {
            installer
                .plain_http(&host)
                .secret("<token>", IDENTITY_TOKEN)
                .secret("<token>", ACCESS_TOKEN)
                .secret("<token>", SIGNATURE)
        },
    );
    // All three were in use.
    let requests = registry.requests();
    for part in ["/token", SIGNATURE] {
        let asked = requests.iter().any(|r| r.target.contains(part));
        assert!(asked, "{part}");
    }
    let secrets = [IDENTITY_TOKEN, ACCESS_TOKEN, SIGNATURE].map(str::to_owned);
    assert_only_given(&world, disk.path(), &secrets);
}

/// Checks, plans and installs `image`, with everything logged.
fn run_all<'w>(
    world: &'w World,
    image: &str,
    target: &Path,
    configured: impl Fn(Installer<'w>) -> Installer<'w>,
) {
    for args in [
        &["check", "--bootloader", "none"][..],
        &["check", "--format", "json", "--bootloader", "none"],
        &["plan", "--bootloader", "none"],
    ] {
        let installer = world.installer().args(args).args(["--image", image]);
        let run = configured(installer.arg("--root").arg(target)).run();
        assert!(run.status.success(), "{run}");
        let output = world.file("output", run.stdout + &run.stderr);
        // It is at the level where everything would show.
        let text = fs::read_to_string(output).unwrap();
        assert!(text.contains("TRACE"), "{text}");
    }
    let scratch = world.new_path("scratch");
    fs::create_dir(&scratch).unwrap();
    let installer = world
        .install(image, target)
        .args(["--bootloader", "none", "--scratch"])
        .arg(&scratch);
    configured(installer).run().assert_done();
}

/// The secrets are in the auth file that they were given in, and nowhere else.
fn assert_only_given(world: &World, target: &Path, secrets: &[String]) {
    let found = files_with(&[world.dir(), target, Path::new("/run")], secrets);
    let given = world.dir().join(".config/containers/auth.json");
    assert_eq!(found, [given]);
}
