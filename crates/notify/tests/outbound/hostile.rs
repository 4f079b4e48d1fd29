// SPDX-License-Identifier: Apache-2.0
//! Targets that are broken or hostile hurt only themselves, and nothing is sent where it may not go.

use crate::bed::{Base, Bed, run, secret, until, within};
use crate::rows;
use lazaret_kit::hook::{Hook, Manner};
use lazaret_kit::pki::Authority;
use lazaret_notify::{Guard, Secrets};
use serde_json::json;
use std::net::TcpListener;
use std::time::{Duration, Instant};

async fn said(bed: &Bed, url: &str) -> String {
    let target = bed.target(json!({ "webhook": { "url": url } }), secret().1).await;
    let started = Instant::now();
    let result = lazaret_notify::test(&bed.outbound(), &target).await;
    within(Duration::from_secs(15), url, started);
    result.err().map(|e| e.to_string()).unwrap_or_default()
}

#[test]
fn the_test_button_says_what_the_target_did() {
    run(Base::Sqlite, async |bed: Bed| {
        let hook = Hook::start(None);
        let elsewhere = Hook::start(None);
        assert_eq!(said(&bed, &hook.url()).await, "", "a target that works");
        assert!(hook.seen()[0].body.contains("lazaret.test"));
        for (manner, words) in [
            (Manner::Status(500), "500"),
            (Manner::Status(404), "404"),
            (Manner::Redirect(elsewhere.url()), "redirects are not followed"),
            (Manner::Hang, "within 4 s"),
            (Manner::Drip, "within 4 s"),
            (Manner::Garbage, "no HTTP answer"),
        ] {
            hook.be(manner.clone());
            let text = said(&bed, &hook.url()).await;
            assert!(text.contains(words), "{manner:?}: {text}");
        }
        assert_eq!(elsewhere.connections(), 0, "no redirect is followed");
        // The status is the answer; a body without end is not read to its end.
        hook.be(Manner::Endless);
        assert_eq!(said(&bed, &hook.url()).await, "");
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let text = said(&bed, &format!("http://{closed}/")).await;
        assert!(text.contains("cannot connect"), "{text}");
        let text = said(&bed, "https://no-such-host.invalid/").await;
        assert!(text.contains("no-such-host.invalid"), "{text}");
    });
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused() {
    run(Base::Sqlite, async |bed: Bed| {
        let (known, unknown) = (Authority::new(), Authority::new());
        let hook = Hook::start(Some(&unknown.identity()));
        let settings = json!({ "webhook": { "url": hook.url(), "authority": known.pem } });
        let target = bed.target(settings, secret().1).await;
        let text = lazaret_notify::test(&bed.outbound(), &target).await.unwrap_err().to_string();
        assert!(text.contains("TLS"), "{text}");
        assert!(hook.seen().is_empty(), "nothing was sent");
        let good = json!({ "webhook": { "url": hook.url(), "authority": unknown.pem } });
        let target = bed.target(good, secret().1).await;
        lazaret_notify::test(&bed.outbound(), &target).await.unwrap();
    });
}

#[test]
fn nothing_goes_to_addresses_that_only_the_server_reaches() {
    run(Base::Sqlite, async |bed: Bed| {
        let hook = Hook::start(None);
        let port = hook.port();
        let mut out = bed.outbound();
        out.guard = Guard::default();
        for host in [
            "127.0.0.1",
            "localhost",
            "127.1",
            "2130706433",
            "0x7f000001",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "0.0.0.0",
            "169.254.169.254",
            "10.0.0.1",
            "[fe80::1]",
            "[fd00::1]",
        ] {
            let url = format!("http://{host}:{port}/");
            let target = bed.target(json!({ "webhook": { "url": url } }), secret().1).await;
            let text = lazaret_notify::test(&out, &target).await.unwrap_err().to_string();
            assert!(
                text.contains("[outbound] allow") || text.contains("cannot be resolved"),
                "{host}: {text}"
            );
        }
        for settings in [
            json!({ "email": { "server": "127.0.0.1", "port": port, "security": "none",
                "from": "a@b.example", "to": ["c@d.example"] } }),
            json!({ "syslog": { "server": "localhost", "port": port } }),
            json!({ "http": { "url": hook.url() } }),
        ] {
            let target = bed.target(settings, Secrets::default()).await;
            let text = lazaret_notify::test(&out, &target).await.unwrap_err().to_string();
            assert!(text.contains("[outbound] allow"), "{text}");
        }
        assert_eq!(hook.connections(), 0, "nobody even connected");
    });
}

#[test]
fn a_target_that_hangs_holds_up_nobody_else() {
    run(Base::Sqlite, async |bed: Bed| {
        let slow: Vec<Hook> = (0..4).map(|_| Hook::start(None)).collect();
        let quick = Hook::start(None);
        for (hook, manner) in slow.iter().zip([Manner::Hang, Manner::Drip, Manner::Garbage, Manner::Endless])
        {
            hook.be(manner);
            bed.target(json!({ "webhook": { "url": hook.url() } }), secret().1).await;
        }
        bed.target(json!({ "webhook": { "url": quick.url() } }), secret().1).await;
        let worker = bed.work();
        let host = rows::host(&bed.store, "0", "web-1").await;
        for n in 1..=3 {
            bed.store.put_alarms(vec![rows::alarm(&host, "worm", 2, Vec::new())]).await.unwrap();
            until("told", async || quick.seen().len() == n).await;
        }
        worker.stop().await;
    });
}
