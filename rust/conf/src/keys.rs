// SPDX-License-Identifier: MIT OR Apache-2.0
//! The keys of `bootc.conf`. The reader goes by these tables, and the schema and
//! the tables of docs/formats.md are printed from them (`make generate`).

use std::borrow::Cow;

use imageref::Reference;
use yaml_doc::Default::{Is, Nothing, Required};
use yaml_doc::Kind::{
    Anything, Flag, List, Localized, Mapping, Named, NamedTexts, Text, Texts, Word,
};
use yaml_doc::{ANY, Form, Key, Table, Wrong, checks};

/// The whole file.
#[rustfmt::skip]
pub static BOOTC_CONF: Table = Table::of(&[
    Key::new("containerUrl", Text(&ANY), Nothing("none is chosen"), "the image: `host/name:tag`, or `oci:DIR[:TAG]`; may use variables").part("The image").example("\"{{ registry }}/os/debian-bootc:13\""),
    Key::new("targetImgref", Text(&ANY), Nothing("`containerUrl`"), "what the installed system updates from, when it is another reference").example("\"registry.example/os/debian-bootc:13\""),
    Key::new("transport", Word(&["registry", "oci"], &["docker"]), Nothing("`registry`"), "transport of a `containerUrl` without one").example("registry"),
    Key::new("source", Text(&ANY), Nothing("none"), "OCI layout that already holds the image: `oci:DIR[:TAG]` or a directory").example("\"/run/live/medium/image\""),
    Key::new("layouts", Texts(&PATH), Nothing("none"), "OCI layouts, archives of them and directories of both, that may hold the image or parts of it, which are then not downloaded; `auto` is what is on mounted media").example("[ \"/run/live/medium/images\", auto ]"),
    Key::new("runtimeRoot", Text(&PATH), Nothing("the image is unpacked"), "unpacked image that bootc runs from: directory, squashfs or erofs file").example("\"/run/live/medium/image.squashfs\""),
    Key::new("variables", NamedTexts { names: &ANY, called: "NAME", texts: &ANY, as_written: true, }, Nothing("none"), "texts for `{{ NAME }}` in other values; `tag: 13` is one too, but `tag: \"13.10\"` needs its quotes, since YAML makes 13.1 of it").example("registry: registry.example"),
    Key::new("stateroot", Text(&ANY), Nothing("`default`"), "name of the stateroot").part("The installation").example("\"default\""),
    Key::new("downloadPath", Text(&PATH), Nothing("the target"), "existing directory for temporary files").example("\"/mnt/scratch\""),
    Key::new("keepCredentials", Flag, Is("false"), "keep pull credentials for updates"),
    Key::new("keepRegistries", Flag, Is("true"), "keep mirrors, insecure registries and `signatureKeys` for updates"),
    Key::new("noSignatureVerification", Flag, Is("false"), "demand no signature by `signatureKeys`; see [signatures](signatures.md)"),
    Key::new("updates", Word(&["manual", "automatic", "required"], &[]), Nothing("as the image has it"), "whether the installed system updates itself, by bootc's own timer: `automatic` warns about an image that has none, `required` refuses it").example("automatic"),
    Key::new("registryAuth", Mapping(&AUTH), Nothing(""), "how registries are reached. Without credentials here, the files of containers-auth.json(5) are searched in their usual order; a file with a password must be readable by root alone, and a live medium is readable by whoever holds it").part("Registries, and what bootc is told"),
    Key::new("installOptions", Mapping(&OPTIONS), Nothing(""), "what bootc is told"),
    Key::new("installationApproach", Word(&["direct", "systemd"], &[]), Nothing("`direct`"), "by the image's own bootc, whatever is written. `systemd` is accepted and has no effect: a service that installs without a person goes by a [recipe](unattended.md)").example("direct"),
    Key::new("page", Mapping(&PAGE), Nothing(""), "what the page in Calamares offers").part("The page"),
    Key::new("remote", Text(&ANY), Nothing("—"), "for [kickstarts](kickstart.md); has no effect on the installer: container images have no ostree remote").part("For the files of other tools").instead(),
    Key::new("integration", Anything, Nothing("—"), "has no effect: the order of modules is in settings.conf").instead(),
    Key::new("kickstartOptions", Anything, Nothing("—"), "for [kickstarts](kickstart.md); has no effect on the installer, where the image's own bootc installs it").instead(),
    Key::new("ignitionOptions", Anything, Nothing("—"), "for [Ignition](ignition.md); has no effect on the installer, where the image's own bootc installs it").instead(),
]);

#[rustfmt::skip]
static AUTH: Table = Table::of(&[
    Key::new("registries", Named { names: &REGISTRY, called: "HOST", table: &REGISTRY_KEYS, }, Nothing(""), "one entry per registry: host, host:port or host/namespace; the longest prefix of a reference counts").example("\"registry.example\":")]);

#[rustfmt::skip]
static REGISTRY_KEYS: Table = Table {
    keys: &[
        Key::new("auth", Text(&ANY), Nothing("none"), "credentials: base64 of `user:password`, as in containers-auth.json(5)").with_value().example("\"dXNlcjpwYXNzd29yZA==\"").instead(),
        Key::new("username", Text(&ANY), Nothing("none"), "credentials: the user, with `password` or `passwordFile`").with_value().example("\"installer\""),
        Key::new("password", Text(&ANY), Nothing("none"), "credentials: the password").with_value().example("\"secret\"").instead(),
        Key::new("passwordFile", Text(&PATH), Nothing("none"), "credentials: file whose first line is the password").with_value().example("\"registry.password\""),
        Key::new("insecure", Flag, Is("false"), "plain http, or TLS without a check of the certificate"),
        Key::new("ca", Text(&PATH), Nothing("the system's"), "PEM file with the authorities that signed its certificate").example("\"registry-ca.pem\""),
        Key::new("mirrors", Texts(&ANY), Nothing("none"), "asked in this order, before the registry itself").example("[ \"mirror.example/private\" ]"),
        Key::new("signatureKeys", Texts(&PATH), Nothing("none"), "PEM files with public keys: images must be signed by one of them, see [signatures](signatures.md)").example("[ \"cosign.pub\" ]"),
    ],
    together: "
dependencies:
    password: [ username ]
    passwordFile: [ username ]
    username:
        oneOf:
            - required: [ password ]
            - required: [ passwordFile ]
not: { required: [ auth, username ] }
",
};

#[rustfmt::skip]
static OPTIONS: Table = Table::of(&[
    Key::new("bootloader", Word(&["auto", "grub", "systemd", "none"], &["grub2", "systemd-boot"]),
        Is("auto"),
        "the boot loader; `auto` decides by what is in the image",
    ),
    Key::new("kargs", Texts(&ANY), Nothing("none"), "kernel arguments to add").example("[ \"console=ttyS0,115200\" ]"),
    Key::new("kargsDelete", Texts(&ANY), Nothing("none"), "kernel arguments of the image to leave out") .or(&["kargs_delete"]).example("[ \"quiet\" ]"),
    Key::new("enforceContainerSigpolicy", Flag, Is("false"), "bootc's `--enforce-container-sigpolicy`"),
    Key::new("disableSelinux", Flag, Is("false"), "bootc's `--disable-selinux`"),
    Key::new("target_arch", Text(&ANY), Nothing("this machine's"), "refused unless it is this machine's") .or(&["targetArch"]).example("amd64"),
    Key::new("target_disk", Text(&ANY), Nothing("—"), "the disk of [kickstarts](kickstart.md) and [Ignition](ignition.md); has no effect on the installer: the target is what the partitioning mounted") .or(&["targetDisk"]).instead(),
    Key::new("rootfs_type", Word(&["ext4", "xfs", "btrfs"], &[]), Nothing("—"), "the file system of [kickstarts](kickstart.md) and [Ignition](ignition.md); has no effect on the installer: it is the one that the partitioning made") .or(&["rootfsType"]).instead(),
]);

#[rustfmt::skip]
static PAGE: Table = Table::of(&[
    Key::new("catalogue", List(&IMAGE), Nothing("none"), "images that the page offers").example("- name: \"Debian 13 Desktop\"\n  name[de]: \"Debian 13 für den Schreibtisch\"\n  description: \"A graphical system for everyday work.\"\n  description[de]: \"Ein grafisches System für die tägliche Arbeit.\"\n  icon: \"computer\"\n  reference: \"{{ registry }}/os/debian-desktop:13\""),
    Key::new("allowOther", Flag, Is("true"), "any reference can be typed there"),
    Key::new("skipWhenValid", Flag, Is("false"), "the page goes on by itself when the image of `containerUrl` is good"),
]);

#[rustfmt::skip]
static IMAGE: Table = Table::of(&[
    Key::new("name", Localized { text: &ANY, locale: &LOCALE, }, Required, "name of the image"),
    Key::new("description", Localized { text: &ANY, locale: &LOCALE, }, Nothing("nothing is shown"), "what the image is for"),
    Key::new("icon", Text(&ICON), Nothing("none is shown"), "an image file, when it has a slash or a dot; else a name of the icon theme"),
    Key::new("reference", Text(&REFERENCE), Required, "the image, in the form of `containerUrl`"),
]);

static PATH: Form = Form::new("path", "paths", |_| Ok(()), "");
static ICON: Form = Form::new("file or name", "", |_| Ok(()), "");
static REFERENCE: Form = Form::new("image", "images", checks::image, "").not_empty();
static REGISTRY: Form = Form::new("registry", "registries", registry, "");
static LOCALE: Form = Form::new("locale", "locales", locale, "[A-Za-z0-9_@]+");

/// What stands before a repository in a reference.
fn registry(text: &str) -> Result<(), Wrong> {
    match format!("{text}/x").parse::<Reference>() {
        Ok(_) => Ok(()),
        Err(_) => Err(Wrong {
            what: "is no registry",
            why: Cow::Borrowed(
                "A registry is written as host, host:port or host/namespace, without https://.",
            ),
            next: "Correct the key.",
        }),
    }
}

fn locale(text: &str) -> Result<(), Wrong> {
    let known = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '@';
    if !text.is_empty() && text.chars().all(known) {
        return Ok(());
    }
    Err(Wrong {
        what: "is no locale",
        why: Cow::Borrowed("Locales here are written like de, de_AT or sr@latin."),
        next: "Correct what is between the brackets.",
    })
}
