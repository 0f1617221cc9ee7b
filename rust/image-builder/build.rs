// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles again when a file comes into or goes from what is compiled in as a
//! directory.

fn main() {
    println!("cargo::rerun-if-changed=../../iso");
}
