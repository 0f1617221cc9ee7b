// SPDX-License-Identifier: MIT OR Apache-2.0
//! The forms of values: each check of [`syntax`], with the pattern that says the
//! same in a schema. A test compares both.

use yaml_doc::Form;

use super::syntax;

const TITLE_PATTERN: &str = r#"^(?! )(?!.* $)[^\x00-\x1f\x7f"'$`\\{};<>|&#]{1,64}$"#;
const URL_PATTERN: &str = r#"^https?://[^\s/@\"'$`\\{}<>]+(/[^\s\"'$`\\{};<>|^]*)?$"#;
const PATH_PATTERN: &str = r"^[^\x00-\x1f\x7f]+$";
const PROSE_PATTERN: &str = r"^(?![\s\S]*\{\{)[\s\S]*\S";
const FREE_NAME_PATTERN: &str = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$";
const REGISTRY_PATTERN: &str =
    r"^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+)(:[0-9]+)?(/[a-z0-9]+([._/-]+[a-z0-9]+)*)?$";

macro_rules! forms {
    ($($(#[$doc:meta])* $name:ident = $one:literal, $many:literal, $check:path, $pattern:expr $(, $limit:ident($max:expr))?;)*) => {
        $($(#[$doc])* pub(super) static $name: Form = Form::new($one, $many, $check, $pattern)$(.$limit($max))?;)*
        /// Every form, for the test.
        #[cfg(test)]
        pub(super) static ALL: &[(&str, &Form)] = &[$((stringify!($name), &$name)),*];
    };
}

forms! {
    TITLE = "text", "texts", syntax::title, TITLE_PATTERN;
    PROSE = "text", "texts", syntax::prose, PROSE_PATTERN;
    ID = "text", "texts", syntax::id, "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", up_to(syntax::ID_MAX);
    VERSION = "text", "texts", syntax::version, "^([A-Za-z0-9][A-Za-z0-9._+~-]*)?$", up_to(32);
    URL = "web address", "web addresses", syntax::url, URL_PATTERN;
    MIRROR = "web address", "web addresses", syntax::mirror, URL_PATTERN;
    SNAPSHOT = "time, or web address", "times", syntax::snapshot, "^([0-9]{8}T[0-9]{6}Z|https?://.+)$";
    COLOUR = "colour", "colours", syntax::colour, "^#[0-9A-Fa-f]{6}$";
    FILE = "file", "files", syntax::path, PATH_PATTERN;
    DIRECTORY = "directory", "directories", syntax::path, PATH_PATTERN;
    DEB = "file", "files", syntax::deb, r"_(amd64|all)\.deb$";
    PACKAGE = "text", "texts", syntax::package, "^[a-z0-9][a-z0-9+.-]*[a-z0-9+.]$";
    STATEROOT = "text", "texts", syntax::stateroot, "^[A-Za-z0-9_][A-Za-z0-9._-]*$";
    REGISTRY = "registry", "registries", syntax::registry, REGISTRY_PATTERN;
    NAMESPACE = "text", "texts", syntax::namespace, "^[a-z0-9]+([._/-]+[a-z0-9]+)*$";
    TAG = "text", "texts", syntax::tag, "^[A-Za-z0-9_][A-Za-z0-9_.-]*$", up_to(128);
    /// A name of `containers` or a whole reference: the reader looks at it.
    IMAGE = "image", "images", syntax::any, r"^[^\s{}]+$";
    /// A template: the reader looks at it.
    TEMPLATE = "text", "texts", syntax::any, r"^([^{}]|\{\s*(registry|namespace|version)\s*\})+$";
    KARG = "text", "texts", syntax::karg, r"^[A-Za-z0-9][A-Za-z0-9_.,:=/%+~@\[\]-]*$";
    LIVE_KARG = "text", "texts", syntax::live_karg, "^[A-Za-z0-9][A-Za-z0-9_.,:=/%+~-]*$";
    LOCALE = "text", "texts", syntax::locale, r"^(C|[a-z]{2,3}_([A-Z]{2}|419))\.UTF-8(@[A-Za-z0-9]+)?$";
    /// What is in the brackets of a translation.
    LANGUAGE = "language", "languages", syntax::language, "[a-z]{2,3}(_([A-Z]{2}|419))?(@[A-Za-z0-9]+)?";
    LAYOUT = "text", "texts", syntax::layout, "^[A-Za-z0-9_,][A-Za-z0-9_,-]*$";
    VARIANT = "text", "texts", syntax::keyboard, "^([A-Za-z0-9_,][A-Za-z0-9_,-]*)?$";
    TIMEZONE = "text", "texts", syntax::timezone, "^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*){0,2}$";
    FREE_NAME = "name", "names", syntax::free_name, FREE_NAME_PATTERN;
    ICON = "file or name", "files or names", syntax::icon, "^(.*[/.].*|[A-Za-z0-9_-]+)$";
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use regex::Regex;

    /// Good values of every form, from which others are made.
    const SEEDS: [&str; 25] = [
        "http://deb.debian.org/debian",
        "Debian (13)",
        "13.1~rc1+b-2",
        "https://www.debian.org/x?y",
        "http://[fd00::1]:80/x",
        "#16222e",
        "./icons/a b.svg",
        "a_1_all.deb",
        "g++",
        "registry.example:5000/team",
        "de_DE.UTF-8",
        "es_419.UTF-8@euro",
        "Europe/Berlin",
        "America/Port-au-Prince",
        "sr@latin",
        "us,de",
        "console=ttyS0,115200",
        "ip=[fd00::1]:x",
        "computer",
        "bootc_base",
        "{ registry }/x:{version}",
        "os.1",
        "a/b-c_d",
        "",
        "It's\nmore",
    ];
    const SIGNS: [char; 20] = [
        'a', 'Z', '0', '.', '-', '_', ':', '/', '@', '+', '~', '#', '{', ']', '%', ' ', '\n', '"',
        'é', '$',
    ];

    /// An editor that marks what the builder takes would be worse than none.
    #[test]
    fn what_a_check_takes_its_pattern_takes() {
        let mut seed: u64 = 7;
        let mut next = |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed % below as u64).unwrap()
        };
        for (name, form) in super::ALL {
            // Looking ahead is not for this crate.
            let whole = match *name {
                "LANGUAGE" => format!("^{}$", form.pattern),
                _ => form
                    .pattern
                    .replace("(?! )(?!.* $)", "")
                    .replace(r"(?![\s\S]*\{\{)", ""),
            };
            let pattern = Regex::new(&whole).unwrap();
            // The reader looks at these.
            let any = ["IMAGE", "TEMPLATE"].contains(name);
            let mut taken = 0;
            for round in 0..6_000 {
                let mut text: Vec<char> = SEEDS[round % SEEDS.len()].chars().collect();
                for _ in 0..round % 4 {
                    let at = next(text.len() + 1);
                    match next(2) {
                        0 if at < text.len() => drop(text.remove(at)),
                        _ => text.insert(at, SIGNS[next(SIGNS.len())]),
                    }
                }
                let text: String = text.into_iter().collect();
                if any || (form.check)(&text).is_err() {
                    continue;
                }
                taken += 1;
                let fits = form.max == 0 || text.chars().count() <= form.max;
                assert!(pattern.is_match(&text) && fits, "{name} {text:?}");
            }
            assert!(any || taken > 50, "{name} {taken}");
        }
    }
}
