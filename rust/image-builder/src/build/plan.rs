// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a build would do, as data: for `--dry-run`. Nothing is looked up and
//! nothing is written for it.

use std::fmt;
use std::path::PathBuf;

use super::files::{Entry, Files};
use super::{embed, layer, lb, publish, tree, Request};
use crate::config::bootc_conf;
use crate::error::Result;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub what: String,
    /// Command lines of it, as they would be typed.
    pub commands: Vec<String>,
    /// Files that it writes, with their sizes in bytes.
    pub files: Vec<(PathBuf, usize)>,
}

/// All steps in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
}

impl Plan {
    /// The plan of a request.
    ///
    /// # Errors
    /// `IO` when a file that the distro names cannot be read.
    pub fn of(request: &Request) -> Result<Self> {
        let distro = &request.distro;
        let places = request.places()?;
        let work = places.work;
        let tree = tree::tree(distro)?;
        let conf = bootc_conf(distro, embed::IN_LIVE);
        let layer = layer::layer(distro, &conf)?;
        let args = lb::config_arguments(distro, None);
        let config =
            host::cmd::command_line(std::iter::once("lb").chain(args.iter().map(String::as_str)));
        let mut steps = vec![
            step("look at this machine, the mirror and the images"),
            step(&match &request.debs {
                Some(dir) => format!("take the installer's packages from {}", dir.display()),
                None => format!("build the installer's packages for {}", distro.suite),
            }),
            Step {
                commands: vec![config.clone(), "lb bootstrap".into(), "lb chroot".into()],
                files: listed(&tree::chroot_part(&tree), &work.join("lb/config")),
                ..step("make the live system, unless one of the same inputs is there")
            },
        ];
        if !distro.images.embed.is_empty() {
            steps.push(Step {
                files: vec![],
                ..step(&format!(
                    "pull {} into {}",
                    distro.images.embed.join(", "),
                    work.join(embed::ON_MEDIUM).display()
                ))
            });
        }
        steps.push(Step {
            commands: vec![format!("mksquashfs layer {}", layer::ON_MEDIUM)],
            files: listed(&layer, &work.join("layer")),
            ..step("make the product's layer: names, pictures, settings")
        });
        steps.push(Step {
            commands: vec!["lb clean --binary".into(), config, "lb binary".into()],
            files: listed(&tree.below("bootloaders"), &work.join("lb/config")),
            ..step("make the medium")
        });
        let stem = publish::stem(distro);
        let results = ["iso", "cdx.json", "packages", "log"].map(|end| format!("{stem}.{end}"));
        steps.push(Step {
            files: results
                .into_iter()
                .chain(["SHA256SUMS".to_owned()])
                .map(|name| (places.output.join(name), 0))
                .collect(),
            ..step("write the results")
        });
        Ok(Self { steps })
    }
}

fn step(what: &str) -> Step {
    Step {
        what: what.to_owned(),
        commands: Vec::new(),
        files: Vec::new(),
    }
}

fn listed(files: &Files, dir: &std::path::Path) -> Vec<(PathBuf, usize)> {
    let size = |entry: &Entry| match entry {
        Entry::File { content, .. } => content.len(),
        Entry::Link(_) => 0,
    };
    files
        .iter()
        .map(|(path, entry)| (dir.join(path), size(entry)))
        .collect()
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, step) in self.steps.iter().enumerate() {
            writeln!(f, "{}. {}", n + 1, step.what)?;
            for line in &step.commands {
                writeln!(f, "     $ {line}")?;
            }
            for (path, bytes) in &step.files {
                match bytes {
                    0 => writeln!(f, "     > {}", path.display())?,
                    _ => writeln!(f, "     > {}  {bytes} B", path.display())?,
                }
            }
        }
        Ok(())
    }
}
