// SPDX-License-Identifier: MIT OR Apache-2.0
//! `debian-bootc-image-builder`.

fn main() {}
