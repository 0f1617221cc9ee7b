// SPDX-License-Identifier: MIT OR Apache-2.0
//! libFuzzer with one of the targets, the one in `$FUZZ_TARGET`.
#![no_main]

use std::sync::OnceLock;

static TARGET: OnceLock<&fuzz::Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(
    init: {
        let name = std::env::var("FUZZ_TARGET").expect("$FUZZ_TARGET names a target");
        let target = fuzz::find(&name).expect("there is a target of that name");
        TARGET.set(target).expect("this runs once");
    },
    |data: &[u8]| {
        if let Some(target) = TARGET.get() {
            (target.run)(data);
        }
    }
);
