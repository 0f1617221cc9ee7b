// SPDX-License-Identifier: MIT OR Apache-2.0
//! `make demo`: see the library's module `demo`.

use anyhow::Result;
use clap::Parser;
use e2e::demo::{self, Options};

fn main() -> Result<()> {
    demo::run(&Options::parse())
}
