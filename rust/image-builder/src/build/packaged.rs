// SPDX-License-Identifier: MIT OR Apache-2.0
//! Texts of our packages, and the changes that a distro's medium makes in them.
//! They are compiled in: one that is renamed does not compile. A change that no
//! longer meets the text fails, since a medium without it would look right.

use crate::error::{Error, Result};

/// A text of our packages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packaged {
    /// Its path in the repository.
    pub(super) path: &'static str,
    /// As it is packaged.
    pub(super) text: &'static str,
}

/// Calamares' sequence.
pub(super) const SETTINGS: Packaged = Packaged {
    path: "calamares-module/config/settings.conf",
    text: include_str!("../../../../calamares-module/config/settings.conf"),
};
/// The page of the location.
pub(super) const LOCALE: Packaged = Packaged {
    path: "calamares-module/config/modules/locale.conf",
    text: include_str!("../../../../calamares-module/config/modules/locale.conf"),
};
/// Names, pictures and colours.
pub(super) const BRANDING: Packaged = Packaged {
    path: "branding/calamares-bootc/branding.desc",
    text: include_str!("../../../../branding/calamares-bootc/branding.desc"),
};

/// A packaged text while it is changed. Comments and the order stay.
#[derive(Debug)]
pub(super) struct Edited {
    path: &'static str,
    text: String,
}

impl Edited {
    /// Nothing is changed yet.
    pub(super) fn of(packaged: Packaged) -> Self {
        Self {
            path: packaged.path,
            text: packaged.text.to_owned(),
        }
    }

    /// Puts `new` in the place of the only `old`.
    ///
    /// # Errors
    /// When there is none, or another.
    pub(super) fn replace(&mut self, old: &str, new: &str) -> Result<()> {
        self.once(old, self.text.matches(old).count())?;
        self.text = self.text.replacen(old, new, 1);
        Ok(())
    }

    /// Gives a key a value, which is written as YAML on the key's own line.
    ///
    /// # Errors
    /// When there is no line of this key, or another one.
    pub(super) fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let is_its = |line: &str| {
            let rest = line.trim_start().strip_prefix(key);
            rest.is_some_and(|rest| rest.starts_with(':'))
        };
        self.once(key, self.text.lines().filter(|line| is_its(line)).count())?;
        let changed = |line: &str| match is_its(line) {
            true => {
                let indent = &line[..line.len() - line.trim_start().len()];
                format!("{indent}{key}: {value}\n")
            }
            false => format!("{line}\n"),
        };
        self.text = self.text.lines().map(changed).collect();
        Ok(())
    }

    /// With all changes.
    pub(super) fn text(self) -> String {
        self.text
    }

    fn once(&self, what: &str, times: usize) -> Result<()> {
        match times {
            1 => Ok(()),
            _ => Err(Error::defect(format!(
                "{} has `{}` {times} times, and not once.",
                self.path,
                what.trim()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::Code;

    const TEXT: Packaged = Packaged {
        path: "a.conf",
        text: "# key: none\n  key:    1\nkeys: 2\ntwice:\ntwice:\n",
    };

    #[test]
    fn a_value_takes_the_place_of_the_old_one() {
        let mut edited = Edited::of(TEXT);
        edited.set("key", "\"a\"").unwrap();
        edited.replace("keys: 2\n", "keys: 3\nmore: 4\n").unwrap();
        assert_eq!(
            edited.text(),
            "# key: none\n  key: \"a\"\nkeys: 3\nmore: 4\ntwice:\ntwice:\n"
        );
    }

    #[test]
    fn a_change_that_does_not_meet_the_text_fails() {
        let mut edited = Edited::of(TEXT);
        for (old, times) in [("no: \n", "0 times"), ("twice:\n", "2 times")] {
            let error = edited.replace(old, "x").unwrap_err();
            assert_eq!(error.code, Code::BuildFailed);
            assert!(error.what.starts_with("a.conf has `"), "{error}");
            assert!(error.what.contains(times), "{error}");
        }
        for key in ["ke", "twice", "none"] {
            let error = edited.set(key, "x").unwrap_err();
            assert!(error.what.contains(&format!("`{key}`")), "{error}");
        }
        assert_eq!(edited.text(), TEXT.text);
    }

    #[test]
    fn packaged_texts_are_yaml() {
        for Packaged { path, text } in [SETTINGS, LOCALE, BRANDING] {
            let value: serde_yaml::Value = serde_yaml::from_str(text).unwrap();
            assert!(value.is_mapping(), "{path}");
        }
    }
}
