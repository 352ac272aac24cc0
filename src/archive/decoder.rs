//! One entry's bytes, from its local header to what it holds: pushed in as they arrive, and handed on as they inflate.

use std::ops::{ControlFlow, Range};

use flate2::{Decompress, FlushDecompress, Status};

use super::entry::LOCAL_HEADER;
use super::{Entry, Finding, Flag, Method};

/// A local header's extra field may be longer than the directory tells: this much is fetched for it, in bytes, so that
/// one request does.
const EXTRA_ALLOWANCE: u64 = 512;

/// What inflates at a time, in bytes.
const PIECE: usize = 32 * 1024;

/// Takes what an entry holds, in order.
pub trait Sink: Send {
    /// Takes the next bytes: at most 32 KiB of what was compressed, and as they arrived of what was not. `Break` ends the
    /// reading.
    fn take(&mut self, bytes: &[u8]) -> ControlFlow<()>;

    /// Told once, before anything is taken, what the budget has room for, in bytes: no more than that is to be kept.
    fn expect(&mut self, _at_most: usize) {}
}

/// Collects everything. What is to be kept is reserved at once: memory that is not touched costs nothing, growing would copy.
impl Sink for Vec<u8> {
    fn expect(&mut self, at_most: usize) {
        self.reserve_exact(at_most.saturating_sub(self.len()));
    }

    fn take(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        self.extend_from_slice(bytes);
        ControlFlow::Continue(())
    }
}

/// Why an entry's contents cannot be read at all, although the archive can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is encrypted.
    #[error("encrypted")]
    Encrypted,
    /// It is compressed by a method that is not read.
    #[error("compressed by method {0}, which is not read")]
    Method(u16),
    /// There is no local header where the directory says.
    #[error("its data is not where the directory says")]
    NoHeader,
    /// Only what is stored can be read from its end, or past a gap.
    #[error("it is compressed, and can only be read from its beginning")]
    Compressed,
}

/// What stopped the reading of an entry before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// So many bytes of the archive were read.
    Compressed(u64),
    /// So many bytes were inflated.
    Inflated(u64),
    /// The time was over.
    Time,
}

impl Limit {
    /// A stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Compressed(_) => "compressed-limit",
            Self::Inflated(_) => "inflated-limit",
            Self::Time => "time-limit",
        }
    }

    pub(super) fn finding(self) -> Finding {
        let detail = match self {
            Self::Compressed(limit) => format!("only its first {limit} bytes, compressed, were read"),
            Self::Inflated(limit) => format!("only its first {limit} bytes were read"),
            Self::Time => "the time was over before all was read".to_owned(),
        };
        Finding { code: self.code(), detail }
    }
}

/// Where the reading of an entry stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// At its end.
    End,
    /// Where the sink had enough.
    Enough,
    /// At a limit.
    Limit(Limit),
    /// Where it is not what the directory says.
    Damaged(&'static str),
}

/// What is known of an entry's checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crc {
    /// All of the entry was read, and it is right.
    Verified,
    /// All of the entry was read, and it is wrong.
    Wrong,
    /// Not all of the entry was read.
    Unverified,
}

/// What was read of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Which of its bytes, inflated, the sink was given.
    pub given: Range<u64>,
    /// Where the reading stopped.
    pub stop: Stop,
    /// Whether its checksum is right.
    pub crc: Crc,
}

impl Outcome {
    /// Whether all of it was read, from its beginning or from where it was asked for, to its end, and nothing speaks against
    /// it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.stop == Stop::End && self.crc != Crc::Wrong
    }

    /// What kept it from being complete: the limit, by its name, or the damage. Nothing where the sink had enough.
    #[must_use]
    pub fn finding(&self) -> Option<Finding> {
        match (self.stop, self.crc) {
            (Stop::Limit(limit), _) => Some(limit.finding()),
            (Stop::Damaged(detail), _) => Some(Finding { code: "damaged-entry", detail: detail.to_owned() }),
            (Stop::End, Crc::Wrong) => {
                Some(Finding { code: "crc-mismatch", detail: "its checksum is wrong".to_owned() })
            }
            (Stop::End | Stop::Enough, _) => None,
        }
    }
}

/// How far an entry is read, counted from its beginning.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) compressed: u64,
    pub(super) inflated: u64,
}

#[derive(Debug)]
enum Stage {
    /// The fixed part of the local header, as far as it has come.
    Header(Vec<u8>),
    /// Name and extra field of the local header: so many bytes that say nothing new.
    Name(u64),
    Data,
}

/// Reads one entry.
#[derive(Debug)]
pub(super) struct Decoder {
    stage: Stage,
    /// The offset in the archive of the next byte that is wanted.
    next: u64,
    name_length: u64,
    method: Method,
    compressed_size: u64,
    size: u64,
    crc32: u32,
    limits: Limits,
    /// Where the sink's bytes begin, in what the entry holds.
    from: u64,
    /// Whether what lies before `from` is left out, and not even fetched.
    jumps: bool,
    inflater: Option<Box<Decompress>>,
    /// What was consumed of the entry's data, and what it came to.
    consumed: u64,
    produced: u64,
    crc: crc32fast::Hasher,
    /// Whether the checksum covers everything from the beginning on.
    gapless: bool,
}

impl Decoder {
    /// Reads an entry from its beginning, and gives the sink what begins at `from`. With `jumps`, what comes before is not
    /// fetched.
    pub(super) fn new(entry: &Entry, limits: Limits, from: u64, jumps: bool) -> Result<Self, Unreadable> {
        if entry.flags.contains(Flag::Encrypted) {
            return Err(Unreadable::Encrypted);
        }
        let inflater = match entry.method {
            Method::Other(method) => return Err(Unreadable::Method(method)),
            Method::Deflate if jumps => return Err(Unreadable::Compressed),
            Method::Deflate => Some(Box::new(Decompress::new(false))),
            Method::Stored => None,
        };
        Ok(Self {
            stage: Stage::Header(Vec::new()),
            next: entry.local_header,
            name_length: entry.raw_path.len() as u64,
            method: entry.method,
            compressed_size: entry.compressed_size,
            size: entry.size,
            crc32: entry.crc32,
            limits,
            from,
            jumps,
            inflater,
            consumed: 0,
            produced: 0,
            crc: crc32fast::Hasher::new(),
            gapless: true,
        })
    }

    /// Goes on from where it stopped, or from somewhere behind that: what lies between is read past, or jumped over where
    /// it is stored. Going back is possible where it is stored, too.
    pub(super) fn go_on(&mut self, limits: Limits, from: u64) -> Result<(), Unreadable> {
        self.limits = limits;
        self.from = from.max(self.produced);
        if self.method == Method::Stored && matches!(self.stage, Stage::Data) && from != self.produced {
            self.from = from;
            self.jump();
        } else if from < self.produced {
            return Err(Unreadable::Compressed);
        }
        Ok(())
    }

    /// Goes to the place in stored data where the sink's bytes begin.
    fn jump(&mut self) {
        let target = self.from.min(self.compressed_size);
        self.next = (self.next - self.consumed).saturating_add(target);
        self.gapless &= target == self.consumed;
        (self.consumed, self.produced) = (target, target);
    }

    /// Which bytes of the archive are wanted next, as far as that can be told.
    pub(super) fn wanted(&self) -> Range<u64> {
        let length = match &self.stage {
            Stage::Header(bytes) if self.jumps => LOCAL_HEADER - bytes.len() as u64,
            Stage::Header(bytes) => {
                let header = LOCAL_HEADER - bytes.len() as u64;
                self.data_wanted().saturating_add(header + self.name_length + EXTRA_ALLOWANCE)
            }
            Stage::Name(length) => self.data_wanted().saturating_add(*length),
            Stage::Data => self.data_wanted(),
        };
        self.next..self.next.saturating_add(length)
    }

    fn data_wanted(&self) -> u64 {
        let end = self.compressed_size.min(self.limits.compressed);
        let end = if self.method == Method::Stored { end.min(self.limits.inflated) } else { end };
        end.saturating_sub(self.consumed)
    }

    /// Takes the bytes at [`wanted`](Self::wanted)'s beginning, hands on what they come to, and says where it stopped, if it
    /// did. Otherwise it wants more: look at `wanted` again, which may have moved past what was given.
    pub(super) fn push(
        &mut self,
        mut bytes: &[u8],
        sink: &mut impl Sink,
    ) -> Result<Option<Stop>, Unreadable> {
        loop {
            match &mut self.stage {
                Stage::Header(header) => {
                    let missing = 30 - header.len();
                    let (taken, rest) = bytes.split_at(missing.min(bytes.len()));
                    header.extend_from_slice(taken);
                    self.next += taken.len() as u64;
                    bytes = rest;
                    if header.len() < 30 {
                        return Ok(None);
                    }
                    let length = variable_length(header).ok_or(Unreadable::NoHeader)?;
                    self.stage = Stage::Name(length);
                }
                Stage::Name(length) if self.jumps => {
                    self.next = self.next.saturating_add(*length);
                    self.stage = Stage::Data;
                    self.jump();
                    return Ok(self.stop_before_data());
                }
                Stage::Name(length) => {
                    let taken = (*length).min(bytes.len() as u64);
                    *length -= taken;
                    self.next += taken;
                    bytes = &bytes[usize::try_from(taken).unwrap_or(bytes.len())..];
                    if *length > 0 {
                        return Ok(None);
                    }
                    self.stage = Stage::Data;
                }
                Stage::Data => return Ok(self.data(bytes, sink)),
            }
        }
    }

    fn data(&mut self, bytes: &[u8], sink: &mut impl Sink) -> Option<Stop> {
        let wanted = usize::try_from(self.data_wanted()).unwrap_or(usize::MAX);
        let bytes = &bytes[..bytes.len().min(wanted)];
        if self.method == Method::Stored { self.copy(bytes, sink) } else { self.inflate(bytes, sink) }
    }

    fn copy(&mut self, bytes: &[u8], sink: &mut impl Sink) -> Option<Stop> {
        self.consume(bytes.len());
        let flow = self.give(bytes, sink);
        if flow.is_break() { Some(Stop::Enough) } else { self.stop_before_data() }
    }

    /// Whether there is a reason to stop before any more data is looked at.
    fn stop_before_data(&self) -> Option<Stop> {
        if self.consumed >= self.compressed_size {
            Some(match self.method {
                Method::Stored if self.compressed_size != self.size => {
                    Stop::Damaged("it is not as long as the directory says")
                }
                Method::Stored => Stop::End,
                _ => Stop::Damaged("its compressed data breaks off"),
            })
        } else if self.method == Method::Stored && self.produced >= self.limits.inflated {
            Some(Stop::Limit(Limit::Inflated(self.limits.inflated)))
        } else if self.consumed >= self.limits.compressed {
            Some(Stop::Limit(Limit::Compressed(self.limits.compressed)))
        } else {
            None
        }
    }

    fn inflate(&mut self, mut bytes: &[u8], sink: &mut impl Sink) -> Option<Stop> {
        let mut piece = vec![0; PIECE];
        loop {
            let Some(inflater) = self.inflater.as_mut() else { return Some(Stop::Enough) };
            let room = self.limits.inflated.min(self.size).saturating_sub(self.produced);
            // At the declared size one byte of room tells whether there is more.
            let is_probe = room == 0 && self.produced >= self.size;
            if room == 0 && !is_probe {
                return Some(Stop::Limit(Limit::Inflated(self.limits.inflated)));
            }
            let room = if is_probe { 1 } else { usize::try_from(room).unwrap_or(PIECE).min(PIECE) };
            let (before_in, before_out) = (inflater.total_in(), inflater.total_out());
            let status = inflater.decompress(bytes, &mut piece[..room], FlushDecompress::None);
            let consumed = usize::try_from(inflater.total_in() - before_in).unwrap_or(0);
            let produced = usize::try_from(inflater.total_out() - before_out).unwrap_or(0);
            bytes = &bytes[consumed.min(bytes.len())..];
            self.consume(consumed);
            if is_probe && produced > 0 {
                return Some(Stop::Damaged("it holds more than the directory says"));
            }
            if self.give(&piece[..produced], sink).is_break() {
                return Some(Stop::Enough);
            }
            match status {
                Ok(Status::StreamEnd) if self.produced == self.size => return Some(Stop::End),
                Ok(Status::StreamEnd) => return Some(Stop::Damaged("it holds less than the directory says")),
                Err(_) => return Some(Stop::Damaged("its compressed data is damaged")),
                // All that came is inflated once some room is left over.
                Ok(_) if bytes.is_empty() && produced < room => return self.stop_before_data(),
                Ok(_) if consumed == 0 && produced == 0 => {
                    return Some(Stop::Damaged("its compressed data is damaged"));
                }
                Ok(_) => {}
            }
        }
    }

    fn consume(&mut self, length: usize) {
        self.next += length as u64;
        self.consumed += length as u64;
    }

    /// Hands on what was asked for of the next bytes that the entry holds.
    fn give(&mut self, bytes: &[u8], sink: &mut impl Sink) -> ControlFlow<()> {
        let skipped = self.from.saturating_sub(self.produced).min(bytes.len() as u64);
        self.produced += bytes.len() as u64;
        self.crc.update(bytes);
        let given = &bytes[usize::try_from(skipped).unwrap_or(bytes.len())..];
        if given.is_empty() { ControlFlow::Continue(()) } else { sink.take(given) }
    }

    /// What was read, as it stopped there.
    pub(super) fn outcome(&self, stop: Stop) -> Outcome {
        let crc = match stop {
            Stop::End if self.gapless && self.crc.clone().finalize() == self.crc32 => Crc::Verified,
            Stop::End if self.gapless => Crc::Wrong,
            _ => Crc::Unverified,
        };
        Outcome { given: self.from.min(self.produced)..self.produced, stop, crc }
    }
}

/// How long name and extra field of a local header are together.
fn variable_length(header: &[u8]) -> Option<u64> {
    let length_at = |at: usize| u64::from(u16::from_le_bytes([header[at], header[at + 1]]));
    header.starts_with(b"PK\x03\x04").then(|| length_at(26) + length_at(28))
}
