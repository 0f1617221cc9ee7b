// SPDX-License-Identifier: MIT OR Apache-2.0
//! Each input of the corpus through its target, without a fuzzer.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;

/// Longest input in the source tree, in bytes.
const INPUT_MAX: usize = 4096;

#[test]
fn no_input_of_the_corpus_breaks_a_promise() {
    let mut broken = Vec::new();
    for target in fuzz::TARGETS {
        let mut inputs = 0;
        for entry in fs::read_dir(target.corpus()).unwrap() {
            let path = entry.unwrap().path();
            let data = fs::read(&path).unwrap();
            inputs += 1;
            // The panic has said on standard error what is wrong.
            if catch_unwind(|| (target.run)(&data)).is_err() {
                broken.push(path.display().to_string());
            }
        }
        assert!(inputs > 0, "{} has no corpus", target.name);
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_corpus_is_small_and_each_directory_has_a_target() {
    let names: BTreeSet<&str> = fuzz::TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names.len(), fuzz::TARGETS.len(), "a name occurs twice");
    for entry in fs::read_dir(fuzz::directory().join("corpus")).unwrap() {
        let directory = entry.unwrap();
        let name = directory.file_name().into_string().unwrap();
        assert!(names.contains(name.as_str()), "no target reads {name}");
        for input in fs::read_dir(directory.path()).unwrap() {
            let input = input.unwrap();
            let length = fs::read(input.path()).unwrap().len();
            assert!(length <= INPUT_MAX, "{:?}: {length} bytes", input.path());
        }
    }
    for entry in fs::read_dir(fuzz::directory().join("dictionaries")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let target = name.strip_suffix(".dict").unwrap();
        assert!(names.contains(target), "no target uses {name}");
    }
}
