// SPDX-License-Identifier: MIT OR Apache-2.0
//! `distro.yaml`: what a maintainer says about the medium.

use std::collections::BTreeMap;
use std::path::PathBuf;

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
    /// `secureBoot`: shim and signed GRUB; default true.
    pub secure_boot: bool,
    /// `compression` of the live system; default zstd.
    pub compression: Compression,
    /// `tree`: a directory laid over the live-build tree (`package-lists/`,
    /// `hooks/`, `includes.chroot_after_packages/`, …), absolute.
    pub tree: Option<PathBuf>,
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
}

/// What can be installed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Images {
    /// `default`: chosen already when the page opens; a whole reference.
    pub default: Option<String>,
    /// `catalogue`.
    pub catalogue: Vec<CatalogueEntry>,
    /// `allowOther`; default true.
    pub allow_other: bool,
    /// `embed`: references that are put on the medium, in the order of the
    /// file; `embed: true` means the default.
    pub embed: Vec<String>,
}

/// One image of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueEntry {
    /// `name` and its translations: key `""` is the text for all other
    /// languages, else the locale.
    pub name: BTreeMap<String, String>,
    /// `description` likewise; may be empty.
    pub description: BTreeMap<String, String>,
    /// `icon`: file on this machine (absolute), or the name of a theme's icon.
    pub icon: Option<Icon>,
    /// A whole reference.
    pub reference: String,
}

/// Where an icon is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Icon {
    /// An image file of this machine.
    File(PathBuf),
    /// A name in the icon theme.
    Theme(String),
}

/// The `calamares` section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calamares {
    /// `container_config.stateroot`.
    pub stateroot: Option<String>,
    /// `registry_auth.registries`, as YAML for `registryAuth.registries` of
    /// bootc.conf. Never holds a password: those are refused, since whoever has
    /// the medium has them.
    pub registries: serde_yaml::Mapping,
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
    /// `kernelArguments` of the live system.
    pub kernel_arguments: Vec<String>,
    /// `bootTimeout`: seconds of the boot menu; default 8.
    pub boot_timeout: u32,
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

/// How the live system is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// `zstd`: fast.
    Zstd,
    /// `xz`: about a seventh smaller, several minutes longer.
    Xz,
}
