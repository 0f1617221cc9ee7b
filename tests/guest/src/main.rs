// SPDX-License-Identifier: MIT OR Apache-2.0
//! `test-guest`: make the test guest, run a command in it, or sit in it.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use test_guest::{Guest, GuestConfig, LiveImage};
use vm::{Configure as _, Disk, Firmware};

/// A minimal virtual machine in which privileged work runs without root.
#[derive(Debug, Parser)]
#[command(name = "test-guest", version)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make the live root (as root, once) and print where it is
    Build,
    /// Boot, run one command as root, print its output, exit with its status
    Run {
        #[command(flatten)]
        options: Options,
        /// Limit for the command, in seconds
        #[arg(long, default_value_t = 3600)]
        timeout: u64,
        /// The command; a single word is taken as a shell script
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Boot and give a root shell on this terminal (Ctrl-A x ends it)
    Shell {
        #[command(flatten)]
        options: Options,
    },
}

#[derive(Args, Debug)]
struct Options {
    /// Memory in MiB
    #[arg(long, default_value_t = 1024)]
    memory: u32,
    /// Virtual processors
    #[arg(long, default_value_t = 2)]
    cpus: u32,
    /// Raw disk image; the first is /dev/vda (may be repeated)
    #[arg(long, value_name = "FILE")]
    disk: Vec<PathBuf>,
    /// Throw away what the guest writes to the disks
    #[arg(long)]
    snapshot: bool,
    /// File or directory to show read-only at /host/NAME (may be repeated)
    #[arg(long, value_name = "PATH")]
    share: Vec<PathBuf>,
    /// Boot with UEFI instead of BIOS
    #[arg(long)]
    uefi: bool,
    /// Append the serial console's text to this file
    #[arg(long, value_name = "FILE")]
    console_log: Option<PathBuf>,
}

impl Options {
    fn config(self) -> GuestConfig {
        let mut config = GuestConfig::new().memory_mib(self.memory).cpus(self.cpus);
        for path in self.disk {
            let disk = Disk::new(path);
            config = config.disk(if self.snapshot { disk.snapshot() } else { disk });
        }
        for path in self.share {
            config = config.share(path);
        }
        if self.uefi {
            config = config.firmware(Firmware::Uefi);
        }
        match self.console_log {
            Some(path) => config.console_log(path),
            None => config,
        }
    }
}

fn main() -> Result<ExitCode> {
    match Cli::parse().verb {
        Verb::Build => build(),
        Verb::Run {
            options,
            timeout,
            command,
        } => run(&options.config(), Duration::from_secs(timeout), &command),
        Verb::Shell { options } => {
            Guest::interactive(&options.config())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn build() -> Result<ExitCode> {
    let image = LiveImage::build()?;
    let mut out = io::stdout().lock();
    for path in [&image.kernel, &image.initramfs, &image.root] {
        let size = path.metadata().context("looking at the live root")?.len();
        writeln!(
            out,
            "{:>6.1} MiB {}",
            size as f64 / f64::from(1 << 20),
            path.display()
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn run(config: &GuestConfig, limit: Duration, command: &[String]) -> Result<ExitCode> {
    let started = Instant::now();
    let mut guest = Guest::start(config)?;
    eprintln!(
        "test-guest: up after {:.1} s",
        started.elapsed().as_secs_f64()
    );
    let mut written = Ok(());
    let (status, stderr) = guest.run_streaming(limit, &script(command), |bytes| {
        if written.is_ok() {
            let mut out = io::stdout().lock();
            written = out.write_all(bytes).and_then(|()| out.flush());
        }
    })?;
    io::stderr().write_all(&stderr)?;
    guest.power_off()?;
    written.context("writing the command's output")?;
    Ok(ExitCode::from(u8::try_from(status).unwrap_or(u8::MAX)))
}

/// One word is a script already; several are a command and its arguments.
fn script(command: &[String]) -> String {
    match command {
        [script] => script.clone(),
        words => words
            .iter()
            .map(|word| format!("'{}'", word.replace('\'', r"'\''")))
            .collect::<Vec<_>>()
            .join(" "),
    }
}
