// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line of `bootc install to-filesystem`, made from the plan and
//! the boot decision alone.

use contract::plan::BootcPlan;
use imageref::Reference;
use sandbox::{LAYOUT, TARGET};

use crate::boot::{Backend, BootcBootloader};

use super::layout::TAG;

/// What the command line is made of.
#[derive(Debug, Clone, Copy)]
pub struct BootcArgs<'a> {
    /// The `bootc` part of the plan.
    pub plan: &'a BootcPlan,
    /// Reference that the installed system updates from.
    pub imgref: &'a Reference,
    /// Boot loader that bootc is told to install.
    pub bootloader: BootcBootloader,
    /// How bootc stores the deployment.
    pub backend: Backend,
    /// The image names others that come with it
    /// (`/usr/lib/bootc/bound-images.d`).
    pub bound_images: bool,
}

impl BootcArgs<'_> {
    /// The words, the program first.
    ///
    /// `--acknowledge-destructive`: the runtime root lies on the target, so
    /// bootc takes the target for the booted system and would wait 20 seconds;
    /// [`crate::target::inspect`] has made sure that it is not.
    /// `--skip-finalize`: the deployment is configured afterwards, and
    /// [`crate::finish`] closes the target.
    pub fn words(&self) -> Vec<String> {
        let mut words = Words::default();
        words.all(["bootc", "install", "to-filesystem"]);
        words.pair("--source-imgref", &format!("oci:{LAYOUT}:{TAG}"));
        words.pair("--target-imgref", &self.imgref.to_string());
        words.all(["--acknowledge-destructive", "--skip-finalize"]);
        words.pair("--stateroot", self.plan.stateroot.as_str());
        if self.backend == Backend::Composefs {
            words.all(["--composefs-backend"]);
        }
        words.pair("--bootloader", self.bootloader.option());
        // A value may start with a dash, so it must stick to its option.
        for karg in &self.plan.kargs {
            words.all([format!("--karg={karg}").as_str()]);
        }
        for karg in &self.plan.kargs_delete {
            words.all([format!("--karg-delete={karg}").as_str()]);
        }
        if self.plan.enforce_sigpolicy {
            words.all(["--enforce-container-sigpolicy"]);
        }
        if self.plan.disable_selinux {
            words.all(["--disable-selinux"]);
        }
        if self.bound_images {
            // The default looks for them in the running root's storage, which
            // is empty here.
            words.pair("--bound-images", "pull");
        }
        words.all([TARGET]);
        words.0
    }
}

#[derive(Debug, Default)]
struct Words(Vec<String>);

impl Words {
    fn all<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) {
        self.0.extend(words.into_iter().map(str::to_owned));
    }

    fn pair(&mut self, option: &str, value: &str) {
        self.all([option, value]);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use contract::plan::{BootloaderChoice, Stateroot};

    fn plan() -> BootcPlan {
        BootcPlan {
            stateroot: Stateroot::default(),
            bootloader: BootloaderChoice::Auto,
            kargs: Vec::new(),
            kargs_delete: Vec::new(),
            enforce_sigpolicy: false,
            disable_selinux: false,
        }
    }

    fn line(plan: &BootcPlan, loader: BootcBootloader, backend: Backend, bound: bool) -> String {
        let args = BootcArgs {
            plan,
            imgref: &"reg.example/os/debian:13".parse().unwrap(),
            bootloader: loader,
            backend,
            bound_images: bound,
        };
        args.words().join(" ")
    }

    const HEAD: &str = "bootc install to-filesystem --source-imgref oci:/run/oci:source \
        --target-imgref reg.example/os/debian:13 --acknowledge-destructive --skip-finalize";

    #[test]
    fn lines() {
        let full = BootcPlan {
            stateroot: Stateroot::try_from("debian".to_owned()).unwrap(),
            kargs: vec!["quiet".into(), "console=ttyS0,115200".into(), "-x".into()],
            kargs_delete: vec!["splash".into()],
            enforce_sigpolicy: true,
            disable_selinux: true,
            ..plan()
        };
        let table = [
            (
                line(&plan(), BootcBootloader::None, Backend::Ostree, false),
                "--stateroot default --bootloader none /run/target",
            ),
            (
                line(&plan(), BootcBootloader::Grub, Backend::Ostree, true),
                "--stateroot default --bootloader grub --bound-images pull /run/target",
            ),
            (
                line(&plan(), BootcBootloader::Systemd, Backend::Composefs, false),
                "--stateroot default --composefs-backend --bootloader systemd /run/target",
            ),
            (
                line(&full, BootcBootloader::None, Backend::Ostree, false),
                "--stateroot debian --bootloader none --karg=quiet --karg=console=ttyS0,115200 \
                 --karg=-x --karg-delete=splash --enforce-container-sigpolicy --disable-selinux \
                 /run/target",
            ),
        ];
        for (found, tail) in table {
            assert_eq!(found, format!("{HEAD} {tail}"));
        }
    }
}
