// SPDX-License-Identifier: Apache-2.0
//! One WebSocket that carries protobuf messages, and knows when it heard and said something last.

use crate::{End, Limits, wire};
use futures_util::{Sink, Stream};
use lazaret_proto::Message;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, Message as Frame};

/// Bytes of a peer that are read and thrown away, so that it can read our last word.
const DRAIN: usize = 8 << 20;

/// Comes back with the answer; keep-alives have nothing in them.
const QUESTION: &[u8] = b"alive?";

/// What came.
#[derive(Debug)]
pub(crate) enum Heard {
    /// The bytes of one message.
    Message(Vec<u8>),
    /// A ping or a pong.
    Alive,
    /// The answer to a question whether the peer lives: it was alive after that was asked.
    Answered,
    /// All that was queued has gone out.
    Flushed,
}

/// A message channel over one WebSocket.
#[derive(Debug)]
pub struct Channel<S> {
    socket: WebSocketStream<S>,
    limits: Limits,
    heard: Instant,
    said: Instant,
    /// Since when something is queued and has not gone out.
    queued: Option<Instant>,
}

/// What a client came for.
#[derive(Debug)]
pub struct Accepted<S> {
    /// The channel.
    pub channel: Channel<S>,
    /// Path of the request, one of those that were allowed.
    pub path: String,
}

/// Takes a WebSocket handshake for one of `paths`.
///
/// # Errors
/// No handshake in time, or another path.
pub async fn accept<S>(stream: S, paths: &[&str], limits: &Limits) -> Result<Accepted<S>, End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut path = String::new();
    #[allow(clippy::result_large_err, reason = "the library's signature")]
    let choose = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        let asked = request.uri().path();
        if paths.contains(&asked) {
            asked.clone_into(&mut path);
            return Ok(response);
        }
        let mut refused = ErrorResponse::new(Some("no such path\n".to_owned()));
        *refused.status_mut() = StatusCode::NOT_FOUND;
        Err(refused)
    };
    let taken = tokio_tungstenite::accept_hdr_async_with_config(stream, choose, Some(limits.web_socket()));
    let socket = timeout(limits.patience, taken)
        .await
        .map_err(|_| End::Protocol("no WebSocket handshake in time".to_owned()))?
        .map_err(|e| End::Protocol(format!("WebSocket handshake: {e}")))?;
    Ok(Accepted { channel: Channel::new(socket, limits), path })
}

/// Makes a WebSocket handshake as a client. `authority` is the server's name and port.
///
/// # Errors
/// The server does not answer in time, or refuses.
pub async fn connect<S>(stream: S, authority: &str, path: &str, limits: &Limits) -> Result<Channel<S>, End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let url = format!("ws://{authority}{path}");
    let made = tokio_tungstenite::client_async_with_config(url, stream, Some(limits.web_socket()));
    let (socket, _) = timeout(limits.patience, made)
        .await
        .map_err(|_| End::Broken("the server does not answer the WebSocket handshake".to_owned()))?
        .map_err(|e| End::Broken(format!("WebSocket handshake: {e}")))?;
    Ok(Channel::new(socket, limits))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Channel<S> {
    fn new(socket: WebSocketStream<S>, limits: &Limits) -> Self {
        let now = Instant::now();
        Self { socket, limits: limits.clone(), heard: now, said: now, queued: None }
    }

    /// Speaks over a stream whose handshake another library has made.
    pub async fn upgraded(stream: S, server: bool, limits: &Limits) -> Self {
        let role = if server { Role::Server } else { Role::Client };
        Self::new(WebSocketStream::from_raw_socket(stream, role, Some(limits.web_socket())).await, limits)
    }

    /// The stream beneath.
    pub fn stream(&self) -> &S {
        self.socket.get_ref()
    }

    /// Nothing waits to go out.
    pub(crate) fn flushed(&self) -> bool {
        self.queued.is_none()
    }

    /// When something was sent last.
    pub(crate) fn said(&self) -> Instant {
        self.said
    }

    /// From when on this connection counts as dead: silent, or taking nothing.
    pub(crate) fn dead_at(&self, after: Duration) -> Instant {
        self.queued.map_or(self.heard, |q| q.min(self.heard)) + after
    }

    /// Queues a message; [`Self::next`] sends it.
    pub(crate) fn queue(&mut self, message: &impl Message) -> Result<(), End> {
        let bytes = message.encode_to_vec();
        if bytes.len() > self.limits.max_frame {
            return Err(End::Own(format!(
                "a message of {} bytes is over the limit of {}",
                bytes.len(),
                self.limits.max_frame
            )));
        }
        self.put(Frame::Binary(bytes.into()))
    }

    /// Queues the question whether the peer lives.
    pub(crate) fn ask(&mut self) -> Result<(), End> {
        self.put(Frame::Ping(QUESTION.to_vec().into()))
    }

    /// Queues a sign of life.
    pub(crate) fn ping(&mut self) -> Result<(), End> {
        self.put(Frame::Ping(Vec::new().into()))
    }

    fn put(&mut self, frame: Frame) -> Result<(), End> {
        Pin::new(&mut self.socket).start_send(frame).map_err(|e| broken(&e))?;
        self.said = Instant::now();
        self.queued.get_or_insert(self.said);
        Ok(())
    }

    /// Sends what is queued and returns the next thing that happens. May be dropped at any time.
    pub(crate) async fn next(&mut self) -> Result<Heard, End> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Reads also while the peer takes nothing: two that only write would wait for each other.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Heard, End>> {
        if let Poll::Ready(r) = Pin::new(&mut self.socket).poll_flush(cx) {
            r.map_err(|e| broken(&e))?;
            if self.queued.take().is_some() {
                return Poll::Ready(Ok(Heard::Flushed));
            }
        }
        let frame = match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
            None => return Poll::Ready(Err(End::Broken("closed".to_owned()))),
            Some(Err(e)) => return Poll::Ready(Err(broken(&e))),
            Some(Ok(frame)) => frame,
        };
        self.heard = Instant::now();
        Poll::Ready(match frame {
            Frame::Binary(bytes) => Ok(Heard::Message(bytes.into())),
            Frame::Pong(bytes) if bytes.as_ref() == QUESTION => Ok(Heard::Answered),
            Frame::Ping(_) | Frame::Pong(_) => Ok(Heard::Alive),
            Frame::Close(_) => Err(End::Broken("closed".to_owned())),
            Frame::Text(_) | Frame::Frame(_) => Err(End::Protocol("a message that is not binary".to_owned())),
        })
    }

    /// Waits for one message.
    ///
    /// # Errors
    /// None came in time, or it is none of this kind.
    pub async fn receive<M: Message + Default>(&mut self) -> Result<M, End> {
        let bytes = self.receive_bytes().await?;
        wire::decode(&bytes, &self.limits)
    }

    /// The same, not decoded.
    pub(crate) async fn receive_bytes(&mut self) -> Result<Vec<u8>, End> {
        let patience = self.limits.patience;
        let message = async {
            loop {
                if let Heard::Message(bytes) = self.next().await? {
                    return Ok(bytes);
                }
            }
        };
        timeout(patience, message).await.map_err(|_| End::Silent)?
    }

    /// Sends one message and waits until it has gone out.
    ///
    /// # Errors
    /// The connection broke or takes nothing.
    pub async fn send(&mut self, message: &impl Message) -> Result<(), End> {
        self.queue(message)?;
        let flushed = std::future::poll_fn(|cx| Pin::new(&mut self.socket).poll_flush(cx));
        timeout(self.limits.patience, flushed).await.map_err(|_| End::Silent)?.map_err(|e| broken(&e))?;
        self.queued = None;
        Ok(())
    }

    /// Sends a last message as well as that can be done, and closes. What the peer still sends is read
    /// and thrown away for a moment: closing over unread bytes would take our word from it.
    pub async fn farewell(mut self, message: Option<&impl Message>) {
        let _ = timeout(Duration::from_secs(2), async {
            if let Some(message) = message {
                self.queue(message).ok()?;
            }
            let _ = self.put(Frame::Close(None));
            std::future::poll_fn(|cx| Pin::new(&mut self.socket).poll_flush(cx)).await.ok()?;
            let stream = self.socket.get_mut();
            let (mut buffer, mut left) = ([0; 4096], DRAIN);
            while left > 0 {
                match stream.read(&mut buffer).await {
                    Ok(n) if n > 0 => left = left.saturating_sub(n),
                    _ => break,
                }
            }
            Some(())
        })
        .await;
    }
}

/// What went wrong, as an end: a peer that breaks the protocol is told, a broken connection is not.
fn broken(e: &Error) -> End {
    match e {
        // What a machine that dies leaves behind.
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Broken("reset".to_owned()),
        Error::Capacity(_) | Error::Protocol(_) | Error::Utf8(_) | Error::AttackAttempt => {
            End::Protocol(e.to_string())
        }
        Error::WriteBufferFull(_) => End::Broken("it takes nothing".to_owned()),
        e => End::Broken(e.to_string()),
    }
}
