// SPDX-License-Identifier: Apache-2.0
//! Samples in an S3-compatible store: a real one (moto's), one that is away, and ones that answer nonsense.

mod support;

use lazaret_kit::hook::Hook;
use lazaret_kit::pki::Authority;
use lazaret_kit::s3::{KEY_ID, S3, SECRET};
use lazaret_samples::{S3Config, SampleError, SamplesConfig};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use support::{Place, all, bytes, keys, read, send, sha, store};

const BUCKET: &str = "samples";

fn at(endpoint: String) -> impl FnOnce(&mut SamplesConfig) {
    move |c| {
        c.patience = Duration::from_secs(2);
        c.s3 = Some(S3Config {
            endpoint,
            bucket: BUCKET.to_owned(),
            region: "us-east-1".to_owned(),
            prefix: "lazaret/fleet".to_owned(),
            key_id: KEY_ID.to_owned(),
            secret: SECRET.to_owned(),
            allow_http: true,
            path_style: true,
            authority: None,
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn samples_lie_sealed_under_their_project() {
    let s3 = S3::start();
    s3.make_bucket(BUCKET);
    let place = Place::with(at(s3.endpoint()));
    let samples = place.open();
    samples.check().await.unwrap();
    assert!(samples.place().contains(BUCKET) && samples.place().contains(&s3.endpoint()));
    // The second one goes in several parts.
    let (small, large) = (bytes(1, 5000), bytes(2, 20 << 20));
    store(&samples, "p", &small).await.unwrap();
    store(&samples, "Q/r", &large).await.unwrap();
    let hex: String = sha(&small).iter().map(|b| format!("{b:02x}")).collect();
    let key = format!("p/{}/{hex}.age", &hex[..2]);
    let there = s3.keys(BUCKET);
    assert!(there.contains(&format!("lazaret/fleet/{key}")) && there.len() == 2, "{there:?}");
    let sealed = s3.object(BUCKET, &format!("lazaret/fleet/{key}"));
    assert!(sealed.starts_with(b"age-encryption.org/v1\n") && !sealed.windows(32).any(|w| w == &small[..32]));
    assert_eq!(read(&samples, "p", &sha(&small)).await.unwrap(), small);
    assert_eq!(read(&samples, "Q/r", &sha(&large)).await.unwrap(), large);
    assert_eq!(keys(&samples).await.len(), 2);
    // Another process, with the same key, on another machine.
    let other = Place::with(at(s3.endpoint()));
    std::fs::copy(place.key_file(), other.key_file()).unwrap();
    let other = other.open();
    assert_eq!(read(&other, "p", &sha(&small)).await.unwrap(), small);
    assert_eq!(other.usage("Q/r").await.unwrap(), samples.usage("Q/r").await.unwrap());
    assert!(!other.exists("p", &sha(&large)).await.unwrap());
    let mut listing = other.list();
    let object = listing.next().await.unwrap().unwrap();
    assert_eq!(all(other.sealed(&object).await.unwrap()).len() as u64, object.bytes);
    other.delete("p", &sha(&small)).await.unwrap();
    other.delete("p", &sha(&small)).await.unwrap();
    assert!(matches!(read(&samples, "p", &sha(&small)).await, Err(SampleError::NotFound(_))));
    assert_eq!(s3.keys(BUCKET).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_is_missing_is_named_and_nothing_is_lost() {
    let s3 = S3::start();
    let place = Place::with(at(s3.endpoint()));
    let samples = place.open();
    let content = bytes(3, 5000);
    for e in [samples.check().await.unwrap_err(), store(&samples, "p", &content).await.unwrap_err()] {
        assert!(!e.is_retryable(), "{e}");
        assert!(
            e.to_string().contains("the bucket samples at") && e.to_string().contains("no such bucket"),
            "{e}"
        );
    }
    s3.make_bucket(BUCKET);
    store(&samples, "p", &content).await.unwrap();
    assert_eq!(read(&samples, "p", &sha(&content)).await.unwrap(), content);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_goes_away_in_the_middle_is_waited_for() {
    let s3 = S3::start();
    s3.make_bucket(BUCKET);
    let place = Place::with(at(s3.endpoint()));
    let samples = place.open();
    let (first, second) = (bytes(4, 5000), bytes(5, 12 << 20));
    store(&samples, "p", &first).await.unwrap();
    send(&samples, "p", &second).await.unwrap();
    s3.close();
    let began = Instant::now();
    let tries = [
        samples.finish("p", &sha(&second)).await.unwrap_err(),
        samples.open_sample("p", &sha(&first)).await.unwrap_err(),
        samples.delete("p", &sha(&first)).await.unwrap_err(),
        samples.check().await.unwrap_err(),
    ];
    assert!(began.elapsed() < Duration::from_secs(60), "each is given up in time");
    for e in tries {
        assert!(e.is_retryable() && e.to_string().contains("the bucket samples at"), "{e}");
    }
    // A server starts all the same.
    drop(samples);
    let samples = place.open();
    s3.open();
    samples.finish("p", &sha(&second)).await.unwrap();
    assert_eq!(read(&samples, "p", &sha(&second)).await.unwrap(), second);
    assert_eq!(read(&samples, "p", &sha(&first)).await.unwrap(), first);
    assert_eq!(samples.spool_bytes(), 0);
}

/// Takes any request; answers what it is told, or never.
struct Nonsense {
    port: u16,
    requests: Arc<AtomicUsize>,
}

impl Nonsense {
    fn new(answer: Option<&'static [u8]>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let count = Arc::clone(&count);
                std::thread::spawn(move || {
                    let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
                    let mut stream = BufReader::new(stream);
                    let mut length = 0;
                    loop {
                        let mut line = String::new();
                        if stream.read_line(&mut line).unwrap_or(0) == 0 {
                            return;
                        }
                        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                            length = value.trim().parse().unwrap_or(0);
                        }
                        if line == "\r\n" {
                            break;
                        }
                    }
                    let mut body = vec![0; length];
                    if stream.read_exact(&mut body).is_err() {
                        return;
                    }
                    count.fetch_add(1, Ordering::Relaxed);
                    match answer {
                        Some(bytes) => drop(stream.get_mut().write_all(bytes)),
                        // Until the client has gone.
                        None => drop(stream.read_line(&mut String::new())),
                    }
                });
            }
        });
        Self { port, requests }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_is_reported_in_time_and_costs_no_sample() {
    let page: &[u8] =
        b"HTTP/1.1 503 Slow Down\r\ncontent-length: 20\r\nconnection: close\r\n\r\n<html>\x1b[2Jsorry</html";
    let fine: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
    let noise: &[u8] = &[0xff; 300];
    let forbidden: &[u8] = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    for (name, answer, retryable) in [
        ("503", Some(page), true),
        ("a page of somebody else", Some(fine), true),
        ("noise", Some(noise), true),
        ("silence", None, true),
        ("forbidden", Some(forbidden), false),
    ] {
        let server = Nonsense::new(answer);
        let place = Place::with(at(format!("http://127.0.0.1:{}", server.port)));
        let samples = place.open();
        let content = bytes(6, 5000);
        let digest = sha(&content);
        send(&samples, "p", &content).await.unwrap();
        let began = Instant::now();
        let tries = [
            samples.check().await.unwrap_err(),
            samples.finish("p", &digest).await.unwrap_err(),
            samples.open_sample("p", &digest).await.unwrap_err(),
        ];
        assert!(began.elapsed() < Duration::from_secs(60), "{name}: {:?}", began.elapsed());
        // What is no list passes for an empty one; nothing is stored because of it.
        assert!(samples.usage("p").await.is_err() || name == "a page of somebody else", "{name}");
        for e in tries {
            let text = e.to_string();
            assert!(text.contains("the bucket samples at") && text.len() < 1000, "{name}: {text}");
            assert!(!text.contains('\u{1b}') && !text.contains(SECRET), "{name}: {text}");
            assert_eq!(e.is_retryable(), retryable, "{name}: {text}");
        }
        let requests = server.requests.load(Ordering::Relaxed);
        assert!((1..=60).contains(&requests), "{name}: {requests} requests");
        assert!(samples.spool_bytes() > 5000, "{name}: the parts stay");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_store_that_the_given_authority_vouches_for_is_spoken_to() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let hook = Hook::start(Some(&ours.identity()));
    let dir = tempfile::tempdir().unwrap();
    let ask = async |authority: &Authority| {
        let path = dir.path().join("authority.pem");
        std::fs::write(&path, &authority.pem).unwrap();
        let place = Place::with(|c| {
            at(format!("https://127.0.0.1:{}", hook.port()))(c);
            c.s3.as_mut().unwrap().authority = Some(path);
        });
        place.open().check().await.unwrap_err().to_string()
    };
    let e = ask(&theirs).await;
    assert!(e.contains("certificate"), "{e}");
    // It is no store, and is spoken to.
    let e = ask(&ours).await;
    assert!(!e.contains("certificate"), "{e}");
}
