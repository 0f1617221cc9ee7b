// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes a system of a deployment before its first boot: people and their keys,
//! a name, files and units.
//!
//! The programs are the image's own, in a sandbox of its root with the
//! deployment's `/etc` and the stateroot's `/var`; `/usr` is read-only. Files are
//! written from outside, and never through a link.

mod passwd;
mod place;
mod updates;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use contract::customise_plan::{DirectoryPlan, FilePlan, GroupPlan, UnitPlan, UserPlan};
use contract::error::{Code, Error, Result};
use contract::plan::Plan;
use host::cancel::Cancel;
use host::cmd;
use sandbox::{RootKind, Sandbox};

use crate::deployment::Deployment;
use crate::doctor::RootFacts;
use place::Place;

/// Where passwords are in the sandbox, in memory.
const PASSWORDS: &str = "/run/customise/passwords";
/// chpasswd(8) reads its standard input, and argv is everybody's to read.
const SET_PASSWORDS: &str = "exec chpasswd --encrypted < /run/customise/passwords";
/// How many of a failed command's last lines go into the error.
const STDERR_LINES: usize = 10;

/// What no two machines may have in common; an image on a disk in a file is
/// for many. Below the deployment, and below `/var`.
const OWN_ETC: [&str; 1] = ["etc/machine-id"];
const OWN_VAR: [&str; 2] = ["lib/systemd/random-seed", "lib/dbus/machine-id"];

/// Refuses what the image has no program for, before it is deployed.
///
/// # Errors
/// `CUSTOMISE_UNSUPPORTED`.
pub fn check(plan: &Plan, image: &RootFacts) -> Result<()> {
    updates::check(plan, image)?;
    let wanted = plan.deployment.customisation();
    if wanted.is_empty() {
        return Ok(());
    }
    let unsupported = |what: String| Err(Error::new(Code::CustomiseUnsupported, what));
    if image.selinux && !plan.bootc.disable_selinux {
        return unsupported(
            "The image has a SELinux policy, and files that are added before the first boot \
             would have no labels."
                .into(),
        );
    }
    let mut programs = Vec::new();
    if !wanted.groups.is_empty() {
        programs.push("groupadd");
    }
    if !wanted.users.is_empty() {
        programs.extend(["useradd", "usermod", "chown"]);
    }
    if wanted.users.iter().any(|user| user.password_hash.is_some()) {
        programs.extend(["sh", "chpasswd"]);
    }
    if wanted.files.iter().any(|file| file.owner.is_some()) {
        programs.extend(["chown", "chmod"]);
    }
    if !wanted.directories.is_empty() {
        programs.extend(["chown", "chmod"]);
    }
    if !wanted.units.is_empty() {
        programs.push("systemctl");
    }
    match programs.iter().find(|program| !image.has(program)) {
        None => Ok(()),
        Some(program) => unsupported(format!("The image has no `{program}`.")),
    }
}

/// Does all that the plan says, in the image's root `runtime`, of which `image` is
/// known; warnings, one sentence each.
///
/// # Errors
/// `CUSTOMISE_FAILED`, `CANCELLED`.
pub fn customise(
    plan: &Plan,
    deployment: &Deployment,
    (runtime, image): (&RootKind, &RootFacts),
    cancel: &Cancel,
) -> Result<Vec<String>> {
    if plan.disk.as_ref().is_some_and(|disk| disk.is_file()) {
        forget_identity(deployment)?;
    }
    let wanted = plan.deployment.customisation();
    let (timer, warning) = updates::timer(plan, image);
    if wanted.is_empty() && timer.is_none() {
        return Ok(warning.into_iter().collect());
    }
    Deployment::make_tool_directories(&deployment.var)?;
    let work = Work {
        deployment,
        sandbox: Sandbox::of(runtime.clone())
            .read_only()
            .tmpfs("/run")
            .tmpfs("/tmp")
            .bind(deployment.dir.join("etc"), "/etc")
            .bind(&deployment.var, "/var")
            // Nothing is running that it could talk to.
            .env("SYSTEMD_OFFLINE", "1"),
        cancel,
    };
    if let Some(name) = wanted.hostname {
        let place = Place::find(deployment, Path::new("/etc/hostname"))?;
        place.write(format!("{name}\n").as_bytes(), 0o644)?;
    }
    for group in wanted.groups {
        work.group(group)?;
    }
    for user in wanted.users {
        work.user(user)?;
    }
    work.passwords(wanted.users)?;
    work.keys("root", wanted.root_ssh_keys)?;
    for user in wanted.users {
        work.keys(&user.name, &user.ssh_authorized_keys)?;
    }
    for directory in wanted.directories {
        work.directory(directory)?;
    }
    for file in wanted.files {
        work.file(file)?;
    }
    for link in wanted.links {
        Place::find_link(deployment, Path::new(&link.path))?.link(&link.target)?;
    }
    work.units(wanted.units)?;
    work.units(timer.as_slice())?;
    Ok(warning.into_iter().collect())
}

struct Work<'a> {
    deployment: &'a Deployment,
    sandbox: Sandbox,
    cancel: &'a Cancel,
}

impl Work<'_> {
    fn group(&self, group: &GroupPlan) -> Result<()> {
        let file = self.deployment.dir.join("etc/group");
        let text = fs::read_to_string(&file).map_err(|err| Error::io("reading", &file, &err))?;
        let mut names = text.lines().filter_map(|line| line.split(':').next());
        if names.any(|name| name == group.name) {
            return Ok(());
        }
        let gid = group.gid.map(|gid| gid.to_string());
        let mut words = vec!["groupadd"];
        words.extend(group.system.then_some("--system"));
        if let Some(gid) = &gid {
            words.extend(["--gid", gid]);
        }
        words.extend(["--", &group.name]);
        self.run(&words)
    }

    fn user(&self, user: &UserPlan) -> Result<()> {
        let name = user.name.as_str();
        let there = self.account(name)?.is_some();
        let mut words = Vec::new();
        let home = self.new_home(name);
        if there {
            words.push("usermod");
        } else {
            words.extend(["useradd", "--create-home", "--home-dir", &home]);
        }
        if let Some(shell) = &user.shell {
            words.extend(["--shell", shell]);
        }
        let groups = user.groups.join(",");
        if !groups.is_empty() {
            words.extend(there.then_some("--append"));
            words.extend(["--groups", &groups]);
        }
        if there && words.len() == 1 {
            return Ok(());
        }
        words.extend(["--", name]);
        self.run(&words)
    }

    /// As the image has it: `/home/NAME`, where that leads into `/var`.
    fn new_home(&self, name: &str) -> String {
        match fs::read_link(self.deployment.dir.join("home")) {
            Ok(_) => format!("/home/{name}"),
            Err(_) => format!("/var/home/{name}"),
        }
    }

    fn account(&self, name: &str) -> Result<Option<passwd::Account>> {
        let file = self.deployment.dir.join("etc/passwd");
        let text = fs::read_to_string(&file).map_err(|err| Error::io("reading", &file, &err))?;
        Ok(passwd::find(&text, name))
    }

    /// All at once, through a file in memory.
    fn passwords(&self, users: &[UserPlan]) -> Result<()> {
        let lines: String = users
            .iter()
            .filter_map(|user| Some((&user.name, user.password_hash.as_ref()?)))
            .map(|(name, hash)| format!("{name}:{}\n", hash.expose()))
            .collect();
        if lines.is_empty() {
            return Ok(());
        }
        let sandbox = self.sandbox.clone().file(PASSWORDS, lines, 0o600);
        self.run_in(&sandbox, &["sh", "-c", SET_PASSWORDS])
    }

    fn keys(&self, name: &str, keys: &[String]) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let Some(account) = self.account(name)? else {
            return Err(failed(format!("There is no user {name} in the image.")));
        };
        let home = Place::find(self.deployment, Path::new(&account.home))?;
        let new = !home.is_there();
        if new {
            home.make_dir(0o700)?;
        }
        let ssh = Path::new(&account.home).join(".ssh");
        Place::find(self.deployment, &ssh)?.make_dir(0o700)?;
        let file = ssh.join("authorized_keys");
        let text = keys.join("\n") + "\n";
        Place::find(self.deployment, &file)?.write(text.as_bytes(), 0o600)?;
        if account.uid == 0 {
            return Ok(());
        }
        let owner = format!("{}:{}", account.uid, account.gid);
        let (home, ssh, file) = (
            account.home.as_str(),
            ssh.display().to_string(),
            file.display().to_string(),
        );
        let mut words = vec!["chown", "--no-dereference", &owner, "--"];
        words.extend(new.then_some(home));
        words.extend([ssh.as_str(), &file]);
        self.run(&words)
    }

    /// One that is there gets mode and owner as well.
    fn directory(&self, directory: &DirectoryPlan) -> Result<()> {
        let path = directory.path.as_str();
        let place = Place::find(self.deployment, Path::new(path))?;
        place.make_dir(directory.bits().unwrap_or(0o700))?;
        if let Some(owner) = &directory.owner {
            self.run(&["chown", "--no-dereference", owner, "--", path])?;
        }
        match &directory.mode {
            Some(mode) => self.run(&["chmod", mode, "--", path]),
            None => Ok(()),
        }
    }

    fn file(&self, file: &FilePlan) -> Result<()> {
        let place = Place::find(self.deployment, Path::new(&file.path))?;
        place.write(file.contents.as_bytes(), file.bits().unwrap_or(0o600))?;
        let Some(owner) = &file.owner else {
            return Ok(());
        };
        self.run(&["chown", "--no-dereference", owner, "--", &file.path])?;
        match &file.mode {
            // A change of the owner takes special bits away.
            Some(mode) if file.bits() > Some(0o777) => self.run(&["chmod", mode, "--", &file.path]),
            _ => Ok(()),
        }
    }

    fn units(&self, units: &[UnitPlan]) -> Result<()> {
        for unit in units {
            let word = if unit.enabled { "enable" } else { "disable" };
            self.run(&["systemctl", word, "--", &unit.name])?;
        }
        Ok(())
    }

    fn run(&self, argv: &[&str]) -> Result<()> {
        self.run_in(&self.sandbox, argv)
    }

    fn run_in(&self, sandbox: &Sandbox, argv: &[&str]) -> Result<()> {
        let output = sandbox.run(argv, self.cancel)?;
        if output.exit.success() {
            return Ok(());
        }
        let name = argv.first().unwrap_or(&"");
        let mut error = failed(format!("The image's `{name}` failed.")).detail(format!(
            "`{}` in the image: {}",
            cmd::command_line(argv),
            output.exit
        ));
        error
            .details
            .extend(cmd::last_lines(&output.stderr_text(), STDERR_LINES));
        Err(error)
    }
}

/// Removes what makes this one system of many: it is made anew at the first
/// boot. A file that is empty or says `uninitialized` stays; both ask for that
/// (machine-id(5)).
fn forget_identity(deployment: &Deployment) -> Result<()> {
    let own = OWN_ETC
        .iter()
        .map(|name| deployment.dir.join(name))
        .chain(OWN_VAR.iter().map(|name| deployment.var.join(name)));
    for path in own {
        if is_identity(&path) {
            fs::remove_file(&path).map_err(|err| Error::io("removing", &path, &err))?;
        }
    }
    Ok(())
}

fn is_identity(path: &PathBuf) -> bool {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_file() => match fs::read(path) {
            Ok(bytes) => !bytes.trim_ascii().is_empty() && bytes.trim_ascii() != b"uninitialized",
            Err(_) => true,
        },
        Ok(_) => false,
        Err(err) => err.kind() != ErrorKind::NotFound && err.kind() != ErrorKind::NotADirectory,
    }
}

fn failed(what: impl Into<String>) -> Error {
    Error::new(Code::CustomiseFailed, what)
}

#[cfg(test)]
mod tests;
