// SPDX-License-Identifier: Apache-2.0
//! What people read of Malware Cloud Scan.

use super::*;

fn on() -> v1::CloudStatus {
    v1::CloudStatus {
        hashes: true,
        samples: true,
        max_sample_bytes: 20 << 20,
        exclude: vec![b"/home".to_vec(), b"/srv/\x1b[2J".to_vec()],
        kinds: vec!["executable".into(), "script".into()],
        wait_ms: 300,
        bytes_per_second: 1 << 20,
        consent_hashes: true,
        consent_samples: true,
        programs: 2_000,
        programs_unsent: 7,
        verdicts: 1,
        samples_waiting: 2,
        sample: Some(v1::CloudSample {
            sha256: vec![1; 32],
            path: b"/opt/\nx".to_vec(),
            size: 2 << 20,
            have: 1 << 20,
        }),
        sent_hashes: 2_000,
        sent_samples: 1,
        sent_bytes: 512,
        ..v1::CloudStatus::default()
    }
}

#[test]
fn what_leaves_is_said_in_words() {
    let page = cloud(Look::default(), &on());
    for part in [
        "hashes leave this host, and unknown programs of up to 20.0 MiB",
        "executables and scripts of up to 20.0 MiB, at most 1.0 MiB a second",
        "/srv/\\x1b[2J",
        "300 ms for an answer, then it runs",
        "2000 in the inventory, 7 of them to be told",
        "/opt/\\nx: 1.0 MiB of 2.0 MiB sent",
        "the hashes of 2000 files, 1 sample with 512 B",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert!(!page.contains('\x1b') && !page.contains("Less, because"));
    let closed = cloud(Look::default(), &v1::CloudStatus { fail_closed: true, ..on() });
    assert!(closed.contains("what no package owns does not run"));
}

#[test]
fn less_has_a_reason() {
    let s = v1::CloudStatus {
        hashes: true,
        consent_hashes: true,
        consent_samples: true,
        limits: vec!["[cloud] samples = false in lazaretd.toml: hashes only\x1b[0m".into()],
        ..v1::CloudStatus::default()
    };
    let page = cloud(Look::default(), &s);
    assert!(page.contains("Less, because") && page.contains("samples = false"), "{page}");
    assert!(page.contains("no samples") && !page.contains('\x1b'));
    let off = cloud(Look::default(), &v1::CloudStatus::default());
    assert!(off.contains("OFF: nothing leaves this host") && !off.contains("Waits"), "{off}");
}

#[test]
fn the_line_on_the_page_of_the_host() {
    let line = cloud_line(Look::default(), &on());
    assert!(line.contains("1 bad hash known, 2 samples waiting"), "{line}");
    let line = cloud_line(Look::default(), &v1::CloudStatus { verdicts: 2, ..on() });
    assert!(line.contains("2 bad hashes known"), "{line}");
    assert!(cloud_line(Look::default(), &v1::CloudStatus::default()).starts_with("OFF"));
}

#[test]
fn lists_show_names_as_data() {
    let row = v1::CloudSent {
        what: "sample".into(),
        path: b"/tmp/a\n\x1b[31mb\xff".to_vec(),
        sha256: vec![0xab; 32],
        server: "wss://s".into(),
        first_ms: 0,
        last_ms: 1_795_400_000_000,
        times: 3,
        bytes: 2_048,
    };
    let hash = v1::CloudSent { what: "hash".into(), bytes: 0, ..row.clone() };
    let page = cloud_sent(Look::default(), &[row, hash], 100);
    assert!(page.contains("/tmp/a\\n\\x1b[31mb\\xff") && page.contains("2.0 KiB"), "{page}");
    assert!(page.contains("abababababababab ") && !page.contains("--limit"), "{page}");
    assert_eq!(page.lines().count(), 3, "{page}");
    assert!(cloud_sent(Look::default(), &[v1::CloudSent::default()], 1).contains("--limit 0 shows all"));
    assert_eq!(cloud_sent(Look::default(), &[], 100), "Nothing was sent.\n");
    let verdict = v1::CloudVerdict {
        sha256: vec![1; 32],
        verdict: Some(v1::Verdict {
            class: "miner".into(),
            family: "\u{202e}x".into(),
            confidence: 99,
            ..v1::Verdict::default()
        }),
        act: true,
        origin: "deep_scan".into(),
        paths: (0..5).map(|i| format!("/srv/{i}").into_bytes()).collect(),
        ..v1::CloudVerdict::default()
    };
    let page = cloud_verdicts(Look::default(), &[verdict, v1::CloudVerdict::default()], 100);
    assert!(page.contains("refused, isolated") && page.contains("/srv/2, and 2 more"), "{page}");
    assert!(!page.contains('\u{202e}') && page.contains("deep_scan"));
    assert!(cloud_verdicts(Look::default(), &[], 0).contains("no verdict"));
}
