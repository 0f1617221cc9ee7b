// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a blueprint wishes, as the engine's plan has it. What the engine cannot
//! do is refused here, before anything is built.

use std::fs::File;
use std::io::Read as _;

use blueprint::{Blueprint, Customizations, DiskTable, Owner, Partition, User};
use contract::customise_plan::{FilePlan, UnitPlan, UserPlan};
use contract::disk_plan::{ALIGNMENT, DiskFs, PartitionKind, PartitionPlan, Table};
use contract::plan::DeploymentPlan;
use secrecy::ExposeSecret as _;
use sha_crypt::{PasswordHasher as _, ShaCrypt};

use crate::error::{Code, Error, Result};

/// Where groups of a blueprint are written: systemd-sysusers(8) makes them at
/// the first boot.
const SYSUSERS: &str = "/etc/sysusers.d/50-blueprint.conf";
/// Where directories of a blueprint are written: systemd-tmpfiles(8) makes them
/// at the first boot.
const TMPFILES: &str = "/etc/tmpfiles.d/50-blueprint.conf";

/// The layout that a blueprint wishes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The partition table.
    pub(crate) table: Table,
    /// Of the root.
    pub(crate) root_fs: Option<DiskFs>,
    /// At least so many bytes for the root.
    pub(crate) root_bytes: u64,
    /// At least so many bytes for the disk.
    pub(crate) disk_bytes: u64,
    /// A `/boot` of its own with so many bytes.
    pub(crate) boot_bytes: Option<u64>,
    /// Bytes of the ESP, when it is not to have the usual ones.
    pub(crate) esp_bytes: Option<u64>,
}

impl Layout {
    /// The partitions, with a root of `fs`.
    pub(crate) fn partitions(&self, fs: DiskFs) -> Vec<PartitionPlan> {
        let mut all = partition::layout::standard(self.table, fs, self.boot_bytes);
        for partition in &mut all {
            if let (PartitionKind::Esp, Some(bytes)) = (partition.kind, self.esp_bytes) {
                partition.size = Some(bytes);
            }
        }
        all
    }

    /// Bytes of a disk on which `needed` bytes are needed for the root.
    pub(crate) fn size(&self, partitions: &[PartitionPlan], needed: u64) -> u64 {
        let usual = partition::layout::file_size(partitions, needed);
        let fixed: u64 = partitions.iter().filter_map(|p| p.size).sum();
        // A GPT has a copy of itself at the end.
        let wished = fixed + self.root_bytes + 2 * ALIGNMENT;
        let size = usual.max(self.disk_bytes);
        let size = if self.root_bytes == 0 {
            size
        } else {
            size.max(wished)
        };
        size.next_multiple_of(ALIGNMENT)
    }
}

/// The layout of a blueprint.
///
/// # Errors
/// `CONFIG_INVALID` for partitions that the engine does not make.
pub(crate) fn layout(wish: &Customizations) -> Result<Layout> {
    let mut layout = Layout::default();
    for filesystem in &wish.filesystems {
        let bytes = filesystem.minsize.0.next_multiple_of(ALIGNMENT);
        match &*filesystem.mountpoint {
            "/" => layout.root_bytes = bytes,
            "/boot" => layout.boot_bytes = Some(bytes),
            other => return Err(no_partition(other)),
        }
    }
    let Some(disk) = &wish.disk else {
        return Ok(layout);
    };
    layout.table = match disk.table {
        DiskTable::Gpt => Table::Gpt,
        DiskTable::Dos => Table::Mbr,
    };
    layout.disk_bytes = disk.minsize.map_or(0, |size| size.0);
    for partition in &disk.partitions {
        let bytes = partition.minsize.0.next_multiple_of(ALIGNMENT);
        plain(partition)?;
        match partition.mountpoint.as_deref() {
            Some("/") => {
                layout.root_bytes = bytes;
                layout.root_fs = fs(partition)?;
            }
            Some("/boot") => match fs(partition)? {
                None | Some(DiskFs::Ext4) => layout.boot_bytes = Some(bytes),
                Some(_) => {
                    return Err(invalid("`/boot` is made with ext4 only.".into())
                        .next("Write fs_type = \"ext4\" for it."));
                }
            },
            Some("/boot/efi") => layout.esp_bytes = Some(bytes),
            Some(other) => return Err(no_partition(other)),
            None => return Err(no_partition("swap")),
        }
    }
    Ok(layout)
}

fn plain(partition: &Partition) -> Result<()> {
    for (key, value) in [
        ("part_type", &partition.part_type),
        ("part_label", &partition.part_label),
        ("part_uuid", &partition.part_uuid),
        ("label", &partition.label),
    ] {
        if value.is_some() {
            return Err(invalid(format!("`{key}` of a partition cannot be chosen."))
                .why("Types and names are those by which systemd and GRUB find partitions.")
                .next("Leave it out."));
        }
    }
    Ok(())
}

fn fs(partition: &Partition) -> Result<Option<DiskFs>> {
    let fs = partition.fs_type.as_deref().map(str::parse).transpose();
    fs.map_err(|problem: String| invalid(format!("The `fs_type` of a partition: {problem}.")))
}

fn no_partition(place: &str) -> Error {
    invalid(format!("No partition is made for {place} on disk images."))
        .why("They have a root, and where it is wished a /boot of its own.")
        .next("Leave it out: the root has the room; or add a disk to the machine for it.")
}

/// Puts users, files and the like into the plan.
///
/// # Errors
/// `CONFIG_INVALID` for what the engine does not do.
pub(crate) fn customise(wish: &Blueprint, plan: &mut DeploymentPlan) -> Result<()> {
    let wish = &wish.customizations;
    plan.hostname.clone_from(&wish.hostname);
    for user in &wish.users {
        plan.users.push(account(user)?);
    }
    if !wish.groups.is_empty() {
        let lines = wish.groups.iter().map(|group| match group.gid {
            Some(gid) => format!("g {} {gid}\n", group.name),
            None => format!("g {} -\n", group.name),
        });
        plan.files.push(text(SYSUSERS, lines.collect()));
    }
    if !wish.directories.is_empty() {
        let lines = wish.directories.iter().map(|directory| {
            let mode = directory.mode.as_deref().unwrap_or("0755");
            let owner = |owner: &Option<Owner>| match owner {
                None => "root".to_owned(),
                Some(owner) => name(owner),
            };
            let (user, group) = (owner(&directory.user), owner(&directory.group));
            format!("d \"{}\" {mode} {user} {group}\n", directory.path)
        });
        plan.files.push(text(TMPFILES, lines.collect()));
    }
    for file in &wish.files {
        let user = file.user.as_ref().map_or("root".to_owned(), name);
        let group = file.group.as_ref().map_or("root".to_owned(), name);
        plan.files.push(FilePlan {
            path: file.path.clone(),
            mode: file.mode.clone(),
            owner: Some(format!("{user}:{group}")),
            contents: file
                .data
                .as_ref()
                .map(|data| data.expose_secret().to_owned())
                .unwrap_or_default(),
        });
    }
    if let Some(unit) = wish.services.masked.first() {
        return Err(invalid(format!("{unit} cannot be masked on a disk image."))
            .next("Mask it in the Containerfile of the image, or write it under `disabled`."));
    }
    let units = wish.services.enabled.iter().map(|unit| (unit, true));
    let units = units.chain(wish.services.disabled.iter().map(|unit| (unit, false)));
    plan.units.extend(units.map(|(unit, enabled)| UnitPlan {
        // As systemctl(1) reads names without a type.
        name: match unit.contains('.') {
            true => unit.clone(),
            false => format!("{unit}.service"),
        },
        enabled,
    }));
    Ok(())
}

fn account(user: &User) -> Result<UserPlan> {
    for (key, given) in [
        ("description", user.description.is_some()),
        ("home", user.home.is_some()),
        ("uid", user.uid.is_some()),
        ("gid", user.gid.is_some()),
    ] {
        if given {
            return Err(invalid(format!(
                "`{key}` of the user {} cannot be chosen for disk images.",
                user.name
            ))
            .why("The image's own useradd(8) decides it.")
            .next("Leave it out, or make the account in the Containerfile of the image."));
        }
    }
    Ok(UserPlan {
        name: user.name.clone(),
        password_hash: hash(user)?.map(Into::into),
        groups: user.groups.clone(),
        ssh_authorized_keys: user.keys(),
        shell: user.shell.clone(),
    })
}

/// The password as crypt(5) has it: SHA-512 when it is as typed.
fn hash(user: &User) -> Result<Option<String>> {
    let Some(password) = &user.password else {
        return Ok(None);
    };
    let password = password.expose_secret();
    if user.has_hash() {
        return Ok(Some(password.to_owned()));
    }
    let failed = |err: String| {
        Error::defect(format!("The password of {} cannot be hashed.", user.name)).detail(err)
    };
    // crypt(5) knows 16 characters of salt, and no more.
    let mut salt = [0; 12];
    File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut salt))
        .map_err(|err| failed(err.to_string()))?;
    let hash = ShaCrypt::default().hash_password_with_salt(password.as_bytes(), &salt);
    let hash = hash.map_err(|err| failed(err.to_string()))?;
    Ok(Some(hash.as_str().to_owned()))
}

fn text(path: &str, contents: String) -> FilePlan {
    FilePlan {
        path: path.into(),
        contents,
        ..FilePlan::default()
    }
}

fn name(owner: &Owner) -> String {
    match owner {
        Owner::Name(name) => name.clone(),
        Owner::Id(id) => id.to_string(),
    }
}

fn invalid(what: String) -> Error {
    Error::new(Code::ConfigInvalid, what)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use blueprint::Format;

    const GIB: u64 = 1 << 30;

    fn wish(text: &str) -> Blueprint {
        blueprint::parse(text, Format::Toml).unwrap()
    }

    #[test]
    fn layouts() {
        let c = "customizations";
        let one =
            |fs: &str| format!("[[{c}.filesystem]]\nmountpoint = \"{fs}\"\nminsize = \"5 GiB\"");
        let part = |rest: &str| format!("[[{c}.disk.partitions]]\nminsize = \"1 GiB\"\n{rest}");
        for (text, found) in [
            (String::new(), Some(Layout::default())),
            (
                one("/"),
                Some(Layout {
                    root_bytes: 5 * GIB,
                    ..Layout::default()
                }),
            ),
            (
                one("/boot"),
                Some(Layout {
                    boot_bytes: Some(5 * GIB),
                    ..Layout::default()
                }),
            ),
            (one("/var/data"), None),
            (
                format!("[{c}.disk]\ntype = \"dos\"\nminsize = \"20 GiB\""),
                Some(Layout {
                    table: Table::Mbr,
                    disk_bytes: 20 * GIB,
                    ..Layout::default()
                }),
            ),
            (
                part("mountpoint = \"/\"\nfs_type = \"xfs\""),
                Some(Layout {
                    root_bytes: GIB,
                    root_fs: Some(DiskFs::Xfs),
                    ..Layout::default()
                }),
            ),
            (
                part("mountpoint = \"/boot/efi\"\nfs_type = \"vfat\""),
                Some(Layout {
                    esp_bytes: Some(GIB),
                    ..Layout::default()
                }),
            ),
            (part("mountpoint = \"/\"\nfs_type = \"zfs\""), None),
            (part("mountpoint = \"/boot\"\nfs_type = \"xfs\""), None),
            (part("mountpoint = \"/srv\""), None),
            (part("fs_type = \"swap\""), None),
            (part("mountpoint = \"/\"\nlabel = \"root\""), None),
        ] {
            let got = layout(&wish(&text).customizations);
            match (&got, &found) {
                (Ok(got), Some(found)) => assert_eq!(got, found, "{text}"),
                (Err(err), None) => assert_eq!(err.code, Code::ConfigInvalid),
                _ => panic!("{text}: {got:?}"),
            }
        }
    }

    #[test]
    fn a_root_has_what_it_was_promised() {
        let small = Layout::default();
        let partitions = small.partitions(DiskFs::Ext4);
        let usual = small.size(&partitions, GIB);
        assert_eq!(usual, partition::layout::file_size(&partitions, GIB));
        let large = Layout {
            root_bytes: 50 * GIB,
            ..Layout::default()
        };
        let size = large.size(&partitions, GIB);
        assert!(size > 50 * GIB && size < 52 * GIB, "{size}");
        let disk = Layout {
            disk_bytes: 20_000_000_000,
            ..Layout::default()
        };
        let size = disk.size(&partitions, GIB);
        assert!(
            size >= 20_000_000_000 && size.is_multiple_of(ALIGNMENT),
            "{size}"
        );
    }

    #[test]
    fn everything_else() {
        let blueprint = wish(
            r#"
[customizations]
hostname = "shop"
services = { enabled = ["ssh"], disabled = ["cups.socket"] }
[[customizations.group]]
name = "till"
[[customizations.directories]]
path = "/etc/till"
mode = "0750"
group = "till"
[[customizations.files]]
path = "/etc/till.conf"
data = "a"
user = 7
[[customizations.user]]
name = "ann"
password = "sesame"
key = "ssh-ed25519 AAAA"
groups = ["sudo"]
[[customizations.user]]
name = "bob"
password = "$6$saltsalt$g3uPFdehVnKoLXdidvSAg1zlVgYomPr0X/xgdXSBn2LuxZUOGgYW4IULZkguZ77fzYteIur49AGHmF9iek6Sf1"
"#,
        );
        let mut plan = DeploymentPlan::default();
        customise(&blueprint, &mut plan).unwrap();
        plan.customisation().validate().unwrap();
        assert_eq!(plan.hostname.as_deref(), Some("shop"));
        let [ann, bob] = &*plan.users else { panic!() };
        let hash = ann.password_hash.as_ref().unwrap().expose();
        // What shadow's own check takes, and what openssl(1) makes of the same.
        let form = regex::Regex::new(r"^\$6\$rounds=5000\$([./A-Za-z0-9]{16})\$[./A-Za-z0-9]{86}$");
        let salt = form.unwrap().captures(hash).unwrap()[1].to_owned();
        let salt = format!("rounds=5000${salt}");
        let openssl = std::process::Command::new("openssl")
            .args(["passwd", "-6", "-salt", &salt, "sesame"])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&openssl.stdout).trim(), hash);
        assert!(
            bob.password_hash
                .as_ref()
                .unwrap()
                .expose()
                .starts_with("$6$saltsalt$")
        );
        let files: Vec<_> = plan
            .files
            .iter()
            .map(|f| (&*f.path, &*f.contents))
            .collect();
        assert_eq!(
            files,
            [
                (SYSUSERS, "g till -\n"),
                (TMPFILES, "d \"/etc/till\" 0750 root till\n"),
                ("/etc/till.conf", "a"),
            ]
        );
        assert_eq!(plan.files[2].owner.as_deref(), Some("7:root"));
        let units: Vec<_> = plan.units.iter().map(|u| (&*u.name, u.enabled)).collect();
        assert_eq!(units, [("ssh.service", true), ("cups.socket", false)]);
    }

    #[test]
    fn what_the_engine_does_not_do_is_refused() {
        for text in [
            "[[customizations.user]]\nname = \"a\"\nuid = 5",
            "[[customizations.user]]\nname = \"a\"\nhome = \"/srv/a\"",
            "[customizations.services]\nmasked = [\"a\"]",
        ] {
            let error = customise(&wish(text), &mut DeploymentPlan::default()).unwrap_err();
            assert_eq!(error.code, Code::ConfigInvalid, "{text}");
            assert!(!error.next.is_empty(), "{text}");
        }
    }
}
