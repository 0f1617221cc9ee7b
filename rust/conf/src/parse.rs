// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading `bootc.conf`.

use std::path::Path;

use contract::customise_plan::UpdatesPlan;
use contract::plan::{AUTO, BootloaderChoice};
use yaml_doc::{Document, Mistake, Section};

use crate::keys::BOOTC_CONF;
use crate::{Config, Login, RegistryEntry, Transport, page};

type Result<T> = std::result::Result<T, Mistake>;

/// Reads the text of the file `path`.
pub(super) fn config(path: &Path, text: &str) -> Result<Config> {
    let dir = path.parent().unwrap_or(Path::new("/"));
    let doc = Document::new(path, dir, text);
    // Variables first: every other text may use them. They are read before any is
    // defined, so that none can use another, which also rules out loops.
    let variables = Section::root(&doc, &BOOTC_CONF)?.named_texts("variables")?;
    let doc = doc.with_variables(variables);
    let top = Section::root(&doc, &BOOTC_CONF)?;

    let mut config = Config {
        path: path.to_owned(),
        container_url: top.text("containerUrl")?,
        target_imgref: top.text("targetImgref")?,
        source: top.text("source")?,
        runtime_root: top.path("runtimeRoot")?,
        transport: transport(&top)?,
        stateroot: top.text("stateroot")?,
        keep_credentials: top.flag("keepCredentials")?,
        keep_registries: top.flag("keepRegistries")?,
        no_signature_verification: top.flag("noSignatureVerification")?,
        download_path: top.path("downloadPath")?,
        updates: match top.text("updates")?.as_deref() {
            None => None,
            Some("manual") => Some(UpdatesPlan::Manual),
            Some("required") => Some(UpdatesPlan::Required),
            Some(_) => Some(UpdatesPlan::Automatic),
        },
        ..Config::default()
    };
    approach(&top, &mut config)?;
    for text in top.texts("layouts")? {
        config.layouts.push(match text.as_str() {
            AUTO => AUTO.into(),
            path => doc.resolve(path),
        });
    }
    without_effect(&top, &mut config)?;
    let auth = top.section_or_empty("registryAuth")?;
    for (prefix, section) in auth.named("registries")? {
        config.registries.push(registry(prefix, &section)?);
    }
    install_options(&top.section_or_empty("installOptions")?, &mut config)?;
    config.page = page::page(&top.section_or_empty("page")?)?;
    something_to_choose(&doc, &config)?;
    Ok(config)
}

/// A page that neither has an image nor lets one be named leads nowhere.
fn something_to_choose(doc: &Document, config: &Config) -> Result<()> {
    let page = &config.page;
    if page.allow_other || !page.catalogue.is_empty() || config.container_url.is_some() {
        return Ok(());
    }
    Err(doc
        .invalid(&["page", "allowOther"], "there is no image to choose")
        .why("No other image may be named, the catalogue is empty, and `containerUrl` is missing.")
        .next("Add images to `page.catalogue`, or a `containerUrl`."))
}

/// Calamares plays the part of the kickstart: only the direct way exists.
fn approach(top: &Section, config: &mut Config) -> Result<()> {
    const KEY: &str = "installationApproach";
    let tool = match top.unchecked(KEY)?.as_deref() {
        Some("kickstart") => Some(("kickstart", "Anaconda")),
        Some("ignition") => Some(("ignition", "Ignition")),
        _ => None,
    };
    if let Some((approach, tool)) = tool {
        return Err(top
            .invalid(KEY, &format!("the approach `{approach}` does not exist here"))
            .why(format!(
                "It hands the whole installation to {tool}, which would partition the disk again and is not in a Debian live system."
            ))
            .next("Remove the key, or write `direct`: the image's own bootc then installs it."));
    }
    if top.text(KEY)?.as_deref() == Some("systemd") {
        config.warnings.push(format!(
            "{}: `{KEY}: systemd` means `direct`: the program that reads this file installs by itself. The service that installs without a person goes by a recipe (docs/unattended.md).",
            top.doc().name()
        ));
    }
    for key in ["kickstartOptions", "ignitionOptions"] {
        if top.has(key) {
            config.warnings.push(format!(
                "{}: `{key}` has no effect, since the image's own bootc installs it.",
                top.doc().name()
            ));
        }
    }
    Ok(())
}

fn transport(top: &Section) -> Result<Option<Transport>> {
    const KEY: &str = "transport";
    let name = top.unchecked(KEY)?;
    if let Some(name @ ("oci-archive" | "docker-archive" | "containers-storage" | "dir")) =
        name.as_deref()
    {
        return Err(top
            .invalid(KEY, &format!("images cannot be installed from `{name}`"))
            .why("It would need a second copy of the whole image in memory.")
            .next("Push the image to a registry, or copy it to an OCI layout directory (skopeo copy … oci:DIR:TAG) and use `oci`."));
    }
    Ok(match top.text(KEY)?.as_deref() {
        None => None,
        Some("oci") => Some(Transport::Oci),
        Some(_) => Some(Transport::Registry),
    })
}

/// Keys of the format that something else decides.
fn without_effect(top: &Section, config: &mut Config) -> Result<()> {
    if let Some(remote) = top.text("remote")?
        && remote != "default"
        && Some(&remote) != config.stateroot.as_ref()
    {
        config.warnings.push(format!(
            "{}: `remote: {remote}` has no effect: container images have no ostree remote.",
            top.doc().name()
        ));
    }
    if top.has("integration") {
        config.warnings.push(format!(
            "{}: `integration` has no effect: the order of modules is in settings.conf.",
            top.doc().name()
        ));
    }
    Ok(())
}

fn registry(prefix: String, section: &Section) -> Result<RegistryEntry> {
    let auth = section.secret("auth")?;
    let username = section.text("username")?;
    let password = section.secret("password")?;
    let password_file = section.path("passwordFile")?;
    let login = match (auth, username, password, password_file) {
        (None, None, None, None) => None,
        (Some(auth), None, None, None) => Some(Login::Encoded(auth)),
        (None, Some(username), Some(password), None) => {
            Some(Login::Password { username, password })
        }
        (None, Some(username), None, Some(path)) => Some(Login::PasswordFile { username, path }),
        _ => {
            return Err(section
                .doc()
                .invalid(&section.at_itself(), "the credentials do not fit together")
                .why("There must be `auth` alone, or `username` with one of `password` and `passwordFile`.")
                .next("Remove what is too much, or add what is missing."));
        }
    };
    Ok(RegistryEntry {
        prefix,
        login,
        insecure: section.flag("insecure")?.unwrap_or(false),
        ca: section.path("ca")?,
        mirrors: section.texts("mirrors")?,
        signature_keys: section.paths("signatureKeys")?,
        signature_pems: Vec::new(),
    })
}

fn install_options(options: &Section, config: &mut Config) -> Result<()> {
    if options.text("target_disk")?.is_some() {
        config.warnings.push(format!(
            "{}: `installOptions.target_disk` has no effect: the target is what the partitioning mounted.",
            options.doc().name()
        ));
    }
    if let Some(arch) = options.text("target_arch")? {
        let (wanted, host) = (imageref::Platform::linux(&arch), imageref::Platform::host());
        if wanted.architecture != host.architecture {
            return Err(options
                .invalid(
                    "target_arch",
                    &format!(
                        "`{arch}` is not the architecture of this machine ({})",
                        host.architecture
                    ),
                )
                .why("The image's own bootc runs during the installation.")
                .next("Install on a machine of that architecture, or remove the key."));
        }
    }
    if options.text("rootfs_type")?.is_some() {
        config.warnings.push(format!(
            "{}: `installOptions.rootfs_type` has no effect: the file system is the one that the partitioning made.",
            options.doc().name()
        ));
    }
    config.bootloader = match options.text("bootloader")?.as_deref() {
        None => None,
        Some("grub" | "grub2") => Some(BootloaderChoice::Grub),
        Some("systemd" | "systemd-boot") => Some(BootloaderChoice::Systemd),
        Some("none") => Some(BootloaderChoice::None),
        Some(_) => Some(BootloaderChoice::Auto),
    };
    config.kargs = options.texts("kargs")?;
    config.kargs_delete = options.texts("kargsDelete")?;
    config.enforce_sigpolicy = options.flag("enforceContainerSigpolicy")?;
    config.disable_selinux = options.flag("disableSelinux")?;
    Ok(())
}
