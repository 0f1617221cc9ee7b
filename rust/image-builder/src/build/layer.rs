// SPDX-License-Identifier: MIT OR Apache-2.0
//! The product's layer: the files by which one distro's medium differs from
//! another's. They become a small squashfs of their own, which live-boot lays
//! over the big one, because its name sorts behind it. A change of names,
//! pictures or images therefore costs seconds and not a new live system.

use std::path::Path;

use serde_yaml::Mapping;

use super::branding;
use super::files::Files;
use super::packaged::{Edited, LOCALE, SETTINGS};
use crate::config::{BootcConf, Distro};
use crate::error::{Error, Result};

/// The squashfs on the medium. `filesystem.squashfs` is live-build's.
pub const ON_MEDIUM: &str = "live/product.squashfs";
/// The layer in the work directory.
pub(super) const DIR: &str = "layer";
/// The same as a squashfs.
pub(super) const SQUASHFS: &str = "layer.squashfs";
/// Our whole configuration of Calamares on the medium.
const CALAMARES: &str = "etc/calamares-bootc";
/// Keeps the logs, before the target is closed.
const SAVE_LOGS: &str = "\
# The module shellprocess: the logs of the installation go to the installed
# system. They are copied by the live system, and a failure of it is none of
# the installation.
---
dontChroot: true
timeout: 60
script:
    - command: \"-/usr/libexec/installer/save-logs ${ROOT}\"
";

/// All files of it but the compiled locale.
///
/// # Errors
/// `IO` when a file that the distro names cannot be read.
pub fn layer(distro: &Distro, conf: &BootcConf) -> Result<Files> {
    let mut files = Files::new();
    let component = branding::add(distro, &mut files)?;
    files.add(
        format!("{CALAMARES}/settings.conf"),
        settings(component.as_deref())?,
    );
    files.add(format!("{CALAMARES}/modules/installerlogs.conf"), SAVE_LOGS);
    files.add(
        format!("{CALAMARES}/modules/bootc.conf"),
        conf.text.as_str(),
    );
    if let Some(text) = location(distro)? {
        files.add(format!("{CALAMARES}/modules/locale.conf"), text);
    }
    for (from, to) in &conf.files {
        files.add_file(from, to.trim_start_matches('/'))?;
    }
    files.add("etc/hostname", format!("{}-installer\n", distro.product.id));
    files.add("etc/hosts", hosts(&distro.product.id));
    files.add(
        "etc/default/locale",
        format!("LANG={}\n", distro.live.locale),
    );
    files.add("etc/default/keyboard", keyboard(distro));
    files.add(
        "etc/X11/xorg.conf.d/20-keyboard.conf",
        xorg_keyboard(distro),
    );
    files.add("etc/timezone", format!("{}\n", distro.live.timezone));
    files.link(
        "etc/localtime",
        Path::new("/usr/share/zoneinfo").join(&distro.live.timezone),
    );
    Ok(files)
}

/// The packaged sequence with the job that keeps the logs, and the branding.
fn settings(component: Option<&str>) -> Result<String> {
    let mut text = Edited::of(SETTINGS);
    text.replace(
        "instances:\n",
        "instances:\n- id: installerlogs\n  module: shellprocess\n  config: installerlogs.conf\n",
    )?;
    text.replace(
        "  - bootccleanup\n",
        "  - shellprocess@installerlogs\n  - bootccleanup\n",
    )?;
    if let Some(name) = component {
        let neutral = format!("branding: {}\n", branding::NEUTRAL);
        text.replace(&neutral, &format!("branding: {name}\n"))?;
    }
    Ok(text.text())
}

/// The packaged page of the location with the place of the distro; none when it
/// names none, and the page follows the language.
fn location(distro: &Distro) -> Result<Option<String>> {
    let mut keys = Mapping::new();
    // As the page's map has it: no place is in the area Etc.
    if let Some((region, zone)) = distro.live.timezone.split_once('/')
        && region != "Etc"
    {
        keys.insert("region".into(), region.into());
        keys.insert("zone".into(), zone.into());
    }
    if let Some(url) = &distro.live.geoip {
        let geoip = [("style", "json"), ("url", url.as_str()), ("selector", "")];
        let geoip = geoip.map(|(key, value)| (key.into(), value.into()));
        keys.insert("geoip".into(), Mapping::from_iter(geoip).into());
    }
    if keys.is_empty() {
        return Ok(None);
    }
    let keys = serde_yaml::to_string(&keys).map_err(|err| {
        Error::defect("locale.conf of the medium cannot be written.").detail(err.to_string())
    })?;
    Ok(Some(format!("{}\n# Of distro.yaml.\n{keys}", LOCALE.text)))
}

fn hosts(id: &str) -> String {
    format!(
        "127.0.0.1\tlocalhost\n127.0.1.1\t{id}-installer\n::1\tlocalhost ip6-localhost ip6-loopback\n"
    )
}

fn keyboard(distro: &Distro) -> String {
    format!(
        "XKBMODEL=\"pc105\"\nXKBLAYOUT=\"{}\"\nXKBVARIANT=\"{}\"\nXKBOPTIONS=\"\"\nBACKSPACE=\"guess\"\n",
        distro.live.keyboard_layout, distro.live.keyboard_variant
    )
}

fn xorg_keyboard(distro: &Distro) -> String {
    format!(
        "Section \"InputClass\"\n    Identifier \"keyboard of the medium\"\n    MatchIsKeyboard \"on\"\n    \
         Option \"XkbLayout\" \"{}\"\n    Option \"XkbVariant\" \"{}\"\nEndSection\n",
        distro.live.keyboard_layout, distro.live.keyboard_variant
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn logs_are_kept_before_the_target_is_closed() {
        let text = settings(None).unwrap();
        assert_eq!(text.matches("installerlogs").count(), 3, "{text}");
        let logs = text.find("- shellprocess@installerlogs").unwrap();
        assert!(text.find("- users").unwrap() < logs);
        assert!(logs < text.find("- bootccleanup").unwrap());
        assert!(text.contains("branding: calamares-bootc\n"));
        assert!(settings(Some("mine")).unwrap().contains("branding: mine\n"));
        // It is YAML still.
        let value: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
        assert_eq!(value["instances"].as_sequence().unwrap().len(), 2);
    }

    #[test]
    fn the_program_that_keeps_the_logs_is_on_the_medium() {
        let name = "usr/libexec/installer/save-logs";
        assert!(SAVE_LOGS.contains(&format!("\"-/{name} ")));
        let tree = crate::build::tree::tree(&Distro::default()).unwrap();
        assert!(tree.contains(Path::new("includes.chroot_after_packages").join(name)));
    }

    #[test]
    fn the_session_speaks_the_language_of_the_distro() {
        let mut distro = Distro::default();
        distro.live.locale = "de_DE.UTF-8".into();
        distro.live.keyboard_layout = "de".into();
        distro.live.timezone = "Europe/Berlin".into();
        let files = layer(&distro, &BootcConf::default()).unwrap();
        assert_eq!(files.text("etc/default/locale"), Some("LANG=de_DE.UTF-8\n"));
        assert!(
            files
                .text("etc/default/keyboard")
                .unwrap()
                .contains("XKBLAYOUT=\"de\"")
        );
        assert!(
            files
                .text("etc/X11/xorg.conf.d/20-keyboard.conf")
                .unwrap()
                .contains("\"XkbLayout\" \"de\"")
        );
        assert_eq!(files.text("etc/hostname"), Some("debian-bootc-installer\n"));
    }

    /// What Calamares reads of the page of the location.
    fn place(timezone: &str, geoip: Option<&str>) -> Option<serde_yaml::Value> {
        let mut distro = Distro::default();
        distro.live.timezone = timezone.into();
        distro.live.geoip = geoip.map(str::to_owned);
        let files = layer(&distro, &BootcConf::default()).unwrap();
        let text = files.text("etc/calamares-bootc/modules/locale.conf")?;
        Some(serde_yaml::from_str(text).unwrap())
    }

    #[test]
    fn the_map_starts_where_the_distro_is() {
        let berlin = place("Europe/Berlin", None).unwrap();
        assert_eq!(berlin["region"], "Europe");
        assert_eq!(berlin["zone"], "Berlin");
        assert_eq!(berlin["adjustLiveTimezone"], false);
        assert!(berlin["geoip"].is_null());
        let far = place("America/Argentina/Ushuaia", None).unwrap();
        assert_eq!(far["region"], "America");
        assert_eq!(far["zone"], "Argentina/Ushuaia");
    }

    #[test]
    fn without_a_place_the_map_follows_the_language() {
        for timezone in ["UTC", "Etc/UTC", "Etc/GMT+5"] {
            assert_eq!(place(timezone, None), None, "{timezone}");
        }
        // The module bootc leaves a page alone that has any of these.
        let packaged: serde_yaml::Value = serde_yaml::from_str(LOCALE.text).unwrap();
        for key in ["region", "zone", "geoip"] {
            assert!(packaged.get(key).is_none(), "{key}");
        }
    }

    #[test]
    fn nobody_is_asked_where_the_machine_is_unless_the_distro_says_whom() {
        let asks = place("Europe/Berlin", Some("https://geoip.example/v1?a=b#c: d")).unwrap();
        assert_eq!(asks["geoip"]["url"], "https://geoip.example/v1?a=b#c: d");
        assert_eq!(asks["geoip"]["style"], "json");
        assert_eq!(asks["zone"], "Berlin");
        let asks = place("UTC", Some("https://geoip.example/")).unwrap();
        assert!(asks.get("zone").is_none());
    }
}
