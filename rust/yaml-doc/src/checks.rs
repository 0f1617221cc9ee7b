// SPDX-License-Identifier: MIT OR Apache-2.0
//! Checks of texts that more than one format has: languages, keyboards, time zones,
//! images.

use std::borrow::Cow;

use contract::error::capital;
use imageref::ImageRef;

use crate::keys::Wrong;

fn wrong(what: &'static str, why: &'static str, next: &'static str) -> Result<(), Wrong> {
    Err(Wrong {
        what,
        why: Cow::Borrowed(why),
        next,
    })
}

/// An image that can be installed.
///
/// # Errors
/// When it is no reference, or of a transport that has no image to install.
pub fn image(text: &str) -> Result<(), Wrong> {
    let why = match text.parse::<ImageRef>() {
        Ok(ImageRef::Registry(_) | ImageRef::Oci(_)) => return Ok(()),
        Ok(other) => format!("Images cannot be installed from `{}`.", other.transport()),
        Err(err) => format!("{}.", capital(&err.problem().to_string())),
    };
    Err(Wrong {
        what: "is no image to install",
        why: Cow::Owned(why),
        next: "Write it in full, for example registry.example/os/debian:13.",
    })
}

/// A locale of glibc, in UTF-8.
///
/// # Errors
/// When it is none.
pub fn locale(text: &str) -> Result<(), Wrong> {
    let (name, modifier) = text.split_once('@').unwrap_or((text, "euro"));
    let (name, codeset) = name.split_once('.').unwrap_or((name, ""));
    let language = name == "C" || language(name).is_ok() && name.contains('_');
    let modifier = !modifier.is_empty() && modifier.bytes().all(|b| b.is_ascii_alphanumeric());
    if language && codeset == "UTF-8" && modifier {
        return Ok(());
    }
    wrong(
        "is no locale",
        "A locale has a language, a country and the character set, which can only be UTF-8.",
        "Write for example `de_DE.UTF-8`, or `C.UTF-8`.",
    )
}

/// A language as in `name[de_AT]`.
///
/// # Errors
/// When it is none.
pub fn language(text: &str) -> Result<(), Wrong> {
    let (name, modifier) = match text.split_once('@') {
        Some((name, modifier)) => (name, Some(modifier)),
        None => (text, None),
    };
    let (language, country) = match name.split_once('_') {
        Some((language, country)) => (language, Some(country)),
        None => (name, None),
    };
    let language =
        matches!(language.len(), 2 | 3) && language.bytes().all(|b| b.is_ascii_lowercase());
    let country = country
        .is_none_or(|c| c.len() == 2 && c.bytes().all(|b| b.is_ascii_uppercase()) || c == "419");
    let modifier =
        modifier.is_none_or(|m| !m.is_empty() && m.bytes().all(|b| b.is_ascii_alphanumeric()));
    if language && country && modifier {
        return Ok(());
    }
    wrong(
        "is no language",
        "Languages here are written like de, de_AT or sr@latin.",
        "Correct what is between the brackets.",
    )
}

/// XKB layouts or variants, separated by commas.
///
/// # Errors
/// When it is none.
pub fn keyboard(text: &str) -> Result<(), Wrong> {
    let known = |b: u8| b.is_ascii_alphanumeric() || b"_,-".contains(&b);
    if text.bytes().all(known) && !text.starts_with('-') {
        return Ok(());
    }
    wrong(
        "is no name of a keyboard",
        "Layouts and variants have the names of XKB, such as `de` and `nodeadkeys`.",
        "Look it up in `localectl list-x11-keymap-layouts`.",
    )
}

/// A layout is never empty.
///
/// # Errors
/// When it is none.
pub fn layout(text: &str) -> Result<(), Wrong> {
    keyboard(if text.is_empty() { " " } else { text })
}

/// A time zone of the tz database.
///
/// # Errors
/// When it is none.
pub fn timezone(text: &str) -> Result<(), Wrong> {
    let part = |part: &str| {
        let mut bytes = part.bytes();
        bytes.next().is_some_and(|b| b.is_ascii_uppercase())
            && bytes.all(|b| b.is_ascii_alphanumeric() || b"_+-".contains(&b))
    };
    // Second and third parts can be in lower case in a few old names only.
    if text.split('/').count() <= 3 && text.split('/').all(part) {
        return Ok(());
    }
    wrong(
        "is no time zone",
        "Time zones have the names of the tz database.",
        "Write for example `Europe/Berlin`, or `UTC`.",
    )
}
