// SPDX-License-Identifier: Apache-2.0
//! The digest of an open file, read without moving its offset.

use md5::Md5;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use std::fs::File;
use std::os::unix::fs::FileExt as _;

/// Larger files are not read: no packaged program comes near, and a sparse file of a tebibyte must
/// not hold the answer up.
const LIMIT: u64 = 2 * 1024 * 1024 * 1024;

/// What the databases use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// dpkg, and rpm before 2009.
    Md5,
    /// SHA-2, 224 bits.
    Sha224,
    /// SHA-2, 256 bits.
    Sha256,
    /// SHA-2, 384 bits.
    Sha384,
    /// SHA-2, 512 bits.
    Sha512,
}

/// The digest in lower-case hexadecimal.
///
/// # Errors
/// When the file cannot be read or is over 2 GiB.
pub(crate) fn of_file(file: &File, algorithm: Algorithm) -> Result<String, String> {
    match algorithm {
        Algorithm::Md5 => read::<Md5>(file),
        Algorithm::Sha224 => read::<Sha224>(file),
        Algorithm::Sha256 => read::<Sha256>(file),
        Algorithm::Sha384 => read::<Sha384>(file),
        Algorithm::Sha512 => read::<Sha512>(file),
    }
}

fn read<D: Digest>(file: &File) -> Result<String, String> {
    let meta = file.metadata().map_err(|e| format!("the file could not be looked at: {e}"))?;
    if !meta.is_file() {
        return Err("it is no regular file".to_owned());
    }
    if meta.len() > LIMIT {
        return Err(format!("the file is over {LIMIT} bytes"));
    }
    let mut digest = D::new();
    let mut buffer = vec![0; 128 * 1024];
    let mut at = 0_u64;
    loop {
        match file.read_at(&mut buffer, at) {
            Ok(0) => break,
            Ok(n) => {
                digest.update(buffer.get(..n).unwrap_or_default());
                at += n as u64;
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(format!("the file could not be read: {e}")),
        }
        if at > LIMIT {
            return Err(format!("the file is over {LIMIT} bytes"));
        }
    }
    Ok(hex(&digest.finalize()))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut s, b| {
        for nibble in [b >> 4, b & 15] {
            s.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        s
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    #[test]
    fn published_digests_and_offset_stays() {
        let mut f = tempfile::tempfile().unwrap();
        f.write_all(b"abc").unwrap();
        assert_eq!(of_file(&f, Algorithm::Md5).unwrap(), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(
            of_file(&f, Algorithm::Sha256).unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let mut rest = Vec::new();
        f.read_to_end(&mut rest).unwrap();
        assert!(rest.is_empty(), "the offset was at the end and still is");
        let dir = File::open("/").unwrap();
        assert!(of_file(&dir, Algorithm::Md5).is_err());
        f.set_len(1 << 40).unwrap();
        assert!(of_file(&f, Algorithm::Md5).unwrap_err().contains("over"));
    }
}
