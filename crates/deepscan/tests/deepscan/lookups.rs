// SPDX-License-Identifier: Apache-2.0
//! Look-ups by hash against a local server that speaks the published protocols, and that does not.

use crate::http::{Http, Reply};
use lazaret_deepscan::{Connector, ConnectorKind, ConnectorSettings, Opinion, Sample, Vote};
use lazaret_model::Sha256;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SHA: Sha256 = Sha256([0xab; 32]);

fn sample() -> Sample {
    Sample { sha256: SHA, size: 5, file: Arc::new(tempfile::tempfile().unwrap()) }
}

fn connector(kind: ConnectorKind, http: &Http) -> Connector {
    let mut settings = ConnectorSettings::new("asked", kind, &http.url());
    settings.key = "a-key".into();
    settings.timeout = Duration::from_secs(5);
    Connector::new(settings).unwrap()
}

async fn ask(kind: ConnectorKind, reply: Reply) -> (Vote, Vec<String>) {
    let http = Http::start(vec![reply]);
    let vote = connector(kind, &http).ask(&sample()).await;
    (vote, http.asked())
}

fn known_to_virustotal(malicious: u64) -> serde_json::Value {
    json!({ "data": { "type": "file", "id": SHA.to_string(), "attributes": {
        "sha256": SHA.to_string(),
        "last_analysis_stats":
            { "malicious": malicious, "suspicious": 0, "undetected": 50, "harmless": 0, "timeout": 0 },
        "last_analysis_results": { "Engine": { "category": "malicious", "result": "Linux/Worm.Q" } },
    } } })
}

#[tokio::test]
async fn virustotal_is_asked_as_its_protocol_says() {
    let (vote, asked) = ask(ConnectorKind::VirusTotal, Reply::json(200, &known_to_virustotal(30))).await;
    assert_eq!((vote.opinion, vote.family.as_str()), (Opinion::Bad, "Linux/Worm.Q"), "{vote:?}");
    assert!(vote.detail.contains("30 of 80"), "{vote:?}");
    assert_eq!(asked.len(), 1);
    assert!(asked[0].starts_with(&format!("GET /api/v3/files/{SHA} HTTP/1.1\r\n")), "{}", asked[0]);
    assert!(asked[0].to_lowercase().contains("\r\nx-apikey: a-key\r\n"), "{}", asked[0]);
    let missing = json!({ "error": { "code": "NotFoundError", "message": "not here" } });
    let (vote, _) = ask(ConnectorKind::VirusTotal, Reply::json(404, &missing)).await;
    assert_eq!((vote.opinion, vote.is_open()), (Opinion::Unknown, false));
}

#[tokio::test]
async fn malwarebazaar_is_asked_as_its_protocol_says() {
    let known = json!({ "query_status": "ok", "data": [
        { "sha256_hash": SHA.to_string(), "signature": "Mirai", "first_seen": "2026-01-01 00:00:00" }
    ] });
    let (vote, asked) = ask(ConnectorKind::MalwareBazaar, Reply::json(200, &known)).await;
    assert_eq!((vote.opinion, vote.family.as_str()), (Opinion::Bad, "Mirai"), "{vote:?}");
    assert!(asked[0].starts_with("POST /api/v1/ HTTP/1.1\r\n"), "{}", asked[0]);
    assert!(asked[0].ends_with(&format!("\r\n\r\nquery=get_info&hash={SHA}")), "{}", asked[0]);
    let head = asked[0].to_lowercase();
    assert!(head.contains("\r\nauth-key: a-key\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n"), "{head}");
    let unknown = json!({ "query_status": "hash_not_found" });
    let (vote, _) = ask(ConnectorKind::MalwareBazaar, Reply::json(200, &unknown)).await;
    assert_eq!(vote.opinion, Opinion::Unknown);
}

#[tokio::test]
async fn nonsense_of_any_kind_is_no_vote() {
    let poisoned = known_to_virustotal(30).to_string().replace("abab", "cdcd");
    for kind in [ConnectorKind::VirusTotal, ConnectorKind::MalwareBazaar] {
        for reply in [
            Reply::Said(200, Vec::new(), b"<html>sign in</html>".to_vec()),
            Reply::Said(200, Vec::new(), b"\xff\xfe\x00".to_vec()),
            Reply::Said(200, Vec::new(), Vec::new()),
            Reply::Said(200, Vec::new(), poisoned.clone().into_bytes()),
            Reply::Said(200, Vec::new(), "[".repeat(100_000).into_bytes()),
            Reply::Said(500, Vec::new(), b"broken".to_vec()),
            Reply::Said(404, Vec::new(), b"{}".to_vec()),
            Reply::Flood(3 << 20),
            Reply::CutOff,
            Reply::Silence(Duration::ZERO),
        ] {
            let shown = format!("{kind:?} {:.80}", format!("{reply:?}"));
            let (vote, _) = ask(kind, reply).await;
            assert_eq!(vote.opinion, Opinion::None, "{shown}: {vote:?}");
            assert!(vote.is_open() && !vote.detail.is_empty(), "{shown}: {vote:?}");
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Http::start(vec![Reply::json(200, &known_to_virustotal(30))]);
    let headers = vec![("Location", format!("{}/api/v3/files/{SHA}", elsewhere.url()))];
    let (vote, _) = ask(ConnectorKind::VirusTotal, Reply::Said(302, headers, Vec::new())).await;
    assert_eq!((vote.opinion, vote.is_open()), (Opinion::None, false), "{vote:?}");
    assert!(elsewhere.asked().is_empty(), "our key went elsewhere");
}

#[tokio::test]
async fn a_key_that_is_not_taken_is_not_tried_again() {
    for status in [401, 403] {
        let (vote, _) = ask(ConnectorKind::VirusTotal, Reply::Said(status, Vec::new(), b"{}".to_vec())).await;
        assert_eq!((vote.opinion, vote.is_open()), (Opinion::None, false), "{vote:?}");
        assert!(!vote.detail.contains("a-key"));
    }
}

#[tokio::test]
async fn who_is_asked_too_often_is_left_alone_for_as_long_as_it_says() {
    let too_many = Reply::Said(429, vec![("Retry-After", "120".to_owned())], b"{}".to_vec());
    let http = Http::start(vec![too_many, Reply::json(200, &known_to_virustotal(30))]);
    let connector = connector(ConnectorKind::VirusTotal, &http);
    let first = connector.ask(&sample()).await;
    assert_eq!((first.opinion, first.again_ms), (Opinion::None, Some(120_000)), "{first:?}");
    // Not asked again meanwhile, by no job.
    let second = connector.ask(&sample()).await;
    assert!(second.is_open() && second.again_ms.unwrap() <= 120_000, "{second:?}");
    assert_eq!(http.asked().len(), 1);
    // Without a number, or with one that is out of all bounds, it is our own pause.
    for (given, wanted) in [("Fri, 31 Dec 2027 00:00:00 GMT", 60_000), ("99999999", 3_600_000)] {
        let reply = Reply::Said(429, vec![("Retry-After", given.to_owned())], Vec::new());
        assert_eq!(ask(ConnectorKind::VirusTotal, reply).await.0.again_ms, Some(wanted));
    }
}

#[tokio::test]
async fn who_is_slow_costs_no_more_than_its_time() {
    let http = Http::start(vec![Reply::Silence(Duration::from_secs(20))]);
    let mut settings = ConnectorSettings::new("slow", ConnectorKind::VirusTotal, &http.url());
    settings.key = "k".into();
    settings.timeout = Duration::from_millis(300);
    let begun = Instant::now();
    let vote = Connector::new(settings).unwrap().ask(&sample()).await;
    assert!(vote.is_open() && begun.elapsed() < Duration::from_secs(10), "{vote:?}");
}

#[tokio::test]
async fn who_is_not_there_is_asked_again() {
    let http = Http::start(vec![Reply::CutOff]);
    let connector = connector(ConnectorKind::MalwareBazaar, &http);
    drop(http);
    let vote = connector.ask(&sample()).await;
    assert!(vote.opinion == Opinion::None && vote.is_open(), "{vote:?}");
}

#[test]
fn a_key_is_not_sent_in_the_open() {
    let mut settings = ConnectorSettings::new("vt", ConnectorKind::VirusTotal, "http://192.0.2.1:80");
    settings.key = "k".into();
    assert!(Connector::new(settings).unwrap_err().contains("https://"));
}
