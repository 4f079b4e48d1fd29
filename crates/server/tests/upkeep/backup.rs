// SPDX-License-Identifier: Apache-2.0
//! Backups: they come back whole, and whatever is wrong with one is said before anything is changed.

use crate::{Place, everything};
use lazaret_server::backup::{backup, restore};
use lazaret_store::Store;
use std::os::unix::fs::PermissionsExt as _;

#[tokio::test]
async fn a_backup_comes_back_as_another_life_of_the_same_server() {
    let place = Place::new().await;
    std::fs::create_dir_all(place.path("data/samples/ab")).unwrap();
    std::fs::write(place.path("data/samples/ab/cd"), b"a sample").unwrap();
    let to = place.path("backup.tar");
    let made = backup(&place.config, &place.text, &to, None).await.unwrap();
    assert_eq!((made.encrypted, made.sha256.len()), (false, 64));
    assert_eq!(std::fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(&to).unwrap().len(), made.size);
    assert!(backup(&place.config, &place.text, &to, None).await.is_err(), "nothing is overwritten");
    let left: Vec<_> =
        std::fs::read_dir(place.folder.path()).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(left.len(), 2, "the data and the archive: {left:?}");

    let other = place.elsewhere("other");
    let done = restore(&other, &to, false, None).await.unwrap();
    assert_eq!((done.fingerprint.as_str(), done.kept), (place.fingerprint.as_str(), None));
    assert_eq!(std::fs::read(place.path("other/samples/ab/cd")).unwrap(), b"a sample");
    let key = place.path("other/authority/authority.key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(
        std::fs::read(place.path("other/authority/content.key")).unwrap(),
        std::fs::read(place.path("data/authority/content.key")).unwrap()
    );
    let (before, after) =
        (Store::open(&place.config.database()).await.unwrap(), Store::open(&other.database()).await.unwrap());
    let (was, is) = (before.meta().await.unwrap(), after.meta().await.unwrap());
    assert_eq!(was.installation, is.installation);
    assert_ne!(was.incarnation, is.incarnation, "hosts must tell again what this one does not know");
    assert_eq!(before.users().await.unwrap(), after.users().await.unwrap());
    before.close().await;
    after.close().await;

    // Where there is data, it takes a word.
    let refused = format!("{:#}", restore(&other, &to, false, None).await.unwrap_err());
    assert!(refused.contains("--replace"), "{refused}");
    let done = restore(&other, &to, true, None).await.unwrap();
    assert!(done.kept.unwrap().join("authority/authority.key").exists(), "what was there is kept");
}

#[tokio::test]
async fn the_authority_is_encrypted_to_a_recipient() {
    use age::secrecy::ExposeSecret as _;
    let place = Place::new().await;
    let identity = age::x25519::Identity::generate();
    let file = place.path("identity");
    std::fs::write(&file, identity.to_string().expose_secret()).unwrap();
    let to = place.path("backup.tar");
    let recipient = identity.to_public().to_string();
    assert!(backup(&place.config, &place.text, &to, Some("age1x")).await.is_err());
    assert!(!to.exists());
    assert!(backup(&place.config, &place.text, &to, Some(&recipient)).await.unwrap().encrypted);
    let archive = std::fs::read(&to).unwrap();
    let key = std::fs::read(place.path("data/authority/content.key")).unwrap();
    let word = b"PRIVATE KEY";
    assert!(!archive.windows(word.len()).any(|w| w == word) && !archive.windows(key.len()).any(|w| w == key));
    let other = place.elsewhere("other");
    let refused = format!("{:#}", restore(&other, &to, false, None).await.unwrap_err());
    assert!(refused.contains("--identity"), "{refused}");
    let wrong = place.path("wrong");
    std::fs::write(&wrong, age::x25519::Identity::generate().to_string().expose_secret()).unwrap();
    assert!(restore(&other, &to, false, Some(&wrong)).await.is_err());
    assert!(everything(&place.path("other")).is_empty());
    let done = restore(&other, &to, false, Some(&file)).await.unwrap();
    assert_eq!(done.fingerprint, place.fingerprint);
}

#[tokio::test]
async fn what_is_wrong_with_a_backup_is_said_and_nothing_is_changed() {
    let place = Place::new().await;
    let to = place.path("backup.tar");
    backup(&place.config, &place.text, &to, None).await.unwrap();
    let good = std::fs::read(&to).unwrap();
    let before = everything(&place.path("data"));
    let find = |needle: &[u8]| good.windows(needle.len()).position(|w| w == needle).unwrap();
    let changed = |at: usize, bytes: &[u8]| {
        let mut out = good.clone();
        out[at..at + bytes.len()].copy_from_slice(bytes);
        out
    };
    let schema = find(b"\"schema\": 1");
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("a bit of the database", changed(find(b"SQLite format 3") + 5_000, b"\x5a\xa5\x5a"), "server.db"),
        ("cut off", good[..good.len() / 2].to_vec(), "cut off"),
        ("cut at its end", good[..good.len() - 1024].to_vec(), "cut off"),
        ("empty", Vec::new(), "cut off"),
        ("not an archive", b"hello".repeat(1000), "no archive"),
        ("another product", changed(find(b"\"lazaret-server\""), b"\"otherpr-server\""), "backup of"),
        ("a newer schema", changed(schema, b"\"schema\": 9"), "schema 9"),
        ("a newer form", changed(find(b"\"format\": 1"), b"\"format\": 7"), "form 7"),
        (
            "another database",
            changed(find(b"\"database\": \"sqlite\""), b"\"database\": \"sqlit3\""),
            "sqlit3",
        ),
    ];
    let bad = place.path("bad.tar");
    for (what, bytes, word) in cases {
        std::fs::write(&bad, bytes).unwrap();
        let refused = format!("{:#}", restore(&place.config, &bad, true, None).await.expect_err(what));
        assert!(refused.contains(word), "{what}: {refused}");
        assert_eq!(everything(&place.path("data")), before, "{what}");
    }
    // Digests that were made to fit again do not help: the database must still be one, and this server's.
    let missing = restore(&place.config, &place.path("none.tar"), true, None).await.unwrap_err();
    assert!(format!("{missing:#}").contains("none.tar"));
}

#[tokio::test]
async fn a_server_that_runs_keeps_its_data() {
    let place = Place::new().await;
    let to = place.path("backup.tar");
    let text = format!(
        "{}[gateway]\nlisten = \"127.0.0.1:0\"\n[api]\nlisten = \"127.0.0.1:0\"\nplain_http = true\n",
        place.text
    );
    let config = lazaret_server::config::Config::parse(&text).unwrap();
    let running =
        lazaret_server::start::start(config.clone(), lazaret_server::start::Role::All).await.unwrap();
    backup(&config, &text, &to, None).await.unwrap();
    let refused = format!("{:#}", restore(&config, &to, true, None).await.unwrap_err());
    assert!(refused.contains("stop it first"), "{refused}");
    running.stop().await;
    restore(&config, &to, true, None).await.unwrap();
}

/// The samples of a server that does not run.
fn samples(config: &lazaret_server::config::Config) -> lazaret_samples::Samples {
    let settings = config.samples.resolve(&config.server.data).unwrap();
    let keys = lazaret_server::init::authority_folder(config);
    lazaret_samples::Samples::open(&settings, &keys).unwrap()
}

#[tokio::test]
async fn samples_come_back_sealed_and_open_with_the_key_that_came_along() {
    use sha2::Digest as _;
    use std::io::Read as _;
    let place = Place::new().await;
    let content = b"#!/bin/sh\necho a sample that is backed up\n";
    let sha = sha2::Sha256::digest(content);
    // As long as ids of projects are: with all folders its name is longer than a plain tar takes.
    let project = uuid::Uuid::now_v7().to_string();
    let before = samples(&place.config);
    before.put_part(&project, &sha, content.len() as u64, 0, content).await.unwrap();
    before.finish(&project, &sha).await.unwrap();
    let to = place.path("backup.tar");
    let made = backup(&place.config, &place.text, &to, None).await.unwrap();
    assert_eq!(made.samples_left_out, None, "they lie in a folder");
    let archive = std::fs::read(&to).unwrap();
    assert!(!archive.windows(content.len()).any(|w| w == content), "nothing of it is plain");
    let other = place.elsewhere("other");
    restore(&other, &to, false, None).await.unwrap();
    let mut file = samples(&other).open_sample(&project, &sha).await.unwrap();
    let mut read = Vec::new();
    file.read_to_end(&mut read).unwrap();
    assert_eq!(read, content);
    let left: Vec<_> =
        std::fs::read_dir(place.path("other")).unwrap().flatten().map(|e| e.file_name()).collect();
    assert!(!left.iter().any(|n| n.to_string_lossy().contains(".restore-")), "{left:?}");
}
