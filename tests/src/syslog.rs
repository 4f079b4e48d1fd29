// SPDX-License-Identifier: Apache-2.0
//! A syslog receiver over TLS (RFC 5425): takes messages by their counted length, and ends the connection
//! when the sender does.

use crate::pki::Identity;
use rustls::{ServerConnection, StreamOwned};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A running receiver; stopped when dropped.
pub struct Syslog {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    /// Connections that it breaks off before it read anything.
    broken: Arc<Mutex<usize>>,
    stop: Arc<AtomicBool>,
}

impl Syslog {
    /// Listens on the loopback.
    ///
    /// # Panics
    /// When it cannot listen.
    #[must_use]
    pub fn start(identity: &Identity) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let address = listener.local_addr().expect("address");
        let (seen, broken) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let stop = Arc::new(AtomicBool::new(false));
        let (tls, kept, breaks, ends) =
            (identity.tls(), Arc::clone(&seen), Arc::clone(&broken), Arc::clone(&stop));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let mut left = breaks.lock().unwrap_or_else(PoisonError::into_inner);
                if *left > 0 {
                    *left -= 1;
                    continue;
                }
                drop(left);
                let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
                let Ok(session) = ServerConnection::new(Arc::clone(&tls)) else { continue };
                let mut stream = StreamOwned::new(session, stream);
                let mut bytes = Vec::new();
                // One after the other: messages stay in the order of their connections.
                if stream.read_to_end(&mut bytes).is_ok() {
                    let messages = frames(&bytes);
                    kept.lock().unwrap_or_else(PoisonError::into_inner).extend(messages);
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            }
        });
        Self { address, seen, broken, stop }
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Breaks off so many connections.
    pub fn break_off(&self, connections: usize) {
        *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = connections;
    }

    /// Messages in order.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Syslog {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

/// `LENGTH SP MESSAGE` again and again; panics on anything else.
fn frames(mut bytes: &[u8]) -> Vec<String> {
    let mut out = Vec::new();
    while !bytes.is_empty() {
        let space = bytes.iter().position(|b| *b == b' ').expect("a length before each message");
        let length: usize =
            std::str::from_utf8(&bytes[..space]).ok().and_then(|t| t.parse().ok()).expect("a length");
        let (message, rest) = bytes[space + 1..].split_at(length);
        out.push(String::from_utf8(message.to_vec()).expect("UTF-8"));
        bytes = rest;
    }
    out
}
