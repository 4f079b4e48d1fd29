// SPDX-License-Identifier: Apache-2.0
//! A host whose clock is not the server's: said on both sides, and nothing is begun or dropped by it.

use crate::uplink::{enrolled, order, result, wait};
use lazaret_kit::proc::write_executable;
use lazaret_kit::server::{Server, farewell, now_ms};
use lazaret_kit::{Daemon, Volume, bad};
use lazaret_proto::v1;
use lazaret_proto::v1::command::Verb;
use lazaret_proto::v1::goodbye::Kind as Bye;

const HOUR: i64 = 3_600_000;

fn rearm() -> Option<Verb> {
    Some(Verb::Rearm(v1::BreakerRearm::default()))
}

/// Sends it away; it comes back to a server with that clock.
fn again(daemon: &Daemon, server: &Server, skew_ms: i64) {
    let before = server.seen().hellos.len();
    server.set_clock(skew_ms);
    server.say(v1::server_frame::Kind::Goodbye(farewell(Bye::Restart)));
    wait(daemon, "connected again", || {
        server.seen().hellos.len() > before && daemon.status()["server"]["connected"] == true
    });
}

fn degraded(daemon: &Daemon) -> String {
    daemon.status()["degraded"].to_string()
}

#[test]
fn commands_go_by_the_servers_clock_and_alarms_by_the_hosts() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    // As on a host that is three hours behind.
    server.set_clock(3 * HOUR);
    let daemon = enrolled(&volume, &server, "");
    let said = degraded(&daemon);
    assert!(said.contains("clock") && said.contains("behind"), "{said}");
    let by_server = now_ms() + 3 * HOUR;
    let expires = |id: &str, expires_ms: i64| {
        let verb = rearm();
        server.order(v1::Command { id: id.into(), expires_ms, verb, ..v1::Command::default() });
        result(&daemon, &server, id).outcome
    };
    assert_eq!(expires("in time", by_server + 60_000), "done");
    // By the host's own clock it would have two hours left.
    assert_eq!(expires("too late", by_server - HOUR), "expired");
    let file = volume.join("bad.sh");
    write_executable(&file, &bad::high_script());
    let mut alarm = None;
    wait(&daemon, "the alarm", || {
        alarm = server.alarms().into_values().find(|a| a.file.is_some());
        alarm.is_some()
    });
    let at = alarm.expect("seen").at_ms;
    assert!((at - now_ms()).abs() < 60_000, "the host's own time: {at}");
    // The other way round: what is over by the host's clock is not by the server's.
    again(&daemon, &server, -24 * HOUR);
    let said = degraded(&daemon);
    assert!(said.contains("24 h ahead of"), "{said}");
    assert_eq!(expires("yesterday", now_ms() - 23 * HOUR), "done");
    assert_eq!(expires("the day before", now_ms() - 25 * HOUR), "expired");
    // A command without an end is done whatever the clocks say.
    let verb = Verb::Rearm(v1::BreakerRearm::default());
    assert_eq!(order(&daemon, &server, verb).outcome, "done");
    // Set right, nothing is left of it.
    again(&daemon, &server, 0);
    assert!(!degraded(&daemon).contains("clock"), "{}", degraded(&daemon));
    wait(&daemon, "told to the server", || {
        let hello = server.seen().hellos.last().cloned().unwrap_or_default();
        hello.report.and_then(|r| r.status).is_some()
    });
}

#[test]
fn a_certificate_that_ends_by_one_clock_only_is_renewed_or_said() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    // By the host's clock two thirds of its life are over, whatever the server's says.
    server.age_certificates(25);
    server.set_clock(-20 * 24 * HOUR);
    let daemon = enrolled(&volume, &server, "");
    server.age_certificates(0);
    wait(&daemon, "renewed", || server.seen().renewed > 0);
    let until = daemon.status()["server"]["certificate_until"].as_str().unwrap_or_default().to_owned();
    wait(&daemon, "a certificate of thirty days", || {
        let now = daemon.status()["server"]["certificate_until"].as_str().unwrap_or_default().to_owned();
        now >= until && !now.is_empty()
    });
    assert!(degraded(&daemon).contains("20 days ahead of"), "{}", degraded(&daemon));
}
