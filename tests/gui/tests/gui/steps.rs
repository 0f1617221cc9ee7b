// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the tests of the plugin have in common.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use test_gui::{Disk, Live, Person, Session, Want, World};

/// Size of a target for a tiny image.
pub(crate) const SMALL: u64 = 3 << 30;

/// The field for an image's reference.
pub(crate) fn reference() -> Want {
    Want::field("Image address")
}

/// No image is named, any can be typed.
pub(crate) fn typing(host: &str) -> Value {
    json!({ "registryAuth": {"registries": {host: {"insecure": true}}} })
}

/// What the page says of an image that can be installed.
pub(crate) const FINE: &str = "This image can be installed.";

/// The live system with the plugin, `None` with a message where that cannot be.
pub(crate) fn enter(name: &str) -> Option<World> {
    World::enter(name)
}

/// From the welcome page to the plugin's.
pub(crate) fn to_page(live: Live<'_>) -> Session<'_> {
    let mut session = live.start();
    session.set_patience(Duration::from_secs(120));
    for _ in ["welcome", "locale", "keyboard"] {
        session.next();
    }
    session.wait_text("Which system");
    session
}

/// From the plugin's page, whose image is good, to the summary.
pub(crate) fn to_summary(session: &mut Session<'_>, person: &Person) {
    session.wait(FINE);
    session.next();
    session.wait(session.words().full_name);
    session.enter_person(person);
    session.next();
    session.wait_enabled(session.words().install);
}

/// Mounts a target to look at what is on it.
pub(crate) fn mounted(disk: &Disk) -> &Path {
    disk.mount("ro");
    disk.path()
}
