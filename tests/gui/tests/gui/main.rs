// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calamares as a person meets it. One executable, so that the live system's
//! root is made once.

mod install;
mod keyboard;
mod page;
mod qml;
mod served;
mod steps;
mod stock;
mod trouble;
