// SPDX-License-Identifier: Apache-2.0
//! The other end of a web hook or of an HTTP export: takes requests over TLS, or does what targets do that
//! are broken or hostile.

use crate::pki::Identity;
use rustls::{ServerConnection, StreamOwned};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What it does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// Answers with this status.
    Status(u16),
    /// Points elsewhere.
    Redirect(String),
    /// Takes the request and never answers.
    Hang,
    /// Answers with bytes that are no HTTP.
    Garbage,
    /// Answers one byte at a time, slowly and without end.
    Drip,
    /// Answers with a body that does not end.
    Endless,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// Path of the first line.
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The whole body.
    pub body: String,
    /// When it was complete.
    pub at: Instant,
}

struct Shared {
    manner: Mutex<Manner>,
    seen: Mutex<Vec<Request>>,
    connections: Mutex<usize>,
    stop: AtomicBool,
}

/// A running receiver; stopped when dropped.
pub struct Hook {
    address: SocketAddr,
    secure: bool,
    shared: Arc<Shared>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hook {
    /// Listens on the loopback; with an identity over TLS.
    ///
    /// # Panics
    /// When it cannot listen.
    #[must_use]
    pub fn start(identity: Option<&Identity>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let address = listener.local_addr().expect("address");
        let tls = identity.map(Identity::tls);
        let secure = tls.is_some();
        let shared = Arc::new(Shared {
            manner: Mutex::new(Manner::Status(204)),
            seen: Mutex::default(),
            connections: Mutex::new(0),
            stop: AtomicBool::new(false),
        });
        let inside = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if inside.stop.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                *lock(&inside.connections) += 1;
                let (shared, tls) = (Arc::clone(&inside), tls.clone());
                std::thread::spawn(move || {
                    let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
                    let _ = stream.set_write_timeout(Some(Duration::from_secs(30)));
                    match tls {
                        Some(config) => {
                            let Ok(session) = ServerConnection::new(config) else { return };
                            serve(StreamOwned::new(session, stream), &shared);
                        }
                        None => serve(stream, &shared),
                    }
                });
            }
        });
        Self { address, secure, shared }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http{}://{}/hook?x=1", if self.secure { "s" } else { "" }, self.address)
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on it does this.
    pub fn be(&self, manner: Manner) {
        *lock(&self.shared.manner) = manner;
    }

    /// Requests that came whole, whatever was done with them.
    #[must_use]
    pub fn seen(&self) -> Vec<Request> {
        lock(&self.shared.seen).clone()
    }

    /// How often somebody connected.
    #[must_use]
    pub fn connections(&self) -> usize {
        *lock(&self.shared.connections)
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // Wakes who accepts.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: impl std::io::Read + std::io::Write, shared: &Shared) {
    let mut stream = BufReader::new(stream);
    let Some(request) = read(&mut stream) else { return };
    lock(&shared.seen).push(request);
    let manner = lock(&shared.manner).clone();
    let out = stream.get_mut();
    let alive = || !shared.stop.load(Ordering::Relaxed);
    let end = Instant::now() + Duration::from_secs(40);
    let _ = match manner {
        Manner::Status(code) => {
            write!(out, "HTTP/1.1 {code} X\r\ncontent-length: 2\r\n\r\nok").and_then(|()| out.flush())
        }
        Manner::Redirect(to) => {
            write!(out, "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
                .and_then(|()| out.flush())
        }
        Manner::Garbage => out.write_all(&[0xff; 200]).and_then(|()| out.flush()),
        Manner::Hang => {
            while alive() && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok(())
        }
        Manner::Drip => {
            let mut result = Ok(());
            let line = b"HTTP/1.1 200 OK\r\nx-slow: ".iter().chain(std::iter::repeat(&b'a'));
            for byte in line {
                if result.is_err() || !alive() || Instant::now() > end {
                    break;
                }
                result = out.write_all(&[*byte]).and_then(|()| out.flush());
                std::thread::sleep(Duration::from_millis(20));
            }
            result
        }
        Manner::Endless => {
            let mut result = write!(out, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
            while result.is_ok() && alive() && Instant::now() < end {
                result = write!(out, "1000\r\n{}\r\n", "x".repeat(0x1000)).and_then(|()| out.flush());
            }
            result
        }
    };
}

fn read(stream: &mut BufReader<impl std::io::Read>) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length: usize = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Request { path, headers, body: String::from_utf8(body).ok()?, at: Instant::now() })
}
