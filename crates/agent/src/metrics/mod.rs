// SPDX-License-Identifier: Apache-2.0
//! `/metrics`, `/healthz` and `/readyz`, where the configuration says so: from a thread of the lowest
//! priority that takes locks for moments only, so that whoever asks, and however often, never holds up an
//! answer to the kernel.

mod text;

use crate::config::Place;
use crate::core::Core;
use crate::log::log;
use anyhow::{Context, Result};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;

/// Connections at a time; more wait in the kernel.
const CONNECTIONS: usize = 16;
/// For one request, from its first byte to our last.
const PATIENCE: Duration = Duration::from_secs(5);
/// What was put together is given again for so long.
const FRESH: Duration = Duration::from_secs(1);
/// Of a request's head.
const BUFFER: usize = 16 << 10;

struct Desk {
    core: Arc<Core>,
    kept: Mutex<Option<(Instant, String)>>,
}

/// Starts the thread, where somebody wants it. Protection does not depend on it: what goes wrong later is
/// in the log.
pub(crate) fn start(core: &Arc<Core>) -> Result<()> {
    let Some(place) = core.config.metrics.place()? else { return Ok(()) };
    let desk = Arc::new(Desk { core: Arc::clone(core), kept: Mutex::default() });
    let run = move || {
        let _ = rustix::process::setpriority_process(None, 19);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let served = runtime.and_then(|runtime| runtime.block_on(listen(&desk, &place)));
        if let Err(e) = served {
            log!("metrics: {} cannot be listened on: {e}", shown(&place));
        }
    };
    std::thread::Builder::new()
        .name("metrics".into())
        .spawn(run)
        .context("cannot start the thread metrics")?;
    Ok(())
}

fn shown(place: &Place) -> String {
    match place {
        Place::Tcp(address) => address.to_string(),
        Place::Unix(path) => path.display().to_string(),
    }
}

async fn listen(desk: &Arc<Desk>, place: &Place) -> io::Result<()> {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    match place {
        Place::Tcp(address) => {
            let listener = TcpListener::bind(address).await?;
            log!("metrics at http://{}/metrics", listener.local_addr()?);
            loop {
                let slot = Arc::clone(&slots).acquire_owned().await.map_err(io::Error::other)?;
                match listener.accept().await {
                    Ok((stream, _)) => serve(desk, stream, slot),
                    Err(e) => pause(&e).await,
                }
            }
        }
        Place::Unix(path) => {
            let listener = bind(path)?;
            log!("metrics at {}", path.display());
            loop {
                let slot = Arc::clone(&slots).acquire_owned().await.map_err(io::Error::other)?;
                match listener.accept().await {
                    Ok((stream, _)) => serve(desk, stream, slot),
                    Err(e) => pause(&e).await,
                }
            }
        }
    }
}

/// Out of descriptors, say: that passes.
async fn pause(e: &io::Error) {
    log!("metrics: a connection could not be taken: {e}");
    tokio::time::sleep(Duration::from_secs(1)).await;
}

/// For root and its group; a socket of an earlier run is replaced, nothing else is.
fn bind(path: &Path) -> io::Result<UnixListener> {
    match std::fs::symlink_metadata(path) {
        Ok(there) if there.file_type().is_socket() => std::fs::remove_file(path)?,
        Ok(_) => return Err(io::Error::other("there is something else than a socket")),
        Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

fn serve<S>(desk: &Arc<Desk>, stream: S, slot: tokio::sync::OwnedSemaphorePermit)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let desk = Arc::clone(desk);
    tokio::spawn(async move {
        let service = service_fn(move |request: Request<Incoming>| {
            let desk = Arc::clone(&desk);
            async move { Ok::<_, Infallible>(desk.answer(request.method(), request.uri().path())) }
        });
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .keep_alive(false)
            .max_buf_size(BUFFER)
            .serve_connection(TokioIo::new(stream), service);
        // Whoever asks nonsense or does not read is nobody's concern.
        let _ = tokio::time::timeout(PATIENCE * 2, served).await;
        drop(slot);
    });
}

impl Desk {
    fn answer(&self, method: &Method, path: &str) -> Response<String> {
        if !matches!(path, "/metrics" | "/healthz" | "/readyz") {
            return plain(StatusCode::NOT_FOUND, "there is /metrics, /healthz and /readyz\n".to_owned());
        }
        if method != Method::GET && method != Method::HEAD {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "GET and HEAD only\n".to_owned());
            response.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match path {
            "/metrics" => plain(StatusCode::OK, self.metrics()),
            "/healthz" => plain(StatusCode::OK, "ok\n".to_owned()),
            _ => {
                let reasons = text::not_ready(&self.core);
                if reasons.is_empty() {
                    return plain(StatusCode::OK, "ready\n".to_owned());
                }
                plain(StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n")
            }
        }
    }

    fn metrics(&self) -> String {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, text)) = kept.as_ref()
            && at.elapsed() < FRESH
        {
            return text.clone();
        }
        let text = text::metrics(&self.core);
        *kept = Some((Instant::now(), text.clone()));
        text
    }
}

fn plain(status: StatusCode, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let kind = hyper::header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
