// SPDX-License-Identifier: MIT OR Apache-2.0
//! The form of single values: each check says what is wrong and what to write.
//!
//! What is read here ends up in a boot menu of GRUB, in settings that
//! live-build reads as shell, in file names and on kernel command lines. So
//! every check says what *may* be there, and everything else is refused.

use std::borrow::Cow;

use imageref::{ImageRef, Reference};
pub(super) use yaml_doc::Wrong;
pub(super) use yaml_doc::checks::{keyboard, language, layout, locale, timezone};

/// Longest `product.id`; the volume id, with 32 characters, is made from it.
pub(super) const ID_MAX: usize = 24;

fn wrong(
    what: &'static str,
    why: impl Into<Cow<'static, str>>,
    next: &'static str,
) -> Result<(), Wrong> {
    Err(Wrong {
        what,
        why: why.into(),
        next,
    })
}

/// A name that stands in the boot menu, in Calamares and in the ISO's header.
pub(super) fn title(text: &str) -> Result<(), Wrong> {
    const WHAT: &str = "cannot be shown everywhere";
    if text.trim().is_empty() || text.trim() != text {
        return wrong(
            WHAT,
            "It is empty, or has a blank at one of its ends.",
            "Write one or more words.",
        );
    }
    let special = |c: char| c.is_control() || "\"'$`\\{};<>|&#".contains(c);
    if let Some(c) = text.chars().find(|c| special(*c)) {
        return wrong(
            WHAT,
            format!("{c:?} has a meaning of its own in the boot menu or in live-build's settings."),
            "Leave that character out.",
        );
    }
    let length = text.chars().count();
    if length > 64 {
        return wrong(
            WHAT,
            format!("It has {length} characters; at most 64 fit."),
            "Shorten it.",
        );
    }
    Ok(())
}

/// A text that only a person reads, in the catalogue.
pub(super) fn prose(text: &str) -> Result<(), Wrong> {
    const WHAT: &str = "cannot be shown on the page";
    if text.trim().is_empty() {
        return wrong(WHAT, "It is empty.", "Write a text, or remove the key.");
    }
    if text.contains("{{") {
        return wrong(
            WHAT,
            "`{{` begins a variable in bootc.conf, where the text is copied to.",
            "Leave the braces out.",
        );
    }
    let separator = |c: char| ['\u{2028}', '\u{2029}'].contains(&c);
    if text
        .chars()
        .any(|c| c.is_control() && c != '\n' || separator(c))
    {
        return wrong(
            WHAT,
            "It holds a control character.",
            "Leave that character out.",
        );
    }
    Ok(())
}

/// `product.id`.
pub(super) fn id(text: &str) -> Result<(), Wrong> {
    let inner = text.bytes().all(|b| small(b) || b == b'-');
    let ends = !text.starts_with('-') && !text.ends_with('-');
    if inner && ends && (1..=ID_MAX).contains(&text.len()) {
        return Ok(());
    }
    wrong(
        "cannot be part of file names, volume name and host name",
        format!("An id has 1 to {ID_MAX} characters out of a-z, 0-9 and -, with no - at its ends."),
        "Write for example `example-os`.",
    )
}

/// An id made from a name; empty when nothing of the name can be in one.
pub(super) fn id_from(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let words = lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let mut id = words.collect::<Vec<_>>().join("-");
    id.truncate(ID_MAX);
    id.trim_end_matches('-').to_owned()
}

/// `product.version`; may be empty.
pub(super) fn version(text: &str) -> Result<(), Wrong> {
    let known = |b: u8| b.is_ascii_alphanumeric() || b"._+~-".contains(&b);
    let begins = text
        .bytes()
        .next()
        .is_none_or(|b| b.is_ascii_alphanumeric());
    if begins && text.bytes().all(known) && text.len() <= 32 {
        return Ok(());
    }
    wrong(
        "is no version",
        "A version has up to 32 letters, digits and ._+~- and begins with a letter or digit; it is part of file names.",
        "Write for example \"13.1\".",
    )
}

/// A web address without credentials.
pub(super) fn url(text: &str) -> Result<(), Wrong> {
    const WHAT: &str = "is no web address";
    const NEXT: &str = "Write it in full, for example https://www.example.org/.";
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    let Some(rest) = rest else {
        return wrong(WHAT, "It does not begin with http:// or https://.", NEXT);
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return wrong(
            WHAT,
            "It holds a user name or password, and whoever has the medium could read them.",
            "Remove what stands before the @.",
        );
    }
    // The host has the same grammar as that of a registry, which also knows
    // ports and IPv6.
    let host = format!("{authority}/x").parse::<Reference>();
    let named = authority.parse::<std::net::Ipv4Addr>().is_ok() || host.is_ok();
    // A bare name such as `mirror` is a host of the local network.
    let bare = !authority.is_empty()
        && authority
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !named && !bare {
        return wrong(WHAT, "Its host is no name or address.", NEXT);
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#[]@!()*+,=%&".contains(&b);
    if !rest.bytes().all(plain) {
        return wrong(
            WHAT,
            "It holds a character that must be written as % and two digits.",
            NEXT,
        );
    }
    Ok(())
}

/// The address of a package mirror.
pub(super) fn mirror(text: &str) -> Result<(), Wrong> {
    url(text)?;
    if text.contains(['?', '#', '&', '[']) {
        return wrong(
            "is no mirror",
            "Only host and directory can be named.",
            "Write for example http://deb.debian.org/debian.",
        );
    }
    Ok(())
}

/// A state of the archive that does not move: its time as snapshot.debian.org
/// writes it, or the address of a directory.
pub(super) fn snapshot(text: &str) -> Result<(), Wrong> {
    if text.contains("://") {
        return mirror(text);
    }
    let (date, time) = text.split_once('T').unwrap_or_default();
    let digits = |part: &str, n| part.len() == n && part.bytes().all(|b| b.is_ascii_digit());
    if digits(date, 8) && time.strip_suffix('Z').is_some_and(|time| digits(time, 6)) {
        return Ok(());
    }
    wrong(
        "is no snapshot",
        "A snapshot is a time in UTC, or the address of a directory with `debian` and `debian-security`.",
        "Write for example 20261101T000000Z; http://snapshot.debian.org lists them.",
    )
}

/// `#rrggbb`.
pub(super) fn colour(text: &str) -> Result<(), Wrong> {
    let digits = text.strip_prefix('#').unwrap_or_default();
    if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(());
    }
    wrong(
        "is no colour",
        "A colour is a # and six hex digits: two each of red, green and blue.",
        "Write for example \"#16222e\", in quotes.",
    )
}

/// A path in the file system of this machine.
pub(super) fn path(text: &str) -> Result<(), Wrong> {
    if text.is_empty() || text.contains(char::is_control) {
        return wrong(
            "is no path",
            "It is empty or holds a control character.",
            "Write the path of a file, from the directory of this one.",
        );
    }
    Ok(())
}

/// A package file.
pub(super) fn deb(text: &str) -> Result<(), Wrong> {
    path(text)?;
    if text.ends_with("_amd64.deb") || text.ends_with("_all.deb") {
        return Ok(());
    }
    wrong(
        "is no package file for this medium",
        "Its name does not end in _amd64.deb or _all.deb.",
        "Name files as dpkg-deb makes them: name_version_amd64.deb.",
    )
}

/// The name of a Debian package.
pub(super) fn package(text: &str) -> Result<(), Wrong> {
    let known = |b: u8| small(b) || b"+.-".contains(&b);
    let begins = text.bytes().next().is_some_and(small);
    // apt takes a dash at the end as an order to remove the package.
    if text.len() >= 2 && begins && text.bytes().all(known) && !text.ends_with('-') {
        return Ok(());
    }
    wrong(
        "is no name of a Debian package",
        "Package names have two or more characters out of a-z, 0-9, +, - and ., without a version or suite.",
        "Write the name alone, as `apt-cache search` shows it.",
    )
}

/// The name of an ostree stateroot.
pub(super) fn stateroot(text: &str) -> Result<(), Wrong> {
    let known = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if !text.is_empty() && text.bytes().all(known) && !text.starts_with(['.', '-']) {
        return Ok(());
    }
    wrong(
        "cannot be the name of a stateroot",
        "It is the name of a directory: letters, digits, `_`, `-` and `.`, and it begins with one of the first three.",
        "Leave the key out; the name is then `default`.",
    )
}

/// `host[:port][/namespace]`, as the prefix of a reference.
pub(super) fn registry(text: &str) -> Result<(), Wrong> {
    match format!("{text}/x").parse::<Reference>() {
        Ok(_) if !text.contains('@') => Ok(()),
        _ => wrong(
            "is no registry",
            "A registry is written as host, host:port or host/namespace, without https://.",
            "Write for example `registry.example` or `registry.example:5000/team`.",
        ),
    }
}

/// The path between registry and name.
pub(super) fn namespace(text: &str) -> Result<(), Wrong> {
    match format!("registry.example/{text}/x").parse::<Reference>() {
        Ok(_) if !text.contains([':', '@']) => Ok(()),
        _ => wrong(
            "is no namespace",
            "A namespace is what stands between the registry and the name of the image, in lower case and without slashes at its ends.",
            "Write for example `debian`.",
        ),
    }
}

/// An image in a registry, in full. Gives its normal form.
pub(super) fn reference(text: &str) -> Result<String, Wrong> {
    const WHAT: &str = "is no image in a registry";
    const NEXT: &str = "Write it in full, for example registry.example/os/debian:13.";
    let why = match text.parse::<ImageRef>() {
        Ok(ImageRef::Registry(reference)) => return Ok(reference.to_string()),
        Ok(other) => format!(
            "It is read through `{}:`, which the installed system could not update from.",
            other.transport()
        ),
        Err(err) => {
            let problem = err.problem().to_string();
            let mut chars = problem.chars();
            let first: String = chars.next().iter().flat_map(|c| c.to_uppercase()).collect();
            format!("{first}{}.", chars.as_str())
        }
    };
    Err(Wrong {
        what: WHAT,
        why: Cow::Owned(why),
        next: NEXT,
    })
}

/// A kernel argument of the installed system.
pub(super) fn karg(text: &str) -> Result<(), Wrong> {
    kernel_argument(text, b"_.,:=/@%+~-[]")
}

/// A kernel argument of the live system, which stands in the boot menu.
pub(super) fn live_karg(text: &str) -> Result<(), Wrong> {
    kernel_argument(text, b"_.,:=/%+~-")
}

fn kernel_argument(text: &str, signs: &[u8]) -> Result<(), Wrong> {
    let known = |b: u8| b.is_ascii_alphanumeric() || signs.contains(&b);
    let begins = text
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphanumeric());
    if begins && text.bytes().all(known) {
        return Ok(());
    }
    wrong(
        "is no kernel argument",
        format!(
            "An argument has letters, digits and {} and begins with a letter or digit; blanks and quotes have a meaning for boot loaders.",
            String::from_utf8_lossy(signs)
        ),
        "Write one argument per entry, such as `quiet` or `console=ttyS0,115200`.",
    )
}

/// What stands where the tag of a reference is.
pub(super) fn tag(text: &str) -> Result<(), Wrong> {
    match reference(&format!("registry.example/x:{text}")) {
        Ok(_) if !text.contains('@') => Ok(()),
        _ => wrong(
            "cannot be a tag",
            "A tag has letters, digits, `_`, `.` and `-`, and does not begin with `.` or `-`.",
            "Write for example \"13\".",
        ),
    }
}

/// Any text: the reader looks at it.
pub(super) fn any(_: &str) -> Result<(), Wrong> {
    Ok(())
}

/// A name that a maintainer gives to a registry or container.
pub(super) fn free_name(text: &str) -> Result<(), Wrong> {
    let known = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    let begins = text
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphanumeric());
    if begins && text.bytes().all(known) {
        return Ok(());
    }
    wrong(
        "cannot be a name here",
        "Names have letters, digits, `_`, `-` and `.`; a slash would make it a reference.",
        "Rename it.",
    )
}

/// An image file, or a name in the icon theme.
pub(super) fn icon(text: &str) -> Result<(), Wrong> {
    if conf::Icon::is_file(text) {
        return path(text);
    }
    let known = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    if !text.is_empty() && text.bytes().all(known) {
        return Ok(());
    }
    wrong(
        "is no icon",
        "An icon is an image file, or a name in the icon theme (letters, digits, `_` and `-`).",
        "Write for example `computer`, or `./icon.svg`.",
    )
}

fn small(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit()
}

#[cfg(test)]
mod tests;
