// SPDX-License-Identifier: Apache-2.0
//! Bytes into an age file, and back.

use crate::VaultError;
use crate::extents::{Extent, data_extents};
use crate::keys::Keys;
use lazaret_model::{IsolatedId, Sha256};
use sha2::Digest;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

const CHUNK: usize = 128 * 1024;

/// What was sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Of the bytes.
    pub sha256: Sha256,
    /// Bytes of the file, holes included.
    pub size: u64,
    /// Bytes in the vault.
    pub stored: u64,
    /// Where data was.
    pub extents: Vec<Extent>,
    /// The vault had this content already: nothing was stored but a name and a manifest.
    pub shared: bool,
    /// Recipients besides the vault's own keys.
    pub further: Vec<String>,
}

/// What was read.
struct Through {
    sha256: Sha256,
    size: u64,
    extents: Vec<Extent>,
}

/// Streams a file into `out`. Holes are written as the zeros they read as (so that the plaintext
/// is the file) without being read from the disk.
pub(crate) fn seal(
    keys: &Keys,
    source: BorrowedFd<'_>,
    size: u64,
    out: &File,
    what: &str,
) -> Result<Sealed, VaultError> {
    let write_error = |e: io::Error| VaultError::io(format!("writing {what}"))(e);
    let (recipients, further) = keys.recipients()?;
    let encryptor = age::Encryptor::with_recipients(recipients.iter().map(|r| r as &dyn age::Recipient))
        .map_err(|e| write_error(io::Error::other(e.to_string())))?;
    let mut age = encryptor.wrap_output(BufWriter::with_capacity(CHUNK, out)).map_err(write_error)?;
    let read = read_through(source, size, |bytes| age.write_all(bytes).map_err(write_error))?;
    let buffered = age.finish().map_err(write_error)?;
    buffered.into_inner().map_err(|e| write_error(e.into_error()))?;
    let stored = out.metadata().map_err(write_error)?.len();
    Ok(Sealed { sha256: read.sha256, size: read.size, stored, extents: read.extents, shared: false, further })
}

/// The same without writing: for a content that is stored already. `stored` is that blob's length,
/// `further` whom it was sealed for besides.
pub(crate) fn same_again(
    source: BorrowedFd<'_>,
    size: u64,
    stored: u64,
    further: Vec<String>,
) -> Result<Sealed, VaultError> {
    let read = read_through(source, size, |_| Ok(()))?;
    Ok(Sealed { sha256: read.sha256, size: read.size, stored, extents: read.extents, shared: true, further })
}

fn read_through(
    source: BorrowedFd<'_>,
    size: u64,
    mut each: impl FnMut(&[u8]) -> Result<(), VaultError>,
) -> Result<Through, VaultError> {
    let source_file = File::from(source.try_clone_to_owned().map_err(VaultError::Source)?);
    let extents = data_extents(source, size).map_err(VaultError::Source)?;
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0u8; CHUNK];
    let zeros = vec![0u8; CHUNK];
    let mut at = 0u64;
    let mut emit = |bytes: &[u8]| {
        hasher.update(bytes);
        each(bytes)
    };
    'all: for extent in extents.iter().copied().chain([Extent { offset: size, len: 0 }]) {
        while at < extent.offset {
            let n = piece(extent.offset - at);
            emit(&zeros[..n])?;
            at += n as u64;
        }
        let end = extent.offset + extent.len;
        while at < end {
            let n = piece(end - at);
            let got = match source_file.read_at(&mut buffer[..n], at) {
                // Became shorter meanwhile: the digest will not match.
                Ok(0) => break 'all,
                Ok(got) => got,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(VaultError::Source(e)),
            };
            emit(&buffer[..got])?;
            at += got as u64;
        }
    }
    // Became longer meanwhile: one more byte makes the digest differ, as it must.
    if at == size && matches!(source_file.read_at(&mut buffer[..1], size), Ok(1)) {
        emit(&buffer[..1])?;
        at += 1;
    }
    Ok(Through { sha256: Sha256(hasher.finalize().into()), size: at, extents })
}

fn piece(left: u64) -> usize {
    usize::try_from(left).unwrap_or(CHUNK).min(CHUNK)
}

/// Streams the plaintext of a blob into `out`; gives its digest and length.
pub(crate) fn open(
    keys: &Keys,
    id: IsolatedId,
    path: &Path,
    out: &mut dyn Write,
) -> Result<(Sha256, u64), VaultError> {
    let corrupt = |why: String| VaultError::Corrupt { id, why };
    let file = File::open(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => VaultError::NotFound(id),
        _ => VaultError::io(format!("opening {}", path.display()))(e),
    })?;
    let decryptor = age::Decryptor::new_buffered(BufReader::with_capacity(CHUNK, file))
        .map_err(|e| corrupt(e.to_string()))?;
    let mut plain = decryptor.decrypt(keys.identities()).map_err(|e| corrupt(e.to_string()))?;
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0u8; CHUNK];
    let mut size = 0u64;
    loop {
        let n = match plain.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(corrupt(e.to_string())),
        };
        hasher.update(&buffer[..n]);
        // Not the vault's disk: a full one there is not a full vault.
        let failed = |source| VaultError::Io { what: format!("writing the content of {id}"), source };
        out.write_all(&buffer[..n]).map_err(failed)?;
        size += n as u64;
    }
    Ok((Sha256(hasher.finalize().into()), size))
}
