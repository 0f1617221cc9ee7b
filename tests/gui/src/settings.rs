// SPDX-License-Identifier: MIT OR Apache-2.0
//! `settings.conf` of Calamares, as far as tests change it.

use serde_yaml::{Mapping, Value};

/// Where the harness puts its own modules.
pub(crate) const MODULES: &str = "/opt/gui-test/modules";

/// For tests of the harness itself: no partitions are looked at, none changed.
const STOCK: &str = "
modules-search: [ local ]
sequence:
- show: [ welcome, locale, keyboard, users, summary ]
- exec: [ presetpartitions, mount, dumpstorage, umount ]
- show: [ finished ]
branding: default
prompt-install: false
dont-chroot: false
disable-cancel: false
disable-cancel-during-exec: false
hide-back-and-next-during-exec: true
quit-at-end: false
";

/// A `welcome.conf` that does not want a disk, since it does not count loop
/// devices as such.
pub(crate) fn without_disk_check(text: &str) -> String {
    let mut map: Mapping = serde_yaml::from_str(text).unwrap();
    if let Some(requirements) = map.get_mut("requirements") {
        for key in ["check", "required"] {
            if let Some(list) = requirements.get_mut(key).and_then(Value::as_sequence_mut) {
                list.retain(|check| check.as_str() != Some("storage"));
            }
        }
    }
    serde_yaml::to_string(&map).unwrap()
}

/// Which kind of phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// Pages.
    Show,
    /// Jobs.
    Exec,
}

impl Sequence {
    fn key(self) -> &'static str {
        match self {
            Self::Show => "show",
            Self::Exec => "exec",
        }
    }
}

/// The settings of a session.
#[derive(Clone, Debug)]
pub struct Settings(Mapping);

impl Settings {
    /// For stock modules and those of the harness.
    pub fn stock() -> Self {
        Self::parse(STOCK)
    }

    /// Those that are installed, with the harness's job in the place of
    /// `partition`: nothing in a test may partition a disk.
    pub fn installed(text: &str) -> Self {
        Self::parse(text)
            .without(Sequence::Show, "partition")
            .replace(Sequence::Exec, "partition", &["presetpartitions"])
    }

    fn parse(text: &str) -> Self {
        let mut map: Mapping = serde_yaml::from_str(text).unwrap();
        let search = map
            .get_mut("modules-search")
            .and_then(Value::as_sequence_mut);
        search.unwrap().push(MODULES.into());
        Self(map)
    }

    /// Sets a key of the top level.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.into(), value.into());
        self
    }

    /// Without this module.
    #[must_use]
    pub fn without(self, sequence: Sequence, module: &str) -> Self {
        self.replace(sequence, module, &[])
    }

    /// With these modules in the place of that one.
    ///
    /// # Panics
    /// When it is not there.
    #[must_use]
    pub fn replace(mut self, sequence: Sequence, module: &str, with: &[&str]) -> Self {
        let mut found = false;
        for list in self.lists(sequence) {
            let new = list.drain(..).flat_map(|own| {
                if own.as_str() != Some(module) {
                    return vec![own];
                }
                found = true;
                with.iter().map(|name| Value::from(*name)).collect()
            });
            let new: Vec<Value> = new.collect();
            *list = new;
        }
        assert!(found, "no module {module} in {}", sequence.key());
        self
    }

    /// With another module right after that one.
    #[must_use]
    pub fn after(self, sequence: Sequence, module: &str, new: &str) -> Self {
        self.replace(sequence, module, &[module, new])
    }

    /// With another module right before that one.
    #[must_use]
    pub fn before(self, sequence: Sequence, module: &str, new: &str) -> Self {
        self.replace(sequence, module, &[new, module])
    }

    /// With these jobs only.
    #[must_use]
    pub fn exec(mut self, modules: &[&str]) -> Self {
        let lists = self.lists(Sequence::Exec);
        for (index, list) in lists.into_iter().enumerate() {
            list.clear();
            if index == 0 {
                list.extend(modules.iter().map(|m| Value::from(*m)));
            }
        }
        self
    }

    fn lists(&mut self, sequence: Sequence) -> Vec<&mut Vec<Value>> {
        let phases = self.0.get_mut("sequence").and_then(Value::as_sequence_mut);
        phases
            .unwrap()
            .iter_mut()
            .filter_map(|phase| phase.get_mut(sequence.key())?.as_sequence_mut())
            .collect()
    }

    /// Whether Calamares asks once more before it installs.
    pub(crate) fn prompts(&self) -> bool {
        self.0.get("prompt-install").and_then(Value::as_bool) == Some(true)
    }

    pub(crate) fn text(&self) -> String {
        serde_yaml::to_string(&self.0).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(settings: &Settings, sequence: Sequence) -> Vec<String> {
        let mut settings = settings.clone();
        let lists = settings.lists(sequence).into_iter().flatten();
        lists.map(|m| m.as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_installed_settings_never_partition() {
        let text = "modules-search: [ local ]\nbranding: x\nsequence:\n\
                    - show: [ welcome, partition, summary ]\n\
                    - exec: [ partition, mount, umount ]\n- show: [ finished ]\n";
        let settings = Settings::installed(text);
        assert_eq!(
            modules(&settings, Sequence::Show),
            ["welcome", "summary", "finished"]
        );
        let settings = settings
            .after(Sequence::Exec, "mount", "dumpstorage")
            .before(Sequence::Exec, "umount", "failing");
        assert_eq!(
            modules(&settings, Sequence::Exec),
            [
                "presetpartitions",
                "mount",
                "dumpstorage",
                "failing",
                "umount"
            ]
        );
        assert!(settings.text().contains(MODULES));
        let settings = settings.exec(&["slow"]);
        assert_eq!(modules(&settings, Sequence::Exec), ["slow"]);
    }

    #[test]
    fn a_disk_is_not_checked_for() {
        let text = "requirements:\n  check: [ storage, ram ]\n  required: [ storage ]\n";
        let map: Mapping = serde_yaml::from_str(&without_disk_check(text)).unwrap();
        let wanted = "requirements:\n  check: [ ram ]\n  required: []\n";
        assert_eq!(map, serde_yaml::from_str::<Mapping>(wanted).unwrap());
    }

    #[test]
    #[should_panic(expected = "no module nothing in exec")]
    fn a_module_that_is_not_there_is_no_silent_success() {
        drop(Settings::stock().without(Sequence::Exec, "nothing"));
    }
}
