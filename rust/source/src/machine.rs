// SPDX-License-Identifier: MIT OR Apache-2.0
//! What this machine says about registries, as its other container tools see
//! it, with what a plan says on top (docs/registries.md).

use std::ffi::OsString;
use std::path::Path;

use contract::error::Result;
use contract::plan::Plan;
use imageref::Reference;
use registry::RegistryEntry;
use registry::{CertsDirs, Endpoint, Mirror, PullFromMirror, RegistriesConf, RegistriesFiles};

use crate::coded::Coded;

/// The file that a plan's registries are said to be from.
const ORIGIN: &str = "the installer's configuration";

fn env(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// `registries.conf` and its drop-ins, without those of a plan.
///
/// # Errors
/// `CONFIG_INVALID`, `IO`.
pub fn own_registries() -> Result<RegistriesConf> {
    RegistriesFiles::search(env, Path::exists)
        .load()
        .map_err(Coded::coded)
}

/// The machine's registries and the plan's, which count like a last drop-in.
///
/// # Errors
/// As for [`own_registries`].
pub fn registries(plan: &Plan) -> Result<RegistriesConf> {
    Ok(with_plan(own_registries()?, plan))
}

/// Where certificates of registries are.
pub fn certs() -> CertsDirs {
    CertsDirs::search(env)
}

fn with_plan(mut conf: RegistriesConf, plan: &Plan) -> RegistriesConf {
    for entry in entries_of(plan) {
        conf.insert(entry);
    }
    conf
}

/// What the plan says about where registries are and how they are spoken to.
/// One that only has a login or an authority leaves the machine's settings be.
fn entries_of(plan: &Plan) -> Vec<RegistryEntry> {
    let insecure = |name: &str| {
        plan.registries
            .iter()
            .any(|r| r.insecure && r.matches(name))
    };
    let needed = plan
        .registries
        .iter()
        .filter(|r| r.insecure || !r.mirrors.is_empty());
    needed
        .map(|registry| RegistryEntry {
            location: Some(registry.prefix.clone()),
            insecure: insecure(&registry.prefix),
            mirrors: registry
                .mirrors
                .iter()
                .map(|mirror| {
                    let location = mirror.trim_end_matches('/');
                    Mirror {
                        location: location.to_owned(),
                        insecure: insecure(location),
                        pull: PullFromMirror::All,
                    }
                })
                .collect(),
            ..RegistryEntry::new(&registry.prefix, ORIGIN)
        })
        .collect()
}

/// What the system needs to find `reference` as it was found here: the plan's
/// entries, and the machine's own for it.
pub fn entries_for(
    conf: &RegistriesConf,
    plan: &Plan,
    reference: &Reference,
) -> Vec<RegistryEntry> {
    let mut entries = entries_of(plan);
    if let Some(used) = conf.entry_for(reference) {
        let plain = RegistryEntry {
            location: Some(used.prefix.clone()),
            ..RegistryEntry::new(&used.prefix, &used.origin)
        };
        let there = entries.iter().any(|e| e.prefix == used.prefix);
        // Without mirrors, one that is blocked here would end all updates.
        let of_use = !used.blocked || !used.mirrors.is_empty();
        if !there && of_use && *used != plain {
            entries.push(used.clone());
        }
    }
    entries
}

/// All places that updates of `reference` may come from, by tag or by digest.
/// What is blocked here is not blocked there, unless it has mirrors.
///
/// # Errors
/// As for [`RegistriesConf::endpoints`].
pub fn places(conf: &RegistriesConf, reference: &Reference) -> Result<Vec<Endpoint>> {
    let mut only = RegistriesConf::default();
    if let Some(entry) = conf.entry_for(reference) {
        let mut entry = entry.clone();
        entry.blocked &= !entry.mirrors.is_empty();
        entry.mirror_by_digest_only = false;
        for mirror in &mut entry.mirrors {
            mirror.pull = PullFromMirror::All;
        }
        only.insert(entry);
    }
    only.endpoints(reference).map_err(Coded::coded)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use contract::plan::RegistryPlan;

    fn plan(registries: &[(&str, bool, &[&str])]) -> Plan {
        let mut plan = Plan::from_json(
            r#"{"version":1,"image":{"imgref":"r.io/os:13"},
            "source":{"type":"registry"},"runtimeRoot":{"type":"unpack"},
            "target":{"root":"/target"},"bootc":{"stateroot":"default"}}"#,
        )
        .unwrap();
        plan.registries = registries
            .iter()
            .map(|(prefix, insecure, mirrors)| RegistryPlan {
                prefix: (*prefix).into(),
                insecure: *insecure,
                mirrors: mirrors.iter().map(|&m| m.into()).collect(),
                ..RegistryPlan::default()
            })
            .collect();
        plan
    }

    fn machine(text: &str) -> RegistriesConf {
        RegistriesConf::from_toml("machine.conf", text).unwrap()
    }

    fn endpoints(conf: &RegistriesConf, name: &str) -> Vec<String> {
        let endpoints = conf.endpoints(&name.parse().unwrap()).unwrap();
        let text = |e: Endpoint| format!("{}{}", if e.insecure { "!" } else { "" }, e.reference);
        endpoints.into_iter().map(text).collect()
    }

    /// The plan's registries, an image, its endpoints.
    type Row = (&'static [Registry], &'static str, &'static [&'static str]);
    /// Prefix, insecure, mirrors.
    type Registry = (&'static str, bool, &'static [&'static str]);

    #[test]
    fn a_plan_counts_like_a_last_drop_in() {
        let machine = machine(
            "[[registry]]\nlocation = \"r.io\"\n[[registry.mirror]]\nlocation = \"m.io\"\n\
             [[registry]]\nlocation = \"r.io/own\"\n[[registry.mirror]]\nlocation = \"own.io/x\"",
        );
        let table: [Row; 6] = [
            (&[], "r.io/a:1", &["m.io/a:1", "r.io/a:1"]),
            // Nothing but a login: the machine's mirror stays.
            (
                &[("r.io", false, &[])],
                "r.io/a:1",
                &["m.io/a:1", "r.io/a:1"],
            ),
            (&[("r.io", true, &[])], "r.io/a:1", &["!r.io/a:1"]),
            (
                &[
                    ("r.io", false, &["x.io/hub/", "y.io:5000"]),
                    ("y.io:5000", true, &[]),
                ],
                "r.io/a:1",
                &["x.io/hub/a:1", "!y.io:5000/a:1", "r.io/a:1"],
            ),
            // The longest prefix wins, wherever it is from.
            (
                &[("r.io", true, &[])],
                "r.io/own:1",
                &["own.io/x:1", "r.io/own:1"],
            ),
            (
                &[("r.io", true, &[]), ("r.io/b", false, &["x.io/b"])],
                "r.io/b/c:1",
                &["x.io/b/c:1", "!r.io/b/c:1"],
            ),
        ];
        for (registries, name, expected) in table {
            let conf = with_plan(machine.clone(), &plan(registries));
            assert_eq!(endpoints(&conf, name), expected, "{registries:?}");
        }
    }

    #[test]
    fn what_an_update_needs() {
        let conf = machine(
            "[[registry]]\nlocation = \"r.io\"\nmirror-by-digest-only = true\n\
             [[registry.mirror]]\nlocation = \"m.io\"\n\
             [[registry]]\nlocation = \"plain.io\"\n\
             [[registry]]\nlocation = \"other.io\"\ninsecure = true\n\
             [[registry]]\nlocation = \"no.io\"\nblocked = true\n\
             [[registry]]\nlocation = \"gap.io\"\nblocked = true\n\
             [[registry.mirror]]\nlocation = \"m.io\"",
        );
        let plan = plan(&[("x.io", true, &[])]);
        let prefixes = |name: &str| -> Vec<String> {
            let entries = entries_for(&conf, &plan, &name.parse().unwrap());
            entries.into_iter().map(|e| e.prefix).collect()
        };
        assert_eq!(prefixes("r.io/os:1"), ["x.io", "r.io"]);
        assert_eq!(prefixes("plain.io/os:1"), ["x.io"]);
        assert_eq!(prefixes("no.io/os:1"), ["x.io"]);
        assert_eq!(
            places(&conf, &"no.io/os:1".parse().unwrap()).unwrap().len(),
            1
        );
        assert_eq!(prefixes("gap.io/os:1"), ["x.io", "gap.io"]);
        let gap = places(&conf, &"gap.io/os:1".parse().unwrap()).unwrap();
        let names: Vec<String> = gap.iter().map(|p| p.reference.name()).collect();
        assert_eq!(names, ["m.io/os"]);
        assert_eq!(prefixes("x.io/os:1"), ["x.io"]);
        assert_eq!(prefixes("unknown.io/os:1"), ["x.io"]);

        let reference = "r.io/os:1".parse().unwrap();
        assert_eq!(conf.endpoints(&reference).unwrap().len(), 1);
        let places = places(&conf, &reference).unwrap();
        let names: Vec<String> = places.iter().map(|p| p.reference.name()).collect();
        assert_eq!(names, ["m.io/os", "r.io/os"]);
    }
}
