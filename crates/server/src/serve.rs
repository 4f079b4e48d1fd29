// SPDX-License-Identifier: Apache-2.0
//! People's port, and the one for what watches the server: TLS or, on loopback, without; bounded in connections and in patience.

use crate::api::gate::Peer;
use crate::log;
use crate::numbers::One;
use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

/// Connections at the same time.
const CONNECTIONS: usize = 4_096;
/// For the handshake, and for the head of a request.
const PATIENCE: Duration = Duration::from_secs(15);
/// For what runs when the server stops.
const LAST: Duration = Duration::from_secs(5);

/// Accepts until told to stop, then lets what runs end.
pub(crate) async fn run(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    port: &'static str,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut running = JoinSet::new();
    let mut told = false;
    loop {
        // A flood waits in the kernel's queue, not in our memory.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|s| *s) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                told = false;
                let (tls, router, stop) = (tls.clone(), router.clone(), stop.clone());
                running.spawn(async move {
                    let _open = One::of(metrics::gauge!("lazaret_connections", "port" => port));
                    connection(stream, peer, tls, router, stop).await;
                    drop(place);
                });
            }
            Err(e) => {
                if !std::mem::replace(&mut told, true) {
                    log::line(&format!("{port}: no connection can be taken: {e}"));
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        while running.try_join_next().is_some() {}
    }
    drop(listener);
    let _ = timeout(LAST, async { while running.join_next().await.is_some() {} }).await;
    running.shutdown().await;
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => talk(stream, peer, router, stop).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(PATIENCE, tls.accept(stream)).await {
                talk(stream, peer, router, stop).await;
            }
        }
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        router.clone().oneshot(request.map(Body::new))
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(64 << 10);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(Duration::from_secs(30)))
        .max_concurrent_streams(64)
        .max_header_list_size(64 << 10);
    let mut talking = pin!(builder.serve_connection(TokioIo::new(stream), service));
    // What a client does wrong ends its own connection and is of no interest to others.
    tokio::select! {
        _ = talking.as_mut() => return,
        _ = stop.wait_for(|s| *s) => talking.as_mut().graceful_shutdown(),
    }
    let _ = timeout(LAST, talking).await;
}
