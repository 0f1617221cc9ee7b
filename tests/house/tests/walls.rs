// SPDX-License-Identifier: MIT OR Apache-2.0
//! No two modules of a crate use each other, and no crate knows one above it.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use house::{cycles, uses_in, workspace};

/// The crates of the product, the highest first: each may know those below.
const FLOORS: &[&[&str]] = &[
    &["bridge", "image-builder"],
    &["frontend", "installer"],
    &["source", "sandbox", "unpack", "partition"],
    &["blueprint", "conf", "host", "debs", "recipe"],
    &["yaml-doc"],
    &["vm"],
    &["contract", "registry", "buildroot"],
    &["imageref", "manual"],
];

/// cxx wants the types that C++ is shown declared in one module, which names the
/// modules that have them and is named by them: these three are one.
const BRIDGE: &str = "bridge: ffi <-> jobs <-> page";

/// The rooms of crates that are built as a ladder, the lowest first: each may use
/// those before it. One that is not here is no room of the crate.
const LADDERS: &[(&str, &[&str])] = &[(
    "registry",
    &[
        "error",
        "auth",
        "settings",
        "http",
        "store",
        "pull",
        "signature",
        "policy",
        "fuzz",
    ],
)];

/// A crate of more than this share of the product is a hall, not a room.
const ROOM_MAX_PERCENT: usize = 27;
/// Lines of a file.
const FILE_MAX: usize = 500;

fn crates() -> Vec<(String, PathBuf)> {
    let mut all: Vec<_> = fs::read_dir(workspace().join("rust"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .collect();
    all.sort();
    all
}

#[test]
fn no_two_modules_use_each_other() {
    let mut found = Vec::new();
    for (name, dir) in crates() {
        for (parent, uses) in uses_in(&dir).unwrap() {
            for cycle in cycles(&uses) {
                let place = format!("{name}::{parent}");
                found.push(format!(
                    "{}: {}",
                    place.trim_end_matches(':'),
                    cycle.join(" <-> ")
                ));
            }
        }
    }
    found.retain(|cycle| cycle != BRIDGE);
    assert!(
        found.is_empty(),
        "these use each other: move what both need below both:\n{}",
        found.join("\n")
    );
}

#[test]
fn rooms_use_only_those_below_them_on_the_ladder() {
    let mut found = Vec::new();
    for (name, ladder) in LADDERS {
        let uses = uses_in(&workspace().join("rust").join(name)).unwrap();
        let rooms = &uses[""];
        let step = |room: &str| ladder.iter().position(|step| *step == room);
        for (room, used) in rooms {
            for other in used.iter().filter(|other| *other != room) {
                let below = match (step(room), step(other)) {
                    (Some(room), Some(other)) => other < room,
                    _ => false,
                };
                if !below {
                    found.push(format!("{name}: {room} uses {other}"));
                }
            }
        }
        // A ladder of rooms that are gone would hold whatever the crate does.
        let known = |step: &str| {
            let used = rooms.values().any(|used| used.contains(step));
            used || rooms.contains_key(step)
        };
        let gone = ladder.iter().filter(|step| !known(step));
        found.extend(gone.map(|step| format!("{name}: {step} is no room")));
    }
    assert!(
        found.is_empty(),
        "not below, or not on the ladder:\n{}",
        found.join("\n")
    );
}

#[test]
fn crates_know_only_what_is_below_them() {
    let floor = |name: &str| {
        let floor = FLOORS.iter().position(|floor| floor.contains(&name));
        floor.unwrap_or_else(|| panic!("{name} has no floor in this test"))
    };
    for (name, dir) in crates() {
        let text = fs::read_to_string(dir.join("Cargo.toml")).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        let known = manifest["dependencies"].as_table().unwrap();
        for (known, _) in known {
            if dir.with_file_name(known).is_dir() {
                assert!(floor(&name) < floor(known), "{name} must not know {known}");
            }
        }
    }
}

/// Lines of code and comments below `dir`, without tests.
fn sizes(dir: &Path) -> Vec<(PathBuf, usize)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sizes(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            found.push((path, lines));
        }
    }
    found
}

#[test]
fn no_room_is_a_hall() {
    let is_test = |path: &Path| {
        let path = path.to_string_lossy();
        path.ends_with("tests.rs") || path.contains("/tests/")
    };
    let sizes: Vec<(String, usize)> = crates()
        .into_iter()
        .map(|(name, dir)| {
            // This crate itself is in a directory `tests`.
            let inside = |path: &Path| path.strip_prefix(&dir).unwrap_or(path).to_owned();
            let files = sizes(&dir.join("src"));
            let files = files.iter().filter(|(path, _)| !is_test(&inside(path)));
            (name, files.map(|(_, lines)| lines).sum())
        })
        .collect();
    let all: usize = sizes.iter().map(|(_, lines)| lines).sum();
    for (name, lines) in sizes {
        let percent = lines * 100 / all;
        assert!(
            percent <= ROOM_MAX_PERCENT,
            "{name} is {percent} % of the product"
        );
    }
}

#[test]
fn no_file_is_long() {
    let long: BTreeSet<String> = ["rust", "tests", "benches"]
        .iter()
        .flat_map(|dir| sizes(&workspace().join(dir)))
        .filter(|(path, lines)| *lines > FILE_MAX && !path.to_string_lossy().contains("/target/"))
        .map(|(path, lines)| format!("{}: {lines}", path.display()))
        .collect();
    assert!(long.is_empty(), "more than {FILE_MAX} lines:\n{long:#?}");
}

/// The names in the first `enum NAME {` of a file.
fn variants(file: &str, name: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(workspace().join(file)).unwrap();
    let (_, body) = text.split_once(&format!("enum {name} {{")).unwrap();
    let (body, _) = body.split_once('}').unwrap();
    let lines = body.lines().map(|line| line.trim().trim_end_matches(','));
    lines
        .filter(|line| line.chars().all(|c| c.is_ascii_alphanumeric()) && !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The compiler says it too, but only where there is Qt.
#[test]
fn the_bridge_has_every_task() {
    let tasks = variants("rust/contract/src/event.rs", "Task");
    assert!(tasks.len() > 5, "{tasks:?}");
    assert_eq!(variants("rust/bridge/src/ffi.rs", "Task"), tasks);
}
