// SPDX-License-Identifier: Apache-2.0
//! A hundred hosts that lie about what they send, at the same time, beside one that does not.

use super::{Cloud, SOON, about, armed, digest, program, standing, until};
use crate::{Base, Host, on_both};
use lazaret_kit::Swarm;
use lazaret_kit::proc::write_executable;
use serde_json::json;

on_both!(a_hundred_liars_leave_nothing_behind_and_hold_nobody_up);

fn a_hundred_liars_leave_nothing_behind_and_hold_nobody_up(base: Base) {
    let cloud = Cloud::new(base);
    let server = cloud.server();
    let host = Host::new(server);
    armed(server, &[&host], |c| c["max_sample_bytes"] = json!(4 << 20));
    let options =
        ["--mode", "cloud", "--hosts", "100", "--liars", "100", "--programs", "10", "--seconds", "0"];
    let mut swarm = Swarm::start(server, &options);
    swarm.event("ready", SOON);
    let (path, bytes) = (host.volume.join("tool"), program(70));
    let sha256 = digest(&bytes);
    write_executable(&path, &bytes);
    until(server, &host, "the verdict", || standing(server, "0", &sha256) == "bad");
    until(server, &host, "the isolation", || !path.exists());
    // Another content, too large, behind the end: refused. A beginning without an end: told to go on.
    let told = swarm.until("all answers", SOON, |l| {
        let lies = &l["cloud"]["lies"];
        lies["begun"] == 100 && lies["refused"].as_u64() >= Some(75) && lies["waiting"].as_u64() >= Some(25)
    });
    assert_eq!(told["cloud"]["lies"]["stored"], 0, "{told}");
    assert_eq!((&told["sessions"], &told["reconnects"]), (&json!(100), &json!(0)), "{told}");
    let stored = server.get("/samples?project=0&state=stored&limit=1000");
    assert_eq!(stored["total"], 1, "{stored:#}");
    assert_eq!(about(server, "/samples?project=0&state=stored", &sha256).len(), 1);
    if let Some(s3) = &cloud.s3 {
        let keys = s3.keys(super::BUCKET);
        assert!(keys.len() == 1 && keys[0].contains(&sha256), "{keys:?}");
    }
    // The server goes on for everybody.
    assert_eq!(server.get("/hosts?limit=1000")["total"], 101);
    let ended = swarm.finish();
    assert_eq!(ended["failed"], 0, "{ended}");
}
