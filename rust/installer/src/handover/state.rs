// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was made for a hand-over, written down before it is made: whoever
//! undoes it, even after a `kill -9` in the middle, knows what there is.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use contract::error::{Code, Error, Result};
use host::mountinfo::Mount;
use host::process::Process;
use serde::{Deserialize, Serialize};

use super::failed;

/// Directory of everything that belongs to a hand-over, root's alone.
pub(super) const DIR: &str = "/run/bootc-installer";
/// Where the deployment is handed over.
pub const ROOT: &str = "/run/bootc-installer/deployment";
/// The state file.
pub const FILE: &str = "/run/bootc-installer/handover.json";
/// The next version of it, for a moment.
const NEW_FILE: &str = "/run/bootc-installer/handover.json.new";

/// Version of the file's format.
const VERSION: u32 = 1;

/// A hand-over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct State {
    version: u32,
    /// Mount point of the target's root file system.
    pub(crate) physical_root: PathBuf,
    /// Whether all is mounted and somebody works with it.
    pub(crate) complete: bool,
    /// Who undoes it: this engine while it mounts, then the program that
    /// started it.
    pub(crate) owner: Process,
    /// The mounts, in the order in which they are made.
    pub(crate) mounts: Vec<Made>,
    /// The directories that were made for it, in their order.
    pub(crate) directories: Vec<PathBuf>,
}

/// A mount that was made, or is about to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Made {
    pub(crate) mount_point: PathBuf,
    /// Its number in the list of mounts, once it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<u64>,
}

impl State {
    /// Makes the file, before anything else is made.
    ///
    /// # Errors
    /// `HANDOVER_ACTIVE` when there is one already.
    pub(super) fn begin(physical_root: &Path) -> Result<Self> {
        if Path::new(FILE).exists() {
            return Err(active(None));
        }
        let made = make_private_directory(Path::new(DIR))?;
        let mut state = Self {
            version: VERSION,
            physical_root: physical_root.to_owned(),
            complete: false,
            owner: Process::this()?,
            mounts: Vec::new(),
            directories: Vec::new(),
        };
        if made {
            state.directories.push(DIR.into());
        }
        state.directories.push(ROOT.into());
        state.write_new()?;
        // The link appears whole or not at all, and only where there is none.
        fs::hard_link(NEW_FILE, FILE).map_err(|err| match err.kind() {
            ErrorKind::AlreadyExists => active(None),
            _ => failed(&format!("writing {FILE}"), &err),
        })?;
        // Two names of one file cannot replace each other.
        fs::remove_file(NEW_FILE).map_err(|err| failed(&format!("removing {NEW_FILE}"), &err))?;
        Ok(state)
    }

    /// Makes the mount point, which must not be there.
    pub(super) fn make_root(&self) -> Result<()> {
        DirBuilder::new()
            .mode(0o700)
            .create(ROOT)
            .map_err(|err| failed(&format!("making {ROOT}"), &err))
    }

    /// Says that something will be mounted here.
    pub(super) fn planned(&mut self, mount_point: &Path) -> Result<()> {
        self.mounts.push(Made {
            mount_point: mount_point.to_owned(),
            id: None,
        });
        self.write()
    }

    /// Says which mounts came of the last plan: one, or a whole tree. Written
    /// with the next plan; until then the mount point is known.
    pub(super) fn made(&mut self, tree: &[Mount]) {
        let known: Vec<u64> = self.mounts.iter().filter_map(|made| made.id).collect();
        let mut new: Vec<&Mount> = tree.iter().filter(|m| !known.contains(&m.id)).collect();
        new.sort_by_key(|mount| mount.mount_point.components().count());
        if self.mounts.last().is_some_and(|made| made.id.is_none()) {
            self.mounts.pop();
        }
        self.mounts.extend(new.into_iter().map(|mount| Made {
            mount_point: mount.mount_point.clone(),
            id: Some(mount.id),
        }));
    }

    /// From here on somebody else looks after it.
    pub(super) fn complete(&mut self, owner: Option<Process>) -> Result<()> {
        self.complete = true;
        self.owner = owner.unwrap_or(self.owner);
        self.write()
    }

    /// Whether this mount is one of those that were made or planned.
    pub(super) fn knows(&self, mount: &Mount) -> bool {
        self.mounts.iter().any(|made| match made.id {
            Some(id) => id == mount.id,
            None => mount.mount_point.starts_with(&made.mount_point),
        })
    }

    /// The state of the hand-over that there is.
    ///
    /// # Errors
    /// `HANDOVER_FAILED` when the file is of another version or unreadable.
    pub(crate) fn read() -> Result<Option<Self>> {
        let text = match fs::read_to_string(FILE) {
            Ok(text) => text,
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(None),
            Err(err) => return Err(failed(&format!("reading {FILE}"), &err)),
        };
        Self::from_json(&text).map(Some)
    }

    fn from_json(text: &str) -> Result<Self> {
        let unknown = |why: String| {
            Error::new(
                Code::HandoverFailed,
                format!("The state of a hand-over in {FILE} cannot be understood."),
            )
            .why("Another version of the installer wrote it.")
            .detail(why)
        };
        let state: Self = serde_json::from_str(text).map_err(|err| unknown(err.to_string()))?;
        if state.version == VERSION {
            Ok(state)
        } else {
            Err(unknown(format!("version {}", state.version)))
        }
    }

    fn write(&self) -> Result<()> {
        self.write_new()?;
        fs::rename(NEW_FILE, FILE).map_err(|err| failed(&format!("writing {FILE}"), &err))
    }

    fn write_new(&self) -> Result<()> {
        let write = || -> std::io::Result<()> {
            let json = serde_json::to_vec_pretty(self)?;
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(NEW_FILE)?;
            file.write_all(&json)
        };
        write().map_err(|err| failed(&format!("writing {NEW_FILE}"), &err))
    }
}

/// Removes the files and the directories, which must be empty by now; gives
/// those directories that went. With a directory the kernel takes away what is
/// still mounted on it in other namespaces, so that the target is free.
pub(super) fn remove() -> Result<Vec<PathBuf>> {
    let mut removed = Vec::new();
    if remove_empty(Path::new(ROOT))? {
        removed.push(ROOT.into());
    }
    for file in [NEW_FILE, FILE] {
        match fs::remove_file(file) {
            Err(err) if err.kind() != ErrorKind::NotFound => {
                return Err(failed(&format!("removing {file}"), &err));
            }
            _ => {}
        }
    }
    match fs::remove_dir(DIR) {
        Ok(()) => removed.push(DIR.into()),
        // Somebody else keeps something there, or was first.
        Err(err)
            if matches!(
                err.kind(),
                ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty
            ) => {}
        Err(err) => return Err(failed(&format!("removing {DIR}"), &err)),
    }
    Ok(removed)
}

fn remove_empty(dir: &Path) -> Result<bool> {
    match fs::remove_dir(dir) {
        Ok(()) => Ok(true),
        Err(err) if err.kind() == ErrorKind::NotFound => Ok(false),
        Err(err) => Err(failed(&format!("removing {}", dir.display()), &err)),
    }
}

/// Makes a directory that is root's alone; false when it was there.
fn make_private_directory(dir: &Path) -> Result<bool> {
    let doing = format!("making {}", dir.display());
    let made = match DirBuilder::new().mode(0o700).create(dir) {
        Ok(()) => true,
        Err(err) if err.kind() == ErrorKind::AlreadyExists => false,
        Err(err) => return Err(failed(&doing, &err)),
    };
    let meta = fs::symlink_metadata(dir).map_err(|err| failed(&doing, &err))?;
    if !meta.is_dir() || meta.uid() != 0 {
        return Err(Error::new(
            Code::HandoverFailed,
            format!("{} is not a directory of root's.", dir.display()),
        )
        .why("Another program made it.")
        .next("Remove it and start again."));
    }
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
        .map_err(|err| failed(&doing, &err))?;
    Ok(made)
}

/// Somebody works with a hand-over.
pub(crate) fn active(owner: Option<Process>) -> Error {
    let error = Error::new(
        Code::HandoverActive,
        format!("A deployment is handed over at {ROOT} already."),
    );
    match owner {
        Some(owner) => error.detail(format!("its owner is process {}", owner.pid)),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use host::mountinfo;

    fn state(mounts: &[(&str, Option<u64>)]) -> State {
        State {
            version: VERSION,
            physical_root: "/tmp/target".into(),
            complete: false,
            owner: Process {
                pid: 12,
                start_time: 34,
            },
            mounts: mounts
                .iter()
                .map(|(path, id)| Made {
                    mount_point: path.into(),
                    id: *id,
                })
                .collect(),
            directories: vec![ROOT.into()],
        }
    }

    fn mounts(list: &[(u64, &str)]) -> Vec<Mount> {
        let line = |(id, path): &(u64, &str)| format!("{id} 1 8:1 / {path} rw - ext4 /dev/x rw\n");
        mountinfo::parse(&list.iter().map(line).collect::<String>()).unwrap()
    }

    #[test]
    fn file_format() {
        let before = state(&[("/r", Some(7)), ("/r/usr", None)]);
        let text = serde_json::to_string(&before).unwrap();
        assert!(text.contains(r#""mounts":[{"mountPoint":"/r","id":7},{"mountPoint":"/r/usr"}]"#));
        assert!(text.contains(r#""owner":{"pid":12,"startTime":34}"#));
        assert_eq!(State::from_json(&text).unwrap(), before);
        for bad in [
            "".to_owned(),
            "{".to_owned(),
            text.replace(r#""version":1"#, r#""version":2"#),
            text.replace("owner", "lord"),
        ] {
            let error = State::from_json(&bad).unwrap_err();
            assert_eq!(error.code, Code::HandoverFailed, "{bad}");
        }
    }

    #[test]
    fn a_tree_takes_the_place_of_its_plan() {
        let mut state = state(&[("/r", Some(7)), ("/r/dev", None)]);
        state.made(&mounts(&[
            (10, "/r/dev/pts"),
            (9, "/r/dev"),
            (11, "/r/dev/shm"),
        ]));
        let made: Vec<_> = state.mounts.iter().map(|made| made.id.unwrap()).collect();
        assert_eq!(made, [7, 9, 10, 11]);
        // A second mount at the same place, on top of the first.
        state.mounts.push(Made {
            mount_point: "/r".into(),
            id: None,
        });
        state.made(&mounts(&[(7, "/r"), (12, "/r")]));
        assert_eq!(state.mounts.last().unwrap().id, Some(12));
        assert_eq!(state.mounts.len(), 5);
    }

    #[test]
    fn mounts_of_others_are_told_apart() {
        let state = state(&[("/r", Some(7)), ("/r/boot", None)]);
        let known: Vec<_> = mounts(&[(7, "/r"), (8, "/r"), (9, "/r/boot/efi"), (10, "/r/x")])
            .iter()
            .map(|mount| state.knows(mount))
            .collect();
        assert_eq!(known, [true, false, true, false]);
    }
}
