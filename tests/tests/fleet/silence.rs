// SPDX-License-Identifier: Apache-2.0
//! Hosts that are no longer heard: stopped in order, cut off, or many at once.

use crate::{Base, Host, Site};
use lazaret_kit::{Net, ServerSetup, Setup, eventually};
use serde_json::Value;
use std::time::Duration;

fn alarms_of_the_server(site: &Site) -> Vec<Value> {
    let all = site.server.get("/alarms?limit=1000");
    let own = |a: &&Value| a["origin"] == "daemon" && a["class"].is_null();
    all["items"].as_array().into_iter().flatten().filter(own).cloned().collect()
}

#[test]
fn a_host_that_falls_silent_raises_one_alarm_and_one_that_stops_none() {
    let net = Net::new(2);
    let setup = ServerSetup {
        agents: Some(net.server()),
        more: "silence_seconds = 4\nkeep_alive_seconds = 1\n".into(),
        ..ServerSetup::default()
    };
    let site = Site::with(Base::Sqlite, setup);
    let cut = Host::with(&site.server, Setup { namespace: Some(net.namespace(0)), ..Setup::default() });
    let stopped = Host::with(&site.server, Setup { namespace: Some(net.namespace(1)), ..Setup::default() });
    let Host { daemon, id: stopped, volume: _volume } = stopped;
    drop(daemon.stop());
    site.server.eventually("/hosts", "a stopped host", |h| {
        h["id"] == stopped.as_str() && h["status"] == "offline" && h["stopped"] == true
    });
    net.cut(0);
    site.server.eventually("/hosts", "a silent host", |h| {
        h["id"] == cut.id.as_str() && h["status"] == "offline" && h["stopped"] == false
    });
    let alarm = site.server.eventually("/alarms", "an alarm about silence", |a| {
        a["origin"] == "daemon" && a["host"]["id"] == cut.id.as_str()
    });
    assert_eq!(alarm["severity"], "high", "{alarm}");
    net.heal(0);
    site.server
        .eventually("/hosts", "the host again", |h| h["id"] == cut.id.as_str() && h["status"] == "online");
    let all = alarms_of_the_server(&site);
    assert_eq!(all.len(), 1, "{all:#?}");
    assert!(eventually(Duration::from_secs(20), || cut.daemon.status()["server"]["connected"] == true));
}
