// SPDX-License-Identifier: MIT OR Apache-2.0
//! The branding component of Calamares: the neutral one with the distro's names
//! and pictures, or a whole one of the distro's own.

use std::path::Path;

use super::files::Files;
use super::packaged::{BRANDING, Edited};
use crate::config::Distro;
use crate::error::Result;

/// The component that comes with the packages.
pub(super) const NEUTRAL: &str = "calamares-bootc";
/// Where components are on the medium.
const COMPONENTS: &str = "usr/share/calamares-bootc/branding";

/// Adds what differs from the packages' component; the name of the component
/// when it is another one.
///
/// # Errors
/// `IO` when a file that the distro names cannot be read.
pub(super) fn add(distro: &Distro, files: &mut Files) -> Result<Option<String>> {
    if let Some(dir) = &distro.branding.component {
        let name = dir
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        files.add_tree(dir, &Path::new(COMPONENTS).join(&name))?;
        return Ok(Some(name));
    }
    let dir = Path::new(COMPONENTS).join(NEUTRAL);
    let mut images = Vec::new();
    for (key, name, picture) in [
        ("productIcon", "icon", &distro.branding.icon),
        ("productLogo", "logo", &distro.branding.logo),
        ("productWelcome", "welcome", &distro.branding.welcome),
    ] {
        if let Some(from) = picture {
            let file = format!("product-{name}.{}", extension(from));
            files.add_file(from, dir.join(&file))?;
            images.push((key, file));
        }
    }
    let mut slides = Vec::new();
    for (n, from) in distro.branding.slides.iter().enumerate() {
        let file = format!("product-slide-{n}.{}", extension(from));
        files.add_file(from, dir.join(&file))?;
        slides.push(file);
    }
    files.add(
        dir.join("branding.desc"),
        description(distro, &images, &slides)?,
    );
    Ok(None)
}

fn extension(path: &Path) -> String {
    path.extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase()
}

/// branding.desc with the distro's words in it. Comments and the order of the
/// neutral one stay.
fn description(distro: &Distro, images: &[(&str, String)], slides: &[String]) -> Result<String> {
    let product = &distro.product;
    let versioned = match product.version.is_empty() {
        true => product.name.clone(),
        false => format!("{} {}", product.name, product.version),
    };
    let short_versioned = match product.version.is_empty() {
        true => product.short_name.clone(),
        false => format!("{} {}", product.short_name, product.version),
    };
    let mut values: Vec<(&str, String)> = vec![
        ("productName", product.name.clone()),
        ("shortProductName", product.short_name.clone()),
        ("version", product.version.clone()),
        ("shortVersion", product.version.clone()),
        ("versionedName", versioned),
        ("shortVersionedName", short_versioned),
        ("bootloaderEntryName", product.short_name.clone()),
        ("productUrl", product.url.clone()),
        ("supportUrl", product.support_url.clone()),
    ];
    values.extend(images.iter().map(|(key, file)| (*key, file.clone())));
    if let Some(colour) = &distro.branding.sidebar_background {
        values.push(("SidebarBackground", colour.clone()));
        values.push(("SidebarTextCurrent", colour.clone()));
    }
    if let Some(colour) = &distro.branding.sidebar_text {
        values.push(("SidebarText", colour.clone()));
        values.push(("SidebarBackgroundCurrent", colour.clone()));
    }
    let mut text = Edited::of(BRANDING);
    for (key, value) in values {
        text.set(key, &quoted(&value))?;
    }
    if !slides.is_empty() {
        // A list of pictures is a slide show of its own kind.
        let slides: Vec<String> = slides.iter().map(|file| quoted(file)).collect();
        text.set("slideshow", &format!("[ {} ]", slides.join(", ")))?;
    }
    Ok(text.text())
}

/// A text as YAML has it between double quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parsed(text: &str) -> serde_yaml::Value {
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn names_pictures_and_colours_are_the_distros() {
        let dir = tempfile::tempdir().unwrap();
        let logo = dir.path().join("my.SVG");
        std::fs::write(&logo, "<svg/>").unwrap();
        let slide = dir.path().join("1.png");
        std::fs::write(&slide, "png").unwrap();
        let mut distro = Distro::default();
        distro.product.name = "My: System".into();
        distro.product.version = "13".into();
        distro.branding.logo = Some(logo);
        distro.branding.slides = vec![slide];
        distro.branding.sidebar_background = Some("#112233".into());
        let mut files = Files::new();
        assert_eq!(add(&distro, &mut files).unwrap(), None);
        let base = Path::new(COMPONENTS).join(NEUTRAL);
        let desc = parsed(files.text(base.join("branding.desc")).unwrap());
        assert_eq!(desc["componentName"], NEUTRAL);
        assert_eq!(desc["strings"]["productName"], "My: System");
        assert_eq!(desc["strings"]["versionedName"], "My: System 13");
        assert_eq!(desc["images"]["productLogo"], "product-logo.svg");
        assert_eq!(desc["images"]["productIcon"], "icon.svg");
        assert_eq!(desc["style"]["SidebarBackground"], "#112233");
        assert_eq!(desc["slideshow"][0], "product-slide-0.png");
        assert!(files.contains(base.join("product-logo.svg")));
    }

    #[test]
    fn every_name_of_the_neutral_component_can_be_changed() {
        let mut distro = Distro::default();
        distro.product.name = "N".into();
        distro.product.short_name = "S".into();
        distro.product.url = "https://u.example/".into();
        distro.product.support_url = "https://s.example/".into();
        let desc = parsed(&description(&distro, &[], &[]).unwrap());
        let strings = desc["strings"].as_mapping().unwrap();
        for (key, expected) in [
            ("productName", "N"),
            ("shortProductName", "S"),
            ("bootloaderEntryName", "S"),
            ("productUrl", "https://u.example/"),
            ("supportUrl", "https://s.example/"),
        ] {
            assert_eq!(strings[key], expected, "{key}");
        }
    }

    #[test]
    fn a_component_of_the_distros_own_is_taken_whole() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("mine");
        std::fs::create_dir(&own).unwrap();
        std::fs::write(own.join("branding.desc"), "componentName: mine\n").unwrap();
        let mut distro = Distro::default();
        distro.branding.component = Some(own);
        let mut files = Files::new();
        assert_eq!(add(&distro, &mut files).unwrap().as_deref(), Some("mine"));
        assert!(files.contains("usr/share/calamares-bootc/branding/mine/branding.desc"));
    }
}
