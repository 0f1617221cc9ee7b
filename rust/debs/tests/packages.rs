// SPDX-License-Identifier: MIT OR Apache-2.0
//! `debian/` agrees with the sources.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use debs::Control;

fn read(path: &str) -> String {
    fs::read_to_string(debs::workspace().unwrap().join(path)).unwrap()
}

fn control() -> Control {
    Control::parse(&read("debian/control")).unwrap()
}

/// The version in `name (>= version)`.
fn least(control: &Control, name: &str) -> String {
    let relations = control.source.relations("Build-Depends");
    let wanted = format!("{name} (>= ");
    let relation = relations
        .iter()
        .flat_map(|relation| relation.split(" | "))
        .find_map(|relation| relation.strip_prefix(&wanted));
    relation.unwrap().trim_end_matches(')').to_owned()
}

#[test]
fn the_packages_have_cargos_version() {
    let changelog = read("debian/changelog");
    let version = debs::changelog_version(&changelog).unwrap();
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let cmake = format!("VERSION {version} ");
    assert!(read("CMakeLists.txt").contains(&cmake), "{cmake}");
}

#[test]
fn compiler_and_calamares_are_as_new_as_the_sources_want() {
    let control = control();
    let rust = env!("CARGO_PKG_RUST_VERSION");
    for name in ["rustc-web", "rustc", "cargo-web", "cargo"] {
        assert_eq!(least(&control, name), rust, "{name}");
    }
    let find = format!("find_package(Calamares {} ", least(&control, "calamares"));
    assert!(read("CMakeLists.txt").contains(&find), "{find}");
}

#[test]
fn every_imported_qml_module_is_depended_on() {
    let control = control();
    let package = control.package("calamares-bootc").unwrap();
    let depends = package.names("Depends");
    for module in imports() {
        // The package of a module has its private part, too.
        let module = module.trim_end_matches(".impl");
        let name = format!("qml6-module-{}", module.to_lowercase().replace('.', "-"));
        assert!(depends.contains(&name.as_str()), "{module} needs {name}");
    }
}

/// Qt's modules that the pages and the branding import; those of Calamares are
/// inside of it.
fn imports() -> BTreeSet<String> {
    let source = debs::workspace().unwrap();
    let modules: BTreeSet<_> = debs::files(&source)
        .unwrap()
        .iter()
        .filter(|name| name.extension().is_some_and(|ext| ext == "qml"))
        .flat_map(|name| imports_of(&source.join(name)))
        .collect();
    assert!(modules.contains("QtQuick"), "{modules:?}");
    modules
}

fn imports_of(path: &Path) -> Vec<String> {
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("import Qt"))
        .filter_map(|rest| rest.split([' ', ';']).next())
        .map(|module| format!("Qt{module}"))
        .collect()
}
