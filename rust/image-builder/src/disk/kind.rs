// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kinds of disk images, and how each is made from a raw one.

use std::ffi::OsString;
use std::path::Path;

/// A kind of disk image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiskKind {
    /// The disk byte by byte, with holes where nothing is.
    Raw,
    /// For QEMU, libvirt and what is built on them; compressed with zstd, which
    /// QEMU reads from 5.1 on.
    Qcow2,
    /// For VMware: a stream-optimized VMDK, which is what an OVA has in it.
    Vmdk,
    /// For Amazon EC2: raw, with the kernel arguments that its machines need.
    Ami,
    /// For Azure and Hyper-V (generation 1 and 2): a fixed VHD.
    Vhd,
}

impl DiskKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Raw, Self::Qcow2, Self::Vmdk, Self::Ami, Self::Vhd];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
            Self::Vmdk => "vmdk",
            Self::Ami => "ami",
            Self::Vhd => "vhd",
        }
    }

    /// In a few words.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Raw => "A disk image, byte by byte",
            Self::Qcow2 => "A disk image for QEMU and libvirt",
            Self::Vmdk => "A disk image for VMware",
            Self::Ami => "A disk image for Amazon EC2",
            Self::Vhd => "A disk image for Azure and Hyper-V",
        }
    }

    /// The name of the file.
    pub fn file_name(self, stem: &str) -> String {
        match self {
            Self::Raw => format!("{stem}.raw"),
            Self::Qcow2 => format!("{stem}.qcow2"),
            Self::Vmdk => format!("{stem}.vmdk"),
            Self::Ami => format!("{stem}-ami.raw"),
            Self::Vhd => format!("{stem}.vhd"),
        }
    }

    /// Kernel arguments that it needs beside those of the image. Kinds with
    /// different ones are made from disks of their own.
    pub const fn kargs(self) -> &'static [&'static str] {
        match self {
            // The serial console is all that one sees of an instance. Volumes
            // may take minutes to answer: Amazon's guide, "Amazon EBS volumes
            // and NVMe", asks for the greatest timeout there is.
            Self::Ami => &[
                "console=tty0",
                "console=ttyS0,115200n8",
                "nvme_core.io_timeout=4294967295",
            ],
            Self::Raw | Self::Qcow2 | Self::Vmdk | Self::Vhd => &[],
        }
    }

    /// Whether qemu-img makes it; else it is the raw disk itself.
    pub fn is_converted(self) -> bool {
        !matches!(self, Self::Raw | Self::Ami)
    }

    /// The arguments of qemu-img(1) that make it from `raw`; none where it is
    /// the raw disk itself.
    pub fn convert(self, raw: &Path, to: &Path) -> Option<Vec<OsString>> {
        // Without an adapter a descriptor says `ide`, which VMware's newer
        // machines do not have. A fixed VHD is one whose size Azure takes; with
        // force_size it is the disk's own and not one of cylinders.
        let how: &[&str] = match self {
            Self::Raw | Self::Ami => return None,
            Self::Qcow2 => &[
                "-O",
                "qcow2",
                "-W",
                "-m",
                "8",
                "-c",
                "-o",
                "compression_type=zstd",
            ],
            Self::Vmdk => &[
                "-O",
                "vmdk",
                "-o",
                "subformat=streamOptimized,adapter_type=lsilogic,compat6=on",
            ],
            Self::Vhd => &["-O", "vpc", "-o", "subformat=fixed,force_size=on"],
        };
        let mut args: Vec<OsString> = ["convert", "-f", "raw"].map(Into::into).into();
        args.extend(how.iter().map(Into::into));
        args.extend([raw.into(), to.into()]);
        Some(args)
    }

    /// What to do with it, for the end of a build; none where everybody knows.
    pub fn next(self, file: &Path) -> Option<String> {
        let file_shown = file.display();
        match self {
            Self::Ami => Some(format!(
                "To make an AMI of it, with a bucket of yours for BUCKET:
  aws s3 cp {file_shown} s3://BUCKET/
  aws ec2 import-snapshot --disk-container Format=RAW,UserBucket=\"{{S3Bucket=BUCKET,S3Key={}}}\"
  aws ec2 register-image --name NAME --architecture x86_64 --virtualization-type hvm \\
    --ena-support --boot-mode uefi-preferred --root-device-name /dev/xvda \\
    --block-device-mappings DeviceName=/dev/xvda,Ebs={{SnapshotId=SNAPSHOT}}
  SNAPSHOT is what `aws ec2 describe-import-snapshot-tasks` names when it is done.",
                file.file_name().unwrap_or_default().display(),
            )),
            Self::Raw | Self::Qcow2 | Self::Vmdk | Self::Vhd => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn conversions() {
        let line = |kind: DiskKind| {
            let args = kind.convert(Path::new("a.raw"), Path::new("b"))?;
            let args: Vec<_> = args.iter().map(|a| a.to_string_lossy()).collect();
            Some(args.join(" "))
        };
        for (kind, wanted) in [
            (DiskKind::Raw, None),
            (DiskKind::Ami, None),
            (
                DiskKind::Qcow2,
                Some("convert -f raw -O qcow2 -W -m 8 -c -o compression_type=zstd a.raw b"),
            ),
            (
                DiskKind::Vmdk,
                Some(
                    "convert -f raw -O vmdk -o \
                     subformat=streamOptimized,adapter_type=lsilogic,compat6=on a.raw b",
                ),
            ),
            (
                DiskKind::Vhd,
                Some("convert -f raw -O vpc -o subformat=fixed,force_size=on a.raw b"),
            ),
        ] {
            assert_eq!(line(kind).as_deref(), wanted);
            assert_eq!(kind.is_converted(), wanted.is_some());
        }
    }

    #[test]
    fn no_two_kinds_have_one_file() {
        let names = DiskKind::ALL.map(|kind| kind.file_name("debian-13"));
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
    }
}
