// SPDX-License-Identifier: MIT OR Apache-2.0
//! The medium with Debian's own installer: what it is made of, and the lines that
//! make it. Pure, but for files of the distro.
//!
//! ```text
//! WORK/di/packages/   .deb and .udeb files, as apt verified them
//! WORK/di/udeb/       our step of the installer, as a tree
//! WORK/di/initrd/     the installer with everything that it needs
//! WORK/di/medium/     what is on the ISO
//! ```
//!
//! Debian's own kernel packages for the installer are of an older kernel now and
//! then, so that the modules are those of the kernel that starts it.

use std::collections::BTreeSet;
use std::path::Path;

use buildroot::archive::Indexed;
use include_dir::{Dir, include_dir};

use super::embed;
use super::files::Files;
use crate::config::{Distro, bootc_conf};
use crate::error::{Code, Error, Result};

static SOURCES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../iso/debian-installer");

/// Where its sources are in `iso/`, and in the tree of a distro.
pub(super) const TREE: &str = "debian-installer";
/// Its directory in the work directory.
pub(super) const DIR: &str = "di";
/// Packages that were fetched.
pub(super) const PACKAGES: &str = "di/packages";
/// The ISO.
pub(super) const ISO: &str = "di/installer.iso";
/// What the installer is made of: dpkg's list in its initrd.
pub(super) const UDEB_STATUS: &str = "di/udeb.status";
/// The same of ordinary packages, of which files are on the medium.
pub(super) const DEB_STATUS: &str = "di/deb.status";
/// Where the installer mounts its medium.
const CDROM: &str = "/cdrom";
/// Whose dependency is the kernel.
pub(super) const KERNEL: &str = "linux-image-amd64";

/// The suites whose installer is known, and the number in the name of its package.
const RELEASES: &[(&str, u32)] = &[("bookworm", 12), ("trixie", 13), ("forky", 14)];

/// The installer's steps beside those in Debian's initrd, and what they need.
/// Nothing is fetched while it runs: there is no archive behind it.
pub(super) const UDEBS: &[&str] = &[
    "btrfs-progs-udeb",
    "clock-setup",
    "di-utils-mapdevfs",
    "disk-detect",
    "dmidecode-udeb",
    "dosfstools-udeb",
    "finish-install",
    "libdevmapper1.02.1-udeb",
    "liblzo2-2-udeb",
    "libparted-fs-resize0-udeb",
    "libparted2-udeb",
    "partman-auto",
    "partman-base",
    "partman-basicfilesystems",
    "partman-basicmethods",
    "partman-btrfs",
    "partman-efi",
    "partman-ext3",
    "partman-partitioning",
    "partman-target",
    "partman-utils",
    "partman-xfs",
    "rdate-udeb",
    "tzsetup-udeb",
    "user-setup-udeb",
];

/// Ordinary packages that file systems are made with. Their udebs are built again
/// whenever these are, and a mirror has not always those that its lists name.
pub(super) const TOOLS: &[&str] = &[
    "e2fsprogs",
    "libcom-err2",
    "libext2fs2t64",
    "libinih1",
    "libss2",
    "liburcu8t64",
    "xfsprogs",
];

/// Steps that look for a Debian archive: done already.
const WITHOUT_ARCHIVE: &[&str] = &["choose-mirror", "download-installer"];
/// Steps that look for a network, which a medium with its image does not need.
const WITHOUT_NETWORK: &[&str] = &["ethdetect", "netcfg"];

/// Last steps that want apt, dpkg or a writable `/usr` in the target, or write what
/// the image has in its own way. Accounts are ours, and so is unmounting.
const NOT_FOR_IMAGES: &[&str] = &[
    "05localechooser",
    "06user-setup",
    "07brltty",
    "07rootskel",
    "07speakup",
    "08hw-detect",
    "10clock-setup",
    "10update-initramfs",
    "30hw-detect",
    "50config-target-network",
    "55netcfg-copy-config",
    "60cleanup",
    "70mtab",
    "94random-seed",
    "95umount",
];

/// Modules that no text installer uses: 70 of 110 MB.
const NO_MODULES: &[&str] = &[
    "drivers/bluetooth",
    "drivers/gpu/drm/amd",
    "drivers/gpu/drm/i915",
    "drivers/gpu/drm/nouveau",
    "drivers/gpu/drm/radeon",
    "drivers/gpu/drm/xe",
    "drivers/iio",
    "drivers/infiniband",
    "drivers/media",
    "drivers/net/wireless",
    "drivers/staging",
    "fs/ceph",
    "fs/gfs2",
    "fs/nfsd",
    "fs/ocfs2",
    "fs/smb",
    "net/bluetooth",
    "net/mac80211",
    "sound",
];

/// The package with the initrd of a suite's installer.
pub(super) fn netboot_package(suite: &str) -> Option<String> {
    let (_, number) = RELEASES.iter().find(|(name, _)| *name == suite)?;
    Some(format!("debian-installer-{number}-netboot-amd64"))
}

/// Refuses a suite whose installer is not there.
///
/// # Errors
/// `PACKAGE_UNKNOWN`.
pub(super) fn require(suite: &str, there: &[Indexed]) -> Result<String> {
    let wanted = netboot_package(suite);
    let has = |name: &String| there.iter().any(|package| package.name == *name);
    if let Some(name) = wanted.clone().filter(has) {
        return Ok(name);
    }
    let what = match wanted {
        Some(name) => format!("{suite} has no package {name}."),
        None => format!("Nothing is known of the installer of {suite}."),
    };
    Err(Error::new(Code::PackageUnknown, what)
        .why("Debian builds the installer of a suite shortly before its release.")
        .next("Write `suite: trixie`: images of other suites can be installed all the same."))
}

/// The kernel in what an installation of [`KERNEL`] would bring.
pub(super) fn kernel_of(closure: &[(String, String)]) -> Option<&str> {
    let names = closure.iter().map(|(name, _)| name.as_str());
    let mut kernels = names.filter(|name| {
        let version = name.strip_prefix("linux-image-");
        version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
    });
    kernels.next()
}

/// Names of packages that the distro's tree brings: those are taken as they are,
/// and not fetched. For mirrors without udebs, and for who has changed one.
///
/// # Errors
/// `IO` when the tree cannot be read.
pub(super) fn given(distro: &Distro) -> Result<BTreeSet<String>> {
    let mut files = Files::new();
    let dir = distro
        .tree
        .as_ref()
        .map(|dir| dir.join(TREE).join("packages"));
    if let Some(dir) = dir.filter(|dir| dir.is_dir()) {
        files.add_tree(&dir, Path::new(""))?;
    }
    let names = files.iter().filter_map(|(path, _)| {
        let name = path.file_name()?.to_str()?;
        Some(name.split('_').next()?.to_owned())
    });
    Ok(names.collect())
}

/// Files below [`DIR`]: our step, what the installer is told, and the boot menu. A
/// distro's tree wins, but for its preseed.cfg, which is added to ours.
///
/// # Errors
/// `IO` when a file that the distro names cannot be read.
pub(super) fn files(distro: &Distro) -> Result<Files> {
    let mut files = Files::new();
    let is_program = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let data = ["control", "templates"].contains(&&*name) || name.ends_with(".sh");
        path.starts_with("udeb") && !data
    };
    files.add_dir(&SOURCES, Path::new(""), &is_program);
    let mut preseed = files.text("preseed.cfg").unwrap_or_default().to_owned();
    preseed.push_str(&preseeded(distro));
    if let Some(dir) = distro.tree.as_ref().map(|dir| dir.join(TREE))
        && dir.is_dir()
    {
        files.add("preseed.cfg", "");
        files.add_tree(&dir, Path::new(""))?;
        preseed.push_str(files.text("preseed.cfg").unwrap_or_default());
    }
    files.add("preseed.cfg", preseed);
    let shared = "udeb/usr/share/bootc-installer-di";
    let conf = bootc_conf(distro, &format!("{CDROM}/{}", embed::ON_MEDIUM))?;
    files.add(format!("{shared}/bootc.conf"), conf.text);
    for (from, to) in &conf.files {
        files.add_file(from, format!("udeb{to}"))?;
    }
    files.add(format!("{shared}/volume"), format!("{}\n", volume(distro)));
    if !distro.images.embed.is_empty() {
        files.add(format!("{shared}/embedded"), "");
    }
    files.add("medium/.disk/info", disk_info(distro));
    let words = words(distro);
    files.edit(|_, text| {
        text.contains("{{ ").then(|| {
            words.iter().fold(text.to_owned(), |text, (word, value)| {
                text.replace(word, value)
            })
        })
    });
    Ok(files)
}

fn words(distro: &Distro) -> Vec<(&'static str, String)> {
    let images = &distro.images;
    let (kind, choices) = match images.allow_other {
        true => ("string", String::new()),
        false => {
            let all = embed::references(distro).join(", ");
            ("select", format!("Choices: {all}\n"))
        }
    };
    let mut arguments = distro.live.kernel_arguments.clone();
    arguments.push("quiet".to_owned());
    vec![
        ("{{ version }}", env!("CARGO_PKG_VERSION").to_owned()),
        ("{{ image type }}", kind.to_owned()),
        ("{{ image choices }}", choices),
        ("{{ image }}", images.default.clone().unwrap_or_default()),
        ("{{ product }}", distro.product.name.clone()),
        ("{{ timeout }}", distro.live.boot_timeout.to_string()),
        ("{{ arguments }}", arguments.join(" ")),
    ]
}

/// What `live` answers. What is the default there is asked.
fn preseeded(distro: &Distro) -> String {
    let (live, usual) = (&distro.live, crate::config::Live::default());
    let mut lines = String::new();
    let mut answer = |question: &str, kind: &str, value: &str, usual: &str| {
        if value != usual {
            lines.push_str(&format!("d-i {question} {kind} {value}\n"));
        }
    };
    answer(
        "debian-installer/locale",
        "string",
        &live.locale,
        &usual.locale,
    );
    answer(
        "keyboard-configuration/xkb-keymap",
        "select",
        &live.keyboard_layout,
        &usual.keyboard_layout,
    );
    answer("time/zone", "string", &live.timezone, &usual.timezone);
    let network = !distro.images.embed.is_empty();
    answer(
        "clock-setup/ntp",
        "boolean",
        &(!network).to_string(),
        "true",
    );
    lines
}

/// The volume's name, which the installer finds its medium by; 32 characters at
/// most (ECMA-119), since an `id` has 24.
fn volume(distro: &Distro) -> String {
    format!("{}_DI", distro.product.volume_id())
}

fn disk_info(distro: &Distro) -> String {
    let product = &distro.product;
    let name = [product.name.as_str(), &product.version].join(" ");
    let name = name.trim_end();
    format!(
        "{name} - Debian's installer for amd64, of {}\n",
        distro.suite
    )
}

/// Lines that make the initrd, in the directory [`DIR`].
pub(super) fn initrd_lines(distro: &Distro) -> Vec<String> {
    let done = match distro.images.embed.is_empty() {
        true => WITHOUT_ARCHIVE.to_vec(),
        false => [WITHOUT_ARCHIVE, WITHOUT_NETWORK].concat(),
    };
    let tools = [TOOLS, &["bootc-installer"]].concat().join(" ");
    let hooks: Vec<String> = NOT_FOR_IMAGES
        .iter()
        .map(|name| format!("initrd/usr/lib/finish-install.d/{name}"))
        .collect();
    let modules: Vec<String> = NO_MODULES
        .iter()
        .map(|path| format!("modules/usr/lib/modules/*/kernel/{path}"))
        .collect();
    let lines = [
        "rm -rf initrd modules initrd.gz",
        "mkdir initrd modules",
        "dpkg-deb --fsys-tarfile packages/debian-installer-*-netboot-amd64_*.deb | \
         tar --extract --to-stdout --wildcards '*/text/debian-installer/amd64/initrd.gz' > initrd.gz",
        "(cd initrd && gzip --decompress --stdout ../initrd.gz | \
         cpio --extract --make-directories --quiet)",
        "dpkg-deb --build --root-owner-group -Zxz udeb packages/bootc-installer-di.udeb",
        "for udeb in packages/*.udeb; do cp \"$udeb\" initrd/tmp/one.udeb; \
         chroot initrd udpkg --unpack /tmp/one.udeb; done",
        "rm initrd/tmp/one.udeb",
    ];
    let mut lines: Vec<String> = lines.map(str::to_owned).to_vec();
    lines.extend([
        format!(
            "for name in {tools}; do dpkg-deb --fsys-tarfile packages/\"$name\"_*.deb | \
             tar --extract --keep-directory-symlink --directory initrd \
             --exclude './usr/share/*' --exclude './usr/lib/systemd' --exclude './usr/lib/udev' \
             --exclude './etc/cron.d' --exclude './usr/include'; done"
        ),
        // What lacks a library is found here, and not by who installs.
        "chroot initrd mke2fs -V".to_owned(),
        "chroot initrd mkfs.xfs -V".to_owned(),
        "chroot initrd bootc-installer version".to_owned(),
        format!(
            "for name in {}; do sed -i \"/^Package: $name\\$/,/^\\$/\
             s/^Status: .*/Status: install ok installed/\" initrd/var/lib/dpkg/status; done",
            done.join(" ")
        ),
        format!("rm -f {}", hooks.join(" ")),
        "cp preseed.cfg initrd/preseed.cfg".to_owned(),
        "dpkg-deb --fsys-tarfile packages/linux-image-[0-9]*.deb | \
         tar --extract --keep-directory-symlink --directory modules --wildcards \
         './boot/vmlinuz-*' '*lib/modules/*'"
            .to_owned(),
        "if [ -d modules/lib ]; then mkdir -p modules/usr; mv modules/lib modules/usr/; fi"
            .to_owned(),
        format!("rm -rf initrd/usr/lib/modules {}", modules.join(" ")),
        "mv modules/usr/lib/modules initrd/usr/lib/modules".to_owned(),
        "chroot initrd depmod -a \"$(ls initrd/usr/lib/modules)\"".to_owned(),
        "cp initrd/var/lib/dpkg/status udeb.status".to_owned(),
        "for deb in packages/*.deb; do dpkg-deb --field \"$deb\"; \
         printf 'Status: install ok installed\\n\\n'; done > deb.status"
            .to_owned(),
    ]);
    lines
}

/// Lines that make the ISO, in the directory [`DIR`].
pub(super) fn medium_lines(distro: &Distro) -> Vec<String> {
    let loaders: &[&str] = match distro.secure_boot {
        true => &[
            "cp /usr/lib/shim/shimx64.efi.signed medium/EFI/boot/bootx64.efi",
            "cp /usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed medium/EFI/boot/grubx64.efi",
        ],
        false => &["cp /usr/lib/grub/x86_64-efi/monolithic/gcdx64.efi medium/EFI/boot/bootx64.efi"],
    };
    let images = match distro.images.embed.is_empty() {
        true => "true".to_owned(),
        false => format!("cp --archive --link ../{0} medium/{0}", embed::ON_MEDIUM),
    };
    let quoted = |text: &str| host::cmd::command_line([text]);
    let xorriso = format!(
        "xorriso -as mkisofs -quiet -R -r -J -joliet-long -l -cache-inodes -iso-level 3 \
         --grub2-boot-info --grub2-mbr /usr/lib/grub/i386-pc/boot_hybrid.img \
         -efi-boot-part --efi-boot-image -A {} -p debian-bootc-image-builder -publisher {} -V {} \
         --modification-date=\"$(date --utc --date=@$SOURCE_DATE_EPOCH +%Y%m%d%H%M%S00)\" \
         -no-emul-boot -boot-load-size 4 -boot-info-table -b boot/grub/grub_eltorito \
         -eltorito-alt-boot -e boot/grub/efi.img -no-emul-boot \
         -isohybrid-gpt-basdat -isohybrid-apm-hfsplus -o installer.iso medium",
        quoted(&distro.product.name),
        quoted(&distro.product.publisher),
        volume(distro),
    );
    let same_time = |dir: &str| {
        format!("find {dir} -exec touch --no-dereference --date=@$SOURCE_DATE_EPOCH {{}} +")
    };
    let mut lines = vec![
        "rm -rf medium/install medium/EFI medium/boot medium/images installer.iso".to_owned(),
        "mkdir -p medium/install medium/EFI/boot medium/boot/grub/i386-pc".to_owned(),
        "cp modules/boot/vmlinuz-* medium/install/vmlinuz".to_owned(),
        same_time("initrd"),
        "(cd initrd && find . -print0 | LC_ALL=C sort --zero-terminated | \
         cpio --null --create --format=newc --reproducible --quiet) | \
         zstd -q -9 -T2 > medium/install/initrd.img"
            .to_owned(),
        "cp boot/grub.cfg /usr/share/grub/unicode.pf2 medium/boot/grub/".to_owned(),
        "cp /usr/lib/grub/i386-pc/*.mod /usr/lib/grub/i386-pc/*.lst medium/boot/grub/i386-pc/"
            .to_owned(),
        "grub-mkimage --format i386-pc-eltorito --prefix /boot/grub \
         --output medium/boot/grub/grub_eltorito biosdisk iso9660"
            .to_owned(),
    ];
    lines.extend(loaders.iter().map(|line| (*line).to_owned()));
    lines.extend([
        same_time("medium/EFI"),
        "mkfs.msdos -C -i \"$(printf %x $SOURCE_DATE_EPOCH)\" medium/boot/grub/efi.img 8192"
            .to_owned(),
        "mcopy -s -m -i medium/boot/grub/efi.img medium/EFI ::".to_owned(),
        images,
        same_time("medium"),
        xorriso,
    ]);
    lines
}

/// dpkg's list of both kinds of packages as one that says that all are installed.
pub(super) fn status(udebs: &str, debs: &str) -> String {
    let udebs = udebs.split("\n\n").filter(|text| !text.trim().is_empty());
    let mut text: String = udebs
        .map(|paragraph| {
            let paragraph = paragraph.replace(
                "Status: install ok unpacked",
                "Status: install ok installed",
            );
            // Every udeb there is of this architecture, or of all.
            let architecture = match paragraph.contains("\nArchitecture: ") {
                true => "",
                false => "\nArchitecture: amd64",
            };
            format!("{}{architecture}\n\n", paragraph.trim())
        })
        .collect();
    text.push_str(debs);
    text
}

#[cfg(test)]
mod tests;
