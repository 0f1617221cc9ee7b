// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles again when a file comes into or goes from what is compiled in.

fn main() {
    for dir in [
        "../../iso",
        "../../branding",
        "../../calamares-module/config",
    ] {
        println!("cargo::rerun-if-changed={dir}");
    }
}
