// SPDX-License-Identifier: MIT OR Apache-2.0
//! The keys of `distro.yaml`. The reader goes by these tables, and the schema and
//! the tables of docs/distro-yaml.md are printed from them (`make generate`).

use std::borrow::Cow;

use yaml_doc::Default::{Is, Nothing, Required};
use yaml_doc::Kind::{
    Flag, List, Localized, Mapping, Named, NamedTexts, Number, Special, Text, Texts, Word, Words,
};
use yaml_doc::{ANY, Form, Key, Kind, Table, Wrong};

use super::forms::*;
use super::{Compression, Firmware, SUITES};

/// Longest time of the boot menu in seconds.
const TIMEOUT_MAX: u32 = 600;

/// The whole file.
#[rustfmt::skip]
pub static DISTRO_YAML: Table = Table::of(&[
    Key::new("product", Mapping(&PRODUCT), Nothing(""), "names of the product").part("Names"),
    Key::new("branding", Mapping(&BRANDING), Nothing(""), "pictures, which are SVG or PNG files, and colours: either `component`, or some of the others; `splash` goes with both").part("Pictures and colours"),
    Key::new("suite", Word(&SUITES, &[]), Is("trixie"), "the Debian release of the live system; the images can be of another").part("Debian, below the installer"),
    Key::new("mirrors", Mapping(&MIRRORS), Nothing(""), "where Debian packages come from"),
    Key::new("registries", Named { names: &FREE_NAME, called: "NAME", table: &FILLING }, Nothing(""), "registries that fill the templates in `containers`; the names are free").part("The images that can be installed").example("development: {base_url: registry.example, namespace: debian}\nproduction: {base_url: quay.io, namespace: example}"),
    Key::new("containers", NamedTexts { names: &FREE_NAME, called: "NAME", texts: &TEMPLATE, as_written: false }, Nothing("—"), "a template: a reference with `{registry}`, `{namespace}` and `{version}`").example("bootc_base: \"{registry}/{namespace}/debian-bootc:{version}\"\nbootc_desktop: \"{registry}/{namespace}/debian-desktop:{version}\""),
    Key::new("images", Mapping(&IMAGES), Nothing(""), "what can be installed"),
    Key::new("calamares", Mapping(&CALAMARES), Nothing(""), "how it is installed; the keys are those of registry.yaml").part("The installation"),
    Key::new("packages", Texts(&PACKAGE), Is("[]"), "Debian packages by name, without version or suite").part("What else is on the medium").example("[vim, network-manager-openconnect]"),
    Key::new("debs", Texts(&DEB), Is("[]"), "package files; their names end in `_amd64.deb` or `_all.deb`").example("[./example-keyring_1.0_all.deb]"),
    Key::new("firmware", Words(&Firmware::NAMES, &["all", "none"]), Is("none"), "sets of firmware packages: `wifi`, `network`, `graphics`, `sound`, `microcode`; or `all`; or `none`. A medium for computers that are not known needs `all`, which is about 200 MB"),
    Key::new("live", Mapping(&LIVE), Nothing(""), "the live session, in which the installer runs").part("The live session"),
    Key::new("recipe", Text(&FILE), Nothing("no such entry"), "a recipe of an [unattended installation](unattended.md), which goes onto the medium, where everybody can read it; the boot menu gets an entry that installs by it").part("Installing without a person").example("./recipe.yaml"),
    Key::new("secureBoot", Flag, Is("true"), "the medium boots with Secure Boot: shim and a signed GRUB").part("The file"),
    Key::new("compression", Word(&Compression::NAMES, &[]), Is("zstd"), "of the live system; xz is about a seventh smaller and takes minutes longer"),
    Key::new("tree", Text(&DIRECTORY), Nothing("none is laid over"), "laid over the live-build tree: `package-lists/`, `hooks/`, `includes.chroot_after_packages/`, …; `debian-installer/` is for [the medium of that name](debian-installer.md)").example("./tree"),
]);

#[rustfmt::skip]
static PRODUCT: Table = Table::of(&[
    Key::new("name", Text(&TITLE), Is("Debian bootable container"), "inside of sentences: \"Install NAME\"; up to 64 characters").example("\"Debian bootable container\""),
    Key::new("shortName", Text(&TITLE), Is("Debian"), "where there is little room; without it, the first word of `name`").example("\"Debian\""),
    Key::new("version", Text(&VERSION), Is("''"), "version of the product; part of file names. Quotes keep 13.10 from becoming 13.1").example("\"13\""),
    Key::new("id", Text(&ID), Is("debian-bootc"), "in the names of the file, of the volume and of the host: up to 24 of a-z, 0-9 and -; without it, made from `name`"),
    Key::new("url", Text(&URL), Is("https://www.debian.org/"), "home page"),
    Key::new("supportUrl", Text(&URL), Is("https://www.debian.org/support"), "where people get help"),
    Key::new("publisher", Text(&TITLE), Is("calamares-bootc"), "in the header of the ISO"),
]);

#[rustfmt::skip]
static BRANDING: Table = Table {
    keys: &[
        Key::new("component", Text(&DIRECTORY), Nothing("the neutral one"), "a whole branding component of Calamares; `componentName` in its branding.desc is the name of the directory").example("./branding").instead(),
        Key::new("logo", Text(&FILE), Nothing("of the component"), "above the list of steps, 80 by 80 pixels").example("./logo.svg"),
        Key::new("icon", Text(&FILE), Nothing("of the component"), "of the window").example("./icon.svg"),
        Key::new("welcome", Text(&FILE), Nothing("of the component"), "on the first page").example("./welcome.png"),
        Key::new("slides", Texts(&FILE), Is("[]"), "shown while it installs, in this order; without any, the slides of the component").example("[./slide-1.svg, ./slide-2.svg]"),
        Key::new("sidebar", Mapping(&SIDEBAR), Nothing(""), "colours of the list of steps, in quotes, since # begins a comment"),
        Key::new("splash", Text(&FILE), Nothing("none is shown"), "behind the boot menu; PNG only, since GRUB reads no SVG").example("./splash.png"),
    ],
    together: "
dependentSchemas:
    component:
        properties: { logo: false, icon: false, welcome: false, slides: false, sidebar: false }
",
};

#[rustfmt::skip]
static SIDEBAR: Table = Table::of(&[
    Key::new("background", Text(&COLOUR), Nothing("of the component"), "of the list of steps, as `#rrggbb`").example("\"#16222e\""),
    Key::new("text", Text(&COLOUR), Nothing("of the component"), "of the text on it; a contrast of 7:1 is good").example("\"#e9eff5\""),
]);

#[rustfmt::skip]
static MIRRORS: Table = Table::of(&[
    Key::new("debian", Text(&MIRROR), Is("http://deb.debian.org/debian"), "the archive"),
    Key::new("security", Text(&MIRROR), Is("http://deb.debian.org/debian-security"), "the security updates; when only `debian` is set, `debian-security` beside it"),
    Key::new("snapshot", Text(&SNAPSHOT), Nothing("none"), "a state of the archive that does not move: a time in UTC as snapshot.debian.org writes it (`20261101T000000Z`), which is added to both mirrors (by default those of snapshot.debian.org); or the address of a directory that has `debian` and `debian-security`").example("20261101T000000Z"),
]);

#[rustfmt::skip]
static FILLING: Table = Table::of(&[
    Key::new("base_url", Text(&REGISTRY_HOST), Required, "`host` or `host:port`, without https://; fills `{registry}`"),
    Key::new("namespace", Text(&NAMESPACE), Nothing("not filled"), "what stands between the registry and the name of the image; fills `{namespace}`"),
]);

#[rustfmt::skip]
static IMAGES: Table = Table::of(&[
    Key::new("registry", Text(&ANY), Nothing("the only one"), "which of `registries` fills `{registry}` and `{namespace}`").example("production"),
    Key::new("version", Text(&TAG), Nothing("not filled"), "fills `{version}`").example("\"13\""),
    Key::new("default", Text(&IMAGE), Nothing("nothing is chosen"), "chosen already when the page opens; the IMAGE of `build` counts instead").example("bootc_base"),
    Key::new("catalogue", List(&ENTRY), Is("[]"), "what the page offers").example("- name: \"Server\"\n  name[de]: \"Server\"\n  description: \"A small system without a desktop.\"\n  description[de]: \"Ein kleines System ohne grafische Oberfläche.\"\n  icon: network-server\n  reference: bootc_base\n- name: \"Desktop\"\n  icon: computer\n  reference: bootc_desktop"),
    Key::new("allowOther", Flag, Is("true"), "any other reference can be typed on the page"),
    Key::new("embed", EMBED, Is("false"), "images that are put on the medium: `true` for the default one"),
]);

#[rustfmt::skip]
static ENTRY: Table = Table::of(&[
    Key::new("name", Localized { text: &PROSE, locale: &LANGUAGE }, Required, "name of the image"),
    Key::new("description", Localized { text: &PROSE, locale: &LANGUAGE }, Nothing("nothing is shown"), "what the image is for"),
    Key::new("icon", Text(&ICON), Nothing("none is shown"), "a picture, when it has a slash or a dot; else a name of the icon theme"),
    Key::new("reference", Text(&IMAGE), Required, "the image"),
]);

#[rustfmt::skip]
static CALAMARES: Table = Table::of(&[
    Key::new("enabled", ENABLED, Is("true"), "`false` is refused: nothing else is built"),
    Key::new("installation_approach", Word(&["direct", "systemd"], &[]), Is("direct"), "by the image's own bootc, whatever is written; for an installation without a person see `recipe`. `kickstart` and `ignition` are refused"),
    Key::new("container_config", Mapping(&CONTAINER), Nothing(""), "the container"),
    Key::new("registry_auth", Mapping(&AUTH), Nothing(""), "how registries are spoken to"),
    Key::new("updates", Word(&["manual", "automatic", "required"], &[]), Nothing("as the image has it"), "whether the installed system updates itself, by bootc's own timer: `automatic` warns about an image that has none, `required` refuses it").example("automatic"),
    Key::new("kernelArguments", Texts(&KARG), Is("[]"), "kernel arguments of the installed system, one per entry").example("[quiet]"),
]);

#[rustfmt::skip]
static CONTAINER: Table = Table::of(&[
    Key::new("stateroot", Text(&STATEROOT), Nothing("the installer's, `default`"), "name of the ostree stateroot").example("default"),
    Key::new("remote", Text(&ANY), Nothing("—"), "has no effect, and a warning unless it is `default` or the stateroot: container images have no ostree remote").example("default"),
    Key::new("transport", Word(&["registry"], &[]), Is("registry"), "there is no other; see `images.embed`"),
]);

#[rustfmt::skip]
static AUTH: Table = Table::of(&[
    Key::new("registries", Named { names: &REGISTRY, called: "HOST", table: &REGISTRY_KEYS }, Nothing(""), "one entry per registry: host, host:port or host/namespace. Logins are refused, since whoever has the medium could read them: the page asks for one when the registry wants it").example("\"registry.example\":"),
]);

#[rustfmt::skip]
static REGISTRY_KEYS: Table = Table::of(&[
    Key::refused("auth", &LOGIN),
    Key::refused("username", &LOGIN),
    Key::refused("password", &LOGIN),
    Key::refused("passwordFile", &LOGIN),
    Key::new("insecure", Flag, Is("false"), "plain http, or TLS without a check of the certificate"),
    Key::new("ca", Text(&FILE), Nothing("the system's"), "certificate authorities in PEM; the file is copied to the medium").example("./registry-ca.pem"),
    Key::new("mirrors", Texts(&REGISTRY), Is("[]"), "asked in this order, before the registry itself").example("[mirror.example/debian]"),
    Key::new("signatureKeys", Texts(&FILE), Is("[]"), "public keys in PEM, copied to the medium; images must be [signed](signatures.md) by one of them, also when the medium is built").example("[./cosign.pub]"),
]);

#[rustfmt::skip]
static LIVE: Table = Table::of(&[
    Key::new("locale", Text(&LOCALE), Is("C.UTF-8"), "language, country, and UTF-8"),
    Key::new("keyboard", Mapping(&KEYBOARD), Nothing(""), "the keyboard"),
    Key::new("timezone", Text(&TIMEZONE), Is("UTC"), "name in the tz database; the map of the installer starts there. With `UTC`, which is no place, it starts in the country of the language that the person chooses"),
    Key::new("geoip", Text(&URL), Nothing("nobody is asked"), "asked over the network where the machine is when the installer starts; its answer, JSON with `time_zone`, places the map. Whoever runs it learns the address of every machine. Set `timezone` too, for a machine without a network").example("https://geoip.example/"),
    Key::new("kernelArguments", Texts(&LIVE_KARG), Is("[]"), "kernel arguments of the live system, one per entry").example("[loglevel=4]"),
    Key::new("bootTimeout", Number(0, TIMEOUT_MAX), Is("8"), "seconds of the boot menu, up to 600; 0 boots at once"),
]);

#[rustfmt::skip]
static KEYBOARD: Table = Table::of(&[
    Key::new("layout", Text(&LAYOUT), Is("us"), "XKB layout"),
    Key::new("variant", Text(&VARIANT), Is("''"), "XKB variant").example("\"\""),
]);

/// As [`REGISTRY`], which the documentation calls a text here.
static REGISTRY_HOST: Form = Form::new("text", "texts", REGISTRY.check, REGISTRY.pattern);

const EMBED: Kind = Special {
    called: "bool or list of images",
    schema: r"
oneOf:
    - { type: boolean }
    - { type: array, items: { type: string, pattern: '^[^\s{}]+$' } }
",
};

const ENABLED: Kind = Special {
    called: "bool",
    schema: "{ type: boolean, const: true }",
};

static LOGIN: Wrong = Wrong {
    what: "a login cannot be put on the medium",
    why: Cow::Borrowed("Whoever holds the medium can read everything on it."),
    next: "Remove it: the page asks for a user name and password when the registry wants them.",
};
