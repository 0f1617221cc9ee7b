// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calamares as a person meets it. One executable, so that the live system's
//! root is made once.

mod plugin;
mod qml;
mod served;
mod stock;
