// SPDX-License-Identifier: Apache-2.0
//! A server of HTTP/1.1 on this machine that answers what a test says, byte for byte.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What is answered to one request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Status, headers beside the length, body.
    Said(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// So many bytes of the letter `a`, in chunks, for ever if need be.
    Flood(usize),
    /// Nothing for so long, then the end of the connection.
    Silence(Duration),
    /// The beginning of an answer, then the end of the connection.
    CutOff,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::Said(status, Vec::new(), body.to_string().into_bytes())
    }
}

/// What was asked: the first line, headers and body as one text.
type Asked = Arc<Mutex<Vec<String>>>;

pub(crate) struct Http {
    pub(crate) address: SocketAddr,
    asked: Asked,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Http {
    /// Answers one after the other; the last one again and again.
    pub(crate) fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, stop) = (Asked::default(), Arc::new(AtomicBool::new(false)));
        let (seen, ends) = (Arc::clone(&asked), Arc::clone(&stop));
        let replies = Arc::new(Mutex::new(VecDeque::from(replies)));
        let thread = std::thread::spawn(move || {
            let mut talks = Vec::new();
            for stream in listener.incoming() {
                if ends.load(Ordering::Acquire) {
                    break;
                }
                let (seen, replies, ends) = (Arc::clone(&seen), Arc::clone(&replies), Arc::clone(&ends));
                let Ok(stream) = stream else { continue };
                talks.push(std::thread::spawn(move || {
                    // A client that hangs up early is what some tests want.
                    let _ = talk(stream, &seen, &replies, &ends);
                }));
            }
            for talk in talks {
                talk.join().unwrap();
            }
        });
        Self { address, asked, stop, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !std::thread::panicking() {
                ended.unwrap();
            }
        }
    }
}

fn talk(
    mut stream: TcpStream,
    seen: &Asked,
    replies: &Mutex<VecDeque<Reply>>,
    ends: &AtomicBool,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.set_write_timeout(Some(Duration::from_secs(5)))?;
    let Some(request) = request(&mut stream)? else { return Ok(()) };
    seen.lock().unwrap().push(request);
    let reply = {
        let mut replies = replies.lock().unwrap();
        let reply = replies.pop_front().unwrap();
        if replies.is_empty() {
            replies.push_back(reply.clone());
        }
        reply
    };
    match reply {
        Reply::Said(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} Status\r\nConnection: close\r\n");
            for (name, value) in headers {
                let _ = write!(head, "{name}: {value}\r\n");
            }
            let _ = write!(head, "Content-Length: {}\r\n\r\n", body.len());
            stream.write_all(head.as_bytes())?;
            stream.write_all(&body)
        }
        Reply::Flood(bytes) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            let chunk = [b"10000\r\n".as_slice(), &[b'a'; 0x10000], b"\r\n"].concat();
            for _ in 0..bytes.div_ceil(0x10000) {
                stream.write_all(&chunk)?;
            }
            stream.write_all(b"0\r\n\r\n")
        }
        Reply::Silence(time) => {
            let until = std::time::Instant::now() + time;
            while std::time::Instant::now() < until && !ends.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok(())
        }
        Reply::CutOff => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"data\":"),
    }
}

/// `None` when the connection ends before one came.
fn request(stream: &mut TcpStream) -> std::io::Result<Option<String>> {
    let (mut got, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&got).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|l| l.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, value)| value.parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return Ok(Some(text));
            }
        }
        let n = stream.read(&mut buffer)?;
        if n == 0 || got.len() > 1 << 20 {
            return Ok(None);
        }
        got.extend_from_slice(&buffer[..n]);
    }
}
