// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the recipe is: what the kernel's command line says wins over a credential
//! of the machine, and that over a file on the medium.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use contract::error::{Code, Error, Result};
use recipe::After;

/// Name of the credential.
const CREDENTIAL: &str = "installer.recipe";
/// The file on the medium.
const FILE: &str = "installer/recipe.yaml";

/// Words of the kernel's command line.
const RECIPE: &str = "installer.recipe";
const SHA256: &str = "installer.recipe.sha256";
const AFTER: &str = "installer.after";

/// What the kernel's command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// A path on the medium, or an address.
    recipe: Option<String>,
    /// The hash that the recipe has: 64 lower-case digits.
    pub(super) sha256: Option<String>,
    /// What happens at the end, whatever the recipe says.
    pub(super) after: Option<After>,
}

/// A place that has the recipe.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A file of the medium.
    File(PathBuf),
    /// A credential of the machine, in this file.
    Credential(PathBuf),
    /// With http or https.
    Address(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Credential(_) => write!(f, "the credential {CREDENTIAL}"),
            Self::Address(address) => write!(f, "at {address}"),
        }
    }
}

impl Asked {
    /// Reads a command line as the kernel does: words in quotes are one, and the last
    /// of several counts. Pure.
    ///
    /// # Errors
    /// `USAGE` for a value that there is not.
    pub(super) fn of(cmdline: &str) -> Result<Self> {
        let mut asked = Self::default();
        for word in words(cmdline) {
            let Some((name, value)) = word.split_once('=') else {
                continue;
            };
            match name {
                RECIPE => asked.recipe = Some(value.to_owned()),
                SHA256 => asked.sha256 = Some(hash(value)?),
                AFTER => {
                    let named = After::named(value);
                    asked.after = Some(named.ok_or_else(|| {
                        wrong(
                            AFTER,
                            value,
                            "It must be poweroff, reboot, shell or nothing.",
                        )
                    })?);
                }
                _ => {}
            }
        }
        Ok(asked)
    }

    /// The place of the recipe.
    ///
    /// # Errors
    /// `USAGE` for an address without a hash and a path that leaves the medium;
    /// `RECIPE_UNREADABLE` when there is none.
    pub(super) fn origin(&self, credentials: &Path, medium: &Path) -> Result<Origin> {
        if let Some(value) = &self.recipe {
            return self.named(value, medium);
        }
        let credential = credentials.join(CREDENTIAL);
        if credential.is_file() {
            return Ok(Origin::Credential(credential));
        }
        let file = medium.join(FILE);
        if file.is_file() {
            return Ok(Origin::File(file));
        }
        Err(Error::new(Code::RecipeUnreadable, "There is no recipe.")
            .why("Neither the kernel's command line nor a credential nor the medium has one.")
            .next(format!(
                "Start with {RECIPE}=, give the machine the credential {CREDENTIAL}, or put {FILE} onto the medium."
            )))
    }

    fn named(&self, value: &str, medium: &Path) -> Result<Origin> {
        if ["http://", "https://"]
            .iter()
            .any(|it| value.starts_with(it))
        {
            // Whoever answers would otherwise say what becomes of the disk.
            return match self.sha256 {
                Some(_) => Ok(Origin::Address(value.to_owned())),
                None => Err(Error::new(
                    Code::Usage,
                    format!("{RECIPE}= is an address, and nothing says what its recipe must be."),
                )
                .why("Whoever answers for that server would decide what becomes of the disk.")
                .next(format!("Add {SHA256}= with the hash of `sha256sum`."))),
            };
        }
        let inside = Path::new(value.trim_start_matches('/'));
        let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
        if value.contains("://") || inside.as_os_str().is_empty() || !inside.components().all(plain)
        {
            return Err(wrong(
                RECIPE,
                value,
                "It must be a path on the medium, or an address with http or https.",
            ));
        }
        Ok(Origin::File(medium.join(inside)))
    }
}

/// Refuses a recipe whose hash is another one.
///
/// # Errors
/// `RECIPE_MISMATCH`.
pub(super) fn verify(name: &Path, bytes: &[u8], sha256: Option<&str>) -> Result<()> {
    let found = registry::sha256(bytes);
    match sha256 {
        Some(wanted) if wanted != found.hex() => Err(Error::new(
            Code::RecipeMismatch,
            format!("{} is not the recipe that was meant.", name.display()),
        )
        .detail(format!("its hash is {}, not {wanted}", found.hex()))),
        _ => Ok(()),
    }
}

fn wrong(name: &str, value: &str, next: &str) -> Error {
    let what = format!("The kernel argument {name}={value} cannot be understood.");
    Error::new(Code::Usage, what)
        .why("It was misspelt in the boot menu or in its settings.")
        .next(next)
}

fn hash(value: &str) -> Result<String> {
    let digits = value.strip_prefix("sha256:").unwrap_or(value);
    let digits = digits.to_ascii_lowercase();
    if digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(digits);
    }
    Err(wrong(
        SHA256,
        value,
        "It must be the 64 digits of `sha256sum`.",
    ))
}

/// Words of a command line, whose quotes are taken away.
fn words(cmdline: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut quoted = false;
    for c in cmdline.chars() {
        match (c, all.last_mut()) {
            ('"', _) => quoted = !quoted,
            (c, _) if c.is_whitespace() && !quoted => all.push(String::new()),
            (c, Some(word)) => word.push(c),
            (_, None) => {}
        }
    }
    all.retain(|word| !word.is_empty());
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn command_lines() {
        let asked = |text: &str| Asked::of(text).unwrap();
        assert_eq!(asked("boot=live quiet installer.text\n"), Asked::default());
        let one = asked("a installer.recipe=/x.yaml installer.after=reboot b");
        assert_eq!(one.recipe.as_deref(), Some("/x.yaml"));
        assert_eq!(one.after, Some(After::Reboot));
        let quoted = asked("x=\"a installer.after=shell\" \"installer.recipe=/a b\"");
        assert_eq!(quoted.recipe.as_deref(), Some("/a b"));
        assert_eq!(quoted.after, None);
        let twice = asked("installer.after=shell installer.after=nothing");
        assert_eq!(twice.after, Some(After::Nothing));
        let upper = EMPTY.to_uppercase();
        for value in [EMPTY.to_owned(), format!("sha256:{EMPTY}"), upper] {
            let hash = asked(&format!("installer.recipe.sha256={value}"));
            assert_eq!(hash.sha256.as_deref(), Some(EMPTY));
        }
        for (text, name) in [
            ("installer.after=halt", AFTER),
            ("installer.after=", AFTER),
            ("installer.recipe.sha256=abc", SHA256),
        ] {
            let error = Asked::of(text).unwrap_err();
            assert_eq!(error.code, Code::Usage, "{text}");
            assert!(error.what.contains(name), "{}", error.what);
        }
    }

    #[test]
    fn where_the_recipe_is() {
        let dir = tempfile::tempdir().unwrap();
        let (credentials, medium) = (dir.path().join("c"), dir.path().join("m"));
        std::fs::create_dir_all(medium.join("installer")).unwrap();
        std::fs::create_dir(&credentials).unwrap();
        let origin = |cmdline: &str| {
            let asked = Asked::of(cmdline).unwrap();
            asked.origin(&credentials, &medium)
        };
        let none = origin("quiet").unwrap_err();
        assert_eq!(none.code, Code::RecipeUnreadable);
        let file = medium.join(FILE);
        std::fs::write(&file, "").unwrap();
        assert_eq!(origin("").unwrap(), Origin::File(file.clone()));
        let credential = credentials.join(CREDENTIAL);
        std::fs::write(&credential, "").unwrap();
        assert_eq!(origin("").unwrap(), Origin::Credential(credential));
        let said = origin("installer.recipe=/installer/other.yaml").unwrap();
        assert_eq!(said, Origin::File(medium.join("installer/other.yaml")));
        let address = format!("installer.recipe=https://a.b/r installer.recipe.sha256={EMPTY}");
        assert_eq!(
            origin(&address).unwrap(),
            Origin::Address("https://a.b/r".into())
        );
        for bad in [
            "http://a.b/r",
            "https://a.b/r",
            "ftp://a/r",
            "/../etc/x",
            "",
            "/",
        ] {
            let error = origin(&format!("installer.recipe={bad}")).unwrap_err();
            assert_eq!(error.code, Code::Usage, "{bad}");
        }
    }

    #[test]
    fn hashes() {
        let name = Path::new("r");
        verify(name, b"", None).unwrap();
        verify(name, b"", Some(EMPTY)).unwrap();
        let error = verify(name, b"x", Some(EMPTY)).unwrap_err();
        assert_eq!(error.code, Code::RecipeMismatch);
        assert!(error.details[0].contains(EMPTY));
    }
}
