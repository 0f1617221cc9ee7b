// SPDX-License-Identifier: MIT OR Apache-2.0
//! `systemd`: units, their drop-ins, and whether they start.

use contract::customise_plan::{FilePlan, LinkPlan, UnitPlan};
use ignition_config::v3_6::{Systemd, Unit};

use crate::{Provision, Result, wrong};

/// Where an administrator's units are (systemd.unit(5)).
const DIR: &str = "/etc/systemd/system";

pub(crate) fn read(systemd: Systemd, made: &mut Provision) -> Result<()> {
    for unit in systemd.units.unwrap_or_default() {
        one_unit(unit, made)?;
    }
    Ok(())
}

fn one_unit(unit: Unit, made: &mut Provision) -> Result<()> {
    let name = plain(unit.name)?;
    let file = |path, contents| FilePlan {
        path,
        contents,
        ..FilePlan::default()
    };
    if unit.mask == Some(true) {
        if unit.contents.is_some() || unit.enabled == Some(true) {
            return Err(wrong(
                format!("The unit {name} is masked, and has contents or is enabled."),
                "Leave one of both out.",
            ));
        }
        made.links.push(LinkPlan {
            path: format!("{DIR}/{name}"),
            target: "/dev/null".into(),
        });
    }
    if let Some(contents) = unit.contents {
        made.files.push(file(format!("{DIR}/{name}"), contents));
    }
    for dropin in unit.dropins.unwrap_or_default() {
        let dropin_name = plain(dropin.name)?;
        let path = format!("{DIR}/{name}.d/{dropin_name}");
        made.files
            .push(file(path, dropin.contents.unwrap_or_default()));
    }
    if let Some(enabled) = unit.enabled
        && unit.mask != Some(true)
    {
        made.units.push(UnitPlan { name, enabled });
    }
    Ok(())
}

/// The name of a file, and not a path.
fn plain(name: String) -> Result<String> {
    match name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) {
        true => Err(wrong(
            format!("`{name}` is no name of a unit or drop-in."),
            "",
        )),
        false => Ok(name),
    }
}
