// SPDX-License-Identifier: MIT OR Apache-2.0
//! The packages that are not in the archive: ours, built or given, and the
//! distro's.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use crate::build::parts::Parts;
use crate::build::publish::own;
use crate::build::step::{Context, Description, Step};
use crate::error::{Code, Error, Result};
use crate::lock::{package_differences, pinned_own};
use crate::progress::Progress;

/// How often the log is looked at.
const TICK: Duration = Duration::from_millis(500);

/// The packages.
#[derive(Debug)]
pub(super) struct Packages(pub(super) Rc<Parts>);

impl Step for Packages {
    fn describe(&self) -> Result<Description> {
        let request = &self.0.request;
        Ok(Description::new(match &request.debs {
            Some(dir) => format!("take the installer's packages from {}", dir.display()),
            None => format!(
                "build the installer's packages for {}",
                request.distro.suite
            ),
        }))
    }

    fn run(&self, at: &mut Context<'_>) -> Result<()> {
        let distro = &self.0.request.distro;
        at.progress.stage(match &self.0.request.debs {
            Some(_) => "packages of the installer",
            None => "packages of the installer (compiled when the sources changed)",
        });
        let mut debs = match &at.found.get()?.given {
            Some(debs) => debs.clone(),
            None => our_debs(&distro.suite, at.progress)?,
        };
        debs.extend(distro.debs.iter().cloned());
        if let Some(locked) = &self.0.request.locked {
            let here: Vec<_> = debs.iter().map(|deb| own(deb)).collect::<Result<_>>()?;
            let here: Vec<_> = here.iter().map(pinned_own).collect();
            locked.require(package_differences("own package", &locked.lock.own, &here))?;
        }
        at.debs.set(debs);
        Ok(())
    }
}

/// The root in which packages are built.
#[derive(Debug)]
pub(super) struct PackagesRoot(pub(super) Rc<Parts>);

impl Step for PackagesRoot {
    fn describe(&self) -> Result<Description> {
        let suite = &self.0.request.distro.suite;
        Ok(Description::new(format!(
            "make the root for compilers, of {suite}, unless it is in the cache"
        )))
    }

    fn run(&self, at: &mut Context<'_>) -> Result<()> {
        at.progress.stage("root for compilers");
        let suite = &self.0.request.distro.suite;
        debs::build_root(suite).map(drop).map_err(|err| {
            Error::new(
                Code::BuildFailed,
                "The root in which packages are built cannot be made.",
            )
            .why("The mirror does not answer, the disk is full, or there is no source tree here.")
            .next("See the details; --debs names a directory with packages that are built.")
            .detail(format!("{err:#}"))
        })
    }
}

/// Our packages, built from the work tree that this program was compiled in.
fn our_debs(suite: &str, progress: &mut Progress) -> Result<Vec<PathBuf>> {
    let log = progress.log().map(Path::to_owned);
    let output = progress.log_file().map(File::try_clone).transpose();
    let output = output
        .map_err(|err| Error::new(Code::Io, "The log cannot be shared.").detail(err.to_string()))?;
    let mut tail = log.as_deref().and_then(|log| Tail::of(log).ok());
    let building = std::thread::scope(|scope| {
        let building = scope.spawn(|| {
            let output = output
                .as_ref()
                .map_or(debs::Output::Inherited, debs::Output::File);
            debs::build(suite, output)
        });
        let mut told = "compilers begin".to_owned();
        while !building.is_finished() {
            told = tail.as_mut().and_then(Tail::last_told).unwrap_or(told);
            progress.at(&told);
            std::thread::park_timeout(TICK);
        }
        building.join()
    });
    let failed = |detail: String| {
        Error::new(
            Code::BuildFailed,
            "The installer's packages cannot be built.",
        )
        .why("The compiler or the mirror made trouble, or there is no source tree here.")
        .next("See the details; --debs names a directory with packages that are built.")
        .detail(detail)
    };
    match building {
        Ok(built) => built.map_err(|err| failed(format!("{err:#}"))),
        Err(_) => Err(failed("building them ended unexpectedly".into())),
    }
}

/// The end of a log that others write.
struct Tail {
    file: File,
    /// A line without its end yet.
    begun: String,
    /// Parts that were compiled so far.
    count: usize,
}

impl Tail {
    /// What is written from now on.
    fn of(log: &Path) -> std::io::Result<Self> {
        let mut file = File::open(log)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self {
            file,
            begun: String::new(),
            count: 0,
        })
    }

    /// What the new lines say last about how far it is.
    fn last_told(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes).ok()?;
        self.told_by(&String::from_utf8_lossy(&bytes))
    }

    fn told_by(&mut self, text: &str) -> Option<String> {
        self.begun.push_str(text);
        let end = self.begun.rfind('\n')?;
        let rest = self.begun.split_off(end + 1);
        let lines = std::mem::replace(&mut self.begun, rest);
        let parts: Vec<&str> = lines.lines().filter_map(compiled).collect();
        self.count += parts.len();
        let last = parts.last()?;
        Some(format!("{last} ({} so far)", self.count))
    }
}

/// The part that a line of cargo or ninja says is compiled.
fn compiled(line: &str) -> Option<&str> {
    let line = line.trim_start();
    if let Some(rest) = line.strip_prefix("Compiling ") {
        return rest.split(' ').next();
    }
    // [12/200] Building CXX object a/b.cpp.o
    let (number, rest) = line.strip_prefix('[')?.split_once("] Building ")?;
    let is_number = number.bytes().all(|b| b.is_ascii_digit() || b == b'/');
    let file = rest.rsplit('/').next()?;
    is_number.then(|| file.trim_end_matches(".o"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use super::*;

    #[test]
    fn how_far_compilers_are_is_read_while_they_write() {
        let mut log = tempfile::NamedTempFile::new().unwrap();
        log.write_all(b"   Compiling before v1\n").unwrap();
        let mut tail = Tail::of(log.path()).unwrap();
        for (written, told) in [
            ("", None),
            (
                "dh build\n   Compiling serde v1.0\n",
                Some("serde (1 so far)"),
            ),
            // What is half there counts with its end.
            ("   Compiling ha", None),
            ("lf v1\n", Some("half (2 so far)")),
            ("warning: x\n", None),
            (
                "   Compiling a v1\n[3/90] Building CXX object m/page.cpp.o\n",
                Some("page.cpp (4 so far)"),
            ),
            ("[x] Building CXX object y\n", None),
        ] {
            log.write_all(written.as_bytes()).unwrap();
            assert_eq!(tail.last_told().as_deref(), told, "{written}");
        }
    }
}
