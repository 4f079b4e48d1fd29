// SPDX-License-Identifier: Apache-2.0
//! Files that are on no disk.

use crate::SampleError;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;
use std::fs::File;
use std::io::{Seek as _, SeekFrom};

/// An empty one.
pub(crate) fn file() -> Result<File, SampleError> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let fd = match memfd_create("sample", flags | MemfdFlags::NOEXEC_SEAL) {
        // A kernel before 6.3.
        Err(Errno::INVAL) => memfd_create("sample", flags),
        other => other,
    };
    fd.map(File::from).map_err(|e| failed(e.into()))
}

/// At its beginning, and nobody can change it any more.
pub(crate) fn close(mut file: File) -> Result<File, SampleError> {
    let all = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    fcntl_add_seals(&file, all).map_err(|e| failed(e.into()))?;
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    Ok(file)
}

/// For `map_err`.
pub(crate) fn failed(e: std::io::Error) -> SampleError {
    SampleError::Full(format!("a memory file for a sample: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    #[test]
    fn is_read_from_the_beginning_and_never_changed() {
        let mut file = file().unwrap();
        file.write_all(b"hello").unwrap();
        let mut file = close(file).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
        assert!(file.write_all(b"x").is_err());
        assert!(file.set_len(0).is_err());
    }
}
