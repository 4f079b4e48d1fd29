// SPDX-License-Identifier: Apache-2.0
//! clamd: `zVERSION` and `zINSTREAM` over its socket (clamd(8), "COMMANDS").
//!
//! The content goes in parts, each behind its length (four bytes, big end first), and ends with a part of no
//! length. The answer ends with a NUL: what was cut off before it is no answer.

use super::settings::ConnectorSettings;
use super::{Heard, Refusal, Sample};
use crate::vote::Opinion;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

/// Until it takes the connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Until it takes one part.
const PART: Duration = Duration::from_secs(15);
/// Until it says why it hung up.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Bytes of one part.
const PIECE: usize = 256 << 10;
/// Bytes of an answer: its longest holds the name of a signature.
const MAX_ANSWER: usize = 4_096;
/// Its version is asked for again after that: signatures are renewed while it runs.
const VERSION_KEPT: Duration = Duration::from_secs(60);

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

enum Address {
    Unix(PathBuf),
    Tcp(String),
}

pub(crate) struct Clamd {
    address: Address,
    largest: u64,
    version: Mutex<Option<(Instant, String)>>,
}

impl Clamd {
    pub(crate) fn new(settings: &ConnectorSettings) -> Result<Self, String> {
        let given = settings.address.as_str();
        let address = match (given.strip_prefix("unix:"), given.strip_prefix("tcp:")) {
            (Some(path), _) => Address::Unix(path.into()),
            (_, Some(place)) => Address::Tcp(place.to_owned()),
            _ => return Err(format!("address = {given:?}: must be unix:/path or tcp:host:port")),
        };
        Ok(Self { address, largest: settings.largest, version: Mutex::default() })
    }

    pub(crate) async fn ask(&self, sample: &Sample) -> Result<Heard, Refusal> {
        if sample.size > self.largest {
            let (size, most) = (sample.size, self.largest);
            return Err(Refusal::never(format_args!("{size} bytes: more than {most} are not sent to it")));
        }
        let version = self.version().await?;
        let mut wire = self.connect().await?;
        let sent = send(&mut *wire, sample).await;
        let patience = if sent.is_ok() { Duration::from_secs(3_600) } else { LAST_WORDS };
        let answer = match tokio::time::timeout(patience, answer(&mut *wire)).await {
            Ok(answer) => answer,
            Err(_) => Err("it does not answer".to_owned()),
        };
        match (sent, answer) {
            (Ok(()), Ok(said)) => understand(&said, version),
            // Of a part of it, nothing that it says is about the whole, except why it took no more.
            (Err(why), Ok(said)) if !said.ends_with(" ERROR") => Err(Refusal::later(why)),
            (Err(_), Ok(said)) => understand(&said, version),
            (Ok(()), Err(why)) | (Err(why), Err(_)) => Err(Refusal::later(why)),
        }
    }

    /// As it says it: `ClamAV 1.4.3/27780/...`.
    async fn version(&self) -> Result<String, Refusal> {
        let kept = self.version.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((when, version)) = kept
            && when.elapsed() < VERSION_KEPT
        {
            return Ok(version);
        }
        let mut wire = self.connect().await?;
        let ask = async {
            wire.write_all(b"zVERSION\0").await.map_err(|e| e.to_string())?;
            answer(&mut *wire).await
        };
        let said = match tokio::time::timeout(PART, ask).await {
            Ok(said) => said.map_err(Refusal::later)?,
            Err(_) => return Err(Refusal::later("it does not say its version")),
        };
        if !said.starts_with("ClamAV ") {
            return Err(Refusal::later("it is no clamd: it does not know its version"));
        }
        let kept = (Instant::now(), said.clone());
        *self.version.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        Ok(said)
    }

    async fn connect(&self) -> Result<Box<dyn Wire>, Refusal> {
        let connect = async {
            Ok::<Box<dyn Wire>, io::Error>(match &self.address {
                Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
                Address::Tcp(place) => {
                    let stream = TcpStream::connect(place).await?;
                    stream.set_nodelay(true)?;
                    Box::new(stream)
                }
            })
        };
        match tokio::time::timeout(CONNECT, connect).await {
            Ok(wire) => wire.map_err(|e| Refusal::later(format_args!("it cannot be reached: {e}"))),
            Err(_) => Err(Refusal::later("it cannot be reached: it takes no connection")),
        }
    }
}

async fn send(wire: &mut dyn Wire, sample: &Sample) -> Result<(), String> {
    put(wire, b"zINSTREAM\0").await?;
    let (mut at, mut buffer) = (0, Vec::new());
    while at < sample.size {
        let piece = usize::try_from(sample.size - at).unwrap_or(PIECE).min(PIECE);
        buffer.resize(4 + piece, 0);
        buffer = read(Arc::clone(&sample.file), at, buffer).await?;
        let length = u32::try_from(piece).map_err(|e| e.to_string())?;
        let (head, _) = buffer.split_at_mut(4);
        head.copy_from_slice(&length.to_be_bytes());
        put(wire, &buffer).await?;
        at += piece as u64;
    }
    put(wire, &[0; 4]).await
}

async fn put(wire: &mut dyn Wire, bytes: &[u8]) -> Result<(), String> {
    match tokio::time::timeout(PART, wire.write_all(bytes)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(e)) => Err(format!("it hung up while it was told the sample: {e}")),
        Err(_) => Err("it takes nothing more of the sample".to_owned()),
    }
}

/// Fills what is behind the first four bytes.
async fn read(file: Arc<std::fs::File>, at: u64, mut buffer: Vec<u8>) -> Result<Vec<u8>, String> {
    let reading = tokio::task::spawn_blocking(move || {
        let part = buffer.get_mut(4..).unwrap_or_default();
        file.read_exact_at(part, at).map(|()| buffer)
    });
    let read = reading.await.map_err(|e| e.to_string())?;
    read.map_err(|e| format!("the sample cannot be read: {e}"))
}

/// One answer, without its NUL.
async fn answer(wire: &mut dyn Wire) -> Result<String, String> {
    let (mut said, mut buffer) = (Vec::new(), [0; 1_024]);
    loop {
        let n = wire.read(&mut buffer).await.map_err(|e| format!("its answer: {e}"))?;
        let part = buffer.get(..n).unwrap_or_default();
        let end = part.iter().position(|b| *b == 0);
        said.extend_from_slice(part.get(..end.unwrap_or(n)).unwrap_or_default());
        if said.len() > MAX_ANSWER {
            return Err(format!("its answer is over {MAX_ANSWER} bytes"));
        }
        if end.is_some() {
            return String::from_utf8(said).map_err(|_| "its answer is not UTF-8".to_owned());
        }
        if n == 0 {
            return Err("it hung up before its answer was complete".to_owned());
        }
    }
}

fn understand(said: &str, version: String) -> Result<Heard, Refusal> {
    let heard = |opinion, family: &str, detail: &str| {
        Ok(Heard { opinion, family: family.to_owned(), detail: detail.to_owned(), version: version.clone() })
    };
    if let Some(why) = said.strip_suffix(" ERROR") {
        return if why.contains("size limit exceeded") {
            Err(Refusal::never(format_args!("it takes no sample of this size: {why}")))
        } else {
            Err(Refusal::later(format_args!("it could not scan: {why}")))
        };
    }
    let result = said.strip_prefix("stream: ").unwrap_or_default();
    if result == "OK" {
        return heard(Opinion::Nothing, "", "OK");
    }
    match result.strip_suffix(" FOUND").filter(|name| !name.is_empty()) {
        // Not about what it is, but about what was not looked at.
        Some(name) if name.starts_with("Heuristics.Limits.Exceeded") => {
            heard(Opinion::Nothing, "", &format!("it did not look at all of it: {name}"))
        }
        // What people may or may not want is not what Lazaret is about.
        Some(name) if name.starts_with("PUA.") => {
            heard(Opinion::Nothing, "", &format!("potentially unwanted, no more: {name}"))
        }
        Some(name) => heard(Opinion::Bad, name, "FOUND"),
        None => Err(Refusal::later(format_args!("it answers what is no answer: {said:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opinion(said: &str) -> Result<(Opinion, String), bool> {
        understand(said, String::new()).map(|h| (h.opinion, h.family)).map_err(|r| r.again.is_some())
    }

    #[test]
    fn answers_of_the_protocol() {
        assert_eq!(opinion("stream: OK"), Ok((Opinion::Nothing, String::new())));
        assert_eq!(opinion("stream: A.B-1 FOUND"), Ok((Opinion::Bad, "A.B-1".into())));
        assert_eq!(opinion("stream: PUA.Tool FOUND"), Ok((Opinion::Nothing, String::new())));
        let exceeded = "stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND";
        assert_eq!(opinion(exceeded), Ok((Opinion::Nothing, String::new())));
        assert_eq!(opinion("INSTREAM size limit exceeded. ERROR"), Err(false));
        assert_eq!(opinion("stream: Can't allocate memory ERROR"), Err(true));
    }

    #[test]
    fn whatever_else_it_says_is_no_vote() {
        for said in
            ["", "OK", "FOUND", "stream:  FOUND", "stream: OK FOUND?", "other: X FOUND", "stream: OK\n"]
        {
            assert_eq!(opinion(said), Err(true), "{said:?}");
        }
    }
}
