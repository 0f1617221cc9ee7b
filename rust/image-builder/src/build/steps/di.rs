// SPDX-License-Identifier: MIT OR Apache-2.0
//! The steps of a medium with Debian's own installer that no other medium has.

use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use crate::build::di;
use crate::build::lists::Lists;
use crate::build::live::Bench;
use crate::build::parts::Parts;
use crate::build::step::{Context, Description, Step};
use crate::error::{Code, Error, Result};
use crate::mirror;
use crate::progress::Progress;

/// What the archives have.
#[derive(Debug)]
pub(super) struct ReadLists(pub(super) Rc<Parts>);

impl Step for ReadLists {
    fn describe(&self) -> Result<Description> {
        let suite = &self.0.request.distro.suite;
        Ok(Description::new(format!(
            "read the lists of packages, and look for the installer of {suite}"
        )))
    }

    fn run(&self, at: &mut Context<'_>) -> Result<()> {
        let found = at.found.get()?;
        at.progress.stage("lists of packages");
        let distro = &self.0.request.distro;
        let lists = Lists::read(distro, &found.reach)?;
        di::require(&distro.suite, &lists.live)?;
        let all = lists.tools.iter().chain(&lists.live);
        at.hashes.set(all.cloned().collect());
        at.lists.set(lists);
        Ok(())
    }
}

/// The installer's packages.
#[derive(Debug)]
pub(super) struct Fetch(pub(super) Rc<Parts>);

impl Fetch {
    /// All but the kernel, whose name has a version, and what is given.
    fn names(&self) -> Result<Vec<String>> {
        let distro = &self.0.request.distro;
        let given = di::given(distro)?;
        let netboot = di::netboot_package(&distro.suite);
        let others = [di::TOOLS, di::UDEBS].concat();
        let others = others.into_iter().map(str::to_owned);
        let all = netboot.into_iter().chain(others);
        Ok(all.filter(|name| !given.contains(name)).collect())
    }
}

impl Step for Fetch {
    fn describe(&self) -> Result<Description> {
        Ok(Description::new(format!(
            "fetch Debian's installer, its steps and the kernel of {} into {}",
            di::KERNEL,
            self.0.places.work.join(di::PACKAGES).display()
        ))
        .commands([format!("apt-get download {}", self.names()?.join(" "))]))
    }

    fn run(&self, at: &mut Context<'_>) -> Result<()> {
        at.progress.stage("packages of Debian's installer");
        let found = at.found.get()?;
        let distro = &self.0.request.distro;
        let mut names = self.names()?;
        let archives = match names.iter().any(|name| di::UDEBS.contains(&name.as_str())) {
            true => mirror::installer_archives(distro, &found.reach),
            false => mirror::archives(distro, &found.reach),
        };
        let lists = archives
            .lists()
            .map_err(|err| not_fetched(format!("{err:#}")))?;
        let closure = lists
            .closure(&[di::KERNEL])
            .map_err(|err| not_fetched(format!("{err:#}")))?;
        let kernel = di::kernel_of(&closure)
            .ok_or_else(|| not_fetched(format!("{} brings no kernel", di::KERNEL)))?;
        let dir = found.work.fresh(di::PACKAGES)?;
        names.push(kernel.to_owned());
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        lists
            .download(&names, &dir)
            .map_err(|err| not_fetched(format!("{err:#}")))?;
        at.stop.check()?;
        for deb in at.debs.get()? {
            let name = deb.file_name().unwrap_or_default();
            if name.to_string_lossy().starts_with("bootc-installer_") {
                let to = dir.join(name);
                fs::copy(deb, &to).map_err(|err| Error::io("Writing", &to, &err))?;
            }
        }
        Ok(())
    }
}

fn not_fetched(detail: String) -> Error {
    Error::new(
        Code::MirrorUnreachable,
        "The packages of Debian's installer cannot be fetched.",
    )
    .why("The mirror stopped answering or is being changed, or its lists name what it has not.")
    .next("Run the same command again, or name another mirror in `mirrors` of distro.yaml.")
    .detail(detail)
}

/// The installer with its steps, before it is packed.
#[derive(Debug)]
pub(super) struct Initrd(pub(super) Rc<Parts>);

impl Step for Initrd {
    fn describe(&self) -> Result<Description> {
        let Parts {
            request, places, ..
        } = &*self.0;
        Ok(
            Description::new("unpack the installer's initrd, its steps and the kernel's modules")
                .commands(di::initrd_lines(&request.distro))
                .files(&di::files(&request.distro)?, &places.work.join(di::DIR)),
        )
    }

    fn run(&self, at: &mut Context<'_>) -> Result<()> {
        let distro = &self.0.request.distro;
        let (bench, progress) = at.bench(&self.0)?;
        progress.stage("Debian's installer");
        for made in ["boot", "medium", "udeb"] {
            bench.work.remove(&format!("{}/{made}", di::DIR))?;
        }
        di::files(distro)?.write_to(&bench.work.path(di::DIR))?;
        run(&bench, di::initrd_lines(distro), progress)
    }
}

/// The ISO.
#[derive(Debug)]
pub(super) struct Medium(pub(super) Rc<Parts>);

impl Step for Medium {
    fn describe(&self) -> Result<Description> {
        let Parts {
            request, places, ..
        } = &*self.0;
        let iso: PathBuf = places.work.join(di::ISO);
        Ok(Description::new("make the medium")
            .commands(di::medium_lines(&request.distro))
            .file(iso))
    }

    fn run(&self, at: &mut Context<'_>) -> Result<()> {
        let (bench, progress) = at.bench(&self.0)?;
        progress.stage("medium");
        run(&bench, di::medium_lines(&self.0.request.distro), progress)
    }
}

fn run(bench: &Bench<'_>, lines: Vec<String>, progress: &mut Progress) -> Result<()> {
    let directory = format!("cd {}", di::DIR);
    let lines = std::iter::once(directory.as_str()).chain(lines.iter().map(String::as_str));
    bench.run(&lines.collect::<Vec<_>>(), progress)
}
