// SPDX-License-Identifier: MIT OR Apache-2.0
//! The deployment that bootc wrote: find it, check it, and put into it what
//! the installed system needs from here.
//!
//! Nothing of `/usr` is touched (it is sealed by a digest); `/etc` of the
//! deployment and the stateroot's `/var` are the installed system's own.

mod keys;
pub mod registries;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};
use contract::fstab;
use contract::plan::{Plan, Stateroot};
use host::write::Root;
use imageref::Reference;
use registry::{CertsDirs, RegistryEntry};
use secrecy::ExposeSecret;
use source::coded::Coded;
use source::machine;
use source::secret::Secrets;

use crate::boot::Backend;

/// Where bootc looks for credentials in the installed system.
const AUTH_FILE: &str = "etc/ostree/auth.json";
/// Top-level names that images link into `/var`.
const LINKS_INTO_VAR: [&str; 7] = ["home", "root", "srv", "mnt", "opt", "media", "usr/local"];

/// A deployment on the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Its directory.
    pub dir: PathBuf,
    /// The `/var` of its stateroot.
    pub var: PathBuf,
    /// Its directory, relative to the target's root.
    pub relative: PathBuf,
}

impl Deployment {
    /// Finds the one deployment of a fresh target and makes sure that it
    /// updates from `imgref`. `DEPLOYMENT_FAILED` when there is none, or more
    /// than one, or when it has another origin.
    pub fn find(
        target: &Path,
        stateroot: &Stateroot,
        imgref: &Reference,
        backend: Backend,
    ) -> Result<Self> {
        let stateroot = stateroot.as_str();
        let (deployments, var) = match backend {
            Backend::Ostree => {
                let stateroot = Path::new("ostree/deploy").join(stateroot);
                (stateroot.join("deploy"), stateroot.join("var"))
            }
            Backend::Composefs => (
                PathBuf::from("state/deploy"),
                Path::new("state/os").join(stateroot).join("var"),
            ),
        };
        let name = the_only_directory(&target.join(&deployments))?;
        let relative = deployments.join(&name);
        let dir = target.join(&relative);
        let origin_name = format!("{name}.origin");
        let origin = match backend {
            Backend::Ostree => target.join(&deployments).join(origin_name),
            Backend::Composefs => dir.join(origin_name),
        };
        check_origin(&origin, imgref)?;
        Ok(Self {
            dir,
            var: target.join(var),
            relative,
        })
    }

    /// Writes what the plan says into the deployment.
    pub fn configure(&self, plan: &Plan, secrets: &Secrets) -> Result<()> {
        let root = Root::open(&self.dir)?;
        self.make_var_directories()?;
        self.write_fstab(&root, plan)?;
        let updates = Updates::of(plan)?;
        if plan.deployment.keep_registries {
            write_registries(&root, plan, &updates)?;
        }
        if plan.deployment.keep_auth {
            write_auth(&root, &updates, secrets)?;
        }
        Ok(())
    }

    /// systemd-tmpfiles makes them only at boot, but whoever adds users to the
    /// deployment needs them before.
    fn make_var_directories(&self) -> Result<()> {
        let var = Root::open(&self.var)?;
        let linked = LINKS_INTO_VAR
            .iter()
            .map(|name| Path::new("/").join(name))
            .filter(|path| self.link(path).is_some())
            .map(|path| fstab::real_mount_point(&path.to_string_lossy(), |p| self.link(p)));
        for path in linked.chain([PathBuf::from("/var/home"), PathBuf::from("/var/roothome")]) {
            // A link elsewhere, such as /media -> /run/media, is not for us.
            if let Ok(inside) = path.strip_prefix("/var") {
                let private = inside == Path::new("roothome");
                var.make_dir(inside, if private { 0o700 } else { 0o755 })?;
            }
        }
        Ok(())
    }

    /// What programs expect in `/var` that run in the deployment before its
    /// first boot: `var` is where it is mounted.
    pub(crate) fn make_tool_directories(var: &Path) -> Result<()> {
        let root = Root::open(var)?;
        for (name, mode) in [
            ("cache", 0o755),
            ("lib", 0o755),
            ("log", 0o755),
            ("tmp", 0o1777),
        ] {
            root.make_dir(Path::new(name), mode)?;
        }
        Ok(())
    }

    /// Where in the deployment a file system belongs that is mounted at `path`
    /// of the target.
    pub(crate) fn mount_point(&self, path: &Path) -> PathBuf {
        fstab::real_mount_point(&path.to_string_lossy(), |p| self.link(p))
    }

    fn write_fstab(&self, root: &Root, plan: &Plan) -> Result<()> {
        let file = Path::new("etc/fstab");
        let old = root.read(file)?.unwrap_or_default();
        let new = fstab::merge(&old, &plan.deployment.fstab, |path| self.link(path));
        if new != old {
            root.write(file, new.as_bytes(), 0o644)?;
        }
        Ok(())
    }

    /// Target of a link in the deployment.
    fn link(&self, path: &Path) -> Option<PathBuf> {
        std::fs::read_link(self.dir.join(path.strip_prefix("/").ok()?)).ok()
    }
}

/// Refuses entries whose mount point neither exists in the image nor can be
/// made, because the root is read-only once booted. `image` is its root.
pub fn check_mount_points(plan: &Plan, image: &Path) -> Result<()> {
    let link = |path: &Path| std::fs::read_link(image.join(path.strip_prefix("/").ok()?)).ok();
    for entry in &plan.deployment.fstab {
        if entry.fs_type == "swap" {
            continue;
        }
        let path = fstab::real_mount_point(&entry.mount_point, link);
        let writable = ["/var", "/boot", "/run", "/tmp"]
            .iter()
            .any(|base| path.starts_with(base));
        let relative = path.strip_prefix("/").unwrap_or(&path);
        if !writable && image.join(relative).symlink_metadata().is_err() {
            return Err(Error::new(
                Code::PlanInvalid,
                format!("{} cannot be mounted in this image.", path.display()),
            )
            .why("The image has no such directory, and its root is read-only.")
            .next("Choose a mount point below /var."));
        }
    }
    Ok(())
}

/// Where the installed system's updates come from.
struct Updates {
    /// The settings that lead there.
    entries: Vec<RegistryEntry>,
    /// The repositories there, each once, those of mirrors first.
    repositories: Vec<Reference>,
    certs: CertsDirs,
}

impl Updates {
    fn of(plan: &Plan) -> Result<Self> {
        let conf = machine::registries(plan)?;
        let mut updates = Self {
            entries: Vec::new(),
            repositories: Vec::new(),
            certs: machine::certs(),
        };
        let origin = plan.image.origin();
        updates.entries = machine::entries_for(&conf, plan, origin);
        for place in machine::places(&conf, origin)? {
            if !updates.repositories.contains(&place.reference) {
                updates.repositories.push(place.reference);
            }
        }
        Ok(updates)
    }

    /// The registries, each once.
    fn hosts(&self) -> BTreeSet<&str> {
        self.repositories.iter().map(Reference::registry).collect()
    }
}

/// What is not secret of the settings. A client's certificate is one with its
/// key, which is.
fn write_registries(root: &Root, plan: &Plan, updates: &Updates) -> Result<()> {
    if let Some(text) = registries::drop_in(&updates.entries) {
        root.write(Path::new(registries::PATH), text.as_bytes(), 0o644)?;
    }
    for registry in &plan.registries {
        if let Some(ca) = &registry.ca {
            let pem = std::fs::read(ca).map_err(|err| Error::io("reading", ca, &err))?;
            let path = registries::certificate_path(&registry.prefix, "ca.crt");
            root.write(Path::new(&path), &pem, 0o644)?;
        }
    }
    for host in updates.hosts() {
        let certs = updates.certs.for_host(host).map_err(Coded::coded)?;
        for (number, pem) in certs.ca_pem.iter().enumerate() {
            let name = format!("installer-{}.crt", number + 1);
            let path = registries::certificate_path(host, &name);
            root.write(Path::new(&path), pem, 0o644)?;
        }
    }
    Ok(())
}

fn write_auth(root: &Root, updates: &Updates, secrets: &Secrets) -> Result<()> {
    if let Some(json) = secrets.auth_json(&updates.repositories)? {
        root.write(Path::new(AUTH_FILE), json.expose_secret().as_bytes(), 0o600)?;
    }
    for host in updates.hosts() {
        let Some(identity) = updates.certs.for_host(host).map_err(Coded::coded)?.identity else {
            continue;
        };
        let write = |name: &str, bytes: &[u8], mode| {
            let path = registries::certificate_path(host, name);
            root.write(Path::new(&path), bytes, mode)
        };
        write("client.cert", &identity.cert_pem, 0o644)?;
        write(
            "client.key",
            identity.key_pem.expose_secret().as_bytes(),
            0o600,
        )?;
    }
    Ok(())
}

/// Name of the only directory in `dir`.
fn the_only_directory(dir: &Path) -> Result<String> {
    let entries = std::fs::read_dir(dir).map_err(|err| unexpected(dir, &err.to_string()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    match (names.pop(), names.is_empty()) {
        (Some(name), true) => Ok(name),
        (None, _) => Err(unexpected(dir, "there is no deployment")),
        (Some(_), false) => Err(unexpected(dir, "there are several deployments")),
    }
}

fn check_origin(origin: &Path, imgref: &Reference) -> Result<()> {
    let text =
        std::fs::read_to_string(origin).map_err(|err| unexpected(origin, &err.to_string()))?;
    match origin_reference(&text) {
        Some(found) if found == imgref.to_string() => Ok(()),
        Some(found) => Err(unexpected(
            origin,
            &format!("the system would update from {found} instead of {imgref}"),
        )),
        None => Err(unexpected(origin, "it names no image to update from")),
    }
}

/// The registry reference in an origin file: `container-image-reference`
/// behind ostree's signature policy and the transport.
fn origin_reference(origin: &str) -> Option<&str> {
    let value = origin.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "container-image-reference").then_some(value.trim())
    })?;
    if let Some(rest) = value.strip_prefix("ostree-unverified-registry:") {
        return Some(rest);
    }
    if let Some(rest) = value.strip_prefix("ostree-remote-registry:") {
        return rest.split_once(':').map(|(_remote, reference)| reference);
    }
    let image = if let Some(rest) = value.strip_prefix("ostree-remote-image:") {
        rest.split_once(':')?.1
    } else {
        ["ostree-unverified-image:", "ostree-image-signed:"]
            .iter()
            .find_map(|policy| value.strip_prefix(policy))?
    };
    ["docker://", "registry:"]
        .iter()
        .find_map(|transport| image.strip_prefix(transport))
}

fn unexpected(path: &Path, why: &str) -> Error {
    Error::new(
        Code::DeploymentFailed,
        "The deployment that bootc made is not as expected.",
    )
    .detail(format!("{}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn origins() {
        let table = [
            (
                "ostree-unverified-registry:r.example:5000/os:1",
                Some("r.example:5000/os:1"),
            ),
            ("ostree-unverified-image:docker://r/os:1", Some("r/os:1")),
            ("ostree-unverified-image:registry:r/os:1", Some("r/os:1")),
            (
                "ostree-image-signed:docker://r/os@sha256:0",
                Some("r/os@sha256:0"),
            ),
            ("ostree-remote-image:fedora:docker://r/os:1", Some("r/os:1")),
            ("ostree-remote-registry:fedora:r/os:1", Some("r/os:1")),
            ("ostree-unverified-image:oci:/run/oci", None),
            ("r/os:1", None),
        ];
        for (value, expected) in table {
            for separator in ["=", " = "] {
                let text = format!("[origin]\ncontainer-image-reference{separator}{value}\n");
                assert_eq!(origin_reference(&text), expected, "{value}");
            }
        }
        assert_eq!(origin_reference("[origin]\nrefspec=x\n"), None);
    }

    /// A target with the deployment directory that ostree would make.
    fn target() -> tempfile::TempDir {
        let target = tempfile::tempdir().unwrap();
        let base = target.path().join("ostree/deploy/default");
        let dir = base.join("deploy/abc.0");
        fs::create_dir_all(dir.join("etc")).unwrap();
        fs::create_dir_all(dir.join("usr")).unwrap();
        fs::create_dir_all(base.join("var")).unwrap();
        fs::write(
            base.join("deploy/abc.0.origin"),
            "[origin]\ncontainer-image-reference=ostree-unverified-registry:r.example/os:1\n",
        )
        .unwrap();
        fs::write(dir.join("etc/fstab"), "UUID=b /boot auto ro 0 0\n").unwrap();
        symlink("var/home", dir.join("home")).unwrap();
        symlink("var/roothome", dir.join("root")).unwrap();
        symlink("run/media", dir.join("media")).unwrap();
        symlink("../var/usrlocal", dir.join("usr/local")).unwrap();
        target
    }

    fn plan(extra: serde_json::Value) -> Plan {
        let mut plan = serde_json::json!({
            "version": 1,
            "image": { "imgref": "r.example/os:1" },
            "source": { "type": "registry" },
            "runtimeRoot": { "type": "unpack" },
            "target": { "root": "/t" },
            "bootc": { "stateroot": "default" },
        });
        for (key, value) in extra.as_object().unwrap() {
            plan[key] = value.clone();
        }
        serde_json::from_value(plan).unwrap()
    }

    #[test]
    fn finds_and_configures() {
        let target = target();
        let found = find(target.path(), "default", "r.example/os:1").unwrap();
        assert_eq!(
            found.relative,
            Path::new("ostree/deploy/default/deploy/abc.0")
        );
        let plan = plan(serde_json::json!({
            "registries": [{ "prefix": "r.example", "insecure": true }],
            "deployment": {
                "keepRegistries": true,
                "keepAuth": true,
                "fstab": [{
                    "source": "UUID=h", "mountPoint": "/home", "fsType": "ext4",
                    "options": ["noatime"], "pass": 2,
                }],
            },
        }));
        for _ in 0..2 {
            found.configure(&plan, &Secrets::default()).unwrap();
        }
        assert_eq!(
            fs::read_to_string(found.dir.join("etc/fstab")).unwrap(),
            "UUID=b /boot auto ro 0 0\n# Added by the installer.\n\
             UUID=h /var/home ext4 noatime 0 2\n"
        );
        assert!(
            fs::read_to_string(found.dir.join(registries::PATH))
                .unwrap()
                .contains("insecure = true")
        );
        assert!(
            !found.dir.join(AUTH_FILE).exists(),
            "no credentials, no file"
        );
        for (name, mode) in [("home", 0o755), ("roothome", 0o700), ("usrlocal", 0o755)] {
            let meta = fs::metadata(found.var.join(name)).unwrap();
            assert_eq!(meta.permissions().mode() & 0o777, mode, "{name}");
        }
        assert!(!found.var.join("media").exists());
    }

    fn find(target: &Path, stateroot: &str, imgref: &str) -> Result<Deployment> {
        let stateroot = Stateroot::try_from(stateroot.to_owned()).unwrap();
        let imgref = imgref.parse().unwrap();
        Deployment::find(target, &stateroot, &imgref, Backend::Ostree)
    }

    #[test]
    fn what_is_not_expected_is_refused() {
        let target = target();
        let find = |stateroot: &str, imgref: &str| find(target.path(), stateroot, imgref);
        let wrong = find("default", "r.example/os:2").unwrap_err();
        assert!(
            wrong.details[0].contains("r.example/os:1 instead of r.example/os:2"),
            "{wrong:?}"
        );
        assert_eq!(
            find("other", "r.example/os:1").unwrap_err().code,
            Code::DeploymentFailed
        );
        fs::create_dir(target.path().join("ostree/deploy/default/deploy/def.0")).unwrap();
        let several = find("default", "r.example/os:1").unwrap_err();
        assert!(several.details[0].contains("several"), "{several:?}");
    }

    #[test]
    fn mount_points_must_be_possible() {
        let image = tempfile::tempdir().unwrap();
        symlink("var/srv", image.path().join("srv")).unwrap();
        fs::create_dir(image.path().join("data")).unwrap();
        for (mount_point, fine) in [
            ("/home", true),
            ("/srv/www", true),
            ("/boot/efi", true),
            ("/data", true),
            ("/games", false),
        ] {
            let plan = plan(serde_json::json!({ "deployment": { "fstab": [{
                "source": "UUID=x", "mountPoint": mount_point, "fsType": "ext4", "options": [],
            }]}}));
            let found = check_mount_points(&plan, image.path());
            assert_eq!(found.is_ok(), fine, "{mount_point}");
        }
    }
}
