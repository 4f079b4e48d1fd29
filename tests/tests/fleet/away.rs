// SPDX-License-Identifier: Apache-2.0
//! Hosts and servers that are away for a while: nothing is lost, nothing is there twice.

use crate::{Base, Host, Site, arrived, content, on_both};
use lazaret_kit::ServerSetup;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

on_both!(a_server_that_is_killed_under_load_loses_and_doubles_nothing);

/// Files that are dropped while the server comes and goes.
const FILES: usize = 100;

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
        // At other moments of a batch each time: before it came, in its commit, after its acknowledgement.
        for n in 0..6 {
            std::thread::sleep(Duration::from_millis(250 + 130 * n));
            site.server.kill();
            std::thread::sleep(Duration::from_millis(40 * n));
            site.server.restart();
        }
    });
    arrived(&site.server, &host, FILES);
    let page = site.server.get(&format!("/alarms?host={}&class=botnet&limit=1000", host.id));
    let paths: BTreeSet<&str> =
        page["items"].as_array().into_iter().flatten().filter_map(|a| a["path"].as_str()).collect();
    assert_eq!(paths.len(), FILES, "{}", site.server.log());
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
