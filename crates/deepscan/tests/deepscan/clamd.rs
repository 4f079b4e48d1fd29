// SPDX-License-Identifier: Apache-2.0
//! A real clamd from Debian, with signatures of the test's own.

use lazaret_deepscan::{Connector, ConnectorKind, ConnectorSettings, Opinion, Sample};
use lazaret_kit::Clamd;
use lazaret_model::Sha256;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Put together at run time: a scanner that knows it shall not find this test.
fn words() -> String {
    std::hint::black_box(["lazaret-deepscan-", "stand-in"]).concat()
}

fn clamd() -> Clamd {
    Clamd::start(&[("Deep.Trojan.StandIn", words().as_bytes())])
}

fn connector(address: String) -> Connector {
    let mut settings = ConnectorSettings::new("clam", ConnectorKind::Clamd, &address);
    settings.timeout = Duration::from_secs(30);
    Connector::new(settings).unwrap()
}

fn of(clamd: &Clamd) -> Connector {
    connector(format!("unix:{}", clamd.socket().display()))
}

fn sample(bytes: &[u8]) -> Sample {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Sample { sha256: Sha256([1; 32]), size: bytes.len() as u64, file: Arc::new(file) }
}

/// Of this length, without taking room.
fn hollow(size: u64) -> Sample {
    let file = tempfile::tempfile().unwrap();
    file.set_len(size).unwrap();
    Sample { sha256: Sha256([1; 32]), size, file: Arc::new(file) }
}

#[tokio::test]
async fn found_and_not_found() {
    let clamd = clamd();
    let connector = of(&clamd);
    let bad = connector.ask(&sample(format!("#!/bin/sh\n# {}\n", words()).as_bytes())).await;
    assert_eq!(bad.opinion, Opinion::Bad, "{bad:?}");
    assert_eq!(bad.family, "Deep.Trojan.StandIn.UNOFFICIAL");
    assert!(bad.version.starts_with("ClamAV "), "{bad:?}");
    for size in [0, 1, 256 << 10, (256 << 10) + 1, 1 << 20] {
        let good = connector.ask(&hollow(size)).await;
        assert_eq!((good.opinion, good.is_open()), (Opinion::Nothing, false), "{size}: {good:?}");
    }
    // Behind the border of a part.
    let mut far = vec![b' '; (256 << 10) - 5];
    far.extend_from_slice(words().as_bytes());
    assert_eq!(connector.ask(&sample(&far)).await.opinion, Opinion::Bad);
}

#[tokio::test]
async fn what_is_too_large_for_it_is_no_vote_and_not_tried_again() {
    let clamd = clamd();
    // It is started with a limit of 64 MiB.
    let vote = of(&clamd).ask(&hollow(65 << 20)).await;
    assert_eq!((vote.opinion, vote.is_open()), (Opinion::None, false), "{vote:?}");
    assert!(vote.detail.contains("size limit exceeded"), "{vote:?}");
    // One that is told not to send so much does not send it.
    let looked = clamd.looked();
    let mut settings = of(&clamd).settings().clone();
    settings.largest = 1_000;
    let vote = Connector::new(settings).unwrap().ask(&hollow(1_001)).await;
    assert_eq!((vote.opinion, vote.is_open()), (Opinion::None, false), "{vote:?}");
    assert!(vote.detail.contains("1001 bytes"), "{vote:?}");
    assert_eq!(clamd.looked(), looked);
}

#[tokio::test]
async fn killed_in_the_middle_of_a_stream_it_is_asked_again_later() {
    let mut clamd = clamd();
    let connector = of(&clamd);
    assert_eq!(connector.ask(&sample(b"warm")).await.opinion, Opinion::Nothing);
    // Frozen it takes what fits into the socket, and no more: the stream is in its middle then.
    clamd.freeze();
    let large = hollow(32 << 20);
    let (vote, ()) = tokio::join!(connector.ask(&large), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        clamd.kill();
    });
    assert_eq!(vote.opinion, Opinion::None, "{vote:?}");
    assert!(vote.is_open(), "{vote:?}");
    let gone = connector.ask(&sample(b"gone")).await;
    assert!(gone.is_open() && gone.detail.contains("cannot be reached"), "{gone:?}");
    clamd.run_again();
    let bad = connector.ask(&sample(words().as_bytes())).await;
    assert_eq!(bad.opinion, Opinion::Bad, "{bad:?}");
}

#[tokio::test]
async fn frozen_it_costs_no_more_than_its_time() {
    let clamd = clamd();
    clamd.freeze();
    let mut settings = of(&clamd).settings().clone();
    settings.timeout = Duration::from_millis(500);
    let begun = Instant::now();
    let vote = Connector::new(settings).unwrap().ask(&sample(b"x")).await;
    clamd.thaw();
    assert!(vote.is_open() && begun.elapsed() < Duration::from_secs(10), "{vote:?}");
}

#[tokio::test]
async fn over_tcp() {
    let clamd = clamd();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let socket = clamd.socket();
    // Two connections: one asks for the version. What clamd would do with `TCPSocket`.
    let relay = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut client, _) = listener.accept().unwrap();
            let mut inner = UnixStream::connect(&socket).unwrap();
            let (mut up, mut down) = (client.try_clone().unwrap(), inner.try_clone().unwrap());
            let ahead = std::thread::spawn(move || {
                let _ = std::io::copy(&mut up, &mut inner);
            });
            let _ = std::io::copy(&mut down, &mut client);
            let _ = client.shutdown(std::net::Shutdown::Both);
            ahead.join().unwrap();
        }
    });
    let vote = connector(format!("tcp:{address}")).ask(&sample(words().as_bytes())).await;
    assert_eq!(vote.opinion, Opinion::Bad, "{vote:?}");
    relay.join().unwrap();
}

/// Somebody else behind clamd's socket: what it says to `zINSTREAM` after it gave a version.
async fn told(answer: &'static [u8]) -> lazaret_deepscan::Vote {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let liar = std::thread::spawn(move || {
        // `zVERSION`, then `zINSTREAM` with one part of one byte and the end.
        for (asked, answer) in [(9, b"ClamAV 9.9\0".as_slice()), (19, answer)] {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            stream.read_exact(&mut vec![0; asked]).unwrap();
            // Who hangs up in its middle has heard enough.
            let _ = stream.write_all(answer);
        }
    });
    let vote = connector(format!("unix:{}", socket.display())).ask(&sample(b"x")).await;
    liar.join().unwrap();
    vote
}

#[tokio::test]
async fn nonsense_of_any_kind_is_no_vote() {
    assert_eq!(told(b"stream: Real.Name FOUND\0").await.opinion, Opinion::Bad, "the liar can tell the truth");
    for answer in [
        b"stream: Cut.Off FOUND".as_slice(),
        b"stream: \xff\xff FOUND\0",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"other: X FOUND\0",
        b"\0",
        b"",
        &[b'a'; 100_000],
    ] {
        let vote = told(answer).await;
        assert!(vote.opinion == Opinion::None && vote.is_open(), "{answer:.40?}: {vote:?}");
    }
}

#[tokio::test]
async fn the_version_is_that_of_a_clamd() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let other = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"220 mail.example ESMTP\0");
    });
    let vote = connector(format!("unix:{}", socket.display())).ask(&sample(b"x")).await;
    other.join().unwrap();
    assert!(vote.is_open() && vote.detail.contains("no clamd"), "{vote:?}");
}
