// SPDX-License-Identifier: Apache-2.0
//! The one way out: every connection to a target is made here, past the guard.

use crate::failure::Failure;
use crate::outbound::Outbound;
use crate::tls;
use std::fmt::Debug;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

/// What a target may say in one delivery, bytes: nothing of it is kept, but it is read.
const MOST_READ: usize = 256 << 10;

trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin + Debug {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin + Debug> Stream for T {}

/// A connection to a target, bounded in what it reads.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    left: usize,
    pub(crate) peer: SocketAddr,
}

/// Connects: every address that the name has is checked, and the one that was connected to again.
pub(crate) async fn connect(out: &Outbound, host: &str, port: u16) -> Result<Wire, Failure> {
    let end = Instant::now() + out.limits.connect;
    let seconds = out.limits.connect.as_secs_f32();
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    let addresses: Vec<SocketAddr> = match bare.parse::<IpAddr>() {
        Ok(ip) => vec![SocketAddr::new(ip, port)],
        Err(_) => {
            let found = timeout_at(end, tokio::net::lookup_host((bare, port)))
                .await
                .map_err(|_| Failure::new(format!("{host}: the name was not resolved within {seconds} s")))?
                .map_err(|e| Failure::new(format!("{host}: the name cannot be resolved: {e}")))?;
            found.take(16).collect()
        }
    };
    let mut last = Failure::new(format!("{host}: the name has no address"));
    let mut left = addresses.len();
    for address in addresses {
        // One that does not answer leaves time for the others.
        let share = Instant::now() + (end - Instant::now()) / u32::try_from(left.max(1)).unwrap_or(1);
        left -= 1;
        if let Err(e) = out.guard.check(address.ip()) {
            last = Failure::new(format!("{host}: {e}"));
            continue;
        }
        match timeout_at(share, TcpStream::connect(address)).await {
            Err(_) => last = Failure::new(format!("{host}: {address} does not answer within {seconds} s")),
            Ok(Err(e)) => last = Failure::new(format!("{host}: cannot connect to {address}: {e}")),
            Ok(Ok(stream)) => {
                let peer = stream.peer_addr().map_err(|e| Failure::new(format!("{host}: {e}")))?;
                out.guard.check(peer.ip())?;
                let _ = stream.set_nodelay(true);
                return Ok(Wire { stream: Box::new(stream), left: MOST_READ, peer });
            }
        }
    }
    Err(last)
}

/// Encrypts a connection; the certificate must be for `host`.
pub(crate) async fn encrypt(wire: Wire, host: &str, authority: Option<&str>) -> Result<Wire, Failure> {
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    let (peer, name) = (wire.peer, tls::name(bare)?);
    let stream = TlsConnector::from(tls::config(authority)?)
        .connect(name, wire)
        .await
        .map_err(|e| Failure::new(format!("{host}: no TLS connection: {e}")))?;
    Ok(Wire { stream: Box::new(stream), left: MOST_READ, peer })
}

/// A delivery in its time.
pub(crate) async fn within<T>(
    whole: Duration,
    what: &str,
    delivery: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(whole, delivery).await {
        Ok(result) => result,
        Err(_) => {
            Err(Failure::new(format!("{what}: did not take the message within {} s", whole.as_secs_f32())))
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other("the other end says more than 256 KiB")));
        }
        let before = buf.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        let read = buf.filled().len() - before;
        self.left = self.left.saturating_sub(read);
        result
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl lettre::transport::smtp::client::AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}
