// SPDX-License-Identifier: Apache-2.0
//! A server that is lost comes back from its backup, and its hosts send again what it lost.

use crate::{Base, Host, Site, on_both};
use lazaret_kit::{bad, eventually};
use lazaret_model::{MalwareClass, TestRating};
use serde_json::json;
use std::collections::BTreeMap;
use std::process::Output;
use std::time::Duration;

on_both!(hosts_send_again_what_a_restored_server_lost);

const SOON: Duration = Duration::from_secs(90);

fn drop_file(host: &Host, n: usize) {
    let mut bytes = bad::script(MalwareClass::Botnet, TestRating::Medium);
    bytes.extend(format!("# {n}\n").bytes());
    std::fs::write(host.volume.join(&format!("f{n}")), bytes).unwrap();
}

/// How often each path stands in the alarms.
fn alarms(site: &Site) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    let page = site.server.get("/alarms?limit=1000");
    for a in page["items"].as_array().into_iter().flatten().filter(|a| a["class"] == "botnet") {
        *seen.entry(a["path"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    seen
}

fn said(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

fn hosts_send_again_what_a_restored_server_lost(base: Base) {
    let mut site = Site::new(base);
    let host = Host::new(&site.server);
    for n in 0..5 {
        drop_file(&host, n);
    }
    assert!(eventually(SOON, || alarms(&site).len() == 5), "{:?}\n{}", alarms(&site), host.daemon.log());
    // Handled before the backup: that stays.
    let first = host.volume.join("f0");
    let alarm = site.server.eventually("/alarms", "the first", |a| a["path"] == first.to_str().unwrap());
    let id = alarm["id"].as_str().unwrap().to_owned();
    let ordered = site
        .server
        .post(&format!("/alarms/{id}/handle"), &json!({"operate_type": "ignore", "remark": "kept"}));
    let _ = site.server.finished(&ordered);
    let archive = site.server.data().parent().unwrap().join("backup.tar");
    let archive = archive.to_str().unwrap().to_owned();
    let made = site.server.run(&["backup", "--to", &archive]);
    assert!(made.status.success(), "{}", said(&made));
    assert!(said(&made).contains("warning"), "the authority is not encrypted: {}", said(&made));
    // What comes after it is what a restored server has lost.
    for n in 5..10 {
        drop_file(&host, n);
    }
    assert!(eventually(SOON, || alarms(&site).len() == 10), "{:?}\n{}", alarms(&site), host.daemon.log());
    let running = site.server.run(&["restore", "--from", &archive, "--replace"]);
    assert!(!running.status.success() && said(&running).contains("stop"), "{}", said(&running));
    site.server.kill();
    let used = site.server.run(&["restore", "--from", &archive]);
    assert!(!used.status.success() && said(&used).contains("--replace"), "{}", said(&used));
    // The machine is gone: nothing is left of folder and database.
    std::fs::remove_dir_all(site.server.data()).unwrap();
    if let Some(cluster) = &site.cluster {
        let fresh = cluster.create("second");
        let text = std::fs::read_to_string(site.server.config()).unwrap();
        let old = text.lines().find(|l| l.starts_with("database")).unwrap().to_owned();
        std::fs::write(site.server.config(), text.replace(&old, &format!("database = {fresh:?}"))).unwrap();
    }
    let done = site.server.run(&["restore", "--from", &archive]);
    assert!(done.status.success(), "{}", said(&done));
    assert!(said(&done).contains(&site.server.authority), "the same authority: {}", said(&done));
    site.server.restart();
    let back = eventually(SOON, || alarms(&site).len() == 10);
    let seen = alarms(&site);
    assert!(back, "{seen:?}\n{}\n{}", site.server.log(), host.daemon.log());
    assert!(seen.values().all(|n| *n == 1), "nothing is there twice: {seen:?}");
    site.server.eventually("/alarms", "what was handled before", |a| {
        a["id"] == id.as_str() && a["handle_status"] == "handled"
    });
    site.server
        .eventually("/hosts", "the host online", |h| h["id"] == host.id.as_str() && h["status"] == "online");
    // It goes on: what comes now is told, and orders arrive.
    drop_file(&host, 10);
    assert!(eventually(SOON, || alarms(&site).len() == 11), "{:?}\n{}", alarms(&site), host.daemon.log());
    let log = site.server.get("/audit");
    assert!(log.to_string().contains("server.restore"), "{log:#}");
}
