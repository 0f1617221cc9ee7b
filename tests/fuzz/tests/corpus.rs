// SPDX-License-Identifier: MIT OR Apache-2.0
//! Each input of the corpus through its target, without a fuzzer.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;

/// Longest input in the source tree, in bytes.
const INPUT_MAX: usize = 4096;
/// Changed inputs for each target.
const NEIGHBOURS: usize = 400;
/// Changes in one input at the most.
const CHANGES_MAX: u64 = 4;

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

/// Not a fuzzer, which learns from what it does, but enough for a parser that any
/// odd byte would break. The same inputs each time.
#[test]
fn neighbours_of_the_corpus_break_no_promise() {
    let mut broken = Vec::new();
    // What writes as root is for the runner, which locks it in.
    for target in fuzz::TARGETS.iter().filter(|target| !target.writes) {
        let mut chance = Chance::new(target.name);
        let mut seeds: Vec<Vec<u8>> = fs::read_dir(target.corpus())
            .unwrap()
            .map(|entry| fs::read(entry.unwrap().path()).unwrap())
            .collect();
        seeds.sort();
        for number in 0..NEIGHBOURS {
            let data = neighbour(&seeds, &mut chance);
            if catch_unwind(|| (target.run)(&data)).is_err() {
                broken.push(format!("{} {number}: {}", target.name, data.escape_ascii()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// One of the seeds with some bytes changed, left out, repeated or taken from
/// another seed.
fn neighbour(seeds: &[Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    let mut data = seeds[chance.below(seeds.len())].clone();
    for _ in 0..=chance.next() % CHANGES_MAX {
        let at = chance.below(data.len() + 1);
        let end = (at + chance.below(16)).min(data.len());
        match chance.next() % 5 {
            0 if at < data.len() => data[at] ^= 1 << chance.below(8),
            1 => data.insert(at, chance.next().to_le_bytes()[0]),
            2 => drop(data.drain(at..end)),
            3 => {
                let again = data[at..end].to_vec();
                data.splice(at..at, again);
            }
            _ => {
                let other = &seeds[chance.below(seeds.len())];
                data.truncate(at);
                data.extend_from_slice(&other[chance.below(other.len() + 1)..]);
            }
        }
    }
    data
}

/// Numbers that look like chance and are the same each time (xorshift64).
struct Chance(u64);

impl Chance {
    fn new(name: &str) -> Self {
        let fold = |sum: u64, byte: u8| sum.wrapping_mul(31).wrapping_add(u64::from(byte));
        Self(name.bytes().fold(1, fold).max(1))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap()
    }
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
