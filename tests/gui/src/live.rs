// SPDX-License-Identifier: MIT OR Apache-2.0
//! The live system of a session before it starts.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use serde_json::{Value, json};
use testkit::cmd::CommandExt;

use crate::root;
use crate::session::{Session, Start};
use crate::settings::{self, Settings};
use crate::words::{self, Words};
use crate::world::World;

/// The directory of Calamares' configuration.
const CONFIG: &str = "etc/calamares-bootc";
/// The installed launcher.
const LAUNCHER: &str = "/usr/bin/calamares-bootc";
/// Where dumpstorage writes; the artefacts' directory, seen from inside.
pub(crate) const STORAGE: &str = "/opt/gui-test/artefacts/storage.jsonl";

/// A live system that is being prepared. Everything goes into the upper layer
/// of its overlay.
#[derive(Debug)]
pub struct Live<'w> {
    world: &'w World,
    layers: Vec<PathBuf>,
    directory: PathBuf,
    settings: Settings,
    argv: Vec<String>,
    language: String,
    screen: Option<String>,
    environment: Vec<(String, String)>,
    devices: Vec<PathBuf>,
}

impl<'w> Live<'w> {
    pub(crate) fn stock(world: &'w World, layers: Vec<PathBuf>) -> Self {
        let argv = ["calamares", "-c", "/etc/calamares-bootc"].map(str::to_owned);
        let live = Self::new(world, layers, Settings::stock(), argv.into());
        for name in ["qml", "branding"] {
            let link = live.upper(&format!("{CONFIG}/{name}"));
            symlink(format!("/usr/share/calamares/{name}"), link).unwrap();
        }
        live.module("mount", &json!({"extraMounts": []}))
            .module("umount", &json!({"emergency": true}))
            .module(
                "welcome",
                &json!({"requirements": {"check": [], "required": []}}),
            )
            .module("finished", &json!({"restartNowMode": "never"}))
            .module(
                "users",
                &json!({
                    "defaultGroups": [{"name": "users", "must_exist": false, "system": true}],
                    "sudoersGroup": "sudo",
                    "setRootPassword": true,
                    "doReusePassword": true,
                    "doAutologin": false,
                }),
            )
    }

    pub(crate) fn with_plugin(world: &'w World, layers: Vec<PathBuf>) -> Self {
        let installed = |name: &str| {
            let path = format!("{CONFIG}/{name}");
            let mut files = layers.iter().map(|layer| layer.join(&path));
            let text = files.find_map(|file| fs::read_to_string(file).ok());
            text.unwrap_or_else(|| panic!("no /{path} is installed"))
        };
        let settings = Settings::installed(&installed("settings.conf"));
        let welcome = settings::without_disk_check(&installed("modules/welcome.conf"));
        Self::new(world, layers, settings, vec![LAUNCHER.to_owned()])
            .file(&format!("/{CONFIG}/modules/welcome.conf"), welcome)
    }

    fn new(world: &'w World, layers: Vec<PathBuf>, settings: Settings, argv: Vec<String>) -> Self {
        let directory = world.inner().new_path("live");
        for name in ["upper", "work", "root"] {
            fs::create_dir_all(directory.join(name)).unwrap();
        }
        // The root of the overlay takes its mode from here.
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(directory.join("upper"), mode).unwrap();
        let live = Self {
            world,
            layers,
            directory,
            settings,
            argv,
            language: "C.UTF-8".to_owned(),
            screen: None,
            environment: Vec::new(),
            devices: Vec::new(),
        };
        fs::create_dir_all(live.upper("opt/gui-test/artefacts")).unwrap();
        for name in ["driver", "modules"] {
            Command::new("cp")
                .arg("-r")
                .arg(root::source(name))
                .arg(live.upper("opt/gui-test"))
                .run()
                .unwrap();
        }
        live.module("slow", &json!({"seconds": 30}))
            .module("dumpstorage", &json!({"emergency": true, "file": STORAGE}))
            .module("presetpartitions", &json!({"storage": {}}))
    }

    /// A path in the upper layer, its parents made.
    fn upper(&self, path: &str) -> PathBuf {
        let path = self
            .directory
            .join("upper")
            .join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    /// The language that the live system was started in, `C.UTF-8` unless set.
    #[must_use]
    pub fn language(mut self, lang: &str) -> Self {
        self.language = lang.to_owned();
        self
    }

    /// The size of the screen, for example `800x600`.
    #[must_use]
    pub fn screen(mut self, size: &str) -> Self {
        self.screen = Some(size.to_owned());
        self
    }

    /// An environment variable for Calamares.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Changes `settings.conf`.
    #[must_use]
    pub fn settings(mut self, change: impl FnOnce(Settings) -> Settings) -> Self {
        self.settings = change(self.settings);
        self
    }

    /// The configuration of a module (or of an instance, by its file's name
    /// without `.conf`) in place of the installed one. JSON is YAML.
    #[must_use]
    pub fn module(self, name: &str, configuration: &Value) -> Self {
        self.file(
            &format!("/{CONFIG}/modules/{name}.conf"),
            configuration.to_string(),
        )
    }

    /// A file of the live system.
    #[must_use]
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.upper(path), content).unwrap();
        self
    }

    /// A program of the live system.
    #[must_use]
    pub fn program(self, path: &str, script: &str) -> Self {
        let file = self.upper(path);
        testkit::program::write(&file, script).unwrap();
        self
    }

    /// Without this file, which is in a lower layer.
    #[must_use]
    pub fn without(self, path: &str) -> Self {
        let path = self.upper(path);
        // So overlayfs marks what is deleted.
        mknod(&path, SFlag::S_IFCHR, Mode::empty(), makedev(0, 0)).unwrap();
        self
    }

    /// With this disk, which the session may write.
    #[must_use]
    pub fn disk(mut self, disk: &failure::Disk) -> Self {
        self.devices.push(disk.device().to_owned());
        self
    }

    /// With this disk as the target: global storage is as if a person had
    /// chosen it for `/`, on a machine with BIOS.
    #[must_use]
    pub fn target(self, disk: &failure::Disk, fs: failure::Fs) -> Self {
        let root = json!({
            "device": disk.device(),
            "mountPoint": "/",
            "fsName": fs.name(),
            "fs": fs.name(),
            "uuid": disk.uuid(),
            "partlabel": "root",
            "partuuid": "",
            "parttype": "",
            "partattrs": 0,
            "features": {},
            "claimed": true,
        });
        let storage = json!({
            "firmwareType": "bios",
            "bootLoader": {"installPath": disk.device()},
            "efiSystemPartition": "/boot/efi",
            "partitionChoices": {"install": "erase", "swap": "none"},
            "partitions": [root],
        });
        self.disk(disk).storage(&storage)
    }

    /// What presetpartitions puts into global storage.
    #[must_use]
    pub fn storage(self, storage: &Value) -> Self {
        self.module("presetpartitions", &json!({ "storage": storage }))
    }

    fn words(&self) -> &'static Words {
        match self.language.starts_with("de") {
            true => &words::GERMAN,
            false => &words::ENGLISH,
        }
    }

    /// Starts the live system and Calamares in it, and waits for its window.
    #[track_caller]
    pub fn start(self) -> Session<'w> {
        let settings = self.settings.text();
        fs::write(self.upper(&format!("{CONFIG}/settings.conf")), settings).unwrap();
        let path = |name: &str| self.directory.join(name);
        let options = root::overlay(&self.layers, &path("upper"), &path("work")).unwrap();
        let words = self.words();
        let mut argv = self.argv;
        argv.extend(["-d", "-D8"].map(str::to_owned));
        let fixed = [
            ("LANG", self.language.as_str()),
            ("QT_LINUX_ACCESSIBILITY_ALWAYS_ON", "1"),
            ("QT_QUICK_BACKEND", "software"),
            ("XDG_CACHE_HOME", "/opt/gui-test/artefacts"),
        ];
        let mut environment: serde_json::Map<String, Value> = fixed
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()))
            .collect();
        let own = self.environment.into_iter();
        environment.extend(own.map(|(name, value)| (name, value.into())));
        Session::start(Start {
            world: self.world,
            options,
            root: self.directory.join("root"),
            upper: self.directory.join("upper"),
            devices: self.devices,
            screen: self.screen,
            argv,
            environment,
            words,
            prompts: self.settings.prompts(),
        })
    }
}

/// The script that makes the live system.
pub(crate) fn script() -> PathBuf {
    root::source("driver/outside.sh")
}

/// Calamares' log below the artefacts.
pub(crate) fn session_log(artefacts: &Path) -> PathBuf {
    artefacts.join("calamares/session.log")
}
