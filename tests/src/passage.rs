// SPDX-License-Identifier: Apache-2.0
//! A way to a server on the loopback that can be closed: for whoever uses it the server is away then.

use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What both ends and the thread that listens share.
struct State {
    open: AtomicBool,
    ended: AtomicBool,
    /// Both ends of each connection that stands or stood.
    ways: Mutex<Vec<TcpStream>>,
}

/// An open or closed way; gone with this value.
pub struct Passage {
    address: SocketAddr,
    state: Arc<State>,
}

impl Passage {
    /// An open way to this port.
    ///
    /// # Panics
    /// When there is no port for it.
    #[must_use]
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its number");
        let state = Arc::new(State {
            open: AtomicBool::new(true),
            ended: AtomicBool::new(false),
            ways: Mutex::default(),
        });
        let kept = Arc::clone(&state);
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                if kept.ended.load(SeqCst) {
                    return;
                }
                if kept.open.load(SeqCst) {
                    join(&kept, near, port);
                }
            }
        });
        Self { address, state }
    }

    /// Where it begins.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Cuts every connection, and takes no new one.
    pub fn close(&self) {
        self.state.open.store(false, SeqCst);
        for way in self.state.ways.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = way.shutdown(Shutdown::Both);
        }
    }

    /// Lets connections through again.
    pub fn open(&self) {
        self.state.open.store(true, SeqCst);
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.state.ended.store(true, SeqCst);
        self.close();
        // Wakes the thread that listens.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

fn join(state: &State, near: TcpStream, port: u16) {
    let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return };
    let (Ok(near_too), Ok(far_too)) = (near.try_clone(), far.try_clone()) else { return };
    let (Ok(a), Ok(b)) = (near.try_clone(), far.try_clone()) else { return };
    state.ways.lock().unwrap_or_else(PoisonError::into_inner).extend([a, b]);
    for (mut from, mut to) in [(near, far_too), (far, near_too)] {
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
    }
    // Closed meanwhile: this one must not stay.
    if !state.open.load(SeqCst) {
        for way in state.ways.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = way.shutdown(Shutdown::Both);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    #[test]
    fn what_is_closed_lets_nothing_through_and_can_be_opened() {
        let echo = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = echo.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for mut one in echo.incoming().map_while(Result::ok) {
                let mut byte = [0];
                while one.read_exact(&mut byte).and_then(|()| one.write_all(&byte)).is_ok() {}
            }
        });
        let passage = Passage::to(port);
        let ask = |over: &mut TcpStream| {
            let mut byte = [0];
            over.write_all(b"x").and_then(|()| over.read_exact(&mut byte)).is_ok() && byte == *b"x"
        };
        let connect = || {
            let made = TcpStream::connect(("127.0.0.1", passage.port())).unwrap();
            made.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            made
        };
        let mut first = connect();
        assert!(ask(&mut first));
        passage.close();
        assert!(!ask(&mut first));
        assert!(!ask(&mut connect()));
        passage.open();
        assert!(ask(&mut connect()));
    }
}
