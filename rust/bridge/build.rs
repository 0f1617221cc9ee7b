// SPDX-License-Identifier: MIT OR Apache-2.0
//! Generates the C++ side of the bridge.

fn main() {
    cxx_qt_build::CxxQtBuilder::new().file("src/ffi.rs").build();
}
