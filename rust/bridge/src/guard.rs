// SPDX-License-Identifier: MIT OR Apache-2.0
//! Panics end here and become errors: one that reached C++ would end Calamares
//! and leave the target mounted.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use contract::error::{Code, Error};

/// Runs `work`; a panic in it becomes an `INTERNAL` error.
///
/// State that a panic left half changed is only read again to show it: the
/// locks of `frontend` take a poisoned state as it is.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        Error::new(Code::Internal, "The installer's page met a defect.").detail(text(&*payload))
    })
}

fn text(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without a text".to_owned())
}

/// Panics when the environment asks for it at this place:
/// `CALAMARES_BOOTC_PANIC=check`, for example. For testing that a defect here
/// leads to a dialog and an undone installation; only looked at when Calamares
/// runs in its debug mode.
pub(crate) fn panic_if_asked(debug: bool, place: &str) {
    assert!(
        !debug || std::env::var_os("CALAMARES_BOOTC_PANIC").is_none_or(|asked| asked != *place),
        "a panic was asked for in `{place}`"
    );
}
