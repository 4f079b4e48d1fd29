// SPDX-License-Identifier: Apache-2.0
//! gzip, xz, bzip2 and Zstandard: one stream each, often a tar archive.

use super::budget::{Intake, Metered};
use super::{Container, Halt, Source, SourceReader, Walk, join};
use crate::file_type::file_type;
use lazaret_model::FileType;
use std::io::{self, Read};
use std::rc::Rc;

/// A decoder may take this much memory, KiB.
pub(super) const MAX_DECODER_KIB: u32 = 96 << 10;
/// As far as a tar archive shows itself.
const PEEK: usize = 512;

impl Walk<'_, '_> {
    pub(super) fn compressed(
        &mut self,
        source: &dyn Source,
        container: Container,
        path: &[u8],
        depth: usize,
    ) -> Result<(), Halt> {
        let (intake, taken) = Intake::new(SourceReader::new(source));
        let mut name = b"content".to_vec();
        let decoder: Box<dyn Read + '_> = match container {
            Container::Gzip => {
                let decoder = flate2::read::MultiGzDecoder::new(intake);
                if let Some(stated) = decoder.header().and_then(|h| h.filename()).filter(|n| !n.is_empty()) {
                    name = stated.to_vec();
                }
                Box::new(decoder)
            }
            Container::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(intake)),
            Container::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(intake, true, MAX_DECODER_KIB)),
            Container::Zstd => Box::new(ZstdFrames::new(intake)),
            Container::Zip | Container::Tar => return Ok(()),
        };
        let mut reader = Metered::new(decoder, &self.budget, Some(Rc::clone(&taken)));
        let inner = join(path, &name);
        let mut head = [0; PEEK];
        let mut filled = 0;
        let mut broken = None;
        // Never read into an empty buffer: a decoder may take that for the end of its stream.
        while broken.is_none()
            && let Some(room) = head.get_mut(filled..).filter(|room| !room.is_empty())
        {
            match reader.read(room) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => broken = Some(e),
            }
        }
        let head = head.get(..filled).unwrap_or_default();
        if file_type(head) == FileType::Tar {
            return self.tar(head.chain(reader), &inner, depth);
        }
        match broken {
            // The error comes again when the member is read on, and is told there.
            None => self.member(&inner, &mut head.chain(reader), depth),
            Some(e) => self.member(&inner, &mut head.chain(Failing(Some(e))), depth),
        }
    }
}

/// Gives an error that was already met.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

type Decoder<R> = ruzstd::decoding::StreamingDecoder<R, ruzstd::decoding::FrameDecoder>;

/// All Zstandard frames of a stream, one after the other.
pub(super) struct ZstdFrames<R: Read> {
    state: Frame<R>,
}

enum Frame<R: Read> {
    Between(io::Chain<io::Cursor<Vec<u8>>, R>),
    In(Box<Decoder<io::Chain<io::Cursor<Vec<u8>>, R>>>),
    End,
}

impl<R: Read> ZstdFrames<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { state: Frame::Between(io::Cursor::new(Vec::new()).chain(reader)) }
    }
}

impl<R: Read> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(&mut self.state, Frame::End) {
                Frame::End => return Ok(0),
                Frame::In(mut decoder) => {
                    let n = decoder.read(buffer)?;
                    if n > 0 {
                        self.state = Frame::In(decoder);
                        return Ok(n);
                    }
                    self.state = Frame::Between(decoder.into_inner());
                }
                Frame::Between(chain) => {
                    let (_, mut reader) = chain.into_inner();
                    let mut magic = Vec::with_capacity(8);
                    reader.by_ref().take(4).read_to_end(&mut magic)?;
                    let Some(&number) = magic.first_chunk::<4>() else { return Ok(0) };
                    if u32::from_le_bytes(number) & 0xffff_fff0 == 0x184d_2a50 {
                        // A frame to be skipped: its length, then that many bytes.
                        let mut length = [0; 4];
                        reader.read_exact(&mut length)?;
                        let length = u64::from(u32::from_le_bytes(length));
                        io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
                        self.state = Frame::Between(io::Cursor::new(Vec::new()).chain(reader));
                        continue;
                    }
                    let window = u64::from(MAX_DECODER_KIB) * 1024;
                    let decoder =
                        Decoder::new_with_max_window_size(io::Cursor::new(magic).chain(reader), window)
                            .map_err(io::Error::other)?;
                    self.state = Frame::In(Box::new(decoder));
                }
            }
        }
    }
}
