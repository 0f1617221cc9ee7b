// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calamares as a person meets it. One executable, so that the live system's
//! root is made once.

mod display;
mod fonts;
mod install;
mod keyboard;
mod location;
mod page;
mod qml;
mod served;
mod steps;
mod stock;
mod trouble;
