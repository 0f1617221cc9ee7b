// SPDX-License-Identifier: MIT OR Apache-2.0
//! Parts of layers that can be read without writing anything.

use std::ops::Range;

use ::unpack::fuzz;

pub(crate) fn pax(data: &[u8]) {
    fuzz::pax(data);
}

pub(crate) fn name(data: &[u8]) {
    fuzz::name(data);
}

pub(crate) fn tar(data: &[u8]) {
    let mut archive = data.to_vec();
    correct_checksums(&mut archive);
    // How many there are does not matter, that it ends does.
    fuzz::archive(&archive).ok();
}

const BLOCK: usize = 512;
const SIZE: Range<usize> = 124..136;
const CHECKSUM: Range<usize> = 148..156;

/// No fuzzer guesses a checksum: each header gets the right one.
fn correct_checksums(archive: &mut [u8]) {
    let mut at = 0;
    while let Some(block) = archive.get_mut(at..at + BLOCK) {
        block[CHECKSUM].fill(b' ');
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let size = octal(&block[SIZE]);
        at = at
            .saturating_add(BLOCK)
            .saturating_add(size.div_ceil(BLOCK) * BLOCK);
        if at > archive.len() - BLOCK.min(archive.len()) {
            return;
        }
    }
}

fn octal(field: &[u8]) -> usize {
    let digits = field.iter().take_while(|byte| (b'0'..b'8').contains(byte));
    digits
        .take(8)
        .fold(0, |number, digit| number * 8 + usize::from(digit - b'0'))
}
