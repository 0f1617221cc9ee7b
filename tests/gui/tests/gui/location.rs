// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the map of the stock page "locale" starts.

use serde_json::json;
use test_gui::{Live, Session, Want};

use crate::steps::enter;

/// Chooses a language on the first page and goes to the map; `said` is there what
/// the page says of the formats.
fn to_map(session: &mut Session<'_>, language: Option<&str>, zone: &str, formats: &str) {
    session.wait_enabled("Next");
    let next = match language {
        Some(language) => {
            // The list of languages has the keyboard, and finds what is typed.
            let keys: Vec<String> = language.chars().map(String::from).collect();
            session.key(&keys.iter().map(String::as_str).collect::<Vec<_>>());
            session.wait_gone(Want::button("Next"));
            "Weiter"
        }
        None => "Next",
    };
    session.screenshot("welcome");
    session.press(next);
    session.wait_text(zone);
    session.wait_text(formats);
    session.screenshot("map");
}

fn started(live: Live<'_>) -> Session<'_> {
    live.module("bootc", &json!({})).start()
}

#[test]
fn the_map_starts_in_the_country_of_the_language() {
    let Some(world) = enter("map-language") else {
        return;
    };
    let mut english = started(world.plugin());
    to_map(&mut english, None, "New York", "United States");
    drop(english);
    let mut german = started(world.plugin());
    to_map(&mut german, Some("Deutsch"), "Berlin", "Deutschland");
}

#[test]
fn the_map_starts_where_locale_conf_says() {
    let Some(world) = enter("map-configured") else {
        return;
    };
    let live = world
        .plugin()
        .module("locale", &json!({"region": "Asia", "zone": "Tokyo"}));
    to_map(&mut started(live), None, "Tokyo", "日本");
}
