// SPDX-License-Identifier: MIT OR Apache-2.0
//! `StorageKeys.h`: what of Calamares' global storage the plugin hands over.

use installer::calamares::{PARTITION_KEYS, STORAGE_KEYS};

const TOP: &str = "\
// SPDX-License-Identifier: GPL-3.0-or-later
// Printed by `make generate` from what the engine reads: do not edit.
#ifndef BOOTC_STORAGEKEYS_H
#define BOOTC_STORAGEKEYS_H

namespace bootc
{

// clang-format off
";

const END: &str = "
// clang-format on

}  // namespace bootc

#endif
";

/// The whole file.
pub(crate) fn text() -> String {
    let storage = list("Of the storage itself.", "STORAGE_KEYS", &STORAGE_KEYS);
    let partition = list("Of each partition.", "PARTITION_KEYS", &PARTITION_KEYS);
    format!("{TOP}\n{storage}\n{partition}{END}")
}

fn list(about: &str, name: &str, keys: &[&str]) -> String {
    let rows: String = keys.iter().map(|key| format!("    \"{key}\",\n")).collect();
    format!("/// {about}\ninline constexpr const char* {name}[] = {{\n{rows}}};\n")
}
