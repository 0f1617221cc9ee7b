// SPDX-License-Identifier: MIT OR Apache-2.0
//! A kickstart for Anaconda: the commands of
//! <https://pykickstart.readthedocs.io/en/latest/kickstart-docs.html> that install
//! a container, and no `%packages`. What a version cannot say is refused: a
//! machine would only miss it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conf::{KickstartNetwork, Partitioning, Rendering};
use contract::customise_plan::{UPDATE_TIMER, UpdatesPlan, UserPlan};
use contract::disk_plan::{DiskFs, Table};
use contract::plan::{BootloaderChoice, Plan};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

use super::host_file::HostFile;
use super::ks_version::{Command, KsVersion};
use crate::config::Live;
use crate::disk::wish::Layout;
use crate::error::{Code, Error, Result};

/// Where Anaconda's ostree and bootc look for logins, and the installed
/// system's.
const AUTH: &str = "/etc/ostree/auth.json";
/// The least size of the root in MiB, where a blueprint names none.
const ROOT_MIB: u64 = 4096;
/// Columns of base64.
const COLUMNS: usize = 76;

/// What a kickstart is made of.
#[derive(Debug)]
pub(super) struct Kickstart<'a> {
    /// For which Anaconda.
    pub(super) version: KsVersion,
    /// Image, registries, kernel arguments; people, files and units.
    pub(super) plan: &'a Plan,
    /// What else bootc.conf says.
    pub(super) options: &'a Rendering,
    /// The disk that is overwritten; without one Anaconda asks.
    pub(super) disk: Option<&'a str>,
    /// Of the root.
    pub(super) filesystem: DiskFs,
    /// Sizes that a blueprint wishes.
    pub(super) layout: &'a Layout,
    /// Language, keyboard and time zone.
    pub(super) live: &'a Live,
    /// Logins, which are written into the file.
    pub(super) auth: Option<&'a SecretString>,
    /// How registries are reached.
    pub(super) reaching: &'a [HostFile],
}

/// The lines of a kickstart.
#[derive(Default)]
struct Lines(Zeroizing<String>);

impl Lines {
    /// A command. Anaconda reads words as a POSIX shell does.
    fn command<A: AsRef<str>>(&mut self, words: impl IntoIterator<Item = A>) -> Result<()> {
        let words: Vec<_> = words.into_iter().collect();
        let words = words.iter().map(AsRef::as_ref);
        let line = host::cmd::command_line(words);
        if line.contains(char::is_control) {
            return Err(
                invalid("An end of line is in what is written as one.".into())
                    .why("Names, keys and kernel arguments are one line each."),
            );
        }
        self.0.push_str(&line);
        self.0.push('\n');
        Ok(())
    }

    fn comment(&mut self, text: &str) {
        self.0.push_str(&format!("\n# {text}\n"));
    }

    /// A script that writes files, as text that no shell and no Anaconda reads
    /// as anything else.
    fn script(&mut self, section: &str, files: &[HostFile]) {
        if files.is_empty() {
            return;
        }
        self.0
            .push_str(&format!("\n{section} --erroronfail\nset -eu\numask 077\n"));
        for file in files {
            let quote = |word: &str| host::cmd::command_line([word]);
            let path = quote(&file.path);
            let dir = file.path.rsplit_once('/').map_or("/", |(dir, _)| dir);
            let text = Zeroizing::new(STANDARD.encode(&file.contents));
            let (dir, owner, mode) = (quote(dir), quote(&file.owner), file.mode);
            self.0.push_str(&format!(
                "(umask 022; mkdir -p {dir})\nbase64 -d > {path} <<'END'\n"
            ));
            let mut rest = text.as_str();
            while !rest.is_empty() {
                let (line, more) = rest.split_at(COLUMNS.min(rest.len()));
                self.0.push_str(line);
                self.0.push('\n');
                rest = more;
            }
            self.0.push_str(&format!(
                "END\nchown {owner} {path}\nchmod {mode:04o} {path}\n"
            ));
        }
        self.0.push_str("%end\n");
    }
}

impl Kickstart<'_> {
    /// The text; a secret when there are logins or hashes in it.
    ///
    /// # Errors
    /// `CONFIG_INVALID` for what this version cannot say.
    pub(super) fn text(&self) -> Result<Zeroizing<String>> {
        self.refuse()?;
        let mut lines = Lines::default();
        lines.0.push_str(&format!(
            "# Kickstart for {} that installs {}.\n# Rendered by debian-bootc-image-builder {}.\n",
            self.version.name(),
            self.plan.image.imgref,
            env!("CARGO_PKG_VERSION")
        ));
        lines.command(["text"])?;
        self.place(&mut lines)?;
        self.network(&mut lines)?;
        lines.comment("The disk.");
        self.disk(&mut lines)?;
        lines.comment("The image. There are no packages beside it.");
        self.container(&mut lines)?;
        self.boot_loader(&mut lines)?;
        lines.comment("Who can log in.");
        self.accounts(&mut lines)?;
        self.services(&mut lines)?;
        lines.comment("At the end.");
        lines.command(["reboot"])?;
        let login = self.auth.map(|auth| {
            let bytes = auth.expose_secret().as_bytes().to_vec();
            HostFile::of_root(AUTH, 0o600, bytes)
        });
        let before: Vec<_> = self.reaching.iter().chain(&login).cloned().collect();
        lines.script("%pre", &before);
        lines.script("%post", &self.installed(login.as_ref())?);
        Ok(lines.0)
    }

    /// What is in the installed system beside the image.
    fn installed(&self, login: Option<&HostFile>) -> Result<Vec<HostFile>> {
        let deployment = &self.plan.deployment;
        let mut files = Vec::new();
        if deployment.keep_registries {
            files.extend(self.reaching.iter().cloned());
        }
        if deployment.keep_auth {
            files.extend(login.cloned());
        }
        for file in &deployment.files {
            let mode = file.bits().unwrap_or(0o600);
            files.push(HostFile {
                path: file.path.clone(),
                mode,
                owner: file.owner.clone().unwrap_or_else(|| "root:root".into()),
                contents: file.contents.clone().into_bytes(),
            });
        }
        Ok(files)
    }

    /// What no version says, and what this one does not.
    fn refuse(&self) -> Result<()> {
        let Plan { image, bootc, .. } = self.plan;
        let name = self.version.name();
        let keys = self
            .plan
            .registries
            .iter()
            .any(|r| !r.signature_keys.is_empty());
        if keys && !image.no_signature_verification {
            return Err(invalid("A kickstart cannot demand a signature of the image.".into())
                .why("Anaconda's commands know no public keys, and `signatureKeys` asks for some.")
                .next("Leave `signatureKeys` out, or install from the medium, which verifies."));
        }
        if bootc.enforce_sigpolicy {
            return Err(
                invalid("A kickstart cannot say `enforceContainerSigpolicy`.".into())
                    .why("Anaconda calls bootc itself, and has no option for that.")
                    .next("Leave it out, or install from the medium."),
            );
        }
        if !bootc.kargs_delete.is_empty() {
            return Err(
                invalid("A kickstart cannot leave kernel arguments out.".into())
                    .why("Anaconda only adds some.")
                    .next("Take them out of the image (/usr/lib/bootc/kargs.d)."),
            );
        }
        if self.version.command == Command::OstreeContainer && image.target_imgref.is_some() {
            return Err(invalid(format!(
                "A kickstart for {name} cannot update from another image."
            ))
            .why("Its `ostreecontainer` updates from where it installs from.")
            .next("Take F43, RHEL10 or later, or leave the other reference out."));
        }
        if bootc.bootloader == BootloaderChoice::Systemd
            && self.version.command != Command::BootcWithLoader
        {
            return Err(invalid(format!(
                "A kickstart for {name} cannot choose systemd-boot."
            ))
            .why("`bootc --bootloader` came with F45.")
            .next("Take --ks-version F45, or leave `bootloader` out."));
        }
        if self.layout.esp_bytes.is_some() || self.layout.disk_bytes != 0 {
            return Err(invalid(
                "A kickstart cannot choose the size of the EFI system partition or of the disk."
                    .into(),
            )
            .why("Anaconda makes what the firmware needs, on the disk that there is.")
            .next("Leave /boot/efi and `minsize` of the disk out of the blueprint."));
        }
        Ok(())
    }

    fn place(&self, lines: &mut Lines) -> Result<()> {
        // No language of Anaconda's; it has its messages in this one anyway.
        let lang = match self.live.locale.as_str() {
            "C.UTF-8" => "en_US.UTF-8",
            other => other,
        };
        let keyboard = match self.live.keyboard_variant.as_str() {
            "" => self.live.keyboard_layout.clone(),
            variant => format!("{} ({variant})", self.live.keyboard_layout),
        };
        lines.command(["lang", lang])?;
        lines.command(["keyboard", &format!("--xlayouts={keyboard}")])?;
        lines.command(["timezone", &self.live.timezone, "--utc"])
    }

    fn network(&self, lines: &mut Lines) -> Result<()> {
        let mut words = vec!["network".to_owned()];
        if self.options.kickstart.network == KickstartNetwork::Dhcp {
            words.extend(["--bootproto=dhcp", "--device=link", "--activate"].map(Into::into));
        }
        if let Some(name) = &self.plan.deployment.hostname {
            words.push(format!("--hostname={name}"));
        }
        match words.len() {
            1 => Ok(()),
            _ => lines.command(words),
        }
    }

    fn disk(&self, lines: &mut Lines) -> Result<()> {
        let Some(disk) = self.disk else {
            lines.0.push_str("# None is named: Anaconda asks.\n");
            return Ok(());
        };
        let label = match self.layout.table {
            Table::Gpt => "gpt",
            Table::Mbr => "msdos",
        };
        lines.command(["ignoredisk", &format!("--only-use={disk}")])?;
        lines.command(["zerombr"])?;
        lines.command([
            "clearpart",
            "--all",
            "--initlabel",
            &format!("--disklabel={label}"),
            &format!("--drives={disk}"),
        ])?;
        let fs = self.filesystem;
        let mib = |bytes: u64| bytes.div_ceil(1 << 20);
        if self.options.kickstart.partitioning == Partitioning::Autopart {
            if self.layout.root_bytes != 0 || self.layout.boot_bytes.is_some() {
                return Err(invalid("`autopart` takes no sizes.".into())
                    .why("The blueprint has some for file systems.")
                    .next("Write `partitioning: plain`, or leave the sizes out."));
            }
            let fs = format!("--fstype={fs}");
            return lines.command(["autopart", "--type=plain", "--nohome", "--noswap", &fs]);
        }
        match self.layout.boot_bytes {
            None => lines.command(["reqpart", "--add-boot"])?,
            Some(bytes) => {
                lines.command(["reqpart"])?;
                let size = format!("--size={}", mib(bytes));
                lines.command(["part", "/boot", "--fstype=ext4", &size])?;
            }
        }
        let size = match self.layout.root_bytes {
            0 => ROOT_MIB,
            bytes => mib(bytes),
        };
        let (fs, size) = (format!("--fstype={fs}"), format!("--size={size}"));
        lines.command(["part", "/", &fs, &size, "--grow"])
    }

    fn container(&self, lines: &mut Lines) -> Result<()> {
        let Plan { image, bootc, .. } = self.plan;
        let stateroot = format!("--stateroot={}", bootc.stateroot);
        if self.version.command == Command::OstreeContainer {
            let mut words = vec!["ostreecontainer".to_owned(), stateroot];
            words.extend(
                self.options
                    .remote
                    .as_ref()
                    .map(|r| format!("--remote={r}")),
            );
            words.push("--transport=registry".into());
            words.push(format!("--url={}", image.imgref));
            if image.no_signature_verification {
                words.push("--no-signature-verification".into());
            }
            return lines.command(words);
        }
        let mut words = vec![
            "bootc".to_owned(),
            stateroot,
            // The source with its transport, the target without.
            format!("--source-imgref=registry:{}", image.imgref),
            format!("--target-imgref={}", image.origin()),
        ];
        if self.version.command == Command::BootcWithLoader {
            let loader = match bootc.bootloader {
                BootloaderChoice::Auto => None,
                BootloaderChoice::Grub => Some("grub"),
                BootloaderChoice::Systemd => Some("systemd"),
                BootloaderChoice::None => Some("none"),
            };
            words.extend(loader.map(|name| format!("--bootloader={name}")));
            // The boot loader of UKIs has no other backend.
            words.extend((loader == Some("systemd")).then(|| "--composefs".to_owned()));
        }
        lines.command(words)
    }

    fn boot_loader(&self, lines: &mut Lines) -> Result<()> {
        let bootc = &self.plan.bootc;
        let mut words = vec!["bootloader".to_owned()];
        if bootc.bootloader == BootloaderChoice::None {
            words.push("--location=none".into());
        }
        if !bootc.kargs.is_empty() {
            words.push(format!("--append={}", bootc.kargs.join(" ")));
        }
        if words.len() > 1 {
            lines.command(words)?;
        }
        match bootc.disable_selinux {
            true => lines.command(["selinux", "--disabled"]),
            false => Ok(()),
        }
    }

    fn accounts(&self, lines: &mut Lines) -> Result<()> {
        let deployment = &self.plan.deployment;
        let root = deployment.users.iter().find(|user| user.name == "root");
        match root.and_then(|root| root.password_hash.as_ref()) {
            Some(hash) => lines.command(["rootpw", "--iscrypted", hash.expose()])?,
            None => lines.command(["rootpw", "--lock"])?,
        }
        for user in deployment.users.iter().filter(|user| user.name != "root") {
            lines.command(account(user))?;
        }
        let root = deployment.root_ssh_keys.iter().map(|key| ("root", key));
        let users = deployment.users.iter();
        let users = users.flat_map(|user| {
            let keys = user.ssh_authorized_keys.iter();
            keys.map(|key| (user.name.as_str(), key))
        });
        for (name, key) in root.chain(users) {
            lines.command(["sshkey", &format!("--username={name}"), key])?;
        }
        Ok(())
    }

    fn services(&self, lines: &mut Lines) -> Result<()> {
        let units = &self.plan.deployment.units;
        let of = |wanted| {
            let units = units.iter().filter(move |unit| unit.enabled == wanted);
            units.map(|unit| unit.name.clone())
        };
        let mut enabled = self.options.kickstart.services.clone();
        enabled.extend(of(true));
        let mut disabled: Vec<_> = of(false).collect();
        match self.plan.deployment.updates {
            None => {}
            Some(UpdatesPlan::Manual) => disabled.push(UPDATE_TIMER.into()),
            Some(UpdatesPlan::Automatic | UpdatesPlan::Required) => {
                enabled.push(UPDATE_TIMER.into());
            }
        }
        let mut words = vec!["services".to_owned()];
        for (option, names) in [("--enabled", enabled), ("--disabled", disabled)] {
            if !names.is_empty() {
                words.push(format!("{option}={}", names.join(",")));
            }
        }
        match words.len() {
            1 => Ok(()),
            _ => lines.command(words),
        }
    }
}

fn account(user: &UserPlan) -> Vec<String> {
    let mut words = vec!["user".to_owned(), format!("--name={}", user.name)];
    if !user.groups.is_empty() {
        words.push(format!("--groups={}", user.groups.join(",")));
    }
    words.extend(user.shell.as_ref().map(|shell| format!("--shell={shell}")));
    if let Some(hash) = &user.password_hash {
        words.push(format!("--password={}", hash.expose()));
        words.push("--iscrypted".into());
    }
    words
}

fn invalid(what: String) -> Error {
    Error::new(Code::ConfigInvalid, what)
}
