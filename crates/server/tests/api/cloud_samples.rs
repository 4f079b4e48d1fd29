// SPDX-License-Identifier: Apache-2.0
//! Samples: a hold keeps them, deletion deletes them, and who may not take one home gets none.

use crate::base::{Base, on_both};
use crate::kit::{Server, now_ms};
use crate::rows;
use age::secrecy::SecretString;
use lazaret_samples::Samples;
use lazaret_store::HostRow;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

on_both!(
    a_hold_blocks_deletion,
    a_download_is_encrypted_and_on_record,
    a_sample_is_scanned_again,
    what_is_over_is_deleted_unless_it_is_held,
);

const CONTENT: &[u8] = b"#!/bin/sh\necho a sample of this test\n";

fn sha() -> [u8; 32] {
    Sha256::digest(CONTENT).into()
}

fn path(tail: &str) -> String {
    let digest = lazaret_model::Sha256(sha()).to_string();
    format!("/api/v1/samples/{digest}{tail}")
}

/// The server's samples, with a spool of our own.
fn samples(s: &Server) -> (Samples, TempDir) {
    let spool = tempfile::tempdir().unwrap();
    let mut settings = s.config.samples.resolve(&s.config.server.data).unwrap();
    settings.spool = spool.path().join("spool");
    let keys = lazaret_server::init::authority_folder(&s.config);
    (Samples::open(&settings, &keys).unwrap(), spool)
}

/// Sent by a host and stored, as the gateway does it.
async fn stored(s: &Server, host: &HostRow) {
    let (samples, _spool) = samples(s);
    rows::file(s, host, b"/srv/sample.sh", sha()).await;
    rows::sample(s, host, sha()).await;
    let size = CONTENT.len() as u64;
    let have = samples.put_part(&host.project, &sha(), size, 0, CONTENT).await.unwrap();
    assert_eq!(have, size);
    samples.finish(&host.project, &sha()).await.unwrap();
    s.store().sample_stored(&host.project, &sha(), now_ms()).await.unwrap();
}

async fn a_hold_blocks_deletion(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.person("ada", &[("*", "administrator")]).await;
    let host = rows::host(&s, "0").await;
    stored(&s, &host).await;
    let list = s.get("/api/v1/samples?state=stored", &admin).await.expect(200);
    assert_eq!((&list["total"], &list["items"][0]["host"]["id"]), (&json!(1), &json!(host.id)));
    assert!(list["items"][0]["kept_until"].is_string(), "{list}");
    let hold = async |body: Value| s.send("PUT", &path("/hold"), &admin, Some(body), &[]).await;
    hold(json!({ "held": true })).await.problem(422, "invalid");
    let held = hold(json!({ "held": true, "reason": "case 7" })).await.expect(200);
    assert_eq!((&held["hold"]["by"], &held["hold"]["reason"]), (&json!("ada"), &json!("case 7")));
    let refused = s.send("DELETE", &path(""), &admin, None, &[]).await.problem(409, "conflict");
    assert!(refused.contains("case 7"), "{refused}");
    let (files, _spool) = samples(&s);
    assert!(files.exists("0", &sha()).await.unwrap());
    let found = s.get("/api/v1/samples?held=true", &admin).await.expect(200);
    assert_eq!(found["total"], 1);
    assert_eq!(s.get("/api/v1/samples?held=false", &admin).await.expect(200)["total"], 0);

    assert_eq!(hold(json!({ "held": false })).await.expect(200)["hold"], json!(null));
    let gone = s.send("DELETE", &path(""), &admin, None, &[]).await.expect(200);
    assert_eq!((&gone["state"], &gone["deleted_by"]), (&json!("deleted"), &json!("ada")));
    assert!(!files.exists("0", &sha()).await.unwrap());
    hold(json!({ "held": true, "reason": "late" })).await.problem(409, "conflict");
    s.post(&path("/download"), &admin, json!({})).await.problem(409, "conflict");
    let actions = ["sample.hold", "sample.release", "sample.delete"];
    for action in actions {
        let audit = s.get(&format!("/api/v1/audit?action={action}"), &admin).await.expect(200);
        assert_eq!(audit["total"], 1, "{action}: {audit}");
    }
    s.stop().await;
}

async fn a_download_is_encrypted_and_on_record(base: Base) {
    let s = Server::start_on(base).await;
    let host = rows::host(&s, "0").await;
    stored(&s, &host).await;
    let analyst = s.person("ana", &[("0", "analyst")]).await;
    let admin = s.admin().await;
    for (name, role) in [("vi", "viewer"), ("op", "operator"), ("au", "auditor")] {
        let token = s.person(name, &[("0", role)]).await;
        s.post(&path("/download"), &token, json!({})).await.problem(403, "forbidden");
        assert_eq!(
            s.get("/api/v1/samples", &token).await.expect(200)["total"],
            1,
            "{role} sees that it is there"
        );
    }
    let audit = s.get("/api/v1/audit?action=sample.download", &admin).await.expect(200);
    assert_eq!(audit["total"], 0, "nothing has left yet");

    let archive = s.post(&path("/download"), &analyst, json!({})).await;
    assert_eq!((archive.status, archive.header("content-type")), (200, "application/octet-stream"));
    assert!(archive.header("content-disposition").ends_with(".age\""));
    assert_eq!(archive.header("content-length"), archive.bytes.len().to_string());
    assert!(!archive.bytes.windows(8).any(|w| CONTENT.windows(8).any(|c| c == w)), "nothing of it is plain");
    let password = archive.header("x-lazaret-archive-password").to_owned();
    assert!(password.len() >= 20, "{password}");
    let open = |password: &str, bytes: &[u8]| {
        let identity = age::scrypt::Identity::new(SecretString::from(password.to_owned()));
        age::decrypt(&identity, bytes)
    };
    assert_eq!(open(&password, &archive.bytes).unwrap(), CONTENT);
    assert!(open("another password", &archive.bytes).is_err());

    let own = json!({ "password": "correct horse battery" });
    let archive = s.post(&path("/download"), &analyst, own).await;
    assert_eq!((archive.status, archive.header("x-lazaret-archive-password")), (200, ""));
    assert_eq!(open("correct horse battery", &archive.bytes).unwrap(), CONTENT);
    s.post(&path("/download"), &analyst, json!({ "password": "short" })).await.problem(422, "invalid");

    let audit = s.get("/api/v1/audit?action=sample.download", &admin).await.expect(200);
    assert_eq!((&audit["total"], &audit["items"][0]["who"]), (&json!(2), &json!("ana")));
    let text = audit.to_string();
    assert!(!text.contains(&password) && !text.contains("correct horse"), "{text}");
    let b = rows::project(&s, "b").await;
    let other = s.person("other", &[(&b, "analyst")]).await;
    for project in ["0", b.as_str()] {
        let path = path(&format!("/download?project={project}"));
        s.post(&path, &other, json!({})).await.problem(404, "not-found");
    }
    s.stop().await;
}

/// The job, for a worker. One that the server looks at in this moment is passed over (SKIP LOCKED), as workers know.
async fn leased(s: &Server) -> String {
    for _ in 0..100 {
        let taken = s.store().lease_deep_scans("w", 1, 60_000, now_ms()).await.unwrap();
        if let Some(job) = taken.first() {
            return job.id.clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no job within 5 s");
}

async fn a_sample_is_scanned_again(base: Base) {
    let s = Server::start_on(base).await;
    let op = s.person("op", &[("0", "operator")]).await;
    let host = rows::host(&s, "0").await;
    rows::file(&s, &host, b"/srv/sample.sh", sha()).await;
    let rescan = path("/rescan").replace("/samples/", "/files/");
    s.send("POST", &rescan, &op, None, &[]).await.problem(409, "conflict");
    stored(&s, &host).await;
    let jobs = s.get("/api/v1/deep-scans", &op).await.expect(200);
    assert_eq!((&jobs["total"], &jobs["items"][0]["state"]), (&json!(1), &json!("queued")));
    assert_eq!(
        s.send("POST", &rescan, &op, None, &[]).await.expect(200)["queued"],
        false,
        "it waits already"
    );

    // It ends its scanner three times.
    for _ in 0..3 {
        let taken = leased(&s).await;
        let now = now_ms();
        s.store().give_back_deep_scan(&taken, "w", "it crashed", now, true, now).await.unwrap();
    }
    let aside = s.get("/api/v1/deep-scans?state=set_aside", &op).await.expect(200);
    assert_eq!((&aside["total"], &aside["items"][0]["reason"]), (&json!(1), &json!("it crashed")));
    assert_eq!(aside["items"][0]["crashes"], 3);
    let page = s.get(&rescan.replace("/rescan", ""), &op).await.expect(200);
    assert!(page["history"].to_string().contains("set aside: it crashed"), "{page}");
    assert_eq!(s.send("POST", &rescan, &op, None, &[]).await.expect(200)["queued"], true);
    let jobs = s.get("/api/v1/deep-scans?state=queued", &op).await.expect(200);
    assert_eq!((&jobs["total"], &jobs["items"][0]["crashes"]), (&json!(1), &json!(0)));
    s.stop().await;
}

async fn what_is_over_is_deleted_unless_it_is_held(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.admin().await;
    let host = rows::host(&s, "0").await;
    stored(&s, &host).await;
    let late = now_ms() + 2 * 86_400_000;
    let hold = |held: bool| json!({ "held": held, "reason": "case 7" });
    s.send("PUT", &path("/hold"), &admin, Some(hold(true)), &[]).await.expect(200);
    assert!(s.store().samples_due(late).await.unwrap().is_empty(), "held");
    s.send("PUT", &path("/hold"), &admin, Some(hold(false)), &[]).await.expect(200);
    let due = s.store().samples_due(late).await.unwrap();
    assert_eq!(due.iter().map(|d| d.sha256.as_slice()).collect::<Vec<_>>(), [sha()]);
    let shown = s.get("/api/v1/samples?state=deleting", &admin).await.expect(200);
    assert_eq!((&shown["total"], &shown["items"][0]["deleted_by"]), (&json!(1), &json!(null)));
    s.stop().await;
}
