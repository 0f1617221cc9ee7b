// SPDX-License-Identifier: MIT OR Apache-2.0
//! The input of sfdisk(8) that makes a layout.

use std::fmt::Write;

use contract::disk_plan::{PartitionKind, Table};

use crate::layout::{Layout, Placed};
use crate::names::Names;

/// GPT types, of the Discoverable Partitions Specification and the UEFI
/// specification.
const BIOS_BOOT: &str = "21686148-6449-6E6F-744E-656564454649";
const ESP: &str = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
const XBOOTLDR: &str = "BC13C2FF-59E6-4262-A352-B275FD6F7172";

/// The type of a root, by the processor in Rust's spelling: systemd-repart and
/// systemd-growfs know what to do with it.
fn root_type(arch: &str) -> &'static str {
    match arch {
        "x86_64" => "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709",
        "x86" => "44479540-F297-41B2-9AF7-D131D5F0458A",
        "aarch64" => "B921B045-1DF0-41C3-AF44-4C6F280D3FAE",
        "riscv64" => "72EC70A6-CF74-40E6-BD49-4BDA08E8F224",
        // Linux filesystem data.
        _ => "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
    }
}

/// The text for a machine with the processor `arch`.
pub fn text(layout: &Layout, names: &Names, arch: &str) -> String {
    let label = match layout.table {
        Table::Gpt => "gpt",
        Table::Mbr => "dos",
    };
    let mut text = format!("label: {label}\n");
    let id = match layout.table {
        Table::Gpt => names.uuid("table"),
        Table::Mbr => names.serial("table").map(|serial| format!("0x{serial}")),
    };
    if let Some(id) = id {
        // Writing to a string cannot fail.
        writeln!(text, "label-id: {id}").unwrap_or_default();
    }
    for partition in &layout.partitions {
        text += &line(layout, partition, names, arch);
    }
    text
}

fn line(layout: &Layout, partition: &Placed, names: &Names, arch: &str) -> String {
    let kib = |bytes: u64| format!("{}KiB", bytes / 1024);
    let mut fields = vec![
        format!("start={}", kib(partition.start)),
        format!("size={}", kib(partition.size)),
    ];
    match layout.table {
        Table::Gpt => {
            let kind = match partition.kind {
                PartitionKind::BiosBoot => BIOS_BOOT,
                PartitionKind::Esp => ESP,
                PartitionKind::Boot => XBOOTLDR,
                PartitionKind::Root => root_type(arch),
            };
            let name = partition.kind.name();
            fields.push(format!("type={kind}"));
            fields.push(format!("name={name}"));
            fields.extend(
                names
                    .uuid(&format!("part-{name}"))
                    .map(|u| format!("uuid={u}")),
            );
        }
        Table::Mbr => {
            let kind = match partition.kind {
                PartitionKind::Esp => "ef",
                _ => "83",
            };
            fields.push(format!("type={kind}"));
            // Some BIOSes start no disk without an active partition.
            if partition.kind == PartitionKind::Root {
                fields.push("bootable".into());
            }
        }
    }
    fields.join(", ") + "\n"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::layout::standard;
    use contract::disk_plan::{DiskFs, DiskPlan};

    fn layout(table: Table) -> Layout {
        let plan = DiskPlan {
            table,
            partitions: standard(table, DiskFs::Xfs, Some(1 << 30)),
            ..DiskPlan::default()
        };
        Layout::of(&plan, 8 << 30).unwrap()
    }

    #[test]
    fn gpt() {
        assert_eq!(
            text(&layout(Table::Gpt), &Names::random(), "x86_64"),
            "label: gpt\n\
             start=1024KiB, size=1024KiB, type=21686148-6449-6E6F-744E-656564454649, \
             name=bios-boot\n\
             start=2048KiB, size=524288KiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=esp\n\
             start=526336KiB, size=1048576KiB, type=BC13C2FF-59E6-4262-A352-B275FD6F7172, \
             name=boot\n\
             start=1574912KiB, size=6812672KiB, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, \
             name=root\n"
        );
        let named = text(&layout(Table::Gpt), &Names::derived(&["x"]), "aarch64");
        assert_eq!(named.matches("uuid=").count(), 4, "{named}");
        assert!(
            named.contains("label-id: ") && named.contains("B921B045-"),
            "{named}"
        );
    }

    #[test]
    fn mbr() {
        let names = Names::derived(&["x"]);
        let serial = names.serial("table").unwrap();
        assert_eq!(
            text(&layout(Table::Mbr), &names, "x86_64"),
            format!(
                "label: dos\nlabel-id: 0x{serial}\n\
                 start=1024KiB, size=524288KiB, type=ef\n\
                 start=525312KiB, size=1048576KiB, type=83\n\
                 start=1573888KiB, size=6814720KiB, type=83, bootable\n"
            )
        );
    }
}
