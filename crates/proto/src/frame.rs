// SPDX-License-Identifier: Apache-2.0
//! Length-prefixed frames on a stream: four bytes little-endian, then that many bytes.

use prost::Message;
use std::io::{self, Read, Write};

/// A longer frame is refused, bytes.
pub const MAX_FRAME: u32 = 8 * 1024 * 1024;

/// Writes one message.
///
/// # Errors
/// What the stream reports; `InvalidInput` for a message over [`MAX_FRAME`].
pub fn write<M: Message>(stream: &mut impl Write, message: &M) -> io::Result<()> {
    let body = message.encode_to_vec();
    let length = u32::try_from(body.len()).ok().filter(|l| *l <= MAX_FRAME).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, "message is over the frame limit of 8 MiB")
    })?;
    let mut frame = Vec::with_capacity(body.len() + 4);
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&body);
    stream.write_all(&frame)?;
    stream.flush()
}

/// Reads one message; `None` at a clean end of the stream.
///
/// # Errors
/// What the stream reports; `UnexpectedEof` in the middle of a frame; `InvalidData` for a frame
/// over [`MAX_FRAME`] or one that does not decode.
pub fn read<M: Message + Default>(stream: &mut impl Read) -> io::Result<Option<M>> {
    let mut length = [0; 4];
    let mut got = 0;
    while got < length.len() {
        match stream.read(&mut length[got..]) {
            Ok(0) if got == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => got += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    let length = u32::from_le_bytes(length);
    if length > MAX_FRAME {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("frame of {length} bytes is over the limit of {MAX_FRAME}"),
        ));
    }
    let mut body = Vec::new();
    stream.take(u64::from(length)).read_to_end(&mut body)?;
    if body.len() != length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    M::decode(body.as_slice()).map(Some).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::Done;

    #[test]
    fn round_trip_and_clean_end() {
        let mut bytes = Vec::new();
        write(&mut bytes, &Done { message: "ok".into() }).unwrap();
        let mut stream = bytes.as_slice();
        assert_eq!(read::<Done>(&mut stream).unwrap().unwrap().message, "ok");
        assert!(read::<Done>(&mut stream).unwrap().is_none());
    }

    #[test]
    fn a_cut_frame_is_an_error() {
        let mut bytes = Vec::new();
        write(&mut bytes, &Done { message: "something".into() }).unwrap();
        for cut in 1..bytes.len() {
            let e = read::<Done>(&mut &bytes[..cut]).unwrap_err();
            assert_eq!(e.kind(), io::ErrorKind::UnexpectedEof, "cut at {cut}");
        }
    }

    #[test]
    fn an_oversized_frame_is_refused_before_it_is_read() {
        let e = read::<Done>(&mut u32::MAX.to_le_bytes().as_slice()).unwrap_err();
        assert_eq!(e.kind(), io::ErrorKind::InvalidData);
    }
}
