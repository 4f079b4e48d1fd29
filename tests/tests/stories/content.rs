// SPDX-License-Identifier: Apache-2.0
//! Content that a server offers: taken when it is the server's and does, else refused with the reason while
//! what was in force goes on.

use lazaret_kit::server::{Server, TOKEN};
use lazaret_kit::{Daemon, Setup, Volume, bad, binaries, eventually};
use lazaret_proto::v1;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);

fn start(volume: &Volume, server: &Server, state: Option<&Path>) -> Daemon {
    let more = format!(
        "[server]\nurl = {:?}\nca_fingerprint = {:?}\ntoken = {TOKEN:?}\n",
        server.url(),
        server.fingerprint()
    );
    let state = state.map(Path::to_owned);
    let daemon =
        Daemon::start(&Setup { mounts: vec![volume.path().to_owned()], more, state, ..Setup::default() });
    let connected = eventually(SOON, || daemon.status()["server"]["connected"] == true);
    assert!(connected, "{}", daemon.log());
    daemon
}

/// The shipped content under another version.
fn pack(version: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let copied =
        Command::new("cp").arg("-a").arg(binaries::repository().join("content")).arg(folder.path()).status();
    assert!(copied.unwrap().success());
    let content = folder.path().join("content");
    std::fs::write(content.join("VERSION"), version).unwrap();
    let out = folder.path().join("pack");
    let built = Command::new(binaries::path("lazaret-content")).arg("build").arg(&content).arg(&out).output();
    let built = built.unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    std::fs::read(out).unwrap()
}

/// The newest word of the host about its content, once it fits.
fn said(
    daemon: &Daemon,
    server: &Server,
    what: &str,
    fits: impl Fn(&v1::ContentState) -> bool,
) -> v1::ContentState {
    let mut last = None;
    let came = eventually(SOON, || {
        last = server.seen().reports.into_iter().rev().find_map(|r| r.content);
        last.as_ref().is_some_and(&fits)
    });
    assert!(came, "{what}: {last:?}\n{}", daemon.log());
    last.unwrap()
}

fn version(daemon: &Daemon) -> String {
    daemon.status()["content"]["version"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn what_the_server_signed_is_taken_and_stays_over_a_restart() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    let daemon = start(&volume, &server, None);
    let (first, second) = (pack("story.1"), pack("story.2"));
    assert!(first.len() > 20_000, "{}", first.len());
    server.offer(10, &first, |_| {});
    let state = said(&daemon, &server, "in force", |c| c.state == "in_force" && c.number == 10);
    assert_eq!((state.version.as_str(), state.reason.as_str()), ("story.1", ""));
    assert_eq!(version(&daemon), "story.1");
    server.offer(11, &second, |_| {});
    let state = said(&daemon, &server, "the next", |c| c.state == "in_force" && c.number == 11);
    assert_eq!(state.previous_version, "story.1", "kept to fall back to");
    // Protection goes on with it.
    let path = volume.join("tool");
    std::fs::write(&path, bad::high_script()).unwrap();
    assert!(eventually(SOON, || !server.alarms().is_empty()), "{}", daemon.log());
    let folder = daemon.stop();
    let daemon = start(&volume, &server, Some(&folder.path().join("state")));
    assert_eq!(version(&daemon), "story.2", "{}", daemon.log());
    drop(daemon);
    // Damaged on disk: the installed one is loaded, the server gives it again.
    let current = folder.path().join("state/content/current.pack");
    std::fs::write(&current, b"LZRPACK\x01").unwrap();
    let daemon = start(&volume, &server, Some(&folder.path().join("state")));
    let again = eventually(SOON, || version(&daemon) == "story.2");
    assert!(again, "{}", daemon.log());
}

#[test]
fn a_pack_that_broke_off_goes_on_where_it_was() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    let daemon = start(&volume, &server, None);
    let mut bytes = pack("story.3");
    // Something that needs several parts; what follows the last member is refused by the trial.
    bytes.resize(bytes.len() + (700 << 10), 0);
    server.break_at(Some(256 << 10));
    server.offer(10, &bytes, |_| {});
    let broke = eventually(SOON, || server.seen().parts.iter().filter(|at| **at == 256 << 10).count() >= 2);
    assert!(broke, "{:?}\n{}", server.seen().parts, daemon.log());
    server.break_at(None);
    let state = said(&daemon, &server, "refused", |c| c.state == "refused");
    assert!(state.reason.contains("does not load"), "{state:?}");
    let parts = server.seen().parts;
    assert_eq!(parts.iter().filter(|at| **at == 0).count(), 1, "the first part was fetched once: {parts:?}");
    assert!(parts.contains(&(512 << 10)), "{parts:?}");
}

#[test]
fn everything_else_is_refused_and_the_old_one_goes_on() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    let daemon = start(&volume, &server, None);
    let installed = version(&daemon);
    let good = pack("story.4");
    let refused = |number: u64, word: &str| {
        let state = said(&daemon, &server, word, |c| c.state == "refused" && c.refused_number == number);
        assert!(state.reason.contains(word), "{word}: {state:?}");
        assert_eq!(version(&daemon), installed, "{word}");
    };
    // Signed, and then changed.
    server.offer(20, &good, |o| {
        o.signature = vec![7; 64];
    });
    refused(20, "signature");
    server.offer(21, &good, |o| o.key = vec![1; 32]);
    refused(21, "another key");
    server.offer(22, &good, |o| o.expires_ms = 1);
    refused(22, "expired");
    server.offer(23, &good, |o| o.size = 1 << 40);
    refused(23, "bytes");
    // Signed, and the bytes are others.
    let mut tampered = good.clone();
    let middle = tampered.len() / 2;
    tampered[middle] ^= 1;
    server.exchange(&good, &tampered);
    server.offer(24, b"x", |o| {
        o.sha256 = sha(&good);
        o.size = good.len() as u64;
    });
    refused(24, "not the pack that was signed");
    // Cut off: less than was stated.
    server.exchange(&good, &good[..good.len() / 2]);
    server.offer(25, b"x", |o| {
        o.sha256 = sha(&good);
        o.size = good.len() as u64;
    });
    refused(25, "does not give it");
    // Signed by the server, and no pack at all.
    server.offer(26, b"LZRPACK\x01 and nothing else", |_| {});
    refused(26, "does not load");
    // The same host takes the next one that is well, and none that is older.
    server.offer(30, &good, |_| {});
    said(&daemon, &server, "in force", |c| c.state == "in_force" && c.number == 30);
    let older = pack("story.0");
    server.offer(29, &older, |_| {});
    let state = said(&daemon, &server, "older", |c| c.state == "refused" && c.refused_number == 29);
    assert!(state.reason.contains("older") && version(&daemon) == "story.4", "{state:?}");
    server.offer(28, &older, |o| o.replaces_up_to = 30);
    said(&daemon, &server, "a step back", |c| c.state == "in_force" && c.number == 28);
    assert_eq!(version(&daemon), "story.0");
    // No offer any more: the installed content.
    server.want(v1::DesiredState {
        generation: 40,
        policy: Some(v1::HostPolicy::default()),
        ..v1::DesiredState::default()
    });
    assert!(eventually(SOON, || version(&daemon) == installed), "{}", daemon.log());
}

fn sha(bytes: &[u8]) -> Vec<u8> {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).to_vec()
}
