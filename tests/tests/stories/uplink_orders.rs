// SPDX-License-Identifier: Apache-2.0
//! What a server says beyond policy: whom to seal for, and what to do now.

use crate::uplink::{armed, enrolled, isolated_at, wait, want};
use lazaret_kit::proc::write_executable;
use lazaret_kit::server::Server;
use lazaret_kit::{Daemon, Volume, bad};
use lazaret_model::{MalwareClass, TestRating};
use lazaret_proto::v1;
use std::path::{Path, PathBuf};
use std::process::Command;

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
