// SPDX-License-Identifier: Apache-2.0
//! The live stream: what changes in the caller's projects, and nothing of others.

use crate::base::{Base, on_both};
use crate::kit::Server;
use crate::rows;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

on_both!(only_of_the_own_projects_and_on_from_where_it_broke_off);

/// Reads until the text is there.
async fn until(stream: &mut TcpStream, seen: &mut String, text: &str) {
    let read = async {
        let mut part = [0; 4096];
        while !seen.contains(text) {
            let n = stream.read(&mut part).await.unwrap();
            assert!(n > 0, "ended: {seen}");
            seen.push_str(&String::from_utf8_lossy(&part[..n]));
        }
    };
    tokio::time::timeout(Duration::from_secs(20), read).await.unwrap_or_else(|_| panic!("no {text}"));
}

async fn open(s: &Server, token: &str, last: Option<&str>) -> TcpStream {
    let address = s.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let last = last.map(|l| format!("last-event-id: {l}\r\n")).unwrap_or_default();
    let head = format!(
        "GET /api/v1/events/stream HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n{last}\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn only_of_the_own_projects_and_on_from_where_it_broke_off(base: Base) {
    let s = Server::start_on(base).await;
    let other = rows::project(&s, "other").await;
    let token = s.person("eve", &[("0", "viewer")]).await;
    let mut stream = open(&s, &token, None).await;
    let mut seen = String::new();
    until(&mut stream, &mut seen, "connected").await;
    assert!(seen.contains("text/event-stream"), "{seen}");
    let hidden = rows::host(&s, &other).await;
    rows::alarm(&s, &hidden, b"/srv/h", [1; 32]).await;
    let host = rows::host(&s, "0").await;
    let alarm = rows::alarm(&s, &host, b"/srv/a", [1; 32]).await;
    until(&mut stream, &mut seen, &alarm).await;
    assert!(seen.contains("event: alarm") && !seen.contains(&hidden.id), "{seen}");
    let last = seen.lines().filter_map(|l| l.strip_prefix("id: ")).next_back().unwrap().to_owned();
    drop(stream);

    let later = rows::alarm(&s, &host, b"/srv/b", [2; 32]).await;
    let mut stream = open(&s, &token, Some(&last)).await;
    let mut seen = String::new();
    until(&mut stream, &mut seen, &later).await;
    assert!(!seen.contains(&alarm), "what was seen does not come again: {seen}");
    drop(stream);
    let mut stream = open(&s, &token, Some("999999999")).await;
    until(&mut stream, &mut String::new(), "event: missed").await;
    drop(stream);
    s.stop().await;
}
