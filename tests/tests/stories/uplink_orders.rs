// SPDX-License-Identifier: Apache-2.0
//! What a server says beyond policy: whom to seal for, and what to do now.

use crate::uplink::{armed, enrolled, isolated_at, order, result, setup, wait, want};
use lazaret_kit::proc::write_executable;
use lazaret_kit::server::Server;
use lazaret_kit::{Daemon, Setup, Volume, bad};
use lazaret_model::{MalwareClass, TestRating};
use lazaret_proto::v1;
use lazaret_proto::v1::command::Verb;
use lazaret_proto::v1::command_result::Detail;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A key pair of the fleet: its file, and the recipient.
fn fleet_key(folder: &Path) -> (PathBuf, String) {
    let file = folder.join("fleet.txt");
    let made = Command::new("age-keygen").arg("-o").arg(&file).output().expect("age-keygen");
    assert!(made.status.success(), "{made:?}");
    let public = Command::new("age-keygen").arg("-y").arg(&file).output().expect("age-keygen");
    (file, String::from_utf8(public.stdout).expect("text").trim().to_owned())
}

/// The object of a file that was isolated just now.
fn isolated_object(daemon: &Daemon, server: &Server, path: &Path, content: &[u8]) -> PathBuf {
    write_executable(path, content);
    wait(daemon, "the isolated file", || isolated_at(server, path).is_some_and(|i| i.status == "isolated"));
    let id = isolated_at(server, path).expect("seen").id;
    daemon.folder().join("state/vault/objects").join(format!("{id}.age"))
}

fn opened(key: &Path, object: &Path) -> Option<Vec<u8>> {
    let out = Command::new("age").arg("-d").arg("-i").arg(key).arg(object).output().expect("age");
    out.status.success().then_some(out.stdout)
}

#[test]
fn what_is_isolated_opens_with_the_fleets_recovery_key() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    let daemon = enrolled(&volume, &server, "");
    let (key, recipient) = fleet_key(volume.beside());
    want(&daemon, &server, armed(1));
    let content = bad::script(MalwareClass::Miner, TestRating::High);
    let before = isolated_object(&daemon, &server, &volume.join("before.sh"), &content);
    assert_eq!(opened(&key, &before), None);
    let with = |generation, text: &str| v1::DesiredState {
        recovery_recipient: text.to_owned(),
        ..armed(generation)
    };
    let applied = want(&daemon, &server, with(2, &recipient));
    assert!(applied.refused.is_empty(), "{applied:?}");
    // The same content again: not shared with an object that the fleet could not open.
    let object = isolated_object(&daemon, &server, &volume.join("after.sh"), &content);
    assert_eq!(opened(&key, &object).as_deref(), Some(content.as_slice()), "{}", daemon.log());
    let own = daemon.folder().join("state/vault/host.key");
    assert_eq!(opened(&own, &object).as_deref(), Some(content.as_slice()), "its own key is never left out");
    // What is no recipient is refused, and says so.
    let applied = want(&daemon, &server, with(3, "age1nonsense"));
    assert!(applied.refused.iter().any(|r| r.contains("vault.recovery")), "{applied:?}");
}

#[test]
fn a_host_that_pins_its_recovery_keys_seals_for_them_alone() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    let daemon = enrolled(&volume, &server, "[local]\npin = [\"vault.recovery\"]\n");
    let (key, recipient) = fleet_key(volume.beside());
    let state = v1::DesiredState { recovery_recipient: recipient, ..armed(1) };
    let applied = want(&daemon, &server, state);
    assert!(applied.refused.iter().any(|r| r.contains("pinned")), "{applied:?}");
    let object = isolated_object(&daemon, &server, &volume.join("bad.sh"), &bad::high_script());
    assert_eq!(opened(&key, &object), None);
}

/// Folders of a scan, and files of each.
const FOLDERS: u64 = 120;
const FILES: u64 = 50;

fn begin(server: &Server, volume: &Volume, task: &str) {
    let scan = v1::ScanCommand {
        task: task.into(),
        kind: "custom".into(),
        paths: vec![volume.path().to_str().expect("text").into()],
        ..v1::ScanCommand::default()
    };
    server.order(v1::Command { id: task.into(), verb: Some(Verb::Scan(scan)), ..v1::Command::default() });
}

fn end_of(daemon: &Daemon, server: &Server, task: &str) -> v1::ScanProgress {
    let done = result(daemon, server, task);
    assert_eq!(done.outcome, "done", "{done:?}\n{}", daemon.log());
    let Some(Detail::Scan(end)) = done.detail else { panic!("no progress") };
    end
}

#[test]
fn a_paused_scan_stays_paused_and_goes_on_where_it_was() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    for folder in 0..FOLDERS {
        let folder = volume.join(&format!("d{folder:03}"));
        std::fs::create_dir(&folder).expect("folder");
        for file in 0..FILES {
            std::fs::write(folder.join(format!("f{file}")), format!("clean {file}")).expect("file");
        }
    }
    let daemon = enrolled(&volume, &server, "");
    let pause = |task: &str, resume| Verb::Pause(v1::ScanPause { task: task.into(), resume });
    let refused = order(&daemon, &server, pause("none", false));
    assert_eq!(refused.outcome, "refused", "{refused:?}");
    begin(&server, &volume, "paused-1");
    let done = order(&daemon, &server, pause("paused-1", false));
    assert_eq!(done.outcome, "done", "{done:?}");
    let told = || {
        let seen = server.seen().progress;
        seen.into_iter().filter(|p| p.task == "paused-1" && p.state == "paused").collect::<Vec<_>>()
    };
    wait(&daemon, "paused", || !told().is_empty());
    let before = told();
    // Another scan does not wait behind it.
    begin(&server, &volume, "other");
    assert_eq!(end_of(&daemon, &server, "other").files, FOLDERS * FILES);
    assert!(!server.seen().results.contains_key("paused-1"));
    // It stays so over a restart, and knows where it was.
    let folder = daemon.stop();
    let again = || Setup { state: Some(folder.path().join("state")), ..setup(&volume, &server) };
    let daemon = Daemon::start(&again());
    wait(&daemon, "paused again", || told().len() > before.len());
    std::thread::sleep(Duration::from_millis(300));
    assert!(!server.seen().results.contains_key("paused-1"));
    assert_eq!(told().last().map(|p| p.files), before.last().map(|p| p.files));
    let done = order(&daemon, &server, pause("paused-1", true));
    assert_eq!(done.outcome, "done", "{done:?}");
    assert_eq!(end_of(&daemon, &server, "paused-1").files, FOLDERS * FILES, "each file once");
    // One that nobody paused goes on by itself after a stop in the middle.
    begin(&server, &volume, "cut");
    wait(&daemon, "begun", || server.seen().progress.iter().any(|p| p.task == "cut"));
    daemon.stop();
    let daemon = Daemon::start(&again());
    assert_eq!(end_of(&daemon, &server, "cut").files, FOLDERS * FILES, "each file once");
    // A paused one can be cancelled.
    begin(&server, &volume, "paused-2");
    assert_eq!(order(&daemon, &server, pause("paused-2", false)).outcome, "done");
    server.say(v1::server_frame::Kind::Cancel(v1::CancelCommand { id: "paused-2".into() }));
    assert_eq!(result(&daemon, &server, "paused-2").outcome, "cancelled");
}
