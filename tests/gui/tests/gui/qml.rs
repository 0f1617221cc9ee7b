// SPDX-License-Identifier: MIT OR Apache-2.0
//! A page in QML, in the window of its own that Calamares gives it.

use std::time::Duration;

use serde_json::json;
use test_gui::{Want, World};

#[test]
fn a_page_in_qml_can_be_used() {
    let Some(world) = World::enter("qml") else {
        return;
    };
    let page = "/usr/share/calamares/branding/default/page.qml";
    // Without a label this stock module crashes.
    let label = json!({"notes": "Page"});
    let conf = json!({"qmlSearch": "branding", "qmlFilename": "page", "qmlLabel": label});
    let mut session = world
        .stock()
        .file(page, include_str!("page.qml"))
        .module("notesqml", &conf)
        .settings(|settings| settings.after(test_gui::Sequence::Show, "welcome", "notesqml"))
        .start();
    session.next();
    session.wait("Nothing yet");
    session.screenshot("page");
    session.wait_disabled("Check");

    let reference = "quay.io/fedora/fedora-bootc:42";
    session.type_into(Want::field("Reference"), reference);
    session.wait_text("Edits: some");
    session.press("Check");
    session.wait_text(&format!("Checked: {reference}"));
    let odd = "<b>„Ü“</b> 😀 \"'";
    session.type_into(Want::field("Reference"), odd);
    session.press("Check");
    session.wait(format!("Checked: {odd}").as_str());
    session.type_into(Want::field_after("Secret:"), "hunter2");
    session.wait_text("Secret of 7");
    assert!(!session.dump().contains("hunter2"));

    session.press_widget("Green");
    session.wait_text("Chosen: Green");
    session.wait(Want::named("Green").with_state("checked"));
    // Has no action of its own, unlike a button.
    session.click("Debian");
    session.wait_text("Item: Debian");
    session.press_widget("Keep");
    session.wait(Want::named("Keep").with_state("checked"));

    let calm = session.responsiveness();
    session.press("Freeze");
    session.wait_text("Thawed");
    let frozen = session.responsiveness();
    eprintln!("calm {calm:?}, frozen {frozen:?}");
    assert!(frozen.max > Duration::from_millis(600), "{frozen:?}");
    session.screenshot("used");
    session.cancel();
    session.wait_exit().assert_clean();
}
