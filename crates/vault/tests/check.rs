// SPDX-License-Identifier: Apache-2.0
//! Everything in a vault's folder is looked at, with and without its host key, and nothing changed.

mod support;

use lazaret_model::{IsolatedId, IsolatedStatus};
use lazaret_vault::{Checked, Finding, Manifest, RawPath, Reader, Vault, VaultError};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use support::{manifest, new, put, take};

fn check(r: &Reader) -> BTreeMap<String, Checked> {
    let mut out = BTreeMap::new();
    r.check(None, |c| {
        out.insert(c.name.clone(), c);
        Ok::<_, VaultError>(())
    })
    .unwrap();
    out
}

fn listing(root: &Path) -> Vec<(String, u64, u32)> {
    let mut all: Vec<_> = ["", "objects"]
        .iter()
        .flat_map(|d| std::fs::read_dir(root.join(d)).unwrap())
        .map(|e| e.unwrap())
        .map(|e| {
            let m = e.metadata().unwrap();
            (e.path().display().to_string(), m.len(), m.mode())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn every_kind_of_damage_is_told_with_a_way_out() {
    let (dir, v) = new();
    let root = dir.path().join("v");
    let objects = root.join("objects");
    let file = |id: IsolatedId, ending: &str| objects.join(format!("{id}.{ending}"));
    let (whole, twin) = (put(&v, b"whole"), put(&v, b"whole"));
    let (orphan, unreadable, missing, left) = (put(&v, b"1"), put(&v, b"2"), put(&v, b"3"), put(&v, b"4"));
    let (over, wrong, both) = (put(&v, b"5"), put(&v, b"6"), put(&v, b"7"));
    std::fs::remove_file(file(orphan, "json")).unwrap();
    std::fs::write(file(unreadable, "json"), "{ not json").unwrap();
    std::fs::remove_file(file(missing, "age")).unwrap();
    v.set_status(missing, IsolatedStatus::Isolated, "").unwrap();
    v.set_status(left, IsolatedStatus::Deleted, "").unwrap();
    v.set_status(over, IsolatedStatus::Restored, "").unwrap();
    v.purge(over).unwrap();
    v.update(wrong, |m| m.size += 1).unwrap();
    std::fs::write(file(both, "json"), "").unwrap();
    std::fs::remove_file(file(both, "age")).unwrap();
    std::fs::write(objects.join("README"), "x").unwrap();
    // Left on their own filesystem: one is there, one is gone.
    let staged = dir.path().join("staged");
    std::fs::write(&staged, "y").unwrap();
    let in_place = |path: &Path, ino: u64| {
        let id = IsolatedId::new();
        let staged = Some(RawPath(path.as_os_str().as_encoded_bytes().to_vec()));
        let status = IsolatedStatus::IsolatedInPlace;
        v.write_manifest(&Manifest { staged, ino, status, reason: "full".into(), ..manifest(id, b"y") })
            .unwrap();
        id
    };
    let there = in_place(&staged, std::fs::metadata(&staged).unwrap().ino());
    let gone = in_place(&dir.path().join("nothing"), 1);
    let before = listing(&root);
    let found = check(&v);
    assert_eq!(listing(&root), before, "looking changes nothing");
    let expected = [
        (whole, Finding::Whole, ""),
        (twin, Finding::Whole, ""),
        (orphan, Finding::OrphanBlob, "lazaret vault export"),
        (unreadable, Finding::ManifestUnreadable, "lazaret vault export"),
        (missing, Finding::ContentMissing, "backup of the vault"),
        (left, Finding::LeftOver, "starts the next time"),
        (wrong, Finding::Corrupt, "come back"),
        (both, Finding::ManifestUnreadable, "remove the manifest"),
        (there, Finding::InPlace, "its content lies at"),
        (gone, Finding::StagedMissing, "mount it"),
    ];
    for (id, finding, word) in expected {
        let c = &found[&id.to_string()];
        assert!(c.finding == finding && c.why.contains(word), "{id} {c:?}");
    }
    assert!(!found.contains_key(&over.to_string()), "nothing is left of it, nothing is to be told");
    assert_eq!(found["README"].finding, Finding::Stranger);
    assert_eq!(found.len(), expected.len() + 1);
    let mut one = Vec::new();
    v.check(Some(wrong), |c| {
        one.push(c);
        Ok::<_, VaultError>(())
    })
    .unwrap();
    assert_eq!(one, [found[&wrong.to_string()].clone()]);
}

#[test]
fn the_recovery_key_opens_everything_when_the_host_key_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("v");
    let (v, recovery) = Vault::init(&root).unwrap();
    let (a, b) = (put(&v, b"same"), put(&v, b"same"));
    drop(v);
    let key = dir.path().join("recovery");
    std::fs::write(&key, format!("# printed\n\n{}\n", recovery.secret())).unwrap();
    std::fs::remove_file(root.join("host.key")).unwrap();
    let err = Reader::open(&root).map(drop).unwrap_err().to_string();
    assert!(err.contains("host.key") && err.contains("--identity"), "{err}");
    let reader = Reader::with_identity(&root, &key).unwrap();
    assert!(check(&reader).values().all(|c| c.finding == Finding::Whole));
    let mut out = Vec::new();
    reader.take(a, &mut out).unwrap();
    assert_eq!(out, b"same");
    // A vault opened like this gives out and takes nothing in.
    let v = Vault::open_with_identity(&root, &key).unwrap();
    assert_eq!(take(&v, b).unwrap(), b"same");
    let id = IsolatedId::new();
    let put = v.put(id, std::os::fd::AsFd::as_fd(&support::source(b"new")), manifest(id, b"new"));
    assert!(matches!(put, Err(VaultError::Key { .. })), "{put:?}");
    assert!(!v.has_content(id));
    v.purge(a).unwrap();
    v.verify(b).unwrap();
}

#[test]
fn a_wrong_key_says_so_and_is_not_printed() {
    let (dir, v) = new();
    let root = dir.path().join("v");
    let id = put(&v, b"x");
    let (_, other) = Vault::init(&dir.path().join("other")).unwrap();
    let key = dir.path().join("key");
    std::fs::write(&key, other.secret()).unwrap();
    let reader = Reader::with_identity(&root, &key).unwrap();
    assert!(matches!(reader.verify(id), Err(VaultError::Corrupt { .. })));
    for text in ["", "# nothing\n", "AGE-SECRET-KEY-1NONSENSE", &other.secret()[..40]] {
        std::fs::write(&key, text).unwrap();
        let err = Reader::with_identity(&root, &key).map(drop).unwrap_err();
        let said = format!("{err} {err:?}");
        assert!(said.contains("AGE-SECRET-KEY-1") && said.contains("key"), "{said}");
        assert!(!said.contains("NONSENSE") && !said.contains(&other.secret()[20..40]), "{said}");
    }
}
