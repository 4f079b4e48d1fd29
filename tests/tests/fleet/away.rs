// SPDX-License-Identifier: Apache-2.0
//! Hosts and servers that are away for a while: nothing is lost, nothing is there twice.

use crate::{Base, Host, Site, on_both};
use lazaret_kit::{ServerSetup, bad, eventually};
use lazaret_model::{MalwareClass, TestRating};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

on_both!(a_server_that_is_killed_under_load_loses_and_doubles_nothing);

/// Files that are dropped while the server comes and goes.
const FILES: usize = 60;

fn content(n: usize) -> Vec<u8> {
    let mut bytes = bad::script(MalwareClass::Botnet, TestRating::High);
    bytes.extend(format!("# {n}\n").bytes());
    bytes
}

fn a_server_that_is_killed_under_load_loses_and_doubles_nothing(base: Base) {
    let mut site = Site::with(base, ServerSetup::default());
    let host = Host::new(&site.server);
    let volume = &host.volume;
    std::thread::scope(|s| {
        s.spawn(|| {
            for n in 0..FILES {
                std::fs::write(volume.join(&format!("f{n}")), content(n)).unwrap();
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        for _ in 0..3 {
            std::thread::sleep(Duration::from_millis(700));
            site.server.kill();
            std::thread::sleep(Duration::from_millis(200));
            site.server.restart();
        }
    });
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let all = eventually(Duration::from_secs(60), || {
        seen.clear();
        let page = site.server.get("/alarms?limit=1000");
        for a in page["items"].as_array().into_iter().flatten().filter(|a| a["class"] == "botnet") {
            *seen.entry(a["path"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
        seen.len() == FILES
    });
    assert!(all, "{} of {FILES}\n{}\n{}", seen.len(), site.server.log(), host.daemon.log());
    assert!(seen.values().all(|n| *n == 1), "{seen:?}");
}

#[test]
fn an_order_waits_for_a_host_that_is_away_and_can_be_taken_back() {
    let site = Site::new(Base::Sqlite);
    let host = Host::new(&site.server);
    for n in 0..2 {
        std::fs::write(host.volume.join(&format!("f{n}")), content(n)).unwrap();
    }
    let alarms: Vec<String> = (0..2)
        .map(|n| {
            let path = host.volume.join(&format!("f{n}"));
            let a = site.server.eventually("/alarms", "an alarm", |a| a["path"] == path.to_str().unwrap());
            a["id"].as_str().unwrap().to_owned()
        })
        .collect();
    let (mounts, id) = (vec![host.volume.path().to_owned()], host.id.clone());
    let folder = host.daemon.stop();
    site.server
        .eventually("/hosts", "a stopped host", |h| h["id"] == id.as_str() && h["status"] == "offline");
    let order = |alarm: &str| {
        site.server.post(&format!("/alarms/{alarm}/handle"), &json!({"operate_type": "isolate_and_kill"}))
    };
    let (kept, taken_back) = (order(&alarms[0]), order(&alarms[1]));
    assert_eq!(kept["commands"][0]["later"], true, "{kept}");
    let _ = site.server.post(&format!("/tasks/{}/cancel", taken_back["task"].as_str().unwrap()), &json!({}));
    let again = lazaret_kit::Setup {
        mounts,
        state: Some(folder.path().join("state")),
        more: site.server.section(),
        ..lazaret_kit::Setup::default()
    };
    let daemon = lazaret_kit::Daemon::start(&again);
    let done = site.server.finished(&kept);
    assert_eq!(done[0]["state"], "done", "{done:#?}\n{}", daemon.log());
    assert!(!host.volume.join("f0").exists());
    let cancelled = site.server.finished(&taken_back);
    assert_eq!(cancelled[0]["state"], "cancelled", "{cancelled:#?}");
    assert!(host.volume.join("f1").exists());
}
