// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a keyboard of X to a keymap of the console, after the table that
//! localectl(1) uses, `/usr/share/systemd/kbd-model-map`.

use super::Keyboard;

/// One line of the table: columns separated by blanks, `-` for none; layouts
/// and variants are lists with commas.
struct Line<'a> {
    keymap: &'a str,
    layout: &'a str,
    variant: &'a str,
}

/// The console keymap of a keyboard: the one that Calamares knows, else the
/// nearest in the table `models`, else the layout's own name, which most
/// layouts share with their keymap.
pub fn of(keyboard: &Keyboard, models: &str) -> Option<String> {
    if let Some(keymap) = &keyboard.vconsole_keymap {
        return usable(keymap);
    }
    // A second layout is for scripts in which nobody types a passphrase.
    let layout = first(keyboard.layout.as_deref()?);
    let variant = first(keyboard.variant.as_deref().unwrap_or_default());
    let of_layout = || lines(models).filter(|line| first(line.layout) == layout);
    let named = of_layout()
        // Both are equal; then the layout is the first of several; then the
        // variant is given up. The table has the usual keymap first.
        .find(|line| line.layout == layout && line.variant == variant)
        .or_else(|| of_layout().find(|line| first(line.variant) == variant))
        .or_else(|| of_layout().find(|line| first(line.variant).is_empty()))
        .map(|line| line.keymap);
    usable(named.unwrap_or(layout))
}

/// Nothing that would end the kernel argument.
fn usable(keymap: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    (!keymap.is_empty() && keymap.chars().all(plain)).then(|| keymap.to_owned())
}

fn lines(models: &str) -> impl Iterator<Item = Line<'_>> {
    models
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| {
            let mut columns = line.split_whitespace();
            let keymap = columns.next()?;
            let layout = columns.next()?;
            let variant = columns.nth(1)?;
            Some(Line {
                keymap,
                layout,
                variant: if variant == "-" { "" } else { variant },
            })
        })
}

fn first(list: &str) -> &str {
    list.split(',').next().unwrap_or(list).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODELS: &str = "\
# consolelayout\txlayout\txmodel\txvariant\txoptions
de\t\tde\tpc105\t\t-\tterminate:ctrl_alt_bksp
us\t\tus\tpc105+inet\t-\tterminate:ctrl_alt_bksp
de-latin1\tde\tpc105\t\t-\tterminate:ctrl_alt_bksp
de-latin1-nodeadkeys de pc105 nodeadkeys terminate:ctrl_alt_bksp
us-acentos us pc105 intl -
dvorak us pc105 dvorak -
cz-us-qwertz cz,us pc105 - grp:shifts_toggle
cz-qwerty cz,us pc105 qwerty, grp:shifts_toggle
cz-lat2 cz pc105 qwerty -
ru ru,us pc105 - grp:shifts_toggle
sg ch pc105 de_nodeadkeys -
fr_CH ch pc105 fr -
  # a comment, then a line that is too short
odd xx
";

    #[test]
    fn keymaps() {
        for (layout, variant, keymap) in [
            ("us", "", "us"),
            ("us", "intl", "us-acentos"),
            ("us", "dvorak", "dvorak"),
            ("us", "colemak", "us"),
            ("de", "", "de"),
            ("de", "nodeadkeys", "de-latin1-nodeadkeys"),
            ("de", "mac", "de"),
            ("de,us", "nodeadkeys,", "de-latin1-nodeadkeys"),
            ("cz", "", "cz-us-qwertz"),
            ("cz", "qwerty", "cz-lat2"),
            ("ru", "", "ru"),
            ("ch", "fr", "fr_CH"),
            // Nothing without a variant is in the table.
            ("ch", "", "ch"),
            ("xx", "", "xx"),
            ("fr", "bepo", "fr"),
        ] {
            let keyboard = Keyboard {
                layout: Some(layout.into()),
                variant: Some(variant.into()),
                vconsole_keymap: None,
            };
            assert_eq!(
                of(&keyboard, MODELS).as_deref(),
                Some(keymap),
                "{layout} {variant}"
            );
        }
        let given = |keymap: &str| Keyboard {
            layout: Some("de".into()),
            variant: None,
            vconsole_keymap: Some(keymap.into()),
        };
        assert_eq!(
            of(&given("ruwin_alt_sh-UTF-8"), MODELS).as_deref(),
            Some("ruwin_alt_sh-UTF-8")
        );
        assert_eq!(of(&given("de init=/bin/sh"), MODELS), None);
        assert_eq!(of(&Keyboard::default(), MODELS), None);
    }

    /// The table of this system, where there is one.
    #[test]
    fn the_real_table() {
        let Ok(models) = std::fs::read_to_string("/usr/share/systemd/kbd-model-map") else {
            return;
        };
        for (layout, variant, keymap) in [
            ("de", "nodeadkeys", "de-latin1-nodeadkeys"),
            ("gb", "", "uk"),
        ] {
            let keyboard = Keyboard {
                layout: Some(layout.into()),
                variant: Some(variant.into()),
                vconsole_keymap: None,
            };
            assert_eq!(of(&keyboard, &models).as_deref(), Some(keymap));
        }
    }
}
