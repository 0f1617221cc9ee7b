// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether the files that `distro.yaml` names are what they should be.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use conf::Icon;
use serde_yaml::Value;
use yaml_doc::{Document, Mistake};

use super::Distro;

type Result<T> = std::result::Result<T, Mistake>;

/// Looks at every file, in the order of the documentation.
pub(super) fn check(distro: &Distro) -> Result<()> {
    // The text is read again for the lines in messages only.
    let path = distro
        .path
        .as_deref()
        .unwrap_or(Path::new(super::FILE_NAME));
    let text = match &distro.path {
        Some(path) => std::fs::read_to_string(path).unwrap_or_default(),
        None => String::new(),
    };
    let doc = Document::new(path, Path::new(""), &text);
    branding(&doc, distro)?;
    for (number, entry) in distro.images.catalogue.iter().enumerate() {
        if let Some(Icon::File(file)) = &entry.icon {
            let place = format!("[{number}]");
            picture(&doc, &["images", "catalogue", &place, "icon"], file, &BOTH)?;
        }
    }
    for registry in &distro.calamares.registries {
        let prefix = registry.prefix.as_str();
        let at = ["calamares", "registry_auth", "registries", prefix];
        if let Some(ca) = &registry.ca {
            certificate(&doc, &[&at[..], &["ca"]].concat(), ca)?;
        }
        for (number, key) in registry.signature_keys.iter().enumerate() {
            let place = format!("[{number}]");
            public_key(&doc, &[&at[..], &["signatureKeys", &place]].concat(), key)?;
        }
    }
    for (number, deb) in distro.debs.iter().enumerate() {
        let place = format!("[{number}]");
        package(&doc, &["debs", &place], deb)?;
    }
    if let Some(file) = &distro.recipe {
        recipe(&doc, file)?;
    }
    match &distro.tree {
        Some(tree) => directory(&doc, &["tree"], tree),
        None => Ok(()),
    }
}

fn branding(doc: &Document, distro: &Distro) -> Result<()> {
    let branding = &distro.branding;
    if let Some(dir) = &branding.component {
        component(doc, dir)?;
    }
    for (key, file) in [
        ("logo", &branding.logo),
        ("icon", &branding.icon),
        ("welcome", &branding.welcome),
    ] {
        if let Some(file) = file {
            picture(doc, &["branding", key], file, &BOTH)?;
        }
    }
    for (number, slide) in branding.slides.iter().enumerate() {
        let place = format!("[{number}]");
        picture(doc, &["branding", "slides", &place], slide, &BOTH)?;
    }
    match &branding.splash {
        // GRUB reads no SVG.
        Some(splash) => picture(doc, &["branding", "splash"], splash, &[Kind::Png]),
        None => Ok(()),
    }
}

/// Calamares looks a component up by the name of its directory.
fn component(doc: &Document, dir: &Path) -> Result<()> {
    let at = ["branding", "component"];
    directory(doc, &at, dir)?;
    let desc = dir.join("branding.desc");
    let text = std::fs::read_to_string(&desc).map_err(|e| {
        doc.invalid(&at, &format!("{} cannot be read", desc.display()))
            .why("Every component of Calamares has this file.")
            .next("Name the directory that holds branding.desc.")
            .detail(e.to_string())
    })?;
    let value: Value = serde_yaml::from_str(&text).map_err(|e| {
        doc.invalid(&at, &format!("{} is not valid YAML", desc.display()))
            .next("Correct that file.")
            .detail(e.to_string())
    })?;
    let name = value.get("componentName").and_then(Value::as_str);
    // `..` and links have a name, too.
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let wanted = dir.file_name().unwrap_or_default().to_string_lossy();
    if name == Some(wanted.as_ref()) {
        return Ok(());
    }
    Err(doc
        .invalid(
            &at,
            &match name {
                Some(name) => format!("the component calls itself `{name}`"),
                None => format!("{} has no `componentName`", desc.display()),
            },
        )
        .why(format!(
            "Calamares wants the name of the directory, `{wanted}`, there."
        ))
        .next(format!("Write `componentName: {wanted}` in branding.desc.")))
}

/// A type of pictures.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Png,
    Svg,
}

/// What Qt shows.
const BOTH: [Kind; 2] = [Kind::Svg, Kind::Png];

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Svg => "SVG",
        }
    }

    /// By the first bytes; names lie.
    fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"\x89PNG\r\n\x1a\n") {
            return Some(Self::Png);
        }
        let text = String::from_utf8_lossy(head);
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let xml = text.starts_with('<') && (text.contains("<svg") || text.contains(":svg"));
        xml.then_some(Self::Svg)
    }
}

fn picture(doc: &Document, at: &[&str], file: &Path, kinds: &[Kind]) -> Result<()> {
    let head = head(doc, at, file)?;
    let kind = Kind::of(&head);
    if kind.is_some_and(|kind| kinds.contains(&kind)) {
        return Ok(());
    }
    let wanted: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    let wanted = wanted.join(" or ");
    Err(doc
        .invalid(at, &format!("{} is no {wanted} picture", file.display()))
        .why(match kind {
            Some(kind) => format!("It is a {} picture.", kind.name()),
            None => "Its first bytes are those of something else.".into(),
        })
        .next(format!("Convert it to {wanted}.")))
}

fn certificate(doc: &Document, at: &[&str], file: &Path) -> Result<()> {
    let head = head(doc, at, file)?;
    let marker = b"-----BEGIN CERTIFICATE-----";
    if head.windows(marker.len()).any(|window| window == marker) {
        return Ok(());
    }
    Err(doc
        .invalid(
            at,
            &format!("{} holds no certificate in PEM", file.display()),
        )
        .why("`-----BEGIN CERTIFICATE-----` is not near its beginning.")
        .next("Convert it: openssl x509 -in FILE -inform DER -out FILE.pem."))
}

fn public_key(doc: &Document, at: &[&str], file: &Path) -> Result<()> {
    source::keys::read_key(file).map(drop).map_err(|err| {
        doc.invalid(at, &format!("{} is no public key", file.display()))
            .why("Images are verified with public keys in PEM, such as the cosign.pub that cosign makes.")
            .next("Name the public key of whoever signs the images.")
            .detail(err.what)
    })
}

/// Where credentials of the machine are on the medium.
const CREDENTIALS: &str = "/run/credentials/";

/// A recipe that the medium understands, and that names nothing beside itself: only
/// the recipe goes onto the medium.
fn recipe(doc: &Document, file: &Path) -> Result<()> {
    let at = ["recipe"];
    let text = String::from_utf8_lossy(&head(doc, &at, file)?).into_owned();
    let dir = Path::new("/");
    let recipe = recipe::parse(file, dir, &text).map_err(|err| {
        let what = err.what.trim_end_matches('.');
        doc.invalid(&at, what).why(err.why).next(err.next)
    })?;
    let login = recipe.registry.auth_file.as_deref();
    if login.is_some_and(|file| !file.starts_with(CREDENTIALS)) {
        return Err(doc
            .invalid(&at, "its login is not on the medium")
            .why("Whoever holds the medium can read everything on it.")
            .next("Give the login to the machine, and name it: `authFile: /run/credentials/@system/installer.auth`."));
    }
    let beside = recipe.network.iter();
    let mut beside = beside.filter(|connection| connection.file().is_some());
    if let Some(connection) = beside.next() {
        return Err(doc
            .invalid(
                &at,
                &format!(
                    "the file of the connection {} is not on the medium",
                    connection.name
                ),
            )
            .why("Only the recipe itself goes onto the medium.")
            .next("Write the connection into the recipe, with `contents`."));
    }
    Ok(())
}

fn package(doc: &Document, at: &[&str], file: &Path) -> Result<()> {
    let head = head(doc, at, file)?;
    if head.starts_with(b"!<arch>\ndebian-binary") {
        return Ok(());
    }
    Err(doc
        .invalid(at, &format!("{} is no Debian package", file.display()))
        .why("Its first bytes are those of something else; perhaps the download failed.")
        .next("Fetch or build it again."))
}

fn directory(doc: &Document, at: &[&str], dir: &Path) -> Result<()> {
    match std::fs::read_dir(dir) {
        Ok(_) => Ok(()),
        Err(e) => Err(doc
            .invalid(
                at,
                &format!("the directory {} cannot be read", dir.display()),
            )
            .why("It is missing, no directory, or not readable.")
            .next("Correct the path; it starts at the directory of this file.")
            .detail(e.to_string())),
    }
}

/// The beginning of a file, which shows that it can be read as well.
fn head(doc: &Document, at: &[&str], file: &Path) -> Result<Vec<u8>> {
    let read = || {
        let opened = File::open(file)?;
        if !opened.metadata()?.is_file() {
            return Err(std::io::Error::other("it is no regular file"));
        }
        let mut head = Vec::new();
        // Comments and licences stand before the first tag of a picture, and
        // texts before a certificate.
        opened.take(64 * 1024).read_to_end(&mut head)?;
        Ok(head)
    };
    read().map_err(|e: std::io::Error| {
        doc.invalid(at, &format!("the file {} cannot be read", file.display()))
            .why("It is missing, no file, or not readable.")
            .next("Correct the path; it starts at the directory of this file.")
            .detail(e.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn kinds_of_pictures() {
        for (head, expected) in [
            (&b"\x89PNG\r\n\x1a\n\0\0"[..], Some("PNG")),
            (b"<svg xmlns=\"x\">", Some("SVG")),
            (
                b"\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- x -->\n<svg:svg>",
                Some("SVG"),
            ),
            (b"\n <!-- x --><svg>", Some("SVG")),
            (b"<html>", None),
            (b"a <svg>", None),
            (b"\xff\xd8\xff\xe0", None),
            (b"", None),
        ] {
            assert_eq!(Kind::of(head).map(Kind::name), expected, "{head:?}");
        }
    }
}
