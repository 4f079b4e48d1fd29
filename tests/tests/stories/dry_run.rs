// SPDX-License-Identifier: Apache-2.0
//! A dry run decides and tells everything, and does nothing.

use lazaret_kit::proc::{Running, is_refused, run, write_executable};
use lazaret_kit::{Daemon, Setup, Volume, bad, eventually};
use lazaret_model::{MalwareClass, TestRating};
use serde_json::Value;
use std::process::Command;
use std::time::Duration;

#[test]
fn case_16_a_dry_run_says_what_it_would_do_and_does_nothing() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup { more: "dry_run = true\n".into(), ..Setup::armed(volume.path()) });
    let status = daemon.status();
    assert_eq!(status["dry_run"], true, "{status}");
    assert_eq!(status["degraded"][0], "dry run: nothing is refused, isolated or killed");
    // Dropped, run, and running: none of it is stopped.
    let script = volume.join("script");
    write_executable(&script, &bad::high_script());
    assert_eq!(run(&script).unwrap().stdout, b"ran\n");
    let program = volume.join("sleeper");
    write_executable(&program, &bad::program("/bin/sleep", MalwareClass::Miner, TestRating::High));
    let mut running = Running::start(Command::new(&program).arg("20"));
    assert!(std::fs::read(&program).is_ok());
    let mut alarm = Value::Null;
    let told = eventually(Duration::from_secs(10), || {
        alarm = daemon.alarm_about(&program);
        let timeline = alarm["timeline"].as_array().unwrap();
        timeline.iter().any(|r| {
            r["action"] == "kill" && r["reason"].as_str().unwrap().contains(&running.pid().to_string())
        })
    });
    assert!(told, "{alarm}\n{}", daemon.log());
    assert_eq!(alarm["decision"], "isolate_and_kill");
    assert!(alarm["title"].as_str().unwrap().contains("would have been isolated and killed"), "{alarm}");
    assert!(alarm["handled"].is_null() && alarm["isolated"].is_null(), "{alarm}");
    let timeline = alarm["timeline"].as_array().unwrap();
    assert!(timeline.iter().all(|r| r["outcome"] == "refused"), "{alarm}");
    assert!(running.ended().is_none() && script.exists() && program.exists());
    assert!(daemon.json(["isolated", "list"]).is_empty());
    // By hand neither.
    let by_hand = daemon.cli(["isolate", script.to_str().unwrap()]);
    assert_eq!(by_hand.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&by_hand.stderr).contains("dry run"), "{by_hand:?}");
    // Until somebody ends it.
    daemon.json(["switch", "dry-run", "off"]);
    assert!(is_refused(&run(&script)), "{}", daemon.log());
    daemon.isolated_path(&script);
    assert!(std::fs::read(&program).is_err());
    assert!(running.ends_within(Duration::from_secs(10)), "{}", daemon.log());
}
