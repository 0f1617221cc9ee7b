// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cycles in a graph.

use std::collections::BTreeSet;

use crate::Uses;

/// Groups of two or more that reach each other, each sorted.
pub fn cycles(uses: &Uses) -> Vec<Vec<String>> {
    let reach = |start: &str| {
        let mut seen = BTreeSet::new();
        let mut open = vec![start.to_owned()];
        while let Some(name) = open.pop() {
            for next in uses.get(&name).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
        }
        seen
    };
    let mut found: Vec<Vec<String>> = Vec::new();
    for name in uses.keys() {
        if found.iter().any(|group| group.contains(name)) {
            continue;
        }
        let mut group: Vec<String> = reach(name)
            .into_iter()
            .filter(|other| other != name && reach(other).contains(name))
            .collect();
        if !group.is_empty() {
            group.push(name.clone());
            group.sort();
            found.push(group);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &str)]) -> Uses {
        let mut uses = Uses::new();
        for (from, to) in edges {
            let users = uses.entry((*from).to_owned()).or_default();
            users.insert((*to).to_owned());
        }
        uses
    }

    #[test]
    fn groups_that_reach_each_other() {
        assert!(cycles(&graph(&[("a", "b"), ("b", "c"), ("a", "c")])).is_empty());
        assert_eq!(
            cycles(&graph(&[("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")])),
            [["b", "c"]]
        );
        assert_eq!(
            cycles(&graph(&[
                ("c", "a"),
                ("a", "b"),
                ("b", "c"),
                ("x", "y"),
                ("y", "x")
            ])),
            [vec!["a", "b", "c"], vec!["x", "y"]]
        );
    }
}
