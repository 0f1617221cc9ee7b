// SPDX-License-Identifier: MIT OR Apache-2.0
//! The machine's own settings about registries: they lead to the image, and
//! what is kept of them leads the installed system to its next update.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::error::Code;
use failure::{Installer, Tiny, World};
use serde_json::{Value, json};
use testkit::cmd::CommandExt as _;
use testkit::registry::{Answered, Options, Registry, ServerCertificate};

pub(crate) const PASSWORD: &str = "Xylophone-4711-quartz";
pub(crate) const MIRROR_PASSWORD: &str = "Zucchini-1312-violin";
/// Stands for the image everywhere; no such host exists.
pub(crate) const NAME: &str = "registry.invalid/os/tiny";

/// Two registries with TLS by an authority that nobody knows: `main` has all
/// of `os`, `mirror` the first image of it, each for a user of its own, and
/// `main` only for who shows a certificate.
pub(crate) struct Private {
    main: Registry,
    mirror: Registry,
    authority: Vec<u8>,
    person: (Vec<u8>, Vec<u8>),
}

impl Private {
    pub(crate) fn start(world: &World) -> Option<Self> {
        if !testkit::registry::available() {
            return None;
        }
        let certificate = ServerCertificate::make(&["IP:127.0.0.1"]).unwrap();
        let person = ServerCertificate::make(&["DNS:person.example"]).unwrap();
        let image = Tiny::working().write(world);
        let start = |pushes: &[(&str, &str)], options: Options| {
            let storage = world.new_path("storage");
            let open = Options::default().storage(&storage).start().unwrap();
            for (name, tag) in pushes {
                open.push(&image.reference(), name, tag).unwrap();
            }
            drop(open);
            let options = options.storage(&storage).tls(&certificate);
            options.log_requests().start().unwrap()
        };
        let main = Options::default()
            .login("alice", PASSWORD)
            .client_authority(&person);
        let mirror = Options::default().login("bob", MIRROR_PASSWORD);
        Some(Self {
            main: start(&[("os/tiny", "v1"), ("os/tiny", "v2")], main),
            mirror: start(&[("copy/os/tiny", "v1")], mirror),
            person: person.identity().unwrap(),
            authority: certificate.authority().unwrap(),
        })
    }

    /// Settings as an administrator would make them, in the home directory.
    pub(crate) fn configure(&self, world: &World) {
        let config = world.dir().join(".config/containers");
        let (main, mirror) = (self.main.host(), self.mirror.host());
        for host in [&main, &mirror] {
            let directory = config.join("certs.d").join(host);
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join("own.crt"), &self.authority).unwrap();
        }
        let (certificate, key) = &self.person;
        let directory = config.join("certs.d").join(&main);
        fs::write(directory.join("person.cert"), certificate).unwrap();
        fs::write(directory.join("person.key"), key).unwrap();
        let text = format!(
            "[[registry]]\nprefix = \"registry.invalid/os\"\nlocation = \"{main}/os\"\n\
             [[registry.mirror]]\nlocation = \"{mirror}/copy/os\"\n"
        );
        fs::write(config.join("registries.conf"), text).unwrap();
        let login = |user: &str, password: &str| json!({"auth": encoded(user, password)});
        // For these namespaces only, and one that is nobody's business.
        let text = json!({"auths": {
            format!("{main}/os"): login("alice", PASSWORD),
            format!("{mirror}/copy"): login("bob", MIRROR_PASSWORD),
            format!("{main}/other"): login("carol", "unrelated-secret-5"),
        }});
        let path = config.join("auth.json");
        fs::write(&path, text.to_string()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Nothing of the passwords may be written anywhere.
    pub(crate) fn keeping<'w>(&self, installer: Installer<'w>) -> Installer<'w> {
        installer
            .secret("alice", PASSWORD)
            .secret("bob", MIRROR_PASSWORD)
            .secret("carol", "unrelated-secret-5")
    }
}

/// As in an auth file, and in the header of a request.
pub(crate) fn encoded(user: &str, password: &str) -> String {
    STANDARD.encode(format!("{user}:{password}"))
}

/// Whether a request of `agent` for `part` was answered with `status`.
fn has(all: &[Answered], agent: &str, part: &str, user: &str, status: u16) -> bool {
    all.iter().any(|a| {
        a.agent.starts_with(agent)
            && a.uri.contains(part)
            && a.user.as_deref() == Some(user)
            && a.status == status
    })
}

/// skopeo as bootc runs it, with the settings of the deployment in the place
/// of this machine's.
fn update(world: &World, deployment: &Path, image: &str) -> PathBuf {
    let layout = world.new_path("update");
    let home = world.new_path("home");
    let etc = deployment.join("etc/containers");
    // The host's own policy for signatures is none of this test's matters.
    let script = "mount --bind \"$1\" /etc/containers && \
                  exec skopeo --insecure-policy copy --quiet --authfile \"$2\" \"$3\" \"$4\"";
    Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(etc)
        .arg(deployment.join("etc/ostree/auth.json"))
        .arg(format!("docker://{image}"))
        .arg(format!("oci:{}:update", layout.display()))
        .env("HOME", home)
        .env_remove("REGISTRY_AUTH_FILE")
        .env_remove("XDG_RUNTIME_DIR")
        .run()
        .unwrap();
    layout
}

#[test]
fn the_installed_system_fetches_its_update_by_what_was_kept() {
    let Some(world) = World::enter(&["skopeo"]) else {
        return;
    };
    let Some(private) = Private::start(&world) else {
        return;
    };
    private.configure(&world);
    let disk = world.small_disk();
    let installer = world
        .install(&format!("{NAME}:v1"), disk.path())
        .args(["--bootloader", "none"])
        .setting("keepCredentials: true");
    let run = private.keeping(installer).run();
    let summary = run.assert_done().clone();

    // The mirror was asked first and had everything.
    let agent = "calamares-bootc/";
    let asked = private.mirror.answered_until(|all| {
        has(all, agent, "/v2/copy/os/tiny/blobs/", "bob", 200)
            && has(all, agent, "/v2/copy/os/tiny/manifests/", "bob", 200)
    });
    assert!(has(&asked, agent, "/manifests/", "bob", 200), "{asked:#?}");
    assert!(has(&asked, agent, "/blobs/", "bob", 200), "{asked:#?}");

    let deployment = disk.path().join(&summary.deployment);
    let kept = fs::read_to_string(deployment.join("etc/ostree/auth.json")).unwrap();
    let kept: Value = serde_json::from_str(&kept).unwrap();
    let (main, mirror) = (private.main.host(), private.mirror.host());
    assert_eq!(
        kept,
        json!({"auths": {
            format!("{mirror}/copy/os/tiny"): {"auth": encoded("bob", MIRROR_PASSWORD)},
            format!("{main}/os/tiny"): {"auth": encoded("alice", PASSWORD)},
        }})
    );

    let key = format!("etc/containers/certs.d/{main}/client.key");
    let mode = fs::metadata(deployment.join(key))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);

    // The next image is not at the mirror yet.
    let layout = update(&world, &deployment, &format!("{NAME}:v2"));
    assert!(layout.join("index.json").exists());
    let agent = "skopeo/";
    let asked = private
        .mirror
        .answered_until(|all| has(all, agent, "/v2/copy/os/tiny/manifests/v2", "bob", 404));
    assert!(
        has(&asked, agent, "/manifests/v2", "bob", 404),
        "{asked:#?}"
    );
    let asked = private.main.answered_until(|all| {
        has(all, agent, "/v2/os/tiny/manifests/v2", "alice", 200)
            && has(all, agent, "/v2/os/tiny/blobs/", "alice", 200)
    });
    assert!(
        has(&asked, agent, "/v2/os/tiny/manifests/v2", "alice", 200),
        "{asked:#?}"
    );
    assert!(
        has(&asked, agent, "/v2/os/tiny/blobs/", "alice", 200),
        "{asked:#?}"
    );
    // And one that is there comes from there.
    update(&world, &deployment, &format!("{NAME}:v1"));
    let asked = private
        .mirror
        .answered_until(|all| has(all, agent, "/v2/copy/os/tiny/blobs/", "bob", 200));
    assert!(
        has(&asked, agent, "/manifests/v1", "bob", 200),
        "{asked:#?}"
    );
}

#[test]
fn a_client_key_is_kept_only_with_the_credentials() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some(private) = Private::start(&world) else {
        return;
    };
    private.configure(&world);
    let disk = world.small_disk();
    let installer = world
        .install(&format!("{NAME}:v1"), disk.path())
        .args(["--bootloader", "none"]);
    let run = private.keeping(installer).run();
    let summary = run.assert_done();
    let etc = disk.path().join(&summary.deployment).join("etc");
    assert!(!etc.join("ostree").exists());
    let certs = etc.join("containers/certs.d");
    for host in [private.main.host(), private.mirror.host()] {
        let names: Vec<_> = fs::read_dir(certs.join(host))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["installer-1.crt"]);
    }
}

#[test]
fn nothing_is_kept_without_consent() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let Some(private) = Private::start(&world) else {
        return;
    };
    private.configure(&world);
    let disk = world.small_disk();
    let installer = world.install(&format!("{NAME}:v1"), disk.path()).args([
        "--bootloader",
        "none",
        "--no-keep-registries",
    ]);
    let run = private.keeping(installer).run();
    let summary = run.assert_done();
    let etc = disk.path().join(&summary.deployment).join("etc");
    assert!(!etc.join("ostree").exists());
    assert!(!etc.join("containers/certs.d").exists());
    assert!(!etc.join("containers/registries.conf.d").exists());
}

#[test]
fn a_blocked_registry_is_refused_by_the_name_of_the_file() {
    let Some(world) = World::enter(&[]) else {
        return;
    };
    let conf = world.dir().join(".config/containers/registries.conf");
    fs::create_dir_all(conf.parent().unwrap()).unwrap();
    fs::write(
        &conf,
        "[[registry]]\nlocation = \"registry.invalid\"\nblocked = true\n",
    )
    .unwrap();
    let image = format!("{NAME}:v1");
    let run = crate::registry::refused(&world, &image, |i| i, Code::RegistryBlocked, NAME);
    let error = run.assert_error(Code::RegistryBlocked, NAME);
    assert!(error.what.contains(conf.to_str().unwrap()), "{error:?}");

    fs::write(
        &conf,
        "[[registry]]\nlocation = \"registry.invalid\"\nblocked = \"yes\"\n",
    )
    .unwrap();
    let run = world
        .installer()
        .args([
            "plan",
            "--no-lookup",
            "--root",
            "/nonexistent",
            "--image",
            &image,
        ])
        .run();
    assert_eq!(run.status.code(), Some(2), "{run}");
    let place = format!("{}, line 3: `registry.blocked`", conf.display());
    assert!(run.stderr.contains(&place), "{run}");
}
