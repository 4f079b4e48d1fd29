// SPDX-License-Identifier: Apache-2.0
//! Members of a zip file.

use super::budget::{Intake, Metered};
use super::compressed::{MAX_DECODER_KIB, ZstdFrames};
use super::zip_directory::{self, Entry};
use super::{Halt, Source, SourceReader, Walk, join};
use std::io::{self, Read};

impl Walk<'_, '_> {
    pub(super) fn zip(&mut self, source: &dyn Source, path: &[u8], depth: usize) -> Result<(), Halt> {
        // One more than is scanned, so that the walk notices and says so.
        let left = self.limits.members.saturating_sub(self.members) as usize + 1;
        let directory = match zip_directory::read(source, left) {
            Ok(directory) => directory,
            Err(e) => {
                self.note(path, &format!("its zip directory could not be read: {e}"));
                return Ok(());
            }
        };
        if let Some(fault) = &directory.fault {
            self.note(path, fault);
        }
        for entry in &directory.entries {
            if entry.name.ends_with(b"/") && entry.unpacked == 0 {
                continue;
            }
            let inner = join(path, &entry.name);
            if entry.encrypted {
                self.note(&inner, "it is encrypted and was not scanned");
                continue;
            }
            let Some(at) = entry.data else {
                self.note(&inner, "its data is not where the directory says; it was not scanned");
                continue;
            };
            let (intake, taken) = Intake::new(SourceReader::part(source, at, entry.packed));
            match decoder(entry, intake) {
                Ok(decoder) => {
                    let mut reader = Metered::new(decoder, &self.budget, Some(taken));
                    self.member(&inner, &mut reader, depth)?;
                }
                Err(e) => self.note(&inner, &format!("it was not scanned: {e}")),
            }
        }
        Ok(())
    }
}

fn decoder<'r>(entry: &Entry, mut packed: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    Ok(match entry.method {
        0 => Box::new(packed),
        8 => Box::new(flate2::read::DeflateDecoder::new(packed)),
        12 => Box::new(bzip2::read::BzDecoder::new(packed)),
        14 => {
            // Version 2, length of the properties 2, properties 1, dictionary 4 (APPNOTE 5.8.8).
            let mut head = [0; 9];
            packed.read_exact(&mut head)?;
            let [_, _, _, _, properties, dictionary @ ..] = head;
            let dictionary = u32::from_le_bytes(dictionary);
            if lzma_rust2::lzma_get_memory_usage_by_props(dictionary, properties)? > MAX_DECODER_KIB {
                return Err(io::Error::other("its decoder needs too much memory"));
            }
            Box::new(lzma_rust2::LzmaReader::new_with_props(
                packed,
                entry.unpacked,
                properties,
                dictionary,
                None,
            )?)
        }
        93 => Box::new(ZstdFrames::new(packed)),
        95 => Box::new(lzma_rust2::XzReader::new_mem_limit(packed, true, MAX_DECODER_KIB)),
        method => return Err(io::Error::other(format!("compression method {method} is not known"))),
    })
}
