// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;

const SIMULATION: &str = "\
Reading package lists...
Remv qemu-utils [1:10.0~bpo12+1]
Inst seabios (1.16 Debian:12.15/oldstable [all])
Inst zlib1g [1:1.2] (1:1.3 Debian:12.15/oldstable [amd64])
Conf seabios (1.16 Debian:12.15/oldstable [all])
";

/// A machine with one package from backports and a release of three. `new` needs
/// a `common` that does not go with the installed `utils`, as QEMU's packages do.
struct Machine {
    _dir: tempfile::TempDir,
    apt: Apt,
}

const INSTALLED: &str = "\
Package: utils
Status: install ok installed
Version: 10~bpo12+1
Architecture: all
Maintainer: none
Description: none
Breaks: common (<< 8)

";

fn package(name: &str, version: &str, more: &str) -> String {
    format!(
        "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: none\n\
         Filename: ./{name}_{version}.deb\nSize: 1\nSHA256: {:064}\nDescription: none\n{more}\n",
        0
    )
}

fn machine(backports: bool) -> Machine {
    let dir = tempfile::tempdir().unwrap();
    let at = |path: &str| dir.path().join(path);
    for path in [
        "etc/apt.conf.d",
        "etc/preferences.d",
        "etc/sources.list.d",
        "state/lists/partial",
        "cache/archives/partial",
        "bookworm",
        "backports",
    ] {
        fs::create_dir_all(at(path)).unwrap();
    }
    fs::write(at("status"), INSTALLED).unwrap();
    let mut sources = String::new();
    for (name, codename, version) in [
        ("bookworm", "bookworm", "7"),
        ("backports", "bookworm-backports", "10~bpo12+1"),
    ] {
        let packages = [
            package("common", version, ""),
            package("new", version, &format!("Depends: common (= {version})\n")),
            package("alone", version, ""),
        ];
        fs::write(at(name).join("Packages"), packages.concat()).unwrap();
        let limits = match name {
            "backports" => "NotAutomatic: yes\nButAutomaticUpgrades: yes\n",
            _ => "",
        };
        let release = format!("Suite: {codename}\nCodename: {codename}\n{limits}");
        fs::write(at(name).join("Release"), release).unwrap();
        if name == "bookworm" || backports {
            sources.push_str(&format!(
                "deb [trusted=yes] file:{} ./\n",
                at(name).display()
            ));
        }
    }
    fs::write(at("etc/sources.list"), sources).unwrap();
    let option = |name: &str, path: &str| format!("-o{name}={}", at(path).display());
    let apt = Apt {
        options: vec![
            option("Dir::Etc", "etc"),
            option("Dir::State", "state"),
            option("Dir::State::status", "status"),
            option("Dir::Cache", "cache"),
            "-oAPT::Sandbox::User=".to_owned(),
            "-oAPT::Architecture=amd64".to_owned(),
        ],
        codename: "bookworm".to_owned(),
        own: at("own"),
    };
    apt.update(&[]).unwrap();
    Machine { _dir: dir, apt }
}

#[test]
fn a_simulation_is_read() {
    let plan = Plan::parse(SIMULATION);
    assert_eq!(plan.new, ["seabios"]);
    assert_eq!(plan.upgraded, ["zlib1g"]);
    assert_eq!(plan.removed_names(), "qemu-utils");
    assert_eq!(plan.tell(), "apt installs seabios; upgrades zlib1g");
}

#[test]
fn what_stands_in_nobodys_way_is_installed_as_usual() {
    let plan = machine(true).apt.plans(&["alone"]).unwrap().remove(0);
    assert_eq!(plan.new, ["alone"]);
    assert!(plan.options.is_empty(), "{plan:?}");
}

#[test]
fn a_removal_is_refused() {
    let mut machine = machine(false);
    // No release of Debian: nothing else can be tried.
    machine.apt.codename = "none".to_owned();
    let error = machine.apt.plans(&["new"]).unwrap_err().to_string();
    assert!(
        error.starts_with("apt would remove utils to install new,"),
        "{error}"
    );
    assert!(
        error.ends_with("apt-get install --no-install-recommends new"),
        "{error}"
    );
    // And if it came to that later: apt itself refuses.
    let plan = Plan {
        packages: strings(&["new", "-s"]),
        ..Plan::default()
    };
    assert!(machine.apt.install(&plan).is_err());
}

#[test]
fn configured_backports_are_taken_in_place_of_a_removal() {
    let machine = machine(true);
    let plan = machine.apt.plans(&["new"]).unwrap().remove(0);
    assert_eq!(plan.new, ["common", "new"]);
    assert_eq!(plan.options, ["--target-release=bookworm-backports"]);
    let dry = Plan {
        packages: strings(&["new", "-s"]),
        ..plan
    };
    machine.apt.install(&dry).unwrap();
}

#[test]
fn only_what_needs_them_comes_from_backports() {
    let machine = machine(true);
    let plans = machine.apt.plans(&["alone", "new"]).unwrap();
    let packages: Vec<&[String]> = plans.iter().map(|plan| &plan.packages[..]).collect();
    assert_eq!(packages, [strings(&["alone"]), strings(&["new"])]);
    assert!(plans[0].options.is_empty() && !plans[1].options.is_empty());
}

#[test]
fn a_source_for_one_call_leaves_the_machines_own() {
    let machine = machine(false);
    let options = machine
        .apt
        .source("http://mirror.example/debian/", "bookworm-backports");
    let text = fs::read_to_string(machine.apt.own.join("sources.list")).unwrap();
    let line = format!(
        "\ndeb [signed-by={KEYRING}] http://mirror.example/debian/ bookworm-backports main\n"
    );
    assert!(text.ends_with(&line), "{text}");
    assert!(options.unwrap()[0].ends_with("/own/sources.list"));
}

#[test]
fn the_release_is_known() {
    assert_eq!(
        codename("ID=debian\nVERSION_CODENAME=bookworm\n"),
        "bookworm"
    );
    assert_eq!(codename("ID=debian\n"), "");
}
