// SPDX-License-Identifier: MIT OR Apache-2.0
//! What building the medium costs: cold, again after a change of names, and
//! plain `lb build` of the same tree, as its manual runs it. Processor time of
//! all children counts, since wall time is the machine's as well.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use buildroot::cache;
use clap::Parser;
use host::cancel::Cancel;
use image_builder::build::lists::Lists;
use image_builder::build::root::{Root, Shell};
use image_builder::build::{self, Request, lb, tree};
use image_builder::config::Distro;
use image_builder::mirror::Reach;
use image_builder::progress::{Progress, Sink};
use nix::sys::resource::{UsageWho, getrusage};

/// Measures builds of the medium. Needs root, a network and 10 GB.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Where it is built; removed afterwards
    #[arg(long, value_name = "DIR", default_value = "out/bench-iso")]
    dir: PathBuf,
}

/// One measured run.
#[derive(Debug, Clone, Copy)]
struct Cost {
    processor: Duration,
    wall: Duration,
}

fn main() -> Result<()> {
    let options = Options::parse();
    // Cold is cold also after a run that was stopped.
    cache::remove_tree(&options.dir)?;
    fs::create_dir_all(&options.dir)?;
    let dir = fs::canonicalize(&options.dir)?;
    // Neither the compiler nor the root for live-build is compared: both come
    // from the cache, here and there.
    let debs = debs::build("trixie", debs::Output::Inherited)?;
    let mut distro = Distro::default();
    let root = Root::make(&Lists::read(&distro, &Reach::of(&distro)?)?)?;
    let load = fs::read_to_string("/proc/loadavg").context("reading the load")?;
    say(&format!("load before: {}", load.trim()));

    let cold = measure(|| ours(&distro, &dir))?;
    distro.product.name = "Another name".into();
    let warm = measure(|| ours(&distro, &dir))?;
    let iso = size_of_iso(&dir.join("results"))?;
    let plain = measure(|| plain(&Distro::default(), &root, &debs, &dir.join("plain")))?;
    say(&format!("ISO: {:.1} MB", iso as f64 / 1e6));
    say("                      processor      wall   of plain");
    for (name, cost) in [
        ("plain lb build", plain),
        ("ours, cold", cold),
        ("ours, other names", warm),
    ] {
        let ratio = cost.processor.as_secs_f64() / plain.processor.as_secs_f64();
        say(&format!(
            "{name:20} {:8.1} s {:8.1} s {ratio:8.2}x",
            cost.processor.as_secs_f64(),
            cost.wall.as_secs_f64()
        ));
    }
    cache::remove_tree(&dir)
}

fn measure(run: impl FnOnce() -> Result<()>) -> Result<Cost> {
    let (before, begin) = (processor()?, Instant::now());
    run()?;
    Ok(Cost {
        processor: processor()? - before,
        wall: begin.elapsed(),
    })
}

/// Of this process and of all children that have ended.
fn processor() -> Result<Duration> {
    let mut sum = Duration::ZERO;
    for who in [UsageWho::RUSAGE_CHILDREN, UsageWho::RUSAGE_SELF] {
        let usage = getrusage(who)?;
        for time in [usage.user_time(), usage.system_time()] {
            sum += Duration::from_secs(time.tv_sec().unsigned_abs());
            sum += Duration::from_micros(time.tv_usec().unsigned_abs());
        }
    }
    Ok(sum)
}

fn ours(distro: &Distro, dir: &Path) -> Result<()> {
    let request = Request {
        distro: distro.clone(),
        output: dir.join("results"),
        work: Some(dir.join("work")),
        debs: None,
        check_images: false,
        result: None,
        owner: None,
        locked: None,
    };
    let mut progress = Progress::new(false);
    build::build(&request, &mut progress, &Cancel::new())?;
    progress.end();
    Ok(())
}

/// The same tree and options, but for the two in which we differ: tools are
/// installed into the live system and removed again, and nothing is kept.
fn plain(distro: &Distro, root: &Root, debs: &[PathBuf], dir: &Path) -> Result<()> {
    cache::remove_tree(dir)?;
    fs::create_dir_all(dir)?;
    let mut args = lb::config_arguments(distro, None);
    for (name, value) in [
        ("--build-with-chroot", "true"),
        ("--cache-stages", "bootstrap"),
    ] {
        let at = args
            .iter()
            .position(|arg| arg == name)
            .context("no such option")?;
        args[at + 1] = value.to_owned();
    }
    let config = lb::line(&args);
    let mut sink = Last(String::new());
    let mut run = |lines: &str| -> Result<()> {
        let environment = [("MKSQUASHFS_OPTIONS".to_owned(), lb::MKSQUASHFS.to_owned())];
        let outcome = root.run(dir, lines, &environment, &mut sink, &Cancel::new())?;
        ensure!(
            outcome.success(),
            "`{lines}` failed: {}",
            lb::failure(&outcome.last)
        );
        Ok(())
    };
    run(&config)?;
    tree::tree(distro)?.write_to(&dir.join("config"))?;
    let packages = dir.join("config/packages.chroot");
    fs::create_dir_all(&packages)?;
    for deb in debs {
        fs::copy(deb, packages.join(deb.file_name().unwrap_or_default()))?;
    }
    run("lb build")
}

/// Nobody reads it.
struct Last(String);

impl Sink for Last {
    fn line(&mut self, line: &str) {
        line.clone_into(&mut self.0);
    }
}

fn size_of_iso(dir: &Path) -> Result<u64> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ext| ext == "iso") {
            return Ok(path.metadata()?.len());
        }
    }
    anyhow::bail!("no ISO in {}", dir.display())
}

#[allow(clippy::print_stdout)] // what this program is for
fn say(line: &str) {
    println!("{line}");
}
