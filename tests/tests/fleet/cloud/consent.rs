// SPDX-License-Identifier: Apache-2.0
//! Nothing leaves a host that nobody consented to, and what leaves can be seen there.

use super::{Cloud, WHILE, about, agreed, consent, digest, page, places, program, stays, switch, until};
use crate::{Base, Host, on_both, settled};
use lazaret_kit::proc::{run, write_executable};
use serde_json::{Value, json};

on_both!(only_what_a_project_consented_to_leaves_its_hosts);

/// What the host says that it sent of this content.
fn sent(host: &Host, what: &str, sha256: &str) -> Vec<Value> {
    let all = host.daemon.json(["cloud", "sent"]);
    all.into_iter().filter(|s| s["what"] == what && s["sha256"] == sha256).collect()
}

fn only_what_a_project_consented_to_leaves_its_hosts(base: Base) {
    let cloud = Cloud::new(base);
    let server = cloud.server();
    let host = Host::new(server);
    let runs = |name: &str, number: u64| {
        let (path, bytes) = (host.volume.join(name), program(number));
        write_executable(&path, &bytes);
        assert!(run(&path).is_ok_and(|o| o.stdout == b"ran\n"), "{}", host.daemon.log());
        digest(&bytes)
    };

    // The switch alone.
    switch(server, "0", "malware_cloud_scan", true);
    settled(server, &host);
    let silent = runs("silent", 10);
    let nothing = || {
        let unknown = page(server, "0", &silent).is_none();
        unknown && host.daemon.json(["cloud", "sent"]).is_empty()
    };
    assert!(stays(WHILE, nothing), "{:?}\n{}", host.daemon.json(["cloud", "sent"]), host.daemon.log());
    assert_eq!(server.get("/files?project=0")["items"], json!([]));

    // Hashes: they are told, and no content goes, wanted or not.
    consent(server, "0", |c| c["samples"] = json!(false));
    agreed(server, &host, |c| c["hashes"] == true && c["samples"] == false);
    let told = runs("told", 11);
    until(server, &host, "the hash", || places(server, &told) == [host.id.as_str()]);
    until(server, &host, "what was sent", || sent(&host, "hash", &told).len() == 1);
    let kept = || {
        let list = about(server, "/samples?project=0", &told);
        list.iter().all(|s| s["state"] != "stored") && sent(&host, "sample", &told).is_empty()
    };
    assert!(stays(WHILE, kept), "{}", host.daemon.log());

    // Samples, but not from everywhere and not of everything.
    let kept_back = host.volume.join("private");
    std::fs::create_dir(&kept_back).unwrap();
    consent(server, "0", |c| {
        c["exclude"] = json!([kept_back]);
        c["max_sample_bytes"] = json!(4096);
    });
    agreed(server, &host, |c| c["samples"] == true && c["max_sample_bytes"] == 4096);
    let private = runs("private/tool", 12);
    let mut large = program(13);
    large.extend([b'#'; 5000]);
    write_executable(&host.volume.join("large"), &large);
    let data = b"a list of names, and no program".repeat(20);
    std::fs::write(host.volume.join("names.txt"), &data).unwrap();
    let open = runs("open", 14);
    until(server, &host, "the sample", || {
        about(server, "/samples?project=0", &open).iter().any(|s| s["state"] == "stored")
    });
    assert_eq!(sent(&host, "sample", &open).len(), 1, "{:?}", host.daemon.json(["cloud", "sent"]));
    let large = digest(&large);
    until(server, &host, "the hashes of the others", || {
        places(server, &private).len() == 1 && places(server, &large).len() == 1
    });
    for (sha256, why) in [(&private, "its folder is left out"), (&large, "it is too large")] {
        assert!(about(server, "/samples?project=0", sha256).iter().all(|s| s["state"] != "stored"), "{why}");
        assert!(sent(&host, "sample", sha256).is_empty(), "{why}");
    }
    assert!(page(server, "0", &digest(&data)).is_none(), "data is not told");

    // Taken back: nothing more leaves.
    consent(server, "0", |c| {
        c["hashes"] = json!(false);
        c["samples"] = json!(false);
    });
    agreed(server, &host, |c| c["hashes"] == false && c["samples"] == false);
    let after = runs("after", 15);
    assert!(stays(WHILE, || page(server, "0", &after).is_none() && sent(&host, "hash", &after).is_empty()));
}
