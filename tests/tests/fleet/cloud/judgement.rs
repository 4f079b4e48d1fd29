// SPDX-License-Identifier: Apache-2.0
//! What people decide of a file: bad, and taken back; and the self-test that proves all of it on a host.

use super::{Cloud, about, armed, condemn, digest, page, places, program, standing, until};
use crate::{Base, Host, on_both};
use lazaret_kit::proc::{is_refused, run, write_executable};
use serde_json::json;

on_both!(a_verdict_that_is_withdrawn_lets_the_file_run_and_offers_its_restore);

fn a_verdict_that_is_withdrawn_lets_the_file_run_and_offers_its_restore(base: Base) {
    let cloud = Cloud::new(base);
    let server = cloud.server();
    let hosts = [Host::new(server), Host::new(server)];
    let group = server.post("/host-groups", &json!({"project": "0", "name": "first"}));
    let _ = server.post("/hosts/assign", &json!({"hosts": [hosts[0].id], "group": group["id"]}));
    armed(server, &[&hosts[0], &hosts[1]], |c| {
        c["samples"] = json!(false);
        c["canary_groups"] = json!([group["id"]]);
        c["ring_seconds"] = json!(-1);
    });
    let bytes = b"#!/bin/sh\necho ran\n# an ordinary script on two hosts\n";
    let sha256 = digest(bytes);
    let at = |n: usize| hosts[n].volume.join("tool");
    for n in 0..2 {
        write_executable(&at(n), bytes);
    }
    until(server, &hosts[0], "the file", || places(server, &sha256).len() == 2);
    let said = condemn(server, "0", &sha256);
    assert_eq!(said["hosts"], 2, "{said}");
    until(server, &hosts[0], "the isolation on the canary", || !at(0).exists());
    until(server, &hosts[1], "the denial", || is_refused(&run(&at(1))));
    until(server, &hosts[0], "the isolated file", || {
        page(server, "0", &sha256).is_some_and(|p| p["isolated_total"] == 1)
    });

    let body = json!({"verdict": "withdrawn", "reason": "it is ours"});
    let taken = server.post(&format!("/files/{sha256}/verdict?project=0"), &body);
    assert_eq!(taken["isolated_total"], 1, "{taken:#}");
    until(server, &hosts[1], "its execution", || run(&at(1)).is_ok_and(|o| o.stdout == b"ran\n"));
    assert!(!at(0).exists(), "nobody restored it yet");
    let files: Vec<&str> =
        taken["isolated"].as_array().into_iter().flatten().filter_map(|f| f["id"].as_str()).collect();
    let done = server.finished(&server.post("/isolated-files/restore", &json!({"files": files})));
    assert!(done.iter().all(|c| c["state"] == "done"), "{done:#?}\n{}", hosts[0].daemon.log());
    assert_eq!(std::fs::read(at(0)).unwrap(), bytes);
    until(server, &hosts[0], "its execution", || run(&at(0)).is_ok_and(|o| o.stdout == b"ran\n"));
    let after = page(server, "0", &sha256).unwrap_or_default();
    assert_ne!(after["file"]["standing"], "bad", "{after:#}");
    assert_eq!(after["verdict"]["withdrawn"], true, "{after:#}");
}

#[test]
fn a_hash_that_is_bad_already_is_refused_on_the_first_host_that_gets_it() {
    let cloud = Cloud::new(Base::Sqlite);
    let server = cloud.server();
    let (first, second) = (Host::new(server), Host::new(server));
    armed(server, &[&first, &second], |_| ());
    let (bytes, path) = (program(60), first.volume.join("tool"));
    let sha256 = digest(&bytes);
    write_executable(&path, &bytes);
    until(server, &first, "the verdict", || standing(server, "0", &sha256) == "bad");
    until(server, &second, "the verdict on the other host", || {
        second.daemon.status()["cloud"]["verdicts"].as_u64() >= Some(1)
    });
    let there = second.volume.join("tool");
    write_executable(&there, &bytes);
    let ran = run(&there);
    assert!(is_refused(&ran) || !there.exists(), "{ran:?}\n{}", second.daemon.log());
    until(server, &second, "the isolation", || !there.exists());
    assert_eq!(about(server, "/samples?project=0", &sha256).len(), 1, "each content is sent once");
}

#[test]
fn the_self_test_of_a_host_goes_over_the_server() {
    let cloud = Cloud::new(Base::Sqlite);
    let server = cloud.server();
    let host = Host::new(server);
    armed(server, &[&host], |_| ());
    let ordered = server.post(&format!("/hosts/{}/self-test", host.id), &json!({}));
    let done = server.finished(&ordered);
    assert_eq!(done[0]["state"], "done", "{done:#?}\n{}\n{}", server.log(), host.daemon.log());
    let steps = done[0]["result"]["self_test"].as_array().cloned().unwrap_or_default();
    let cloud_step = steps.iter().find(|s| s["name"] == "cloud").unwrap_or_else(|| panic!("{steps:#?}"));
    assert_eq!(cloud_step["ok"], true, "{steps:#?}\n{}\n{}", server.log(), host.daemon.log());
}
