// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is refused before anything is made.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use nix::mount::{MsFlags, mount};
use serde_json::json;
use sha2::{Digest, Sha256};
use testkit::refusing::Refusing;
use testkit::registry::{self, Registry};

use crate::bench::{Bench, Ended, mirrors, root, with_release_files};
use crate::mirror::{Answer, Mirror};
use crate::traces;

#[test]
fn a_typo_in_distro_yaml_names_file_and_line() {
    let bench = Bench::new();
    bench.distro("product:\n  name: x\nsuit: trixie\n");
    let ended = Ended::of(&mut bench.refused());
    ended.assert("CONFIG_INVALID", 2, &["distro.yaml", "line 3", "suit"]);
    bench.assert_nothing_made();
}

#[test]
fn a_mirror_without_the_suite() {
    if !root() {
        return;
    }
    let bench = Bench::new();
    let mirror = Mirror::start(Answer::Nothing);
    bench.distro_of(&mirror.url());
    let ended = Ended::of(&mut bench.refused());
    ended.assert("SUITE_UNKNOWN", 3, &[&mirror.url(), "trixie"]);
    assert_eq!(mirror.asked(), ["/debian/dists/trixie/InRelease"]);
    bench.assert_nothing_made();
}

#[test]
fn a_suite_that_has_expired_unless_somebody_means_it() {
    if !root() {
        return;
    }
    let bench = Bench::new();
    let mirror = Mirror::start(Answer::Expired);
    let apt = bench.path("apt.conf");
    // Nothing of this machine's own settings.
    let strict = "Dir::Etc::Parts \"/dev/null\";\n";
    let refused = |settings: &str| {
        fs::write(&apt, settings).unwrap();
        Ended::of(bench.refused().env("APT_CONFIG", &apt))
    };
    bench.distro_of(&mirror.url());
    let words = ["01 Jan 2020", "mirrors.snapshot", "trixie/InRelease"];
    refused(strict).assert("SUITE_EXPIRED", 3, &words);
    bench.assert_nothing_made();

    let _lock = hold(&bench.work());
    let lax = format!("{strict}Acquire::Check-Valid-Until \"false\";\n");
    refused(&lax).assert("BUSY", 3, &[]);
    let url = mirror.url();
    let base = url.strip_suffix("/debian").unwrap();
    bench.distro(&format!("mirrors: {{snapshot: '{base}'}}\n"));
    refused(strict).assert("BUSY", 3, &[]);
}

#[test]
fn a_mirror_that_is_something_else() {
    if !root() {
        return;
    }
    for answer in [Answer::Page, Answer::Noise] {
        let bench = Bench::new();
        let mirror = Mirror::start(answer);
        bench.distro_of(&mirror.url());
        let ended = Ended::of(&mut bench.refused());
        ended.assert("MIRROR_UNREACHABLE", 3, &[&mirror.url(), "no release file"]);
        bench.assert_nothing_made();
    }
}

#[test]
fn a_mirror_that_is_not_there() {
    if !root() {
        return;
    }
    let bench = Bench::new();
    let nobody = Refusing::new().unwrap();
    let url = format!("http://{}/debian", nobody.host());
    bench.distro_of(&url);
    let ended = Ended::of(&mut bench.refused());
    ended.assert("MIRROR_UNREACHABLE", 3, &[&url, "refused"]);
    bench.assert_nothing_made();
}

/// Its release files can be read, and nobody signed them.
#[test]
fn a_mirror_that_is_not_debians() {
    if !root() {
        return;
    }
    let bench = Bench::new();
    let mirror = with_release_files(&bench);
    let mut command = bench.build();
    command.env("CALAMARES_BOOTC_CACHE", bench.cache());
    let ended = Ended::of(&mut command);
    let words = ["log: ", "lists of packages", "igned"];
    ended.assert("MIRROR_UNREACHABLE", 3, &words);
    let asked = mirror.asked();
    assert!(
        asked.iter().any(|p| p.contains("trixie-security")),
        "{asked:?}"
    );
    assert!(!bench.log().contains("] lb "), "{}", bench.log());
    bench.assert_nothing_left();
}

/// Writes an image without layers as an OCI layout.
fn layout(dir: &Path, labels: &serde_json::Value) {
    let blobs = dir.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let put = |media_type: &str, value: &serde_json::Value| {
        let bytes = value.to_string().into_bytes();
        let hex: String = Sha256::digest(&bytes)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        let size = bytes.len();
        fs::write(blobs.join(&hex), bytes).unwrap();
        json!({"mediaType": media_type, "digest": format!("sha256:{hex}"), "size": size})
    };
    let config = put(
        "application/vnd.oci.image.config.v1+json",
        &json!({
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": []},
        }),
    );
    let mut manifest = put(
        "application/vnd.oci.image.manifest.v1+json",
        &json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config,
            "layers": [],
        }),
    );
    manifest["annotations"] = json!({"org.opencontainers.image.ref.name": "v1"});
    let index = json!({"schemaVersion": 2, "manifests": [manifest]});
    fs::write(dir.join("index.json"), index.to_string()).unwrap();
    fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#).unwrap();
}

/// A `distro.yaml` for an image in a registry without TLS.
fn distro_with_image(bench: &Bench, mirror: &Mirror, host: &str, image: &str) {
    bench.distro(&format!(
        "{}images:\n  default: \"{host}/{image}\"\n\
         calamares:\n  registry_auth:\n    registries:\n      \"{host}\":\n        insecure: true\n",
        mirrors(&mirror.url())
    ));
}

/// Asks for an image; the cache must not be made.
fn refused_image(host: &str, image: &str, words: &[&str]) {
    let bench = Bench::new();
    let mirror = Mirror::start(Answer::ReleaseFiles);
    distro_with_image(&bench, &mirror, host, image);
    let ended = Ended::of(&mut bench.refused());
    let reference = format!("{host}/{image}");
    ended.assert("IMAGE_REFUSED", 3, &[&[reference.as_str()], words].concat());
    bench.assert_nothing_made();
}

#[test]
fn images_that_cannot_be_installed() {
    if !root() || !registry::available() {
        return;
    }
    let server = Registry::start().unwrap();
    let host = server.host();
    let place = tempfile::tempdir().unwrap();
    for (name, labels) in [
        ("plain", json!({})),
        ("bootable", json!({"containers.bootc": "1"})),
    ] {
        let dir = place.path().join(name);
        layout(&dir, &labels);
        let source = format!("oci:{}:v1", dir.display());
        server.push(&source, name, "v1").unwrap();
    }
    refused_image(&host, "no-such-image:v1", &["IMAGE_NOT_FOUND"]);
    refused_image(&host, "bootable:v2", &["IMAGE_NOT_FOUND"]);
    refused_image(&host, "plain:v1", &["IMAGE_NOT_BOOTABLE"]);

    // The same place is fine for one that can be installed: it gets as far as
    // the work directory, which another build has.
    let bench = Bench::new();
    let mirror = Mirror::start(Answer::ReleaseFiles);
    distro_with_image(&bench, &mirror, &host, "bootable:v1");
    let _lock = hold(&bench.work());
    Ended::of(&mut bench.refused()).assert("BUSY", 3, &[]);
}

#[test]
fn a_registry_that_is_down() {
    if !root() {
        return;
    }
    let nobody = Refusing::new().unwrap();
    let host = nobody.host();
    refused_image(&host, "a:v1", &["refused"]);

    let bench = Bench::new();
    let mirror = Mirror::start(Answer::ReleaseFiles);
    distro_with_image(&bench, &mirror, &host, "a:v1");
    let _lock = hold(&bench.work());
    let ended = Ended::of(bench.refused().arg("--no-image-check"));
    ended.assert("BUSY", 3, &[]);
    bench.assert_nothing_left();
}

#[test]
fn an_ordinary_user() {
    if !root() {
        return;
    }
    let bench = Bench::for_everybody();
    bench.distro("");
    let program = bench.path("program");
    testkit::program::copy(Path::new(crate::bench::PROGRAM), &program).unwrap();
    let mut command = std::process::Command::new("setpriv");
    command
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(&program)
        .args(["build", "--config", "distro.yaml", "--output", "out"])
        .current_dir(bench.dir())
        // It cannot even look in there.
        .env("HOME", "/root");
    let ended = Ended::of(&mut command);
    ended.assert("NOT_ROOT", 3, &["sudo"]);
    bench.assert_nothing_made();
}

/// Holds a work directory as a build does.
fn hold(work: &Path) -> Flock<File> {
    fs::create_dir_all(work).unwrap();
    let file = File::create(work.join("lock")).unwrap();
    Flock::lock(file, FlockArg::LockExclusiveNonblock).unwrap()
}

#[test]
fn two_builds_in_one_work_directory() {
    if !root() {
        return;
    }
    let bench = Bench::new();
    let _mirror = with_release_files(&bench);
    let _lock = hold(&bench.work());
    let work = bench.work();
    let ended = Ended::of(&mut bench.refused());
    let words = ["Another build", work.to_str().unwrap(), "--work"];
    ended.assert("BUSY", 3, &words);
    assert_eq!(traces::entries_of(&work), [Path::new("lock")]);
    assert!(!bench.output().exists() && !bench.cache().exists());
    bench.assert_nothing_left();
}

/// A tmpfs; unmounted by its path when dropped, if it is still there.
struct Mounted(PathBuf);

impl Mounted {
    fn at(path: &Path) -> Self {
        fs::create_dir_all(path).unwrap();
        let none = None::<&str>;
        mount(Some("tmpfs"), path, Some("tmpfs"), MsFlags::empty(), none).unwrap();
        Self(path.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Fails when it was undone, as it should be.
        testkit::unmount(&self.0).ok();
    }
}

#[test]
fn mounts_that_somebody_left_are_undone() {
    if !root() {
        return;
    }
    for clean in [false, true] {
        let bench = Bench::new();
        let _mirror = with_release_files(&bench);
        drop(hold(&bench.work()));
        let beside = Mounted::at(&bench.path("work-beside"));
        let outer = Mounted::at(&bench.work().join("lb/chroot/dev"));
        let inner = Mounted::at(&outer.0.join("pts"));
        let blank = Mounted::at(&inner.0.join("a b"));
        fs::write(blank.0.join("file"), "").unwrap();
        assert_eq!(traces::mounts_below(&bench.work()).len(), 3);
        if clean {
            let ended = Ended::of(&mut bench.program(&["clean", "--work", "work"]));
            assert_eq!(ended.status, Some(0), "{ended:?}");
            assert!(!bench.work().exists());
        } else {
            // The last thing that can be in the way, after the directory is taken.
            let log = bench.output().join("debian-bootc-trixie-amd64.log");
            fs::create_dir_all(&log).unwrap();
            let ended = Ended::of(&mut bench.refused());
            ended.assert("IO", 1, &["out/debian-bootc-trixie-amd64.log"]);
        }
        assert_eq!(traces::mounts_below(&bench.work()), [] as [PathBuf; 0]);
        assert_eq!(
            traces::mounts_below(bench.dir()),
            [beside.0.as_path()],
            "what is mounted beside it is none of ours"
        );
    }
}

#[test]
fn a_file_where_results_or_work_should_go() {
    if !root() {
        return;
    }
    for (name, option) in [("out", "--output"), ("work", "--work")] {
        let bench = Bench::new();
        let mirror = with_release_files(&bench);
        let path = bench.path(name);
        fs::write(&path, "mine").unwrap();
        let ended = Ended::of(&mut bench.refused());
        ended.assert("IO", 1, &[path.to_str().unwrap(), option]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        assert_eq!(mirror.asked(), [] as [&str; 0]);
        fs::remove_file(path).unwrap();
        bench.assert_nothing_made();
    }
}

#[test]
fn packages_that_are_not_there() {
    if !root() {
        return;
    }
    let bench = Bench::new();
    let _mirror = with_release_files(&bench);
    let mut command = bench.refused();
    fs::remove_file(bench.path("debs/bootc-installer_1_amd64.deb")).unwrap();
    Ended::of(&mut command).assert("USAGE", 2, &["bootc-installer", "debs"]);
    bench.assert_nothing_made();
}

#[test]
fn a_result_that_could_not_be_written() {
    if !root() {
        return;
    }
    let bench = Bench::new();
    let _mirror = with_release_files(&bench);
    for place in ["none/result.json", "debs"] {
        let ended = Ended::of(bench.refused().args(["--result", place]));
        ended.assert("USAGE", 2, &[place, "--result"]);
        bench.assert_nothing_made();
    }
}

#[test]
fn a_time_that_is_none() {
    if !root() {
        return;
    }
    let bench = Bench::new();
    let _mirror = with_release_files(&bench);
    let ended = Ended::of(bench.refused().env("SOURCE_DATE_EPOCH", "today"));
    ended.assert("USAGE", 2, &["SOURCE_DATE_EPOCH", "today"]);
    bench.assert_nothing_made();
}
