// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bad days during the installation. After each of them Calamares has ended by
//! itself, nothing is mounted and no process is left.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use test_gui::{Disk, Fs, Live, Person, Sequence, Served, Session, Tiny, World, bootc, bootc_conf};
use testkit::fault_proxy::{Fault, FaultProxy};

use crate::steps::{SMALL, enter, mounted, to_page, to_summary};

/// A registry behind a proxy that stalls every layer.
fn stalling(served: &Served) -> FaultProxy {
    FaultProxy::start(served.address(), |request| {
        match request.is_blob() {
            // The configuration is small, and the check wants it.
            true => Fault::Stall(4096),
            false => Fault::None,
        }
    })
    .unwrap()
}

/// Goes to the moment at which the engine installs.
fn installing<'w>(live: Live<'w>, disk: &Disk) -> Session<'w> {
    let mut session = to_page(live.target(disk, Fs::Ext4));
    to_summary(&mut session, &Person::default());
    session.install();
    session
}

/// Answers the dialog that tells of a failure; Calamares ends then.
fn close(mut session: Session<'_>) {
    session.press(session.words().close);
    session.wait_exit().assert_clean();
}

fn served(world: &World, bootc: &str) -> Option<Served> {
    Served::tiny(world, &Tiny::new(bootc))
}

#[test]
fn cancel_while_the_image_is_downloaded() {
    while_downloading("cancel-pull", |session| session.cancel());
}

#[test]
fn the_window_closed_while_the_image_is_downloaded() {
    while_downloading("close-pull", |session| {
        session.close_window();
        session.confirm_cancel();
    });
}

/// Ends an installation whose download stalls; nothing may be left of it.
fn while_downloading(test: &str, end: impl FnOnce(&mut Session<'_>)) {
    let Some(world) = enter(test) else { return };
    let image = Tiny::working().with("usr/share/big", noise());
    let Some(served) = Served::tiny(&world, &image) else {
        return;
    };
    let proxy = stalling(&served);
    let live = world.plugin();
    let disk = world.disk(Fs::Ext4, SMALL);
    let conf = bootc_conf(&served.reference_at(&proxy.host()), &proxy.host());
    let mut session = installing(live.module("bootc", &conf), &disk);
    session.wait_text("Downloading");
    session.screenshot("downloading");
    end(&mut session);
    session.wait_exit().assert_clean();
    assert_eq!(left_on(&disk), ["lost+found"]);
}

#[test]
fn cancel_while_bootc_installs() {
    let Some(world) = enter("cancel-deploy") else {
        return;
    };
    let Some(served) = served(&world, "sleep 1000\n") else {
        return;
    };
    let live = world.plugin();
    let disk = world.disk(Fs::Ext4, SMALL);
    let mut session = installing(live.module("bootc", &served.conf()), &disk);
    session.wait_text("Installing");
    session.screenshot("installing");
    session.cancel();
    session.wait_exit().assert_clean();
    assert_eq!(left_on(&disk), ["lost+found"]);
}

/// In a stock module after the hand-over: it is left to end, then all is undone.
#[test]
fn cancel_while_a_stock_module_works() {
    let Some(world) = enter("cancel-stock") else {
        return;
    };
    let Some(served) = served(&world, bootc::DEPLOYS) else {
        return;
    };
    let live = world.plugin();
    let disk = world.disk(Fs::Ext4, SMALL);
    let live = live
        .module("bootc", &served.conf())
        .module("slow", &serde_json::json!({"seconds": 6}))
        .settings(|s| s.after(Sequence::Exec, "bootc", "slow"));
    let mut session = installing(live, &disk);
    session.wait_text("Taking its time");
    session.cancel();
    session.wait_text("being stopped");
    session.screenshot("stopping");
    let ended = session.wait_exit();
    ended.assert_clean();
}

#[test]
fn the_registry_goes_down_in_the_middle() {
    let Some(world) = enter("registry-gone") else {
        return;
    };
    let image = Tiny::working().with("usr/share/big", noise());
    let Some(served) = Served::tiny(&world, &image) else {
        return;
    };
    let down = Arc::new(AtomicBool::new(false));
    let of_proxy = Arc::clone(&down);
    let proxy = FaultProxy::start(served.address(), move |request| {
        if request.is_blob() && of_proxy.load(Ordering::SeqCst) {
            return Fault::Reset(0);
        }
        Fault::None
    })
    .unwrap();
    let live = world.plugin();
    let disk = world.disk(Fs::Ext4, SMALL);
    let conf = bootc_conf(&served.reference_at(&proxy.host()), &proxy.host());
    let mut session = to_page(live.module("bootc", &conf).target(&disk, Fs::Ext4));
    to_summary(&mut session, &Person::default());
    down.store(true, Ordering::SeqCst);
    session.install();
    let told = session.wait_failed();
    session.screenshot("failed");
    assert!(told.contains("NETWORK_INTERRUPTED"), "{told}");
    close(session);
    assert_eq!(left_on(&disk), ["lost+found"]);
}

#[test]
fn the_engine_is_killed() {
    let Some(world) = enter("engine-killed") else {
        return;
    };
    let Some(served) = served(&world, "sleep 1000\n") else {
        return;
    };
    let live = world.plugin();
    let disk = world.disk(Fs::Ext4, SMALL);
    let mut session = installing(live.module("bootc", &served.conf()), &disk);
    session.wait_text("Installing");
    let engine = session.pids("bootc-installer").into_iter().min().unwrap();
    session.kill(engine);
    let told = session.wait_failed();
    session.screenshot("failed");
    assert!(told.contains("killed"), "{told}");
    close(session);
    assert_eq!(left_on(&disk), ["lost+found"]);
}

#[test]
fn bootc_fails() {
    let Some(world) = enter("bootc-fails") else {
        return;
    };
    let Some(served) = served(&world, "echo 'error: the <disk> is odd' >&2; exit 1\n") else {
        return;
    };
    let live = world.plugin();
    let disk = world.disk(Fs::Ext4, SMALL);
    let mut session = installing(live.module("bootc", &served.conf()), &disk);
    let told = session.wait_failed();
    session.screenshot("failed");
    assert!(told.contains("BOOTC_FAILED"), "{told}");
    assert!(told.contains("the <disk> is odd"), "{told}");
    close(session);
}

#[test]
fn a_target_that_is_refused() {
    let Some(world) = enter("target-refused") else {
        return;
    };
    let Some(served) = Served::tiny(&world, &Tiny::working()) else {
        return;
    };
    let live = world.plugin();
    let disk = world.disk(Fs::Ext4, SMALL);
    disk.mount("rw");
    std::fs::create_dir(disk.path().join("somebody's")).unwrap();
    disk.unmount();
    let mut session = installing(live.module("bootc", &served.conf()), &disk);
    let told = session.wait_failed();
    assert!(told.contains("TARGET_NOT_EMPTY"), "{told}");
    close(session);
}

#[test]
fn a_panic_in_a_job_is_a_dialog_and_no_crash() {
    for place in ["start", "status"] {
        let Some(world) = enter(&format!("panic-{place}")) else {
            return;
        };
        let Some(served) = Served::tiny(&world, &Tiny::working()) else {
            return;
        };
        let live = world.plugin();
        let disk = world.disk(Fs::Ext4, SMALL);
        let live = live
            .module("bootc", &served.conf())
            .env("CALAMARES_BOOTC_PANIC", place);
        let mut session = installing(live, &disk);
        let told = session.wait_failed();
        session.screenshot("panic");
        assert!(told.contains("a panic was asked for"), "{told}");
        close(session);
    }
}

/// Bytes that do not compress, more than a proxy lets through before it stalls.
fn noise() -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    };
    (0..4 << 20).map(|_| next()).collect()
}

/// Names in the root of the target.
fn left_on(disk: &Disk) -> Vec<String> {
    let entries = std::fs::read_dir(mounted(disk)).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
