// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Calamares plugin and the programs as a tree, for who changes them: what
//! the packages install, without making packages, and compiled fast.
//!
//! [`plugin`] lays out the sources on a bench and starts this program once more
//! in the root, where Qt, Calamares and CMake are; there it is [`install`].

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail, ensure};
use buildroot::cache;
use buildroot::cmd::CommandExt;

use crate::bench::{self, Bench, entries};
use crate::root::Output;

/// The command of `debs` that calls [`install`].
pub const INSTALL: &str = "install-plugin";

/// Crates that CMake has cargo build: the plugin's, and those of [`PROGRAMS`].
const CRATES: &[&str] = &["bridge", "bootc-installer"];
/// What cargo builds and CMake does not install.
const PROGRAMS: &[&str] = &["bootc-installer"];
/// All that an install tree has at its top.
const TOP: &[&str] = &["etc", "usr"];

/// On the bench, as it is in the root and here.
const CARGO_TARGET: &str = "cargo";
const CMAKE: &str = "cmake";
const PROGRAM: &str = "debs";
const INSTALLED: &str = "installed";

/// Builds the plugin, its configuration, the branding and the programs, and
/// makes `output` the directory with what they install (`DESTDIR`). It may be
/// new, empty, or such a directory of before, which is replaced. Needs root.
pub fn plugin(suite: &str, output: &Path) -> Result<()> {
    let output =
        std::path::absolute(output).with_context(|| format!("resolving {}", output.display()))?;
    check_output(&output)?;
    let bench = Bench::new("plugin-build", suite, "")?;
    let _lock = bench.lock()?;
    bench.lay_out()?;
    // By its name there may be another by now: making the root takes minutes. A
    // process of its own writes it, so that no other one has it open for writing
    // when it is executed.
    Command::new("cp")
        .arg(format!("/proc/{}/exe", std::process::id()))
        .arg(bench.dir.join(PROGRAM))
        .run()
        .context("copying this program")?;
    // The tree becomes a live system: its directories are for everybody.
    let lines = format!("umask 022; exec {}/{PROGRAM} {INSTALL}", bench::BUILD);
    bench
        .run(&lines, Output::Inherited)
        .with_context(|| format!("not built; {} is as it was", output.display()))?;
    replace(&bench.dir.join(INSTALLED), &output)
}

/// Refuses a directory in which something else is, before it would be replaced.
fn check_output(output: &Path) -> Result<()> {
    match output.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(error).with_context(|| format!("looking at {}", output.display()));
        }
        Ok(meta) => ensure!(
            meta.is_dir(),
            "{} is no directory. Next step: name another with --output",
            output.display()
        ),
    }
    let other = entries(output)?.into_iter().find(|path| {
        let name = path.file_name().unwrap_or_default();
        !TOP.iter().any(|top| name == *top)
    });
    match other {
        None => Ok(()),
        Some(other) => bail!(
            "{} is replaced by the new tree, but it has {}, which is not of one. \
             Next step: name an empty or a new directory with --output",
            output.display(),
            other.display()
        ),
    }
}

/// Makes `output` a copy of `tree`: the old one stays until the new one is whole.
fn replace(tree: &Path, output: &Path) -> Result<()> {
    let name = output.file_name().context("an output without a name")?;
    let parent = output.parent().context("an output without a parent")?;
    fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
    let partial = parent.join(format!(".{}.partial", name.to_string_lossy()));
    cache::remove_tree(&partial)?;
    Command::new("cp")
        .args(["--archive", "--no-target-directory"])
        .arg(tree)
        .arg(&partial)
        .run()?;
    cache::remove_tree(output)?;
    fs::rename(&partial, output).with_context(|| format!("naming {}", output.display()))
}

/// Configures, builds and installs the work tree on the bench. To be called in
/// the root, by [`plugin`].
pub fn install() -> Result<()> {
    let bench = Path::new(bench::BUILD);
    ensure!(
        Path::new(bench::VENDOR).is_dir(),
        "{INSTALL} is for the root in which the plugin is built. \
         Next step: run `make plugin`, which makes it"
    );
    let installed = bench.join(INSTALLED);
    cache::remove_tree(&installed)?;
    write_cargo_config(&cargo_home())?;
    let triple = host_triple(&Command::new("rustc").arg("-vV").read()?)?.to_owned();
    cmake(&triple)?;
    let bin = installed.join("usr/bin");
    fs::create_dir_all(&bin).with_context(|| format!("making {}", bin.display()))?;
    for name in PROGRAMS {
        let built = bench.join(CARGO_TARGET).join("release").join(name);
        fs::copy(&built, bin.join(name))
            .with_context(|| format!("installing {}", built.display()))?;
    }
    Ok(())
}

/// The `cmake` crate is made for build scripts: what cargo tells those is said
/// here, and where it fails it panics.
fn cmake(triple: &str) -> Result<()> {
    let mut config = cmake::Config::new(bench::TREE);
    config
        .generator("Ninja")
        .profile("Release")
        .host(triple)
        .target(triple)
        // The crate names a compiler for C, which nothing here is.
        .configure_arg("--no-warn-unused-cli")
        .out_dir(Path::new(bench::BUILD).join(CMAKE));
    for (name, value) in defines() {
        config.define(name, value);
    }
    for (name, value) in environment() {
        config.env(name, value);
    }
    // What went wrong is on the screen already; that this is no build script,
    // and where in the crate it noticed, helps nobody.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let built = std::panic::catch_unwind(move || config.build());
    std::panic::set_hook(hook);
    built.map(drop).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.and_then(|text| text.trim().lines().next());
        anyhow!(
            "CMake: {}. What the compiler said is above. \
             Next step: mend that, and run `make plugin` again",
            text.unwrap_or("failed")
        )
    })
}

/// What CMake is told: places as in a package (debhelper says the same), and
/// what debian/rules tells it.
fn defines() -> Vec<(&'static str, String)> {
    vec![
        ("CMAKE_INSTALL_PREFIX", "/usr".to_owned()),
        ("CMAKE_INSTALL_SYSCONFDIR", "/etc".to_owned()),
        // The crate's own silence every warning, also one that is an error here.
        ("CMAKE_CXX_FLAGS", String::new()),
        ("CARGO_TARGET_DIR", on_bench(CARGO_TARGET)),
        ("CARGO_PACKAGES", CRATES.join(";")),
    ]
}

/// What CMake and cargo find in their environment. The compiler is to be done
/// soon, after a small change too; speed is for packages.
fn environment() -> Vec<(&'static str, String)> {
    let text = str::to_owned;
    vec![
        ("DESTDIR", on_bench(INSTALLED)),
        // The cmake crate sets C, which Qt's tools warn of.
        ("LC_ALL", text("C.UTF-8")),
        ("CARGO_HOME", cargo_home().display().to_string()),
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", text("1")),
        ("CARGO_PROFILE_RELEASE_LTO", text("off")),
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", text("16")),
        ("CARGO_PROFILE_RELEASE_DEBUG", text("none")),
        // Names of functions in a backtrace.
        ("CARGO_PROFILE_RELEASE_STRIP", text("none")),
        ("CARGO_PROFILE_RELEASE_INCREMENTAL", text("true")),
    ]
}

fn on_bench(name: &str) -> String {
    format!("{}/{name}", bench::BUILD)
}

fn cargo_home() -> PathBuf {
    Path::new(bench::BUILD).join("cargo-home")
}

/// Crates come from the vendored sources: the root has no network.
fn write_cargo_config(home: &Path) -> Result<()> {
    let text = format!(
        "[source.crates-io]\nreplace-with = \"vendored\"\n\
         [source.vendored]\ndirectory = \"{}\"\n\
         [net]\noffline = true\n",
        bench::VENDOR
    );
    fs::create_dir_all(home)
        .and_then(|()| fs::write(home.join("config.toml"), text))
        .with_context(|| format!("writing cargo's configuration in {}", home.display()))
}

/// The target triple of a compiler that says so in `rustc -vV`.
fn host_triple(version: &str) -> Result<&str> {
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .with_context(|| format!("no host in what `rustc -vV` says: {version:?}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::source;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn read(path: &str) -> String {
        fs::read_to_string(source::workspace().unwrap().join(path)).unwrap()
    }

    fn value<'a>(pairs: &'a [(&str, String)], name: &str) -> &'a str {
        let pair = pairs.iter().find(|(found, _)| *found == name);
        &pair.unwrap_or_else(|| panic!("{name} is not set")).1
    }

    #[test]
    fn the_same_crates_and_programs_as_in_the_packages() {
        let rules = read("debian/rules");
        let crates = value(&defines(), "CARGO_PACKAGES").to_owned();
        assert!(
            // But for the builder, which no plugin has.
            rules.contains(&format!("\nCRATES = {crates}$(addprefix ;,$(BUILDER))\n")),
            "{crates}"
        );
        let install = read("debian/bootc-installer.install");
        let lines = install.lines().filter(|line| !line.starts_with('#'));
        let installed: Vec<_> = lines.map(str::to_owned).collect();
        let ours = |program| format!("obj-cargo/release/{program} usr/bin");
        assert_eq!(installed, PROGRAMS.iter().map(ours).collect::<Vec<_>>());
    }

    #[test]
    fn compiled_like_a_package_for_tests() {
        let rules = read("debian/rules");
        let (_, noopt) = rules.split_once("filter noopt").unwrap();
        let (noopt, _) = noopt.split_once("endif").unwrap();
        let ours = environment();
        let mut compared = 0;
        for line in noopt.lines() {
            if let Some((name, wanted)) = line
                .strip_prefix("export ")
                .and_then(|setting| setting.split_once(" = "))
            {
                assert_eq!(value(&ours, name), wanted, "{name}");
                compared += 1;
            }
        }
        assert!(compared >= 3, "{noopt}");
    }

    #[test]
    fn everything_stays_on_the_bench_and_is_installed_as_a_package() {
        let (defines, environment) = (defines(), environment());
        assert_eq!(value(&defines, "CMAKE_INSTALL_PREFIX"), "/usr");
        assert_eq!(value(&defines, "CMAKE_INSTALL_SYSCONFDIR"), "/etc");
        for place in [
            value(&defines, "CARGO_TARGET_DIR"),
            value(&environment, "CARGO_HOME"),
            value(&environment, "DESTDIR"),
        ] {
            // In the tree it would be removed with what is not of the source.
            assert!(place.starts_with("/build/"), "{place}");
            assert!(!place.starts_with(bench::TREE), "{place}");
        }
    }

    #[test]
    fn the_compiler_names_its_triple() {
        let text = "rustc 1.96.0\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nrelease: 1.96.0\n";
        assert_eq!(host_triple(text).unwrap(), "x86_64-unknown-linux-gnu");
        assert!(host_triple("rustc 1.96.0\n").is_err());
    }

    #[test]
    fn only_a_tree_of_before_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (tree, output) = (dir.path().join("tree"), dir.path().join("out/plugin"));
        fs::create_dir_all(tree.join("etc")).unwrap();
        fs::create_dir_all(tree.join("usr/bin")).unwrap();
        fs::write(tree.join("usr/bin/program"), "new").unwrap();
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(tree.join("usr/bin/program"), mode).unwrap();
        symlink("/usr/share/qml", tree.join("etc/qml")).unwrap();
        check_output(&output).unwrap();
        replace(&tree, &output).unwrap();
        fs::write(output.join("usr/gone"), "old").unwrap();

        check_output(&output).unwrap();
        replace(&tree, &output).unwrap();
        assert!(!output.join("usr/gone").exists());
        let program = output.join("usr/bin/program");
        assert_eq!(fs::read(&program).unwrap(), b"new");
        assert_eq!(
            program.metadata().unwrap().permissions().mode() & 0o777,
            0o755
        );
        let link = fs::read_link(output.join("etc/qml")).unwrap();
        assert_eq!(link, Path::new("/usr/share/qml"));
        assert_eq!(
            entries(output.parent().unwrap()).unwrap(),
            std::slice::from_ref(&output)
        );

        fs::write(output.join("letter"), "dear").unwrap();
        let error = check_output(&output).unwrap_err().to_string();
        assert!(
            error.contains("letter") && error.contains("Next step"),
            "{error}"
        );
        assert!(check_output(&program).is_err());
    }
}
