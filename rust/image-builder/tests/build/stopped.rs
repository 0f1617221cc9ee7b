// SPDX-License-Identifier: MIT OR Apache-2.0
//! Builds that end in the middle.

use nix::sys::signal::Signal;

use crate::bench::{Bench, Running, root};
use crate::traces;

/// What debootstrap writes for each package of the basic system.
const UNPACKING: &str = "I: Unpacking ";
/// What live-build writes before that: a live system is made anew.
const BEGINNING: &str = "P: Running debootstrap";

#[test]
fn a_stop_leaves_nothing_and_the_next_build_starts_anew() {
    if !root() {
        return;
    }
    let bench = Bench::new();
    for line in [UNPACKING, BEGINNING] {
        let mut running = Running::start(&bench);
        running.wait_for(line);
        running.signal(Signal::SIGINT);
        let ended = running.end();
        ended.assert("INTERRUPTED", 130, &["stopped", "log: "]);
        let log = bench.log();
        assert!(!log.contains("goes on."), "it was given up: {log}");
        assert!(log.contains("] lb bootstrap"), "{log}");
        assert!(!log.contains("nothing changed"), "{log}");
        assert!(bench.state().contains(r#""chroot": null"#));
        bench.assert_nothing_left();
    }
}

#[test]
fn the_kernel_ends_what_a_killed_build_started() {
    if !root() {
        return;
    }
    let bench = Bench::new();
    let mut running = Running::start(&bench);
    running.wait_for(UNPACKING);
    let processes = traces::processes_of(bench.dir());
    assert!(
        processes.iter().any(|line| line.contains("debootstrap")),
        "what is looked for is seen while it runs: {processes:#?}"
    );
    running.signal(Signal::SIGKILL);
    // Standard error is closed only when everything that it started has ended.
    let ended = running.end();
    assert_eq!(ended.status, None, "{ended:?}");
    assert!(bench.state().contains(r#""chroot": null"#));
    bench.assert_nothing_left();

    let mut again = Running::start(&bench);
    again.wait_for(BEGINNING);
    again.signal(Signal::SIGTERM);
    again.end().assert("INTERRUPTED", 130, &[]);
    assert!(bench.log().contains("] lb bootstrap"));
    bench.assert_nothing_left();
}
