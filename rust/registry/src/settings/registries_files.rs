// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where `registries.conf` and its drop-ins are looked for, and reading them.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::RegistryError;
use crate::settings::registries_conf::RegistriesConf;

const SYSTEM_FILE: &str = "/etc/containers/registries.conf";
const SYSTEM_DROP_INS: &str = "/etc/containers/registries.conf.d";
const HOME_FILE: &str = ".config/containers/registries.conf";
const HOME_DROP_INS: &str = ".config/containers/registries.conf.d";

/// The files to read, as containers/image chooses them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistriesFiles {
    /// The main file.
    pub main: PathBuf,
    /// Whether somebody named it, so that it is an error when it is not there.
    pub must_exist: bool,
    /// Directories whose `*.conf` are read after it, by name, one directory
    /// after the other.
    pub drop_ins: Vec<PathBuf>,
}

impl RegistriesFiles {
    /// The main file is the first of
    ///
    /// 1. `$CONTAINERS_REGISTRIES_CONF`, which must exist;
    /// 2. `~/.config/containers/registries.conf`, if it exists;
    /// 3. `/etc/containers/registries.conf`.
    ///
    /// The drop-ins are those of `$CONTAINERS_REGISTRIES_CONF_DIR` alone, else
    /// with the file in the home directory those of
    /// `~/.config/containers/registries.conf.d`, else those of
    /// `/etc/containers/registries.conf.d` and then those in the home directory.
    ///
    /// `env` looks up an environment variable, `exists` whether a file is there.
    pub fn search(env: impl Fn(&str) -> Option<OsString>, exists: impl Fn(&Path) -> bool) -> Self {
        let env = |name| env(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let home = env("HOME");
        let in_home = |rest: &str| home.as_ref().map(|h| h.join(rest));
        let named = env("CONTAINERS_REGISTRIES_CONF");
        let must_exist = named.is_some();
        let own = in_home(HOME_FILE).filter(|path| !must_exist && exists(path));
        let drop_ins = match env("CONTAINERS_REGISTRIES_CONF_DIR") {
            Some(dir) => vec![dir],
            None if own.is_some() => in_home(HOME_DROP_INS).into_iter().collect(),
            None => [Some(SYSTEM_DROP_INS.into()), in_home(HOME_DROP_INS)]
                .into_iter()
                .flatten()
                .collect(),
        };
        Self {
            main: named.or(own).unwrap_or_else(|| SYSTEM_FILE.into()),
            must_exist,
            drop_ins,
        }
    }

    /// Reads them.
    ///
    /// # Errors
    /// [`RegistryError::Io`] when a file cannot be read or a named one is
    /// missing, [`RegistryError::Config`] when one cannot be understood.
    pub fn load(&self) -> Result<RegistriesConf, RegistryError> {
        let mut conf = RegistriesConf::default();
        match std::fs::read_to_string(&self.main) {
            Ok(text) => conf.merge(parse(&self.main, &text)?),
            Err(e) if e.kind() == io::ErrorKind::NotFound && !self.must_exist => {}
            Err(e) => return Err(RegistryError::io("read", &self.main)(e)),
        }
        for directory in &self.drop_ins {
            for path in drop_ins_of(directory)? {
                let text =
                    std::fs::read_to_string(&path).map_err(RegistryError::io("read", &path))?;
                conf.merge(parse(&path, &text)?);
            }
        }
        for warning in conf.warnings() {
            tracing::warn!("{warning}");
        }
        Ok(conf)
    }
}

fn parse(path: &Path, text: &str) -> Result<RegistriesConf, RegistryError> {
    Ok(RegistriesConf::from_toml(
        &path.display().to_string(),
        text,
    )?)
}

/// The files `*.conf` of a directory that need not exist, sorted by name.
fn drop_ins_of(directory: &Path) -> Result<Vec<PathBuf>, RegistryError> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(RegistryError::io("read", directory)(e)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(RegistryError::io("read", directory))?.path();
        if path.extension().is_some_and(|e| e == "conf") && !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;

    fn search(env: &[(&str, &str)], existing: &[&str]) -> (String, bool, Vec<String>) {
        let found = RegistriesFiles::search(
            |name| {
                let value = env.iter().find(|(n, _)| *n == name)?.1;
                Some(value.into())
            },
            |path| existing.iter().any(|e| Path::new(e) == path),
        );
        let text = |p: &PathBuf| p.display().to_string();
        (
            text(&found.main),
            found.must_exist,
            found.drop_ins.iter().map(text).collect(),
        )
    }

    /// The environment, the files that are there, the main file, the drop-ins.
    type Row = (
        &'static [(&'static str, &'static str)],
        &'static [&'static str],
        &'static str,
        &'static [&'static str],
    );

    #[test]
    fn search_order() {
        const HOME: (&str, &str) = ("HOME", "/h");
        const OWN: &str = "/h/.config/containers/registries.conf";
        const OWN_D: &str = "/h/.config/containers/registries.conf.d";
        const NAMED: (&str, &str) = ("CONTAINERS_REGISTRIES_CONF", "/x.conf");
        let table: [Row; 8] = [
            (&[], &[], SYSTEM_FILE, &[SYSTEM_DROP_INS]),
            (&[HOME], &[], SYSTEM_FILE, &[SYSTEM_DROP_INS, OWN_D]),
            (&[HOME], &[OWN], OWN, &[OWN_D]),
            (&[NAMED], &[], "/x.conf", &[SYSTEM_DROP_INS]),
            (&[HOME, NAMED], &[OWN], "/x.conf", &[SYSTEM_DROP_INS, OWN_D]),
            (
                &[NAMED, ("CONTAINERS_REGISTRIES_CONF_DIR", "/d")],
                &[],
                "/x.conf",
                &["/d"],
            ),
            (
                &[HOME, ("CONTAINERS_REGISTRIES_CONF_DIR", "/d")],
                &[OWN],
                OWN,
                &["/d"],
            ),
            (
                &[("CONTAINERS_REGISTRIES_CONF", "")],
                &[],
                SYSTEM_FILE,
                &[SYSTEM_DROP_INS],
            ),
        ];
        for (env, existing, main, drop_ins) in table {
            let found = search(env, existing);
            assert_eq!(found.0, main, "{env:?}");
            assert_eq!(found.1, main == "/x.conf", "{env:?}");
            assert_eq!(found.2, drop_ins, "{env:?}");
        }
    }

    #[test]
    fn files_are_read_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let drop_ins = dir.path().join("d");
        let files = RegistriesFiles {
            main: dir.path().join("main.conf"),
            must_exist: false,
            drop_ins: vec![drop_ins.clone(), dir.path().join("none")],
        };
        assert_eq!(files.load().unwrap(), RegistriesConf::default());
        let named = RegistriesFiles {
            must_exist: true,
            ..files.clone()
        };
        assert_eq!(named.load().unwrap_err().kind(), crate::ErrorKind::Io);

        fs::create_dir_all(drop_ins.join("sub.conf")).unwrap();
        let registry = |location: &str| {
            format!("[[registry]]\nprefix = \"r.io\"\nlocation = \"{location}\"\n")
        };
        fs::write(&files.main, registry("main.io")).unwrap();
        fs::write(drop_ins.join("2.conf"), registry("two.io")).unwrap();
        fs::write(drop_ins.join("10.conf"), registry("ten.io")).unwrap();
        fs::write(drop_ins.join("9.conf.bak"), "not read [").unwrap();
        fs::write(drop_ins.join("README"), "not read [").unwrap();
        let conf = files.load().unwrap();
        let at = conf.endpoints(&"r.io/a:1".parse().unwrap()).unwrap();
        assert_eq!(at[0].reference.to_string(), "two.io/a:1");

        fs::write(drop_ins.join("3.conf"), "\n\n[[registry]]\nblocked = true").unwrap();
        let error = files.load().unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Config);
        assert!(error.to_string().contains("d/3.conf, line 3: "), "{error}");
    }
}
