// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which kernel modules an initramfs needs, and in which order.

use std::collections::HashMap;

use anyhow::{Context, Result};

/// The files of these modules and all they depend on, as `modules.dep` (see
/// depmod(8)) names them, each after its dependencies. Modules that are built
/// in (`modules.builtin`) need no file.
pub(crate) fn load_order(
    modules_dep: &str,
    modules_builtin: &str,
    wanted: &[&str],
) -> Result<Vec<String>> {
    let mut by_name = HashMap::new();
    for line in modules_dep.lines() {
        if let Some((file, dependencies)) = line.split_once(':') {
            by_name.insert(name_of(file), (file, dependencies));
        }
    }
    let builtin: Vec<String> = modules_builtin.lines().map(name_of).collect();
    let mut order: Vec<String> = Vec::new();
    for module in wanted {
        let name = module.replace('-', "_");
        if builtin.contains(&name) {
            continue;
        }
        let (file, dependencies) = by_name
            .get(&name)
            .with_context(|| format!("the kernel has no module {module}"))?;
        // modules.dep lists all dependencies, the deepest last.
        for file in dependencies.split_whitespace().rev().chain([*file]) {
            if !order.iter().any(|f| f == file) {
                order.push(file.to_owned());
            }
        }
    }
    Ok(order)
}

/// `kernel/fs/nls/nls_iso8859-1.ko.xz` is the module `nls_iso8859_1`.
fn name_of(file: &str) -> String {
    let base = file.rsplit('/').next().unwrap_or(file);
    let stem = base.split(".ko").next().unwrap_or(base);
    stem.replace('-', "_")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const DEP: &str = "kernel/fs/squashfs/squashfs.ko:\n\
        kernel/drivers/md/dm-crypt.ko: kernel/drivers/md/dm-mod.ko kernel/drivers/dax/dax.ko\n\
        kernel/drivers/md/dm-mod.ko: kernel/drivers/dax/dax.ko\n\
        kernel/drivers/dax/dax.ko:\n";

    #[test]
    fn dependencies_come_first_and_once() {
        let builtin = "kernel/fs/ext4/ext4.ko\n";
        let cases: &[(&[&str], &[&str])] = &[
            (&["squashfs"], &["kernel/fs/squashfs/squashfs.ko"]),
            (&["ext4"], &[]),
            (
                &["dm_crypt", "dm-mod"],
                &[
                    "kernel/drivers/dax/dax.ko",
                    "kernel/drivers/md/dm-mod.ko",
                    "kernel/drivers/md/dm-crypt.ko",
                ],
            ),
        ];
        for (wanted, order) in cases {
            assert_eq!(load_order(DEP, builtin, wanted).unwrap(), *order);
        }
    }

    #[test]
    fn a_missing_module_is_named() {
        let error = load_order(DEP, "", &["overlay"]).unwrap_err();
        assert_eq!(error.to_string(), "the kernel has no module overlay");
    }
}
