// SPDX-License-Identifier: MIT OR Apache-2.0
//! The section `live`.

use super::reader::{Document, Section};
use super::{Live, syntax};
use crate::error::Result;

/// Longest time of the boot menu in seconds.
const TIMEOUT_MAX: u32 = 600;

/// Reads the section; what is not there stays as it is in `live`.
pub(super) fn read(doc: &Document, top: &mut Section, live: &mut Live) -> Result<()> {
    let mut section = top.section_or_empty(doc, "live")?;
    section.replace(doc, "locale", syntax::locale, &mut live.locale)?;
    let mut keyboard = section.section_or_empty(doc, "keyboard")?;
    keyboard.replace(doc, "layout", syntax::layout, &mut live.keyboard_layout)?;
    keyboard.replace(doc, "variant", syntax::keyboard, &mut live.keyboard_variant)?;
    keyboard.finish(doc)?;
    section.replace(doc, "timezone", syntax::timezone, &mut live.timezone)?;
    live.geoip = section.checked(doc, "geoip", syntax::url)?;
    live.kernel_arguments = section.texts(doc, "kernelArguments", syntax::live_karg)?;
    if let Some(seconds) = section.number(doc, "bootTimeout", 0..=TIMEOUT_MAX)? {
        live.boot_timeout = seconds;
    }
    section.finish(doc)
}
