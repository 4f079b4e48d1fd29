// SPDX-License-Identifier: Apache-2.0
//! A preview names what an isolation would touch and changes nothing.

use lazaret_kit::proc::{Running, write_executable};
use lazaret_kit::{Daemon, Setup, Volume, bad, eventually};
use lazaret_model::{MalwareClass, TestRating};
use serde_json::Value;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_file())
        .map(|p| (p.clone(), std::fs::read(&p).unwrap()))
        .collect()
}

#[test]
fn case_33_preview_shows_processes_ports_and_names_and_changes_nothing() {
    let volume = Volume::ext4();
    lazaret_kit::fs::run("mount", &["-o", "remount,strictatime", volume.path().to_str().unwrap()]);
    let daemon = Daemon::start(&Setup { mounts: vec![volume.path().into()], ..Setup::default() });
    let path = volume.join("server");
    write_executable(&path, &bad::program("/usr/bin/perl", MalwareClass::Botnet, TestRating::High));
    std::fs::hard_link(&path, volume.join("second")).unwrap();
    daemon.alarm_about(&path);
    let out = volume.beside().join("port");
    let text = format!(
        "use IO::Socket::INET; my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die;\n\
         open F, '>', '{0}.new'; print F $s->sockport; close F; rename '{0}.new', '{0}'; sleep 20",
        out.display()
    );
    let mut server = Running::start(Command::new(&path).args(["-e", &text]));
    assert!(eventually(Duration::from_secs(10), || out.exists()), "{:?}", server.ended());
    let port: u64 = std::fs::read_to_string(&out).unwrap().parse().unwrap();
    let alarm = daemon.alarm_about(&path);
    let journal = daemon.folder().join("state/journal");
    // Not how often it was opened: daemons of other tests look at what runs on this host.
    let alarms = || {
        let mut all = daemon.json(["alarms", "list"]);
        for alarm in &mut all {
            let fields = alarm.as_object_mut().unwrap();
            for changes_with_an_open in ["count", "last", "chain"] {
                fields.remove(changes_with_an_open);
            }
            // What the previews' look at the file may change is its atime.
            if let Some(file) = fields.get_mut("file").and_then(|file| file.as_object_mut()) {
                file.remove("atime");
            }
        }
        all
    };
    let before = (std::fs::metadata(&path).unwrap(), contents(&journal), alarms());
    let by_path = daemon.json(["preview", "isolate", path.to_str().unwrap()]);
    let by_alarm = daemon.json(["preview", "isolate", "--alarm", alarm["id"].as_str().unwrap()]);
    let after = (std::fs::metadata(&path).unwrap(), contents(&journal), alarms());
    let times = |m: &std::fs::Metadata| {
        (m.ino(), m.nlink(), m.atime(), m.atime_nsec(), m.mtime_nsec(), m.ctime(), m.ctime_nsec())
    };
    assert_eq!(times(&before.0), times(&after.0));
    assert!(before.1 == after.1, "the journal was written to");
    assert_eq!(before.2, after.2);
    assert!(server.ended().is_none());
    assert!(!lazaret_sys::procfs::stat(server.pid()).unwrap().is_stopped());
    for shown in [&by_path[0], &by_alarm[0]] {
        assert_eq!(shown["would"], "isolate", "{shown}");
        let processes = shown["processes"].as_array().unwrap();
        assert_eq!(processes.len(), 1, "{shown}");
        let p = &processes[0];
        assert_eq!(p["process"]["pid"], server.pid());
        assert_eq!(p["user"], "root");
        assert_eq!(p["why"], "executes the file");
        assert!(p["kept_by"].is_null());
        assert_eq!(
            p["listening"],
            serde_json::json!([{"protocol": "tcp", "address": "127.0.0.1", "port": port}])
        );
        let names: Vec<&str> =
            shown["names"].as_array().unwrap().iter().filter_map(|n| n["path"].as_str()).collect();
        assert_eq!(names.len(), 2, "{shown}");
        assert_eq!((&shown["rating"], &shown["names_missing"]), (&Value::from("high"), &Value::from(0)));
        assert_eq!(shown["vault"]["fits"], true);
    }
    // For people, on a terminal or not.
    let text = daemon.cli(["preview", "isolate", path.to_str().unwrap()]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("Nothing was changed") && text.contains(&format!("127.0.0.1:{port}")), "{text}");
    // And what is isolated then is what was foretold.
    daemon.json(["handle", alarm["id"].as_str().unwrap(), "isolate-and-kill"]);
    assert!(server.ends_within(Duration::from_secs(10)));
    let isolated = daemon.isolated_path(&path);
    let killed = isolated["killed"].as_array().unwrap();
    assert_eq!((killed.len(), &killed[0]["pid"]), (1, &Value::from(server.pid())), "{isolated}");
}

#[test]
fn guards_and_missing_files_are_named() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup { mounts: vec![volume.path().into()], ..Setup::default() });
    // A program that the host needs to be repaired with, named and not touched.
    let manager = std::fs::canonicalize("/usr/bin/dpkg").unwrap();
    let shown = &daemon.json(["preview", "isolate", manager.to_str().unwrap()])[0];
    assert_eq!(shown["would"], "refuse", "{shown}");
    assert!(
        shown["critical"].is_string() && shown["refused_by"][0].as_str().unwrap().contains("critical"),
        "{shown}"
    );
    let missing = daemon.cli(["preview", "isolate", volume.join("missing").to_str().unwrap()]);
    assert_eq!(missing.status.code(), Some(1));
    assert_eq!(daemon.cli(["preview", "isolate"]).status.code(), Some(64));
}
