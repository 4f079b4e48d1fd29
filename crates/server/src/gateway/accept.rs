// SPDX-License-Identifier: Apache-2.0
//! Takes connections: TLS, WebSocket, then enrolment or session.

use super::desk::Desk;
use super::{Inner, enroll};
use crate::authority::{Identity, identity};
use lazaret_proto::v1;
use lazaret_session::{ENROLL_PATH, End, SESSION_PATH, accept, goodbye, serve};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use v1::goodbye::Kind as Bye;

/// Accepts until the gateway stops.
pub(super) async fn run(inner: Arc<Inner>, listener: TcpListener, tls: TlsAcceptor) {
    let mut stopping = inner.stopping.subscribe();
    let mut told = false;
    loop {
        // A flood of connections waits in the kernel's queue, not in our memory.
        let Ok(permit) = inner.handshakes.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                told = false;
                tokio::spawn(connection(inner.clone(), tls.clone(), stream, peer, permit));
            }
            Err(e) => {
                // Out of descriptors, as a rule: it passes when sessions end.
                if !std::mem::replace(&mut told, true) {
                    inner.log(&format!("no connection of agents can be taken: {e}"));
                }
                sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// Counts a connection as long as it lives: a gateway that stops lets its goodbyes go out.
struct Counted(Arc<Inner>);

impl Counted {
    fn new(inner: &Arc<Inner>) -> Self {
        inner.connections.fetch_add(1, Ordering::Relaxed);
        Self(inner.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn connection(
    inner: Arc<Inner>,
    tls: TlsAcceptor,
    stream: TcpStream,
    peer: SocketAddr,
    permit: OwnedSemaphorePermit,
) {
    let _counted = Counted::new(&inner);
    let _ = stream.set_nodelay(true);
    let limits = &inner.settings.limits;
    let stream = match timeout(limits.patience, tls.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(_)) | Err(_) => {
            metrics::counter!("lazaret_gateway_handshakes_failed_total").increment(1);
            return;
        }
    };
    let who: Option<Identity> = stream
        .get_ref()
        .1
        .peer_certificates()
        .and_then(|chain| chain.first())
        .and_then(|certificate| identity(certificate));
    let accepted = match Box::pin(accept(stream, &[SESSION_PATH, ENROLL_PATH], limits)).await {
        Ok(accepted) => accepted,
        Err(_) => {
            metrics::counter!("lazaret_gateway_handshakes_failed_total").increment(1);
            return;
        }
    };
    if accepted.path == ENROLL_PATH {
        let _held = permit;
        Box::pin(enroll::answer(&inner, accepted.channel, peer.ip())).await;
        return;
    }
    drop(permit);
    let Some(who) = who else {
        let why = "this needs the certificate of a host: enrol with a token first";
        let last = goodbye(Bye::UnknownHost, why);
        let last = v1::ServerFrame { kind: Some(v1::server_frame::Kind::Goodbye(last)) };
        accepted.channel.farewell(Some(&last)).await;
        return;
    };
    let mut desk = Desk::new(inner.clone(), who);
    let end = serve(accepted.channel, &mut desk, limits).await;
    metrics::counter!("lazaret_gateway_sessions_ended_total", "how" => word(&end)).increment(1);
    match &end {
        End::Own(why) => inner.log(&format!("session of {}: {why}", desk.host())),
        End::Protocol(why) => {
            inner.log(&format!("session of {}: the agent broke the protocol: {why}", desk.host()));
        }
        _ => {}
    }
}

fn word(end: &End) -> &'static str {
    match end {
        End::Told(_) => "agent",
        End::Said(_) => "server",
        End::Broken(_) => "broken",
        End::Silent => "silent",
        End::Protocol(_) => "protocol",
        End::Own(_) => "own",
    }
}
