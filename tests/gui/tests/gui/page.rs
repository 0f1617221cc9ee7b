// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page on which the image is chosen.

use std::time::{Duration, Instant};

use serde_json::json;
use test_gui::{Served, Session, Tiny, Want};

use crate::steps::{FINE, enter, reference, to_page, typing};

const USER: &str = "alice";
const PASSWORD: &str = "opensesame-41";

#[test]
fn a_typed_reference_is_checked_before_next_can_be_pressed() {
    let Some(world) = enter("typed") else { return };
    let image = Tiny::working();
    let Some(served) = Served::tiny(&world, &image) else {
        return;
    };
    let live = world.plugin();
    let mut session = to_page(live.module("bootc", &typing(&served.address().to_string())));
    session.wait_disabled("Next");
    session.wait_disabled("Check");
    session.screenshot("empty");

    session.type_into(reference(), &served.reference());
    session.wait_disabled("Next");
    let calm = session.responsiveness();
    let begun = Instant::now();
    session.press("Check");
    session.wait(FINE);
    let latency = begun.elapsed();
    let busy = session.responsiveness();
    session.wait_enabled("Next");
    session.wait_text(served.digest());
    session.wait_text("Space needed");
    session.screenshot("checked");
    eprintln!(
        "check: shown after {latency:?}; answers of the GUI: calm {calm:?}, checking {busy:?}"
    );
    assert!(latency < Duration::from_secs(20), "{latency:?}");

    // Another reference was not checked.
    session.type_into(reference(), "127.0.0.1:1/none:1");
    session.wait_disabled("Next");
    session.press("Check");
    session.wait_text("REGISTRY_UNREACHABLE");
    session.screenshot("unreachable");
    session.cancel();
    session.wait_exit().assert_clean();
}

#[test]
fn a_wrong_password_and_then_the_right_one() {
    let Some(world) = enter("login") else { return };
    let image = Tiny::working().write(world.inner());
    let Some(served) = Served::image(&world, &image, Some((USER, PASSWORD))) else {
        return;
    };
    let live = world.plugin();
    let mut session = to_page(live.module("bootc", &served.conf()));
    session.wait_text("REGISTRY_AUTH_REQUIRED");
    session.wait_disabled("Next");
    session.screenshot("asked");
    let log_in = |session: &mut Session<'_>, password: &str| {
        session.type_into(Want::field("User name at the registry"), USER);
        session.type_into(Want::field_after("Password or token"), password);
        session.press("Log in and check");
    };
    log_in(&mut session, "wrong-password-7");
    session.wait("REGISTRY_AUTH");
    session.wait_disabled("Next");
    session.screenshot("wrong");
    log_in(&mut session, PASSWORD);
    session.wait(FINE);
    session.wait_enabled("Next");
    session.screenshot("right");
    assert!(!session.dump().contains(PASSWORD));
    session.cancel();
    let ended = session.wait_exit();
    ended.assert_clean();
    ended.assert_keeps(PASSWORD);
    ended.assert_keeps("wrong-password-7");
}

#[test]
fn a_registry_that_comes_back() {
    let Some(world) = enter("registry-down") else {
        return;
    };
    let Some(mut served) = Served::tiny(&world, &Tiny::working()) else {
        return;
    };
    served.stop();
    let live = world.plugin();
    let mut session = to_page(live.module("bootc", &served.conf()));
    session.wait_text("REGISTRY_UNREACHABLE");
    session.wait_disabled("Next");
    served.start_again();
    session.press("Check");
    session.wait(FINE);
    session.wait_enabled("Next");
    session.cancel();
    session.wait_exit().assert_clean();
}

#[test]
fn an_image_that_cannot_be_installed_is_refused() {
    let Some(world) = enter("refused") else {
        return;
    };
    let image = Tiny::working().architecture("s390x").in_index();
    let Some(served) = Served::tiny(&world, &image) else {
        return;
    };
    let live = world.plugin();
    let mut session = to_page(live.module("bootc", &served.conf()));
    session.wait_text("IMAGE_NO_PLATFORM");
    session.wait_disabled("Next");
    session.screenshot("refused");
    session.cancel();
    session.wait_exit().assert_clean();
}

#[test]
fn names_of_all_kinds_are_shown_as_they_are() {
    let Some(world) = enter("names") else { return };
    let live = world.plugin();
    let long = "a".repeat(300);
    let odd = "<b>„Fett“</b> & \"quoted\" 😀";
    let conf = json!({"page": {"catalogue": [
        {"name": odd, "description": "<script>alert(1)</script>", "reference": "a.invalid/x:1"},
        {"name": long, "description": format!("{long} {long}"), "reference": "b.invalid/x:1"},
    ]}});
    let mut session = to_page(live.module("bootc", &conf));
    session.wait(odd);
    session.wait(long.as_str());
    session.screenshot("catalogue");
    for typed in [odd, "😀", "-x", "--image=x", &format!("r.invalid/{long}:1")] {
        session.type_into(reference(), typed);
        session.press("Check");
        // A refusal with a code; which one is not the page's matter.
        session.wait_text("_");
        session.wait_disabled("Next");
    }
    session.screenshot("odd");
    session.press_widget(Want::named(odd).role("radio button"));
    session.wait_text("REGISTRY_HOST_UNKNOWN");
    session.cancel();
    session.wait_exit().assert_clean();
}

#[test]
fn a_catalogue_in_the_persons_language() {
    let Some(world) = enter("german") else { return };
    let Some(served) = Served::tiny(&world, &Tiny::working()) else {
        return;
    };
    let live = world.plugin();
    let mut conf = served.conf();
    conf["page"] = json!({"allowOther": false, "catalogue": [{
        "name": "Desktop", "name[de]": "Arbeitsplatz",
        "description": "For work", "description[de]": "Für die Arbeit",
        "reference": served.reference(),
    }]});
    let mut session = live.language("de_DE.UTF-8").module("bootc", &conf).start();
    for _ in 0..3 {
        session.next();
    }
    session.wait("Arbeitsplatz");
    session.wait_text("Digest");
    session.wait_enabled("Weiter");
    session.wait_text("Platzbedarf");
    session.screenshot("german");
    session.cancel();
    session.wait_exit().assert_clean();
}

#[test]
fn a_page_that_goes_on_by_itself() {
    let Some(world) = enter("skip") else { return };
    let Some(served) = Served::tiny(&world, &Tiny::working()) else {
        return;
    };
    let live = world.plugin();
    let mut conf = served.conf();
    conf["page"] = json!({"skipWhenValid": true});
    let mut session = live.module("bootc", &conf).start();
    for _ in 0..3 {
        session.next();
    }
    session.wait(session.words().full_name);
    // And it is not in the way back, either.
    session.press("Back");
    session.wait_text("Keyboard model");
    session.cancel();
    session.wait_exit().assert_clean();
}

#[test]
fn a_broken_configuration_is_told_and_stops() {
    let Some(world) = enter("config") else { return };
    for (conf, told) in [
        (json!({"containerUrll": "a.invalid/b:1"}), "containerUrl"),
        (json!({"containerUrl": ["a"]}), "containerUrl"),
        (json!({"page": {"allowOther": "perhaps"}}), "allowOther"),
        (
            json!({"page": {"catalogue": [{"name": "x", "reference": "UPPER"}]}}),
            "UPPER",
        ),
    ] {
        let live = world.plugin();
        let mut session = to_page(live.module("bootc", &conf));
        session.wait_text("CONFIG_INVALID");
        let shown = session.dump();
        assert!(shown.contains(told), "{shown}");
        session.wait_disabled("Next");
        session.screenshot("broken");
        session.cancel();
        session.wait_exit().assert_clean();
    }
}

#[test]
fn a_missing_configuration_is_told() {
    let Some(world) = enter("no-config") else {
        return;
    };
    let live = world.plugin();
    let mut session = to_page(live.without("/etc/calamares-bootc/modules/bootc.conf"));
    session.wait_text("CONFIG_INVALID");
    session.wait_disabled("Next");
    session.cancel();
    session.wait_exit().assert_clean();
}

#[test]
fn without_the_engine() {
    let Some(world) = enter("no-engine") else {
        return;
    };
    let live = world.plugin();
    let conf = json!({"containerUrl": "a.invalid/b:1"});
    let live = live
        .module("bootc", &conf)
        .without("/usr/bin/bootc-installer");
    let mut session = to_page(live);
    session.wait_text("TOOL_MISSING");
    session.wait_disabled("Next");
    session.screenshot("no-engine");
    session.cancel();
    session.wait_exit().assert_clean();
}

#[test]
fn a_panic_in_a_check_is_an_error_and_no_crash() {
    for place in ["check", "checking"] {
        let Some(world) = enter(&format!("panic-{place}")) else {
            return;
        };
        let live = world.plugin();
        let conf = json!({"containerUrl": "a.invalid/b:1"});
        let live = live
            .module("bootc", &conf)
            .env("CALAMARES_BOOTC_PANIC", place);
        let mut session = to_page(live);
        session.wait_text("INTERNAL");
        session.wait_text("a panic was asked for");
        session.wait_disabled("Next");
        session.screenshot("panic");
        session.cancel();
        session.wait_exit().assert_clean();
    }
}
