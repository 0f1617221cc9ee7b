// SPDX-License-Identifier: MIT OR Apache-2.0
//! `make e2e`: see the library.

use anyhow::Result;
use clap::Parser;
use iso_tests::Options;

fn main() -> Result<()> {
    iso_tests::run(&Options::parse())
}
