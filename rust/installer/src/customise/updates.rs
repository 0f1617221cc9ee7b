// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether the installed system updates itself: the timer that bootc brings.

use contract::customise_plan::{UPDATE_TIMER, UnitPlan, UpdatesPlan};
use contract::error::{Code, Error, Result};
use contract::plan::Plan;

use crate::doctor::RootFacts;

/// Refuses an image that cannot do what is required.
///
/// # Errors
/// `CUSTOMISE_UNSUPPORTED`.
pub(super) fn check(plan: &Plan, image: &RootFacts) -> Result<()> {
    match (plan.deployment.updates, lacking(image)) {
        (Some(UpdatesPlan::Required), Some(what)) => {
            Err(Error::new(Code::CustomiseUnsupported, what))
        }
        _ => Ok(()),
    }
}

/// The timer as it is to be, or why it stays as it is. One that is not there is
/// off already.
pub(super) fn timer(plan: &Plan, image: &RootFacts) -> (Option<UnitPlan>, Option<String>) {
    let Some(updates) = plan.deployment.updates else {
        return (None, None);
    };
    let enabled = updates != UpdatesPlan::Manual;
    match (lacking(image), enabled) {
        (None, _) => {
            let name = UPDATE_TIMER.into();
            (Some(UnitPlan { name, enabled }), None)
        }
        (Some(_), false) if !image.update_timer => (None, None),
        (Some(what), _) => (
            None,
            Some(format!(
                "The installed system's updates stay as in the image. {what}"
            )),
        ),
    }
}

/// What the image lacks for the timer to be switched.
fn lacking(image: &RootFacts) -> Option<String> {
    if !image.update_timer {
        return Some(format!("The image has no {UPDATE_TIMER}."));
    }
    if image.selinux {
        // Links that are made here would have no labels.
        return Some(format!(
            "The image has a SELinux policy, and {UPDATE_TIMER} must be switched in the image."
        ));
    }
    (!image.has("systemctl")).then(|| "The image has no `systemctl`.".into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn plan(updates: Option<&str>) -> Plan {
        serde_json::from_value(serde_json::json!({
            "version": 1,
            "image": { "imgref": "r.example/os:1" },
            "source": { "type": "registry" },
            "runtimeRoot": { "type": "unpack" },
            "target": { "root": "/mnt" },
            "bootc": { "stateroot": "default" },
            "deployment": { "updates": updates },
        }))
        .unwrap()
    }

    #[test]
    fn the_timer_follows_the_plan_where_there_is_one() {
        let with = RootFacts {
            update_timer: true,
            programs: [("systemctl".to_owned(), String::new())].into(),
            ..RootFacts::default()
        };
        let without = RootFacts::default();
        let labelled = RootFacts {
            selinux: true,
            ..with.clone()
        };
        for (updates, image, refused, switched, warns) in [
            (None, &with, false, None, false),
            (Some("manual"), &with, false, Some(false), false),
            (Some("automatic"), &with, false, Some(true), false),
            (Some("required"), &with, false, Some(true), false),
            (None, &without, false, None, false),
            (Some("manual"), &without, false, None, false),
            (Some("automatic"), &without, false, None, true),
            (Some("required"), &without, true, None, true),
            (Some("automatic"), &labelled, false, None, true),
            (Some("manual"), &labelled, false, None, true),
            (Some("required"), &labelled, true, None, true),
        ] {
            let plan = plan(updates);
            let checked = check(&plan, image);
            assert_eq!(checked.is_err(), refused, "{updates:?}: {checked:?}");
            let (timer, warning) = timer(&plan, image);
            assert_eq!(timer.map(|unit| unit.enabled), switched, "{updates:?}");
            assert_eq!(warning.is_some(), warns, "{updates:?}: {warning:?}");
        }
    }
}
