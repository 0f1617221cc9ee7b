// SPDX-License-Identifier: MIT OR Apache-2.0
//! Places in a text.

/// Line and column, from 1 and in characters, of the byte at `offset`.
pub(crate) fn of(text: &str, offset: usize) -> (Option<usize>, Option<usize>) {
    let Some(before) = text.get(..offset) else {
        return (None, None);
    };
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(start..).map_or(0, |l| l.chars().count()) + 1;
    (Some(line), Some(column))
}
