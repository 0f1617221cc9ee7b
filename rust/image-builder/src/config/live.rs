// SPDX-License-Identifier: MIT OR Apache-2.0
//! The section `live`.

use yaml_doc::{Mistake, Section};

use super::Live;

/// Reads the section; what is not there stays as it is in `live`.
pub(super) fn read(top: &Section, live: &mut Live) -> Result<(), Mistake> {
    let section = top.section_or_empty("live")?;
    section.replace("locale", &mut live.locale)?;
    let keyboard = section.section_or_empty("keyboard")?;
    keyboard.replace("layout", &mut live.keyboard_layout)?;
    keyboard.replace("variant", &mut live.keyboard_variant)?;
    section.replace("timezone", &mut live.timezone)?;
    live.geoip = section.text("geoip")?;
    live.kernel_arguments = section.texts("kernelArguments")?;
    if let Some(seconds) = section.number("bootTimeout")? {
        live.boot_timeout = seconds;
    }
    Ok(())
}
