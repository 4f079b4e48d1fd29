// SPDX-License-Identifier: Apache-2.0
//! The simulated fleet on a real server: what figures are measured with loses nothing either.

use crate::{Base, Site, on_both};
use lazaret_kit::Swarm;
use lazaret_kit::swarm::FIRST;
use serde_json::json;
use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

on_both!(fifty_hosts_raise_alarms_and_do_an_order);

const HOSTS: u64 = 50;
const ALARMS: u64 = 500;
const SOON: Duration = Duration::from_secs(60);

fn fifty_hosts_raise_alarms_and_do_an_order(base: Base) {
    let site = Site::new(base);
    let server = &site.server;
    let options = ["--hosts", "50", "--mode", "alarms", "--alarms", "500", "--rate", "500", "--threads", "1"];
    let mut fleet = Swarm::start(server, &options);
    let ready = fleet.event("ready", SOON);
    assert_eq!((&ready["enrolled"], &ready["sessions"]), (&json!(HOSTS), &json!(HOSTS)));
    let produced = fleet.event("produced", SOON);
    assert_eq!(produced["alarms_acked"], ALARMS, "{produced}\n{}", server.log());

    let online = server.get("/hosts/statistics");
    assert_eq!(online["total"], HOSTS, "{online}");
    assert_eq!(server.get("/alarms/statistics")["total"], ALARMS);
    let page = server.get("/alarms?limit=1000");
    let of = |what: &str| -> BTreeSet<String> {
        let items = page["items"].as_array().into_iter().flatten();
        items.filter_map(|a| a.pointer(what)?.as_str().map(str::to_owned)).collect()
    };
    assert_eq!((of("/id").len() as u64, of("/host/id").len() as u64), (ALARMS, HOSTS));

    let all = json!({"class": FIRST, "operate_type": "mark_as_handled"});
    let ordered = server.post("/alarms/handle-all", &all);
    assert_eq!(ordered["total"], HOSTS, "{ordered}");
    let task = format!("/tasks/{}", ordered["task"].as_str().expect("a task"));
    let done = server.eventually(&task, "the end of the order", |t| t["finished"] == true);
    assert_eq!(done["by_state"], json!([{"word": "done", "count": HOSTS}]), "{done}");

    let told = fleet.finish();
    assert_eq!(told["commands"], HOSTS, "{told}");
    assert_eq!((&told["alarms_sent"], &told["alarms_acked"]), (&json!(ALARMS), &json!(ALARMS)), "{told}");
    assert_eq!(
        (&told["refused"], &told["failed"], &told["reconnects"]),
        (&json!(0), &json!(0), &json!(0)),
        "{told}"
    );
    server.eventually("/hosts?limit=1000", "hosts that stopped in order", |h| h["stopped"] == true);
}

#[test]
fn a_swarm_that_cannot_begin_says_why() {
    let site = Site::new(Base::Sqlite);
    let said = |more: &[&str]| {
        let out = Command::new(lazaret_kit::binaries::path("lazaret-swarm"))
            .args(["--gateway", &site.server.agents, "--hosts", "2", "--seconds", "1"])
            .args(more)
            .output()
            .expect("lazaret-swarm");
        assert!(!out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
        String::from_utf8_lossy(&out.stderr).into_owned()
    };
    let (print, wrong) = (site.server.authority.as_str(), "0".repeat(64));
    let text = said(&["--ca-fingerprint", print, "--token", "no-such-token"]);
    assert!(text.contains("token is not known"), "{text}");
    let text = said(&["--ca-fingerprint", &wrong, "--token", "t"]);
    assert!(text.contains("fingerprint"), "{text}");
    let text = said(&["--ca-fingerprint", print]);
    assert!(text.contains("--token"), "{text}");
    let text = said(&["--gateway", "127.0.0.1:9", "--ca-fingerprint", print, "--token", "t"]);
    assert!(text.contains("127.0.0.1:9"), "{text}");
}
