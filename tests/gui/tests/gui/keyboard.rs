// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page for whoever has no mouse: keys only, and always in view.

use serde_json::{Value, json};
use test_gui::{Served, Session, Tiny, Want};

use crate::steps::{FINE, enter, reference, to_page, typing};

const USER: &str = "alice";
const PASSWORD: &str = "sesame1";
const SMALL_SCREEN: &str = "800x600";

/// The widget, when it has the focus.
fn focused(want: Want) -> Want {
    want.with_state("focused")
}

fn entry(name: &str) -> Want {
    Want::named(name).role("radio button")
}

fn next() -> Want {
    Want::button("Next")
}

/// Waits until the widget has the focus and all of it is in view: in the window
/// and above its buttons.
#[track_caller]
fn reached(session: &mut Session<'_>, want: Want) {
    session.wait(focused(want.clone()));
    let buttons = session.extents(next());
    let mut at = session.extents(want.clone());
    // The page scrolls in its next frame.
    for _ in 0..20 {
        if at.top >= 0 && at.left >= 0 && at.bottom <= buttons.top {
            return;
        }
        at = session.extents(want.clone());
    }
    session.fail(&format!(
        "{want:?} has the focus out of view: {at:?}, above {buttons:?}"
    ));
}

/// From wherever the focus is, within one round.
#[track_caller]
fn focus_by_tab(session: &mut Session<'_>, want: &Want) {
    for _ in 0..12 {
        if session.find(want.clone()).is_some_and(|w| w.is("focused")) {
            return;
        }
        session.key(&["Tab"]);
    }
    session.fail("the focus never got there");
}

/// Types letters and digits to where the focus is.
fn type_keys(session: &mut Session<'_>, text: &str) {
    let keys: Vec<String> = text.chars().map(String::from).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    session.key(&keys);
}

/// So many images that they do not fit on a small screen; the last one is real.
fn catalogue(served: &Served) -> Value {
    let entries: Vec<_> = (1..=8)
        .map(|n| {
            let reference = match n {
                8 => served.reference(),
                _ => format!("image{n}.invalid/os:1"),
            };
            json!({
                "name": format!("Image {n}"),
                "description": "It takes two lines: ".to_owned() + &"what is in it, ".repeat(7),
                "reference": reference,
            })
        })
        .collect();
    entries.into()
}

#[test]
fn the_whole_page_by_keyboard_alone() {
    let Some(world) = enter("keyboard") else {
        return;
    };
    let Some(served) = Served::tiny(&world, &Tiny::working()) else {
        return;
    };
    let live = world.plugin();
    let mut session = to_page(live.module("bootc", &typing(&served.address().to_string())));
    // The page has been shown: its first control waits for what is typed.
    reached(&mut session, reference());
    session.key(&["ctrl+a"]);
    session.type_into(reference(), &served.reference());
    session.key(&["Return"]);
    session.wait(FINE);
    focus_by_tab(&mut session, &next());
    session.screenshot("next-focused");
    session.key(&["space"]);
    session.wait(session.words().full_name);
    session.cancel();
    session.wait_exit().assert_clean();
}

#[test]
fn a_long_catalogue_on_a_small_screen() {
    let Some(world) = enter("keyboard-catalogue") else {
        return;
    };
    let image = Tiny::working().write(world.inner());
    let Some(served) = Served::image(&world, &image, Some((USER, PASSWORD))) else {
        return;
    };
    let mut conf = typing(&served.address().to_string());
    conf["page"] = json!({"catalogue": catalogue(&served)});
    let live = world.plugin().screen(SMALL_SCREEN);
    let mut session = to_page(live.module("bootc", &conf));
    reached(&mut session, entry("Image 1"));
    session.screenshot("shown");

    // Arrows move, and do not choose.
    for n in 2..=8 {
        session.key(&["Down"]);
        reached(&mut session, entry(&format!("Image {n}")));
    }
    session.key(&["Down"]);
    reached(&mut session, entry("Image 8"));
    assert!(!session.wait(entry("Image 8")).is("checked"));
    session.key(&["Home"]);
    reached(&mut session, entry("Image 1"));
    session.key(&["End"]);
    reached(&mut session, entry("Image 8"));
    session.screenshot("last");

    session.key(&["space"]);
    session.wait(entry("Image 8").with_state("checked"));
    // The registry asks for a login, which gets the focus.
    let user = Want::field("User name at the registry");
    let password = Want::field_after("Password or token");
    let keep = Want::containing("Keep this login").role("check box");
    reached(&mut session, user.clone());
    session.screenshot("login");

    // The group is one stop for Tab, and everything after it is in view.
    session.key(&["shift+Tab"]);
    reached(&mut session, Want::button("Check"));
    session.key(&["shift+Tab"]);
    reached(&mut session, reference());
    session.key(&["shift+Tab"]);
    reached(&mut session, entry("Image 8"));
    for want in [reference(), Want::button("Check"), user.clone()] {
        session.key(&["Tab"]);
        reached(&mut session, want);
    }
    type_keys(&mut session, USER);
    session.key(&["Tab"]);
    reached(&mut session, password.clone());
    session.key(&["Tab"]);
    reached(&mut session, keep);
    session.key(&["shift+Tab"]);
    reached(&mut session, password);
    type_keys(&mut session, PASSWORD);
    session.key(&["Return"]);
    // The answer can be read to its end. It is out of view before.
    session.wait_enabled("Next");
    focus_by_tab(&mut session, &Want::named(FINE));
    reached(&mut session, Want::named(FINE));
    session.screenshot("answer");
    focus_by_tab(&mut session, &next());
    session.key(&["space"]);
    session.wait(session.words().full_name);
    session.cancel();
    let ended = session.wait_exit();
    ended.assert_clean();
    ended.assert_keeps(PASSWORD);
}

#[test]
fn a_catalogue_and_nothing_else() {
    let Some(world) = enter("keyboard-only") else {
        return;
    };
    let Some(served) = Served::tiny(&world, &Tiny::working()) else {
        return;
    };
    let mut conf = typing(&served.address().to_string());
    conf["page"] = json!({"allowOther": false, "catalogue": catalogue(&served)});
    let live = world.plugin().screen(SMALL_SCREEN);
    let mut session = to_page(live.module("bootc", &conf));
    // Away from the page and back by Tab alone.
    focus_by_tab(&mut session, &Want::button("Cancel"));
    focus_by_tab(&mut session, &entry("Image 1"));
    session.key(&["End"]);
    reached(&mut session, entry("Image 8"));
    session.key(&["Return"]);
    session.wait(entry("Image 8").with_state("checked"));
    session.wait_enabled("Next");
    session.screenshot("chosen");
    focus_by_tab(&mut session, &next());
    session.key(&["space"]);
    session.wait(session.words().full_name);
    session.cancel();
    session.wait_exit().assert_clean();
}

/// There is nothing to choose, but something to read.
#[test]
fn one_fixed_image() {
    let Some(world) = enter("keyboard-fixed") else {
        return;
    };
    let Some(served) = Served::tiny(&world, &Tiny::working()) else {
        return;
    };
    let mut conf = served.conf();
    conf["page"] = json!({"allowOther": false});
    let live = world.plugin().screen(SMALL_SCREEN);
    let mut session = to_page(live.module("bootc", &conf));
    session.wait(FINE);
    focus_by_tab(&mut session, &Want::named(FINE));
    reached(&mut session, Want::named(FINE));
    session.screenshot("answer");
    session.cancel();
    session.wait_exit().assert_clean();
}
