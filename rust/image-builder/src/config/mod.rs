// SPDX-License-Identifier: MIT OR Apache-2.0
//! `distro.yaml`: what a maintainer says about the medium.

//!
//! Reading is pure ([`Distro::parse`]); what the file points to is looked at
//! separately ([`Distro::check_files`]). A key that is not known is an error
//! that names the nearest known one. `docs/distro-yaml.md` explains every key.

mod bootc_conf;
mod calamares;
mod files;
mod forms;
mod images;
mod keys;
mod live;
mod medium;
mod product;
mod syntax;

use std::path::{Path, PathBuf};

use conf::{CatalogueEntry, RegistryEntry};
use contract::customise_plan::UpdatesPlan;

use crate::error::{Code, Error, Result};
pub use bootc_conf::{BootcConf, bootc_conf};
pub use keys::DISTRO_YAML;
pub(crate) use medium::beside;
use yaml_doc::{Document, Section};

/// The commented file that `init` writes.
pub const TEMPLATE: &str = include_str!("../../distro.yaml");

/// The JSON schema (draft 2020-12) that `init` writes beside it, for editors.
pub const SCHEMA: &str = include_str!("../../distro.schema.json");

/// Name of the file that is looked for when none is named.
pub const FILE_NAME: &str = "distro.yaml";
/// Where the same is looked for after that: projects that have more tools around
/// their images keep it there.
pub const REGISTRY_FILE: &str = ".config/registry.yaml";

/// Name of the schema beside it.
pub const SCHEMA_NAME: &str = "distro.schema.json";

/// The whole file. [`Distro::default`] is what an empty file means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distro {
    /// The file it was read from; relative paths in it were resolved against
    /// its directory.
    pub path: Option<PathBuf>,
    /// `product`.
    pub product: Product,
    /// `branding`.
    pub branding: Branding,
    /// `suite`: Debian's code name; `trixie`.
    pub suite: String,
    /// `mirrors`.
    pub mirrors: Mirrors,
    /// `images`: what the page offers, references resolved.
    pub images: Images,
    /// `calamares`: as in the seed's registry.yaml.
    pub calamares: Calamares,
    /// `packages`: more Debian packages on the medium.
    pub packages: Vec<String>,
    /// `debs`: more package files on the medium, by absolute path.
    pub debs: Vec<PathBuf>,
    /// `firmware`: sets of firmware packages, sorted, each once.
    pub firmware: Vec<Firmware>,
    /// `live`.
    pub live: Live,
    /// `recipe`: of an unattended installation, which the boot menu offers; absolute.
    pub recipe: Option<PathBuf>,
    /// `secureBoot`: shim and signed GRUB; default true.
    pub secure_boot: bool,
    /// `compression` of the live system; default zstd.
    pub compression: Compression,
    /// `tree`: a directory laid over the live-build tree (`package-lists/`,
    /// `hooks/`, `includes.chroot_after_packages/`, …), absolute.
    pub tree: Option<PathBuf>,
    /// What was accepted without having an effect, one sentence each.
    pub warnings: Vec<String>,
}

impl Default for Distro {
    fn default() -> Self {
        Self {
            path: None,
            product: Product::default(),
            branding: Branding::default(),
            suite: SUITES[0].into(),
            mirrors: Mirrors::default(),
            images: Images::default(),
            calamares: Calamares::default(),
            packages: Vec::new(),
            debs: Vec::new(),
            // A medium for machines that nobody has seen yet: without a file
            // the screen may stay black, or the network away.
            firmware: Vec::new(),
            live: Live::default(),
            recipe: None,
            secure_boot: true,
            compression: Compression::Zstd,
            tree: None,
            warnings: Vec::new(),
        }
    }
}

/// The suites that media can be made of; the first is the default.
pub const SUITES: [&str; 2] = ["trixie", "forky"];

impl Distro {
    /// Reads a file, or, without one, `distro.yaml` or `.config/registry.yaml` of
    /// the current directory when it exists; else everything is the default.
    /// `image` counts instead of `images.default`: a whole reference, or the name
    /// of a container, `NAME` or `NAME:VERSION`.
    ///
    /// # Errors
    /// `CONFIG_INVALID` for the file, `USAGE` for `image`.
    pub fn load(path: Option<&Path>, image: Option<&str>) -> Result<Self> {
        let usual = [FILE_NAME, REGISTRY_FILE].map(Path::new);
        match path.or_else(|| usual.into_iter().find(|path| path.exists())) {
            Some(path) => read_with(path, image),
            None => {
                let mut distro = parse_with(usual[0], Path::new(""), "", image)?;
                distro.path = None;
                Ok(distro)
            }
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// `CONFIG_INVALID`, also when there is no such file.
    pub fn read(path: &Path) -> Result<Self> {
        read_with(path, None)
    }

    /// Reads the text of the file `path`; pure. Paths in the result are
    /// absolute when `path` is.
    ///
    /// # Errors
    /// `CONFIG_INVALID`.
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        parse_with(path, path, text, None)
    }

    /// Looks at the files that are named: whether they are there, can be read,
    /// and are what they should be.
    ///
    /// # Errors
    /// `CONFIG_INVALID` for the first that is not.
    pub fn check_files(&self) -> Result<()> {
        Ok(files::check(self)?)
    }
}

fn read_with(path: &Path, image: Option<&str>) -> Result<Distro> {
    let absolute = std::path::absolute(path).map_err(|e| Error::io("Resolving", path, &e))?;
    let text = std::fs::read_to_string(&absolute).map_err(|e| {
        Error::new(
            Code::ConfigInvalid,
            format!("{}: the file cannot be read.", path.display()),
        )
        .why("It is missing, not readable, or no UTF-8 text.")
        .next("Check the path, or make a file with `debian-bootc-image-builder init`.")
        .detail(e.to_string())
    })?;
    parse_with(path, &absolute, &text, image)
}

/// `name` is the path for messages, `path` the one that others start from.
fn parse_with(name: &Path, path: &Path, text: &str, image: Option<&str>) -> Result<Distro> {
    let dir = path.parent().unwrap_or(Path::new(""));
    let doc = Document::new(name, dir, text);
    let top = Section::root(&doc, &DISTRO_YAML)?;
    let mut distro = Distro {
        path: Some(path.to_owned()),
        ..Distro::default()
    };
    product::read(&top, &mut distro.product)?;
    medium::branding(&top, &mut distro.branding)?;
    top.replace("suite", &mut distro.suite)?;
    medium::mirrors(&top, &mut distro.mirrors)?;
    images::read(&top, image, &mut distro)?;
    calamares::read(&top, &mut distro)?;
    distro.packages = top.texts("packages")?;
    distro.debs = medium::debs(&top)?;
    if let Some(firmware) = medium::firmware(&top)? {
        distro.firmware = firmware;
    }
    live::read(&top, &mut distro.live)?;
    distro.recipe = top.path("recipe")?;
    if let Some(secure_boot) = top.flag("secureBoot")? {
        distro.secure_boot = secure_boot;
    }
    distro.compression = match top.text("compression")?.as_deref() {
        Some("xz") => Compression::Xz,
        _ => Compression::Zstd,
    };
    distro.tree = top.path("tree")?;
    Ok(distro)
}

/// Names of the product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// `name`, inside of sentences: "Install NAME".
    pub name: String,
    /// `shortName`; default the first word of `name`.
    pub short_name: String,
    /// `version`; may be empty.
    pub version: String,
    /// `id`: of file names, volume and host name: `[a-z0-9-]`, 1 to 24
    /// characters; default made from `name`.
    pub id: String,
    /// `url`.
    pub url: String,
    /// `supportUrl`.
    pub support_url: String,
    /// `publisher`: of the ISO.
    pub publisher: String,
}

impl Default for Product {
    fn default() -> Self {
        Self {
            name: "Debian bootable container".into(),
            short_name: "Debian".into(),
            version: String::new(),
            id: "debian-bootc".into(),
            url: "https://www.debian.org/".into(),
            support_url: "https://www.debian.org/support".into(),
            publisher: "calamares-bootc".into(),
        }
    }
}

impl Product {
    /// `id` as a part of the ISO's volume id: A-Z, 0-9 and `_`, as ISO 9660
    /// has it.
    pub fn volume_id(&self) -> String {
        self.id.to_ascii_uppercase().replace('-', "_")
    }
}

/// Pictures and colours. Without `component` the neutral component is taken
/// and changed by the other keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Branding {
    /// `component`: directory of a whole Calamares branding component, absolute.
    pub component: Option<PathBuf>,
    /// `logo`: image file (SVG or PNG), absolute.
    pub logo: Option<PathBuf>,
    /// `icon`: image file, absolute.
    pub icon: Option<PathBuf>,
    /// `welcome`: image file, absolute.
    pub welcome: Option<PathBuf>,
    /// `slides`: image files shown while it installs, absolute.
    pub slides: Vec<PathBuf>,
    /// `sidebar.background`: `#rrggbb`.
    pub sidebar_background: Option<String>,
    /// `sidebar.text`: `#rrggbb`.
    pub sidebar_text: Option<String>,
    /// `splash`: PNG behind the boot menu, absolute.
    pub splash: Option<PathBuf>,
}

/// Where packages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirrors {
    /// `debian`, without a slash at the end.
    pub debian: String,
    /// `security`, without a slash at the end; default beside `debian`.
    pub security: String,
    /// `snapshot`: a state of the archive on purpose, however old. Both mirrors
    /// have it in their paths already.
    pub snapshot: Option<String>,
}

impl Default for Mirrors {
    fn default() -> Self {
        Self {
            debian: "http://deb.debian.org/debian".into(),
            security: "http://deb.debian.org/debian-security".into(),
            snapshot: None,
        }
    }
}

/// What can be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// `default`: chosen already when the page opens; a whole reference.
    pub default: Option<String>,
    /// `catalogue`: icons are files of this machine, references are whole.
    pub catalogue: Vec<CatalogueEntry>,
    /// `allowOther`; default true.
    pub allow_other: bool,
    /// `embed`: references that are put on the medium, in the order of the
    /// file; `embed: true` means the default.
    pub embed: Vec<String>,
}

impl Default for Images {
    fn default() -> Self {
        Self {
            default: None,
            catalogue: Vec::new(),
            allow_other: true,
            embed: Vec::new(),
        }
    }
}

/// The `calamares` section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calamares {
    /// `container_config.stateroot`.
    pub stateroot: Option<String>,
    /// `registry_auth.registries`, with files of this machine. Never holds a
    /// login: those are refused, since whoever has the medium has them.
    pub registries: Vec<RegistryEntry>,
    /// `updates`: whether the installed system updates itself.
    pub updates: Option<UpdatesPlan>,
    /// `kernelArguments` of the installed system.
    pub kernel_arguments: Vec<String>,
}

/// The live session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// `locale`: such as `de_DE.UTF-8`; default `C.UTF-8`.
    pub locale: String,
    /// `keyboard.layout`: XKB layout; default `us`.
    pub keyboard_layout: String,
    /// `keyboard.variant`; may be empty.
    pub keyboard_variant: String,
    /// `timezone`: such as `Europe/Berlin`; default `UTC`.
    pub timezone: String,
    /// `geoip`: web address that is asked where the machine is; default none.
    pub geoip: Option<String>,
    /// `kernelArguments` of the live system.
    pub kernel_arguments: Vec<String>,
    /// `bootTimeout`: seconds of the boot menu; default 8.
    pub boot_timeout: u32,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            locale: "C.UTF-8".into(),
            keyboard_layout: "us".into(),
            keyboard_variant: String::new(),
            timezone: "UTC".into(),
            geoip: None,
            kernel_arguments: Vec::new(),
            boot_timeout: 8,
        }
    }
}

/// Sets of firmware packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Firmware {
    /// `wifi`: Wi-Fi and Bluetooth cards.
    Wifi,
    /// `network`: wired cards that need a file.
    Network,
    /// `graphics`.
    Graphics,
    /// `sound`.
    Sound,
    /// `microcode`: of processors.
    Microcode,
}

impl Firmware {
    /// Every set, in order.
    pub const ALL: [Self; 5] = [
        Self::Wifi,
        Self::Network,
        Self::Graphics,
        Self::Sound,
        Self::Microcode,
    ];

    /// Their names in `distro.yaml`.
    pub const NAMES: [&'static str; 5] = ["wifi", "network", "graphics", "sound", "microcode"];

    /// The name in `distro.yaml`.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// How the live system is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// `zstd`: fast.
    Zstd,
    /// `xz`: about a seventh smaller, several minutes longer.
    Xz,
}

impl Compression {
    /// The names in `distro.yaml`.
    pub const NAMES: [&'static str; 2] = ["zstd", "xz"];

    /// The name in `distro.yaml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Xz => "xz",
        }
    }
}
