// SPDX-License-Identifier: Apache-2.0
//! POST, and nothing else: no redirect is followed, no proxy asked, no cookie kept.

use crate::dial;
use crate::failure::Failure;
use crate::outbound::Outbound;
use hyper::Uri;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::pin::Pin;

/// Of an answer's body; the rest is not read.
const MOST_ANSWER: usize = 16 << 10;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) secure: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// As the header `Host` wants it.
    authority: String,
    path: String,
}

/// Takes a URL apart.
///
/// # Errors
/// It is none that a request could go to.
pub(crate) fn place(url: &str) -> Result<Place, Failure> {
    let bad = |why: &str| Failure::new(format!("url: {why}; give https://NAME[:PORT]/PATH"));
    if url.len() > 2048 || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(bad("longer than 2048 bytes, or with spaces"));
    }
    let uri: Uri = url.parse().map_err(|_| bad("cannot be read"))?;
    let secure = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err(bad("not of https")),
    };
    let authority = uri.authority().ok_or_else(|| bad("names no host"))?;
    if authority.as_str().contains('@') {
        return Err(bad("holds a name or password"));
    }
    let host = authority.host();
    if host.is_empty() {
        return Err(bad("names no host"));
    }
    Ok(Place {
        secure,
        host: host.to_owned(),
        port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }),
        authority: authority.as_str().to_owned(),
        path: uri.path_and_query().map_or("/", |p| p.as_str()).to_owned(),
    })
}

/// Sends a body; only 2xx is a success.
pub(crate) async fn post(
    out: &Outbound,
    url: &str,
    authority: Option<&str>,
    headers: &[(&str, String)],
    body: String,
) -> Result<(), Failure> {
    let place = place(url)?;
    let what = place.host.clone();
    dial::within(out.limits.whole, &what, send(out, place, authority, headers, body)).await
}

async fn send(
    out: &Outbound,
    place: Place,
    authority: Option<&str>,
    headers: &[(&str, String)],
    body: String,
) -> Result<(), Failure> {
    let mut wire = dial::connect(out, &place.host, place.port).await?;
    if place.secure {
        wire = dial::encrypt(wire, &place.host, authority).await?;
    } else if !out.guard.allows(wire.peer.ip()) {
        return Err(Failure::new(format!(
            "{}: alarms do not go over the internet as plain text: give an https URL",
            place.host
        )));
    }
    let talk = |e: hyper::Error| Failure::new(format!("{}: no HTTP answer: {e}", place.host));
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(64 << 10)
        .max_headers(64)
        .handshake::<_, String>(TokioIo::new(wire))
        .await
        .map_err(talk)?;
    let mut request = hyper::Request::post(&place.path)
        .header("host", &place.authority)
        .header("user-agent", concat!("lazaret/", env!("CARGO_PKG_VERSION")))
        .header("connection", "close");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let request = request.body(body).map_err(|e| Failure::new(format!("{}: {e}", place.host)))?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(talk)?;
        let status = response.status();
        let to = response.headers().get("location").and_then(|l| l.to_str().ok()).map(str::to_owned);
        // Read to its end, so that the other side has finished with the request; but only so much.
        drain(response.into_body()).await;
        if status.is_success() {
            return Ok(());
        }
        let why = if status.is_redirection() {
            let to = to.map(|t| crate::text::shown(&t, 200)).unwrap_or_default();
            format!("answers {status} and points to \"{to}\"; redirects are not followed: give the final URL")
        } else {
            format!("answers {status}")
        };
        Err(Failure::new(format!("{}: {why}", place.host)))
    };
    let mut connection = std::pin::pin!(connection);
    let mut exchange = std::pin::pin!(exchange);
    let mut driven = false;
    loop {
        tokio::select! {
            biased;
            result = exchange.as_mut() => return result,
            ended = connection.as_mut(), if !driven => {
                driven = true;
                if let Err(e) = ended {
                    // What was read before may still be an answer.
                    let left = tokio::time::timeout(std::time::Duration::from_millis(100), exchange.as_mut());
                    return left.await.unwrap_or_else(|_| Err(talk(e)));
                }
            }
        }
    }
}

async fn drain(mut body: Incoming) {
    let mut read = 0;
    while read < MOST_ANSWER {
        match std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            Some(Ok(frame)) => read += frame.data_ref().map_or(0, |d| d.len()).max(1),
            // The status was the answer; a body that breaks off changes nothing.
            Some(Err(_)) | None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let p = place("https://hooks.example:8443/a?b=c#d").unwrap();
        assert_eq!(
            (p.secure, p.host.as_str(), p.port, p.path.as_str()),
            (true, "hooks.example", 8443, "/a?b=c")
        );
        assert_eq!(place("http://[::1]").unwrap().port, 80);
        for bad in [
            "",
            "hooks.example",
            "ftp://x/",
            "file:///etc/passwd",
            "gopher://x/",
            "https://",
            "https:///x",
            "https://user:secret@x/",
            "https://x/a b",
            "https://x/\r\nhost: y",
        ] {
            assert!(place(bad).is_err(), "{bad}");
        }
    }
}
