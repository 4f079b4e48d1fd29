// SPDX-License-Identifier: Apache-2.0
//! The vault gives back what it was given, says what is wrong, and never drops anything.

mod support;

use lazaret_model::{IsolatedId, IsolatedStatus};
use lazaret_vault::{BLOB_FORMAT, Blob, Extent, Limits, Manifest, Vault, VaultError};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;
use support::{manifest, mode, new, put, source, take};

#[test]
fn everything_comes_back_at_every_size() {
    let (dir, v) = new();
    // Around the boundaries of age's chunks (64 KiB) and ours (128 KiB).
    for size in [0, 1, 65_535, 65_536, 65_537, 131_072, 131_073, 1_000_000] {
        let content: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
        let id = put(&v, &content);
        assert!(take(&v, id).unwrap() == content, "{size}");
        v.verify(id).unwrap();
        let m = v.manifest(id).unwrap();
        let bytes = std::fs::metadata(v.blob_path(id)).unwrap().len();
        let blob =
            Some(Blob { file: format!("{id}.age"), format: BLOB_FORMAT.into(), bytes, further: Vec::new() });
        let expected = Manifest { blob, extents: m.extents.clone(), ..manifest(id, &content) };
        assert_eq!(m, Manifest { journal: m.journal, ..expected });
        assert_eq!(mode(&v.blob_path(id)), 0o400);
    }
    assert_eq!(v.usage().objects, 8);
    let before = v.usage();
    drop(v);
    assert_eq!(mode(&dir.path().join("v")), 0o700);
    assert_eq!(mode(&dir.path().join("v/host.key")), 0o400);
    let v = Vault::open(&dir.path().join("v")).unwrap();
    assert_eq!(v.usage(), before, "counted the same after opening again");
    assert_eq!(v.list().unwrap().len(), 8);
}

#[test]
fn holes_are_recorded_and_read_as_zeros() {
    let (_dir, v) = new();
    let file = tempfile::tempfile().unwrap();
    file.set_len(40 << 20).unwrap();
    file.write_all_at(b"in the middle", 20 << 20).unwrap();
    let mut content = vec![0; 40 << 20];
    content[20 << 20..][..13].copy_from_slice(b"in the middle");
    let id = IsolatedId::new();
    let sealed = v.put(id, file.as_fd(), manifest(id, &content)).unwrap();
    assert_eq!(sealed.size, 40 << 20);
    let data: u64 = v.manifest(id).unwrap().extents.iter().map(|e: &Extent| e.len).sum();
    assert!(data > 0 && data <= 1 << 20, "{data}");
    assert!(take(&v, id).unwrap() == content);
}

#[test]
fn changed_content_is_not_kept() {
    let (_dir, v) = new();
    let id = IsolatedId::new();
    let err = v.put(id, source(b"other").as_fd(), manifest(id, b"judged")).unwrap_err();
    assert!(matches!(err, VaultError::Changed { .. }), "{err}");
    assert_eq!(v.usage(), Default::default());
    assert!(v.list().unwrap().is_empty());
    assert!(matches!(v.manifest(id), Err(VaultError::NotFound(_))));
}

#[test]
fn full_refuses_the_new_and_keeps_the_old() {
    let (_dir, v) = new();
    let v =
        v.with_limits(Limits { total_bytes: 10_000, object_bytes: 5_000, keep_free: 0, ..Limits::default() });
    let a = put(&v, &[1; 4000]);
    let refused = |content: &[u8], word: &str| {
        let id = IsolatedId::new();
        match v.put(id, source(content).as_fd(), manifest(id, content)) {
            Err(VaultError::Full { why }) => assert!(why.contains(word), "{why}"),
            other => panic!("{other:?}"),
        }
    };
    refused(&[2; 5001], "one file");
    put(&v, &[2; 3000]);
    refused(&[3; 3000], "are used");
    assert_eq!(take(&v, a).unwrap(), [1; 4000]);
    v.purge(a).unwrap();
    v.purge(a).unwrap();
    put(&v, &[3; 3000]);
    assert_eq!(v.usage().objects, 2);
    let v = v.with_limits(Limits { keep_free: u64::MAX, ..Limits::default() });
    let id = IsolatedId::new();
    assert!(matches!(v.put(id, source(b"x").as_fd(), manifest(id, b"x")), Err(VaultError::Full { .. })));
}

#[test]
fn corrupt_objects_say_so_and_hide_nobody() {
    let (dir, v) = new();
    let good = put(&v, b"good");
    let (flipped, cut, swapped, no_manifest, bad_manifest) =
        (put(&v, &[5; 100_000]), put(&v, b"cut"), put(&v, b"swapped"), put(&v, b"n"), put(&v, b"b"));
    let objects = dir.path().join("v/objects");
    let edit = |id: IsolatedId, f: &dyn Fn(&mut Vec<u8>)| {
        let p = v.blob_path(id);
        let mut b = std::fs::read(&p).unwrap();
        f(&mut b);
        std::fs::set_permissions(&p, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&p, b).unwrap();
    };
    edit(flipped, &|b| {
        let middle = b.len() / 2;
        b[middle] ^= 1;
    });
    edit(cut, &|b| b.truncate(b.len() - 1));
    edit(swapped, &|b| *b = std::fs::read(v.blob_path(good)).unwrap());
    std::fs::remove_file(objects.join(format!("{no_manifest}.json"))).unwrap();
    std::fs::write(objects.join(format!("{bad_manifest}.json")), "{ not json").unwrap();
    std::fs::write(objects.join("stranger"), "x").unwrap();
    for id in [flipped, cut, swapped] {
        assert!(matches!(v.verify(id), Err(VaultError::Corrupt { .. })), "{:?}", v.verify(id));
    }
    v.verify(good).unwrap();
    let list = v.list().unwrap();
    assert_eq!(list.len(), 6);
    let broken: Vec<_> = list.iter().filter(|l| l.manifest.is_err()).map(|l| l.id).collect();
    assert_eq!(broken, [no_manifest, bad_manifest]);
    assert!(list.iter().all(|l| l.has_content));
    assert!(matches!(v.manifest(bad_manifest), Err(VaultError::BadManifest { .. })));
    assert!(matches!(v.verify(IsolatedId::new()), Err(VaultError::NotFound(_))));
    // A manifest of another object is not taken for this one's.
    std::fs::copy(objects.join(format!("{good}.json")), objects.join(format!("{no_manifest}.json"))).unwrap();
    assert!(matches!(v.manifest(no_manifest), Err(VaultError::BadManifest { .. })));
}

#[test]
fn fields_of_a_later_version_survive() {
    let (dir, v) = new();
    let id = put(&v, b"x");
    let path = dir.path().join(format!("v/objects/{id}.json"));
    let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    json["invented_later"] = serde_json::json!({"a": [1]});
    std::fs::write(&path, json.to_string()).unwrap();
    v.set_status(id, IsolatedStatus::Isolated, "why").unwrap();
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(json["invented_later"]["a"][0], 1);
    assert_eq!((json["status"].as_str(), json["reason"].as_str()), (Some("isolated"), Some("why")));
    json_schema_is_checked(&v, id, &path, json);
}

fn json_schema_is_checked(v: &Vault, id: IsolatedId, path: &Path, mut json: serde_json::Value) {
    json["schema"] = "lazaret.isolated/2".into();
    std::fs::write(path, json.to_string()).unwrap();
    assert!(matches!(v.manifest(id), Err(VaultError::BadManifest { .. })));
}

#[test]
fn keys_are_made_once_and_errors_name_the_file() {
    let (dir, v) = new();
    let root = dir.path().join("v");
    assert!(matches!(Vault::init(&root), Err(VaultError::AlreadyInitialised(_))));
    let id = put(&v, b"x");
    drop(v);
    std::fs::set_permissions(root.join("host.key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o755)).unwrap();
    let v = Vault::open(&root).unwrap();
    assert_eq!((mode(&root), mode(&root.join("host.key"))), (0o700, 0o400));
    v.verify(id).unwrap();
    std::fs::remove_file(root.join("recovery.pub")).unwrap();
    let err = Vault::open(&root).map(drop).unwrap_err().to_string();
    assert!(err.contains("recovery.pub"), "{err}");
    let err = Vault::open(&dir.path().join("none")).map(drop).unwrap_err().to_string();
    assert!(err.contains("host.key"), "{err}");
}

#[test]
fn the_age_tool_opens_what_is_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("v");
    let (v, recovery) = Vault::init(&root).unwrap();
    assert!(!format!("{recovery:?}").contains(recovery.secret()));
    let id = put(&v, b"plain text");
    let key = dir.path().join("recovery");
    std::fs::write(&key, recovery.secret()).unwrap();
    for key in [key, root.join("host.key")] {
        assert_eq!(support::age(&key, &v.blob_path(id)), b"plain text");
    }
    let stored = std::fs::read_dir(&root).unwrap().flatten().filter(|e| e.path().is_file());
    for file in stored {
        assert!(!std::fs::read_to_string(file.path()).unwrap().contains(recovery.secret()));
    }
}
