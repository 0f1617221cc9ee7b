// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bounds for what an image unpacks to: no layer is larger than what its
//! compression can honestly make of it, and the file system is never filled up.
//!
//! A manifest says how large the blobs are, not what is in them, so nothing can
//! be refused before it is read. Two bounds hold on the way: [`Bounded`] ends a
//! stream that is longer than any real one, and [`Guard`] stops while there is
//! still room for what the installation writes next.

use std::fmt;
use std::io::{self, Read};
use std::os::fd::AsFd;

use nix::sys::statvfs::fstatvfs;

/// Bytes of archive per byte of blob at most. Deflate cannot go beyond it (258
/// bytes of output from 2 bits); Zstandard can, thirty times, but only for
/// layers of nothing but zeros.
pub(super) const RATIO_MAX: u64 = 1032;
/// A layer of up to this many bytes is never refused for its ratio: an empty
/// file of 4 GiB is silly, and harmless.
pub(super) const RATIO_FLOOR: u64 = 4 << 30;
/// Bytes between two looks at the free space.
const INTERVAL: u64 = 8 * 1024 * 1024;
/// What an entry is counted as beside its data: a block for its inode and name.
const ENTRY_COST: u64 = 4096;

/// A layer that is longer than any real one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bomb {
    /// Size of the blob, bytes.
    compressed: u64,
    /// Bytes that were accepted.
    bound: u64,
}

impl fmt::Display for Bomb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { compressed, bound } = self;
        write!(
            f,
            "{compressed} bytes unpack to more than {bound}: a decompression bomb"
        )
    }
}

impl std::error::Error for Bomb {}

/// Whether this is the reason of an error.
pub(super) fn is_bomb(err: &io::Error) -> bool {
    err.get_ref().is_some_and(|inner| inner.is::<Bomb>())
}

/// Ends a decompressed stream that grows beyond its bound.
pub(super) struct Bounded<R> {
    inner: R,
    bomb: Bomb,
    left: u64,
}

impl<R> Bounded<R> {
    /// For what comes out of a blob of `compressed` bytes; up to `floor` bytes
    /// are accepted from any.
    pub(super) fn new(inner: R, compressed: u64, floor: u64) -> Self {
        let bound = compressed.saturating_mul(RATIO_MAX).max(floor);
        Self {
            inner,
            bomb: Bomb { compressed, bound },
            left: bound,
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        match self.left.checked_sub(n as u64) {
            Some(left) => {
                self.left = left;
                Ok(n)
            }
            None => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                Bomb { ..self.bomb },
            )),
        }
    }
}

/// Watches the free space.
#[derive(Debug)]
pub(super) struct Guard {
    /// Bytes that stay free; 0 watches nothing.
    pub(super) keep_free: u64,
    since: u64,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            keep_free: 0,
            // The first entry is looked at already.
            since: INTERVAL,
        }
    }
}

impl Guard {
    /// `bytes` are about to be written to the file system of `root`.
    pub(super) fn write(&mut self, root: impl AsFd, bytes: u64) -> io::Result<()> {
        if self.keep_free == 0 {
            return Ok(());
        }
        self.since = self.since.saturating_add(bytes);
        if self.since < INTERVAL {
            return Ok(());
        }
        self.since = 0;
        let stat = fstatvfs(root)?;
        #[allow(clippy::useless_conversion)] // its types differ between platforms
        let free =
            u64::from(stat.blocks_available()).saturating_mul(u64::from(stat.fragment_size()));
        // Up to the next look this much more may be written.
        if free < self.keep_free.saturating_add(INTERVAL) {
            let keep = self.keep_free;
            let why = format!("{free} bytes are free, and {keep} must stay so");
            return Err(io::Error::new(io::ErrorKind::StorageFull, why));
        }
        Ok(())
    }

    /// An entry is about to be made.
    pub(super) fn entry(&mut self, root: impl AsFd) -> io::Result<()> {
        self.write(root, ENTRY_COST)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn streams_end_at_their_bound() {
        // compressed, floor, length, whether it is accepted
        for (compressed, floor, length, good) in [
            (1, 0, RATIO_MAX, true),
            (1, 0, RATIO_MAX + 1, false),
            (0, 0, 0, true),
            (0, 0, 1, false),
            (1, 5000, 5000, true),
            (1, 5000, 5001, false),
            (10, 5000, 10 * RATIO_MAX, true),
            (u64::MAX, 0, 1 << 20, true),
        ] {
            let mut stream = Bounded::new(io::repeat(0).take(length), compressed, floor);
            let result = io::copy(&mut stream, &mut io::sink());
            match result {
                Ok(read) => assert!(good && read == length, "{compressed} {length}"),
                Err(err) => assert!(!good && is_bomb(&err), "{compressed} {length}: {err}"),
            }
        }
    }

    #[test]
    fn the_free_space_is_looked_at_now_and_then() {
        let here = std::fs::File::open(std::env::temp_dir()).unwrap();
        let mut guard = Guard::default();
        guard.write(&here, u64::MAX).unwrap();
        guard.keep_free = u64::MAX;
        let err = guard.entry(&here).unwrap_err();
        assert_eq!(err.kind(), io::ErrorKind::StorageFull, "{err}");
        // Not again for every entry.
        guard.entry(&here).unwrap();
        guard.write(&here, INTERVAL).unwrap_err();
        guard.keep_free = 1;
        guard.write(&here, INTERVAL).unwrap();
    }
}
