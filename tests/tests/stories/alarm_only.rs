// SPDX-License-Identifier: Apache-2.0
//! With the switch off nothing is refused, isolated or killed; a person handles the alarm.

use lazaret_kit::proc::{run, write_executable};
use lazaret_kit::{Daemon, Setup, Volume, bad, eventually};
use lazaret_model::{MalwareClass, TestRating};
use std::time::Duration;

fn off(volume: &Volume) -> Daemon {
    Daemon::start(&Setup { mounts: vec![volume.path().into()], ..Setup::default() })
}

#[test]
fn off_is_the_default_and_alarms_only() {
    let volume = Volume::tmpfs();
    let daemon = off(&volume);
    let path = volume.join("script");
    write_executable(&path, &bad::high_script());
    let alarm = daemon.alarm_about(&path);
    assert_eq!(alarm["rating"], "high");
    assert_eq!(alarm["decision"], "alarm");
    assert_eq!(run(&path).unwrap().stdout, b"ran\n");
    assert!(path.exists());
    assert!(daemon.json(["isolated", "list"]).is_empty());
}

#[test]
fn the_switch_acts_at_once_and_outlives_a_restart() {
    let volume = Volume::tmpfs();
    let state = volume.beside().join("state");
    let setup =
        || Setup { mounts: vec![volume.path().into()], state: Some(state.clone()), ..Setup::default() };
    let daemon = Daemon::start(&setup());
    let path = volume.join("script");
    write_executable(&path, &bad::high_script());
    daemon.alarm_about(&path);
    assert!(run(&path).is_ok());
    daemon.json(["switch", "isolate-and-kill", "on"]);
    // What was allowed before is judged again.
    assert!(run(&path).is_err());
    daemon.isolated_path(&path);
    daemon.stop();
    let daemon = Daemon::start(&setup());
    assert_eq!(daemon.status()["isolate_and_kill"], true);
}

#[test]
fn an_alarm_carries_its_forensics() {
    let volume = Volume::tmpfs();
    let daemon = off(&volume);
    let path = volume.join("script");
    write_executable(&path, &bad::script(MalwareClass::Worm, TestRating::Medium));
    assert!(run(&path).is_ok());
    let listed = daemon.alarm_about(&path);
    let shown = &daemon.json(["alarms", "show", listed["id"].as_str().unwrap()])[0];
    assert_eq!(shown["verdict"]["class"], "worm");
    assert_eq!(shown["verdict"]["confidence"], 75);
    assert_eq!(shown["verdict"]["test"], true);
    assert!(shown["verdict"]["evidence"].as_array().is_some_and(|e| !e.is_empty()), "{shown}");
    assert_eq!(shown["file"]["uid"], 0);
    assert_eq!(shown["file"]["sha256"].as_str().map(str::len), Some(64));
    let chain = shown["chain"].as_array().expect("process chain");
    assert!(chain.len() >= 2, "{shown}");
    assert!(chain.iter().all(|p| p["pid"].as_i64().is_some() && p["started_at"].is_string()), "{shown}");
    let acting = &chain[0];
    assert_eq!(acting["sha256"].as_str().map(str::len), Some(64), "{shown}");
    assert!(acting["exe"].as_str().is_some_and(|e| e.starts_with('/')), "{shown}");
}

#[test]
fn case_30_handlings_and_their_inverses() {
    let volume = Volume::tmpfs();
    let daemon = off(&volume);
    let path = volume.join("script");
    write_executable(&path, &bad::high_script());
    let id = daemon.alarm_about(&path)["id"].as_str().unwrap().to_owned();
    for (there, back) in [
        ("mark-as-handled", "unhandle"),
        ("ignore", "do-not-ignore"),
        ("isolate-and-kill", "do-not-isolate-or-kill"),
    ] {
        daemon.json(["handle", &id, there, "--remark", "looked at"]);
        if there == "isolate-and-kill" {
            assert!(!path.exists());
        }
        assert!(daemon.json(["alarms", "list", "--unhandled"]).is_empty(), "after {there}");
        let wrong =
            daemon.cli(["handle", &id, if back == "unhandle" { "do-not-ignore" } else { "unhandle" }]);
        assert!(!wrong.status.success(), "an inverse of something else must not work");
        daemon.json(["handle", &id, back]);
        assert_eq!(daemon.json(["alarms", "list", "--unhandled"]).len(), 1, "after {back}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), bad::high_script());
}

#[test]
fn case_20_whitelisting_holds_for_the_content_not_for_the_path() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    let path = volume.join("script");
    let medium = bad::script(MalwareClass::Trojan, TestRating::Medium);
    write_executable(&path, &medium);
    let id = daemon.alarm_about(&path)["id"].as_str().unwrap().to_owned();
    daemon.json(["handle", &id, "add-to-alarm-whitelist"]);
    let copy = volume.join("copy");
    write_executable(&copy, &medium);
    assert!(run(&copy).is_ok());
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(!daemon.json(["alarms", "list"]).iter().any(|a| a["file"]["path"] == copy.to_str().unwrap()));
    // Other content under the whitelisted name is judged.
    std::fs::write(&path, bad::high_script()).unwrap();
    daemon.isolated_path(&path);
    assert_eq!(daemon.json(["whitelist", "list"]).len(), 1);
    daemon.json(["handle", &id, "remove-from-alarm-whitelist"]);
    assert!(daemon.json(["whitelist", "list"]).is_empty());
}

#[test]
fn a_flood_of_one_kind_is_counted_on_one_alarm_and_hides_nothing_else() {
    let volume = Volume::tmpfs();
    let daemon = off(&volume);
    let medium = |n: u32| {
        let mut script = bad::script(MalwareClass::Worm, TestRating::Medium);
        script.extend(format!("\n# {n}\n").into_bytes());
        script
    };
    for n in 0..130 {
        write_executable(&volume.join(&format!("script{n}")), &medium(n));
    }
    let told = || daemon.json(["alarms", "list", "--limit", "500"]);
    let files = |alarms: &[serde_json::Value]| alarms.iter().filter_map(|a| a["count"].as_u64()).sum::<u64>();
    assert!(eventually(Duration::from_secs(20), || files(&told()) >= 130), "{}", daemon.log());
    let alarms = told();
    assert_eq!(alarms.len(), 101, "a hundred by themselves and one for the rest");
    let rest: Vec<_> = alarms.iter().filter(|a| a["count"] == 30).collect();
    let [rest] = rest.as_slice() else { panic!("{alarms:?}") };
    assert!(rest["title"].as_str().is_some_and(|t| t.starts_with("Many more: ")), "{rest}");
    let shown = daemon.json(["alarms", "show", rest["id"].as_str().unwrap()]);
    let named = shown[0]["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r.as_str().is_some_and(|r| r.starts_with("also: ") && r.contains("/script")));
    assert_eq!(named.count(), 29, "{shown:?}");
    // Another kind is news, and so is what is acted upon.
    let other = volume.join("other");
    write_executable(&other, &bad::script(MalwareClass::Trojan, TestRating::Medium));
    daemon.alarm_about(&other);
    daemon.json(["switch", "isolate-and-kill", "on"]);
    let high = volume.join("high");
    write_executable(&high, &bad::high_script());
    daemon.isolated_path(&high);
}
