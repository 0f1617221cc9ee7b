// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads the entries of a tar archive, as far as image layers use the format:
//! ustar, GNU (long names, sparse files) and pax.
//!
//! The `tar` crate decodes the fixed header. Its own iterator splits pax
//! records at newlines, which destroys binary attributes such as
//! `security.capability`, so the extension headers are read here.

use std::io::{self, Read};

use tar::{GnuExtSparseHeader, Header};

use super::pax::{self, Run};

const BLOCK: usize = 512;
/// Longest extension header that is accepted, in bytes: names and attributes.
const EXTENSION_MAX: u64 = 1024 * 1024;
/// Most runs of a sparse file that are accepted.
const RUNS_MAX: usize = 1 << 16;
/// Digits of the largest number.
const DIGITS_MAX: usize = 20;

/// What an entry makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    HardLink,
    Symlink,
    Dir,
    Char,
    Block,
    Fifo,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) path: Vec<u8>,
    pub(super) kind: Kind,
    /// Permission bits with setuid, setgid and sticky.
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Seconds and nanoseconds.
    pub(super) mtime: (i64, i64),
    /// Target of a symbolic or hard link.
    pub(super) link: Vec<u8>,
    /// Major and minor number of a device.
    pub(super) device: (u32, u32),
    /// Extended attributes, names and values.
    pub(super) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Size of the file.
    pub(super) size: u64,
    /// Where the data goes, when the file has holes.
    pub(super) sparse: Option<Vec<Run>>,
}

fn invalid(what: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("tar: {what}"))
}

/// The archive. Reading from it gives the data of the current entry.
pub(super) struct Archive<R> {
    inner: R,
    /// Bytes of the current entry's data that are still to read.
    data: u64,
    /// Bytes of padding after them.
    padding: u64,
    ended: bool,
}

/// What the extension headers before an entry said.
#[derive(Default)]
struct Extensions {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    pax: Vec<pax::Record>,
}

impl Extensions {
    fn pax(&self, key: &str) -> Option<&[u8]> {
        // The last one counts.
        let mut records = self.pax.iter().rev();
        let found = records.find(|(name, _)| name == key.as_bytes())?;
        Some(&found.1)
    }

    fn number(&self, key: &str) -> io::Result<Option<u64>> {
        match self.pax(key) {
            // An empty value takes a value back.
            None | Some(b"") => Ok(None),
            Some(text) => match pax::decimal(text) {
                Some(number) => Ok(Some(number)),
                None => Err(invalid(format!("pax header {key} is no number"))),
            },
        }
    }

    fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        self.pax(key).filter(|v| !v.is_empty()).map(<[u8]>::to_vec)
    }
}

impl<R: Read> Archive<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            data: 0,
            padding: 0,
            ended: false,
        }
    }

    /// The next entry, or `None` at the end of the archive. What was not read
    /// of the entry before is skipped.
    pub(super) fn next(&mut self) -> io::Result<Option<Entry>> {
        let mut extensions = Extensions::default();
        loop {
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            match header.entry_type().as_byte() {
                b'L' => extensions.path = Some(until_zero(self.extension()?)),
                b'K' => extensions.link = Some(until_zero(self.extension()?)),
                b'x' => extensions.pax = pax::records(&self.extension()?)?,
                // Global headers hold comments of git and the like; volume
                // labels name the tape.
                b'g' | b'V' => {}
                flag => return self.entry(&header, flag, &extensions).map(Some),
            }
        }
    }

    /// Reads on behind the end of the archive, so that whatever checks the
    /// stream sees all of it.
    pub(super) fn drain(mut self) -> io::Result<()> {
        io::copy(&mut self.inner, &mut io::sink()).map(drop)
    }

    fn header(&mut self) -> io::Result<Option<Header>> {
        if self.ended {
            return Ok(None);
        }
        // One by one: a size may be all that a number can hold.
        self.skip(self.data)?;
        self.skip(self.padding)?;
        (self.data, self.padding) = (0, 0);
        let Some(block) = self.block()? else {
            self.ended = true;
            return Ok(None);
        };
        // Two blocks of zeros end it; what follows one is not worth a fight.
        if block.iter().all(|&byte| byte == 0) {
            self.ended = true;
            return Ok(None);
        }
        let header = Header::from_byte_slice(&block).clone();
        let sum: u32 = block[..148]
            .iter()
            .chain(&block[156..])
            .map(|&b| u32::from(b))
            .sum();
        if header.cksum().ok() != Some(sum + 8 * u32::from(b' ')) {
            return Err(invalid("a header's checksum is wrong"));
        }
        let size = match header.entry_type().as_byte() {
            // These have no data, whatever their size says.
            b'1'..=b'6' => 0,
            _ => header.entry_size()?,
        };
        self.expect(size);
        Ok(Some(header))
    }

    fn expect(&mut self, size: u64) {
        self.data = size;
        self.padding = size.wrapping_neg() % BLOCK as u64;
    }

    /// A block, or `None` where the stream ends between blocks.
    fn block(&mut self) -> io::Result<Option<[u8; BLOCK]>> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.inner.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(n) => filled += n,
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
            }
        }
        Ok(Some(block))
    }

    fn skip(&mut self, count: u64) -> io::Result<()> {
        let skipped = io::copy(&mut (&mut self.inner).take(count), &mut io::sink())?;
        if skipped < count {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    /// All data of an extension header.
    fn extension(&mut self) -> io::Result<Vec<u8>> {
        if self.data > EXTENSION_MAX {
            return Err(invalid("an extension header is too long"));
        }
        let mut data = Vec::new();
        self.read_to_end(&mut data)?;
        Ok(data)
    }

    fn entry(&mut self, header: &Header, flag: u8, ext: &Extensions) -> io::Result<Entry> {
        let path = ext
            .bytes("GNU.sparse.name")
            .or_else(|| ext.bytes("path"))
            .or_else(|| ext.path.clone())
            .unwrap_or_else(|| header.path_bytes().into_owned());
        let kind = match flag {
            // Old archives mark directories by their name alone.
            b'\0' if path.ends_with(b"/") => Kind::Dir,
            b'\0' | b'0' | b'7' | b'S' => Kind::File,
            b'1' => Kind::HardLink,
            b'2' => Kind::Symlink,
            b'3' => Kind::Char,
            b'4' => Kind::Block,
            b'5' | b'D' => Kind::Dir,
            b'6' => Kind::Fifo,
            other => {
                return Err(invalid(format!(
                    "{} is of the unknown type {:?}",
                    super::shown(&path),
                    char::from(other)
                )));
            }
        };
        if kind == Kind::File
            && let Some(size) = ext.number("size")?
        {
            self.expect(size);
        }
        let (size, sparse) = match kind {
            Kind::File => self.sparse(header, flag, ext)?,
            _ => (0, None),
        };
        // A device number or time that is left out is zero.
        let id = |key, field: io::Result<u64>| -> io::Result<u32> {
            let number = ext.number(key)?.unwrap_or(field.unwrap_or(0));
            u32::try_from(number).map_err(|_| invalid(format!("{key} {number} is too large")))
        };
        let mtime = match ext.pax("mtime") {
            Some(text) => pax::time(text).ok_or_else(|| invalid("a time is damaged"))?,
            None => (signed(header.mtime().unwrap_or(0)), 0),
        };
        Ok(Entry {
            kind,
            mode: header.mode()? & 0o7777,
            uid: id("uid", header.uid())?,
            gid: id("gid", header.gid())?,
            mtime,
            link: ext
                .bytes("linkpath")
                .or_else(|| ext.link.clone())
                .unwrap_or_else(|| header.link_name_bytes().unwrap_or_default().into_owned()),
            device: (
                header.device_major().ok().flatten().unwrap_or(0),
                header.device_minor().ok().flatten().unwrap_or(0),
            ),
            xattrs: xattrs(&ext.pax),
            size,
            sparse,
            path,
        })
    }

    /// Size and map of a file, in all four forms that GNU tar has had.
    fn sparse(
        &mut self,
        header: &Header,
        flag: u8,
        ext: &Extensions,
    ) -> io::Result<(u64, Option<Vec<Run>>)> {
        let (size, runs) = if flag == b'S' {
            self.gnu_sparse(header)?
        } else if ext.pax("GNU.sparse.major") == Some(b"1") {
            let size = ext.number("GNU.sparse.realsize")?;
            (size, self.pax_sparse_in_data()?)
        } else if let Some(map) = ext.pax("GNU.sparse.map") {
            (ext.number("GNU.sparse.size")?, pax::sparse_map(map)?)
        } else if ext.pax("GNU.sparse.numblocks").is_some() {
            (ext.number("GNU.sparse.size")?, scattered_map(ext)?)
        } else {
            return Ok((self.data, None));
        };
        let size = size.ok_or_else(|| invalid("a sparse file has no size"))?;
        pax::check_sparse(&runs, size)?;
        let total: u64 = runs.iter().map(|run| run.length).sum();
        if total != self.data {
            return Err(invalid("a sparse file has too much or too little data"));
        }
        Ok((size, Some(runs)))
    }

    fn gnu_sparse(&mut self, header: &Header) -> io::Result<(Option<u64>, Vec<Run>)> {
        let gnu = header
            .as_gnu()
            .ok_or_else(|| invalid("a sparse file without a GNU header"))?;
        let mut runs = Vec::new();
        let mut add = |fields: &[tar::GnuSparseHeader]| -> io::Result<()> {
            for field in fields.iter().filter(|field| !field.is_empty()) {
                runs.push(Run {
                    offset: field.offset()?,
                    length: field.length()?,
                });
            }
            if runs.len() > RUNS_MAX {
                return Err(invalid("a sparse file is in too many pieces"));
            }
            Ok(())
        };
        add(&gnu.sparse)?;
        let mut more = gnu.is_extended();
        while more {
            // These blocks come before the data and are not counted in it.
            let mut extended = GnuExtSparseHeader::new();
            self.inner.read_exact(extended.as_mut_bytes())?;
            add(extended.sparse())?;
            more = extended.is_extended();
        }
        Ok((Some(gnu.real_size()?), runs))
    }

    /// Form 1.0: the map stands before the data, in blocks of its own.
    fn pax_sparse_in_data(&mut self) -> io::Result<Vec<Run>> {
        let mut block = [0; BLOCK];
        let (mut number, mut numbers): (Vec<u8>, Vec<u64>) = (Vec::new(), Vec::new());
        loop {
            self.read_exact(&mut block)?;
            for &byte in &block {
                if byte != b'\n' {
                    number.push(byte);
                    if number.len() > DIGITS_MAX {
                        return Err(invalid("damaged sparse map"));
                    }
                    continue;
                }
                numbers.push(pax::decimal(&number).ok_or_else(|| invalid("damaged sparse map"))?);
                number.clear();
                let runs = usize::try_from(numbers[0]).unwrap_or(usize::MAX);
                if runs > RUNS_MAX {
                    return Err(invalid("a sparse file is in too many pieces"));
                }
                if numbers.len() > 2 * runs {
                    return pax::pair(&numbers[1..]);
                }
            }
        }
    }
}

impl<R: Read> Read for Archive<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let want = usize::try_from(self.data)
            .unwrap_or(usize::MAX)
            .min(buf.len());
        if want == 0 {
            return Ok(0);
        }
        match self.inner.read(&mut buf[..want])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            n => {
                self.data -= n as u64;
                Ok(n)
            }
        }
    }
}

/// A number of a header field that may be negative. In its binary form it is in
/// two's complement, of which [`tar`] gives the lower 64 bits.
fn signed(number: u64) -> i64 {
    i64::from_ne_bytes(number.to_ne_bytes())
}

/// Form 0.0: one record for each number.
fn scattered_map(ext: &Extensions) -> io::Result<Vec<Run>> {
    let numbers: Option<Vec<u64>> = ext
        .pax
        .iter()
        .filter(|(key, _)| key == b"GNU.sparse.offset" || key == b"GNU.sparse.numbytes")
        .map(|(_, value)| pax::decimal(value))
        .collect();
    pax::pair(&numbers.ok_or_else(|| invalid("damaged sparse map"))?)
}

fn xattrs(records: &[pax::Record]) -> Vec<(Vec<u8>, Vec<u8>)> {
    records
        .iter()
        .filter_map(|(key, value)| {
            let name = key.strip_prefix(b"SCHILY.xattr.")?;
            Some((name.to_vec(), value.clone()))
        })
        .collect()
}

fn until_zero(mut name: Vec<u8>) -> Vec<u8> {
    if let Some(end) = name.iter().position(|&byte| byte == 0) {
        name.truncate(end);
    }
    name
}
