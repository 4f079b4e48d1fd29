// SPDX-License-Identifier: Apache-2.0
//! Reader of LZ4 frames (format: lz4_Frame_format.md 1.6 and lz4_Block_format.md of the LZ4
//! project). Container images let apt keep its indexes in this form.
//!
//! Bounded: a block is at most 4 MiB, 64 KiB of history are kept. Checksums inside the frame are
//! skipped, since the caller compares the SHA-256 of the whole text.

use std::io::{self, Read};

const MAGIC: u32 = 0x184D_2204;
const SKIPPABLE: u32 = 0x184D_2A50;
const HISTORY: usize = 64 * 1024;

/// The text of all frames, one after the other.
pub(crate) struct Frames<R> {
    reader: R,
    frame: Option<Frame>,
    /// History, then the last block.
    window: Vec<u8>,
    /// What of `window` has been handed out.
    read: usize,
    packed: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Frame {
    linked: bool,
    block_checksum: bool,
    content_checksum: bool,
    max_block: usize,
}

fn bad(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("damaged LZ4 data: {what}"))
}

impl<R: Read> Frames<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, frame: None, window: Vec::new(), read: 0, packed: Vec::new() }
    }

    fn number(&mut self) -> io::Result<u32> {
        let mut b = [0; 4];
        self.reader.read_exact(&mut b)?;
        Ok(u32::from_le_bytes(b))
    }

    fn skip(&mut self, n: u64) -> io::Result<()> {
        let skipped = io::copy(&mut (&mut self.reader).take(n), &mut io::sink())?;
        if skipped == n { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// The next frame's head, `None` at the end of the input.
    fn begin(&mut self) -> io::Result<Option<Frame>> {
        let mut first = [0; 1];
        if self.reader.read(&mut first)? == 0 {
            return Ok(None);
        }
        let mut rest = [0; 3];
        self.reader.read_exact(&mut rest)?;
        let magic = u32::from_le_bytes([first[0], rest[0], rest[1], rest[2]]);
        if magic & 0xFFFF_FFF0 == SKIPPABLE {
            let n = self.number()?;
            self.skip(u64::from(n))?;
            return self.begin();
        }
        if magic != MAGIC {
            return Err(bad("no frame begins here"));
        }
        let mut head = [0; 2];
        self.reader.read_exact(&mut head)?;
        let [flags, size] = head;
        if flags >> 6 != 1 {
            return Err(bad("unknown version"));
        }
        let max_block = match (size >> 4) & 7 {
            4 => 64 << 10,
            5 => 256 << 10,
            6 => 1 << 20,
            7 => 4 << 20,
            _ => return Err(bad("unknown block size")),
        };
        let content_size = if flags & 8 != 0 { 8 } else { 0 };
        if flags & 1 != 0 {
            return Err(bad("it needs a dictionary"));
        }
        self.skip(content_size + 1)?;
        self.window.clear();
        self.read = 0;
        Ok(Some(Frame {
            linked: flags & 0x20 == 0,
            block_checksum: flags & 0x10 != 0,
            content_checksum: flags & 4 != 0,
            max_block,
        }))
    }

    /// Fills the window with the next block; `false` at the end of the input.
    fn advance(&mut self) -> io::Result<bool> {
        loop {
            let frame = match self.frame {
                Some(f) => f,
                None => match self.begin()? {
                    Some(f) => *self.frame.insert(f),
                    None => return Ok(false),
                },
            };
            let head = self.number()?;
            if head == 0 {
                if frame.content_checksum {
                    self.skip(4)?;
                }
                self.frame = None;
                continue;
            }
            let (size, stored) = ((head & 0x7FFF_FFFF) as usize, head >> 31 == 1);
            if size > frame.max_block {
                return Err(bad("a block is longer than its frame allows"));
            }
            let keep =
                if frame.linked { self.window.len().saturating_sub(HISTORY) } else { self.window.len() };
            self.window.drain(..keep);
            self.read = self.window.len();
            self.packed.resize(size, 0);
            self.reader.read_exact(&mut self.packed)?;
            if frame.block_checksum {
                self.skip(4)?;
            }
            if stored {
                self.window.extend_from_slice(&self.packed);
            } else {
                let limit = self.window.len() + frame.max_block;
                unpack(&self.packed, &mut self.window, limit)?;
            }
            if self.read < self.window.len() {
                return Ok(true);
            }
        }
    }
}

/// Appends one block; matches may reach back into what is already there.
fn unpack(packed: &[u8], out: &mut Vec<u8>, limit: usize) -> io::Result<()> {
    let mut at = 0;
    loop {
        let token = *packed.get(at).ok_or_else(|| bad("a block ends early"))?;
        at += 1;
        let literals = length(packed, &mut at, token >> 4)?;
        let end = at.checked_add(literals).ok_or_else(|| bad("a length overflows"))?;
        let bytes = packed.get(at..end).ok_or_else(|| bad("literals reach over the block's end"))?;
        if out.len().saturating_add(literals) > limit {
            return Err(bad("a block unpacks to more than its frame allows"));
        }
        out.extend_from_slice(bytes);
        at = end;
        if at == packed.len() {
            return Ok(());
        }
        let offset = match packed.get(at..at + 2) {
            Some([lo, hi]) => usize::from(u16::from_le_bytes([*lo, *hi])),
            _ => return Err(bad("a block ends early")),
        };
        at += 2;
        let matched = length(packed, &mut at, token & 15)?.saturating_add(4);
        let from = out
            .len()
            .checked_sub(offset)
            .filter(|_| offset > 0)
            .ok_or_else(|| bad("a match reaches too far back"))?;
        if out.len().saturating_add(matched) > limit {
            return Err(bad("a block unpacks to more than its frame allows"));
        }
        if offset >= matched {
            out.extend_from_within(from..from + matched);
        } else {
            // Overlapping: the copy repeats what it writes.
            for i in 0..matched {
                let byte = out.get(from + i).copied().ok_or_else(|| bad("a match reaches nowhere"))?;
                out.push(byte);
            }
        }
    }
}

fn length(packed: &[u8], at: &mut usize, nibble: u8) -> io::Result<usize> {
    let mut n = usize::from(nibble);
    if nibble == 15 {
        loop {
            let b = *packed.get(*at).ok_or_else(|| bad("a length ends early"))?;
            *at += 1;
            n = n.saturating_add(usize::from(b));
            if b != 255 {
                break;
            }
        }
    }
    Ok(n)
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.read >= self.window.len() && !self.advance()? {
            return Ok(0);
        }
        let ready = self.window.get(self.read..).unwrap_or_default();
        let n = ready.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..n), ready.get(..n)) {
            to.copy_from_slice(from);
        }
        self.read += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(flags: u8, blocks: &[(bool, &[u8])]) -> Vec<u8> {
        let mut f = MAGIC.to_le_bytes().to_vec();
        f.extend([0x40 | flags, 0x40, 0]);
        for (stored, b) in blocks {
            let head = u32::try_from(b.len()).unwrap() | if *stored { 1 << 31 } else { 0 };
            f.extend(head.to_le_bytes());
            f.extend(*b);
        }
        f.extend([0; 4]);
        f
    }

    fn text(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Frames::new(bytes).read_to_end(&mut out).map(|_| out)
    }

    #[test]
    fn blocks_by_hand() {
        // Literals "abc", then a match of 9 that overlaps itself, then the last literals "z".
        let packed = [0x35, b'a', b'b', b'c', 3, 0, 0x10, b'z'];
        assert_eq!(text(&frame(0x20, &[(false, &packed)])).unwrap(), b"abcabcabcabcz");
        // A linked block may reach into the one before it.
        let second = [0x02, 4, 0, 0x10, b'!'];
        let linked = frame(0, &[(true, b"hello"), (false, &second)]);
        assert_eq!(text(&linked).unwrap(), b"helloelloel!");
        let mut two = SKIPPABLE.to_le_bytes().to_vec();
        two.extend([2, 0, 0, 0, 9, 9]);
        two.extend(frame(0x20, &[(true, b"x")]));
        two.extend(frame(0x20, &[(true, b"y")]));
        assert_eq!(text(&two).unwrap(), b"xy");
        assert_eq!(text(b"").unwrap(), b"");
    }

    #[test]
    fn damage_is_an_error_never_a_panic() {
        let independent = frame(0x20, &[(true, b"hello"), (false, &[0x01, 4, 0, 0x10, b'!'])]);
        assert!(text(&independent).is_err(), "no history in independent blocks");
        let bomb: Vec<u8> =
            [0x1F, b'a', 1, 0].into_iter().chain([255; 4000]).chain([0, 0x10, b'z']).collect();
        assert!(text(&frame(0x20, &[(false, &bomb)])).is_err());
        let good = frame(0x20, &[(false, &[0x35, b'a', b'b', b'c', 3, 0, 0x10, b'z'])]);
        for cut in 1..good.len() {
            assert!(text(&good[..cut]).is_err(), "cut at {cut}");
        }
        for i in 0..good.len() {
            for flip in [1_u8, 0x80, 0xFF] {
                let mut damaged = good.clone();
                damaged[i] ^= flip;
                drop(text(&damaged));
            }
        }
    }
}
