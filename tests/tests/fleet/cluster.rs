// SPDX-License-Identifier: Apache-2.0
//! Several gateways and APIs on one PostgreSQL: one of each may die.

use crate::Host;
use lazaret_kit::pg::Cluster;
use lazaret_kit::{Server, ServerSetup, bad, eventually};
use lazaret_model::{MalwareClass, TestRating};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

const FILES: usize = 40;

#[test]
fn a_gateway_and_an_api_die_under_load_and_nothing_is_lost() {
    let cluster = Cluster::start();
    let database = Some(cluster.create("fleet"));
    let one = ServerSetup { database, ..ServerSetup::default() };
    let mut first = Server::start(&one);
    let second = Server::start(&ServerSetup { data: Some(first.data()), ..one });
    assert_eq!(first.authority, second.authority);
    let hosts = [Host::new(&first), Host::new(&second)];
    let early = hosts[0].volume.join("early");
    std::fs::write(&early, bad::script(MalwareClass::Worm, TestRating::High)).unwrap();
    let alarm =
        second.eventually("/alarms", "an alarm of the first host", |a| a["path"] == early.to_str().unwrap());
    std::thread::scope(|s| {
        s.spawn(|| {
            for n in 0..FILES {
                for host in &hosts {
                    let mut bytes = bad::script(MalwareClass::Botnet, TestRating::High);
                    bytes.extend(format!("# {n}\n").bytes());
                    std::fs::write(host.volume.join(&format!("f{n}")), bytes).unwrap();
                }
                std::thread::sleep(Duration::from_millis(40));
            }
        });
        std::thread::sleep(Duration::from_millis(600));
        first.kill();
    });
    // The host of the second gateway goes on while the first is away.
    let of = |host: &Host, server: &Server| -> BTreeSet<String> {
        let page = server.get(&format!("/alarms?host={}&limit=1000", host.id));
        let all = page["items"].as_array().cloned().unwrap_or_default();
        all.iter().filter_map(|a| a["path"].as_str().map(str::to_owned)).collect()
    };
    assert!(
        eventually(Duration::from_secs(40), || of(&hosts[1], &second).len() == FILES),
        "{} of {FILES}\n{}",
        of(&hosts[1], &second).len(),
        second.log()
    );
    // An order that was given to one API for the host of the other gateway.
    let ordered = second.post(
        &format!("/alarms/{}/handle", alarm["id"].as_str().unwrap()),
        &json!({"operate_type": "isolate_and_kill"}),
    );
    first.restart();
    assert!(
        eventually(Duration::from_secs(60), || of(&hosts[0], &second).len() == FILES + 1),
        "{} of {FILES} and one\n{}\n{}",
        of(&hosts[0], &second).len(),
        first.log(),
        hosts[0].daemon.log()
    );
    let done = second.finished(&ordered);
    assert_eq!(done[0]["state"], "done", "{done:#?}");
}
