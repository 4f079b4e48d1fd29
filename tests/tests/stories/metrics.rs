// SPDX-License-Identifier: Apache-2.0
//! What watches a host: health, readiness, metrics.

use lazaret_kit::{Daemon, Setup, Volume, bad, eventually};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Status and body.
fn ask(socket: &Path, request: &str) -> (u16, String) {
    let mut stream = UnixStream::connect(socket).expect("listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("timeout");
    stream.write_all(request.as_bytes()).expect("takes it");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answers");
    let status = answer.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("{answer}"));
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    (status, body)
}

fn get(socket: &Path, path: &str) -> (u16, String) {
    ask(socket, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
}

#[test]
fn a_host_can_be_watched_and_who_watches_holds_up_nothing() {
    let volume = Volume::tmpfs();
    let socket = volume.beside().join("metrics.sock");
    let more = format!("[metrics]\nlisten = {socket:?}\n");
    let daemon = Daemon::start(&Setup { more, ..Setup::armed(volume.path()) });
    assert!(eventually(Duration::from_secs(10), || socket.exists()), "{}", daemon.log());
    assert_eq!(get(&socket, "/healthz"), (200, "ok\n".to_owned()));
    assert_eq!(get(&socket, "/readyz"), (200, "ready\n".to_owned()), "{}", daemon.log());
    let (_, before) = get(&socket, "/metrics");
    assert!(before.contains("\nlazaret_isolations_total 0\n"), "{before}");
    assert!(!before.contains("uplink_connected"), "it belongs to no server");
    // More than are served at a time, and none of them says anything.
    let silent: Vec<UnixStream> = (0..30).map(|_| UnixStream::connect(&socket).expect("listens")).collect();
    let file = volume.join("bad.sh");
    std::fs::write(&file, bad::high_script()).expect("written");
    daemon.isolated_path(&file);
    let wanted = [
        "\nlazaret_isolations_total 1\n",
        "lazaret_alarms_total{class=\"trojan\",rating=\"high\"} 1\n",
        "\nlazaret_vault_objects 1\n",
        "lazaret_queue_length{queue=\"questions\"}",
        "lazaret_content_info{version=",
        "\nlazaret_ready 1\n",
        "\nlazaret_resident_memory_bytes ",
    ];
    let mut last = String::new();
    assert!(
        eventually(Duration::from_secs(40), || {
            last = get(&socket, "/metrics").1;
            wanted.iter().all(|w| last.contains(w))
        }),
        "{last}"
    );
    assert!(!last.contains("bad.sh"), "no names of files");
    drop(silent);
    assert_eq!(get(&socket, "/etc/passwd").0, 404);
    let post = "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    assert_eq!(ask(&socket, post).0, 405);
    assert_eq!(ask(&socket, "nonsense\r\n\r\n").0, 400);
    assert_eq!(daemon.status()["protection"], "on", "{}", daemon.log());
}
