// SPDX-License-Identifier: Apache-2.0
//! Equal contents are stored once, and nobody's content goes with another's.

mod support;

use lazaret_model::IsolatedId;
use lazaret_vault::{Finding, Manifest, Usage, Vault, VaultError};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use support::{age, blobs, manifest, new, put, put_of, source, take};

fn count(v: &Vault) -> (u64, u64) {
    let Usage { objects, blobs, .. } = v.usage();
    (objects, blobs)
}

#[test]
fn equal_contents_share_a_blob_until_the_last_holder_goes() {
    let (dir, v) = new();
    let root = dir.path().join("v");
    let content = vec![7; 300_000];
    let a = put(&v, &content);
    let bytes = v.usage().bytes;
    let b = IsolatedId::new();
    let sealed = v.put(b, source(&content).as_fd(), manifest(b, &content)).unwrap();
    assert!(sealed.shared && sealed.stored == bytes);
    let other = put(&v, b"other");
    assert_eq!(count(&v), (3, 2));
    assert_eq!(v.usage().bytes - bytes, std::fs::metadata(v.blob_path(other)).unwrap().len());
    assert_eq!(blobs(&root).len(), 2);
    assert_eq!((v.holders(a), v.holders(b), v.holders(other)), (2, 2, 1));
    assert_eq!(v.manifest(b).unwrap().blob.unwrap().file, format!("{b}.age"));
    // Any order of opening again counts the same.
    let before = v.usage();
    drop(v);
    let v = Vault::open(&root).unwrap();
    assert_eq!(v.usage(), before);
    v.purge(a).unwrap();
    assert!(!v.has_content(a));
    assert_eq!(count(&v), (2, 2));
    assert_eq!(take(&v, b).unwrap(), content);
    v.verify(b).unwrap();
    // A third one shares with who is left.
    let c = put(&v, &content);
    assert_eq!(count(&v), (3, 2));
    v.purge(b).unwrap();
    assert_eq!(take(&v, c).unwrap(), content);
    v.purge(c).unwrap();
    v.purge(other).unwrap();
    assert_eq!(v.usage(), Usage::default());
    assert!(blobs(&root).is_empty());
}

#[test]
fn same_digest_is_not_enough_the_bytes_are_read() {
    let (_dir, v) = new();
    let a = put(&v, b"judged");
    let id = IsolatedId::new();
    // Claims the stored content and holds another: of the same length, shorter, longer.
    for content in [&b"edited"[..], b"judge", b"judged!"] {
        let err = v.put(id, source(content).as_fd(), manifest(id, b"judged")).unwrap_err();
        assert!(matches!(err, VaultError::Changed { .. }), "{err}");
        assert!(!v.has_content(id) && matches!(v.manifest(id), Err(VaultError::NotFound(_))));
    }
    assert_eq!(count(&v), (1, 1));
    v.verify(a).unwrap();
}

#[test]
fn a_damaged_blob_is_not_shared_any_further() {
    let (dir, v) = new();
    let content = vec![3; 100_000];
    let a = put(&v, &content);
    let path = v.blob_path(a);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&path, bytes).unwrap();
    let b = put(&v, &content);
    let c = put(&v, &content);
    assert_eq!(count(&v), (3, 2), "sealed anew, and shared from there");
    assert_eq!(take(&v, b).unwrap(), content);
    assert_eq!(take(&v, c).unwrap(), content);
    assert!(matches!(v.verify(a), Err(VaultError::Corrupt { .. })));
    let mut bad = Vec::new();
    v.check(None, |c| {
        if !c.finding.is_ok() {
            bad.push((c.name, c.finding));
        }
        Ok::<_, VaultError>(())
    })
    .unwrap();
    assert_eq!(bad, [(a.to_string(), Finding::Corrupt)]);
    drop(dir);
}

#[test]
fn objects_of_the_earlier_format_open_and_are_shared() {
    let (dir, v) = new();
    let root = dir.path().join("v");
    let content = vec![9; 5000];
    let a = put(&v, &content);
    // As the first version wrote it: no word about the blob.
    let path = root.join(format!("objects/{a}.json"));
    let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    json.as_object_mut().unwrap().remove("blob").unwrap();
    std::fs::write(&path, json.to_string()).unwrap();
    drop(v);
    let v = Vault::open(&root).unwrap();
    assert_eq!(v.manifest(a).unwrap().blob, None);
    v.verify(a).unwrap();
    let b = put(&v, &content);
    assert_eq!(count(&v), (2, 1));
    v.purge(a).unwrap();
    assert_eq!(take(&v, b).unwrap(), content);
}

#[test]
fn case_26_what_a_crash_leaves_between_two_steps_of_a_shared_put() {
    let (dir, v) = new();
    let root = dir.path().join("v");
    let content = vec![1; 70_000];
    let a = put(&v, &content);
    let b = IsolatedId::new();
    // The name was given, the manifest not: an orphan that replay seals again under the same id.
    std::fs::hard_link(v.blob_path(a), v.blob_path(b)).unwrap();
    drop(v);
    let v = Vault::open(&root).unwrap();
    assert_eq!(count(&v), (2, 1));
    v.compare(b, v.manifest(a).unwrap().sha256, 70_000).unwrap();
    v.purge(b).unwrap();
    v.put(b, source(&content).as_fd(), manifest(b, &content)).unwrap();
    v.verify(a).unwrap();
    v.verify(b).unwrap();
    // The manifest half-written.
    std::fs::remove_file(root.join(format!("objects/{b}.json"))).unwrap();
    std::fs::write(root.join(format!("objects/{b}.json.tmp")), "{").unwrap();
    drop(v);
    let v = Vault::open(&root).unwrap();
    v.purge(b).unwrap();
    v.verify(a).unwrap();
    assert_eq!((count(&v), take(&v, a).unwrap()), ((1, 1), content));
}

#[test]
fn racing_puts_and_purges_lose_nothing_and_store_once() {
    let (dir, v) = new();
    let root = dir.path().join("v");
    let v = Arc::new(v);
    let content = vec![5; 40_000];
    let ids: Vec<IsolatedId> = std::thread::scope(|s| {
        let threads: Vec<_> = (0..8).map(|_| s.spawn(|| put(&v, &content))).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(count(&v), (8, 1), "at once, and stored once");
    let stop = AtomicBool::new(false);
    std::thread::scope(|s| {
        // One keeps coming and going, so that every put meets purges of what it wants to share.
        for _ in 0..2 {
            s.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let id = put(&v, &content);
                    v.purge(id).unwrap();
                }
            });
        }
        for id in &ids {
            v.purge(*id).unwrap();
        }
        for _ in 0..150 {
            let id = put(&v, &content);
            assert_eq!(take(&v, id).unwrap().len(), 40_000);
            v.verify(id).unwrap();
            v.purge(id).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(v.usage(), Usage::default());
    assert!(blobs(&root).is_empty());
}

#[test]
fn the_age_tool_opens_shared_objects_with_either_key() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("v");
    let (v, recovery) = Vault::init(&root).unwrap();
    let (a, b) = (put(&v, b"the same"), put(&v, b"the same"));
    assert_eq!(v.usage().blobs, 1);
    let key = dir.path().join("recovery");
    std::fs::write(&key, recovery.secret()).unwrap();
    for key in [key, root.join("host.key")] {
        for id in [a, b] {
            assert_eq!(age(&key, &v.blob_path(id)), b"the same");
        }
    }
    v.purge(a).unwrap();
    assert_eq!(age(&root.join("host.key"), &v.blob_path(b)), b"the same");
}

#[test]
fn a_filesystem_that_gives_no_more_names_gets_a_second_blob() {
    // ext4 allows 65,000 names of one file.
    let dir = tempfile::tempdir().unwrap();
    let (image, point) = (dir.path().join("image"), dir.path().join("m"));
    std::fs::create_dir(&point).unwrap();
    std::fs::File::create(&image).unwrap().set_len(64 << 20).unwrap();
    let run = |program: &str, args: &[&std::ffi::OsStr]| {
        let out = Command::new(program).args(args).output().unwrap();
        assert!(out.status.success(), "{program}: {}", String::from_utf8_lossy(&out.stderr));
    };
    run("mkfs.ext4", &["-q".as_ref(), "-F".as_ref(), image.as_os_str()]);
    run("mount", &["-o".as_ref(), "loop".as_ref(), image.as_os_str(), point.as_os_str()]);
    let tried = std::panic::catch_unwind(|| {
        let (v, _) = Vault::init(&point.join("v")).unwrap();
        let a = put(&v, b"popular");
        let many = point.join("many");
        std::fs::create_dir(&many).unwrap();
        let mut n = 1;
        while std::fs::hard_link(v.blob_path(a), many.join(n.to_string())).is_ok() {
            n += 1;
        }
        assert_eq!(std::fs::metadata(v.blob_path(a)).unwrap().nlink(), n);
        assert!(n >= 65_000, "{n}");
        let (b, c) = (put(&v, b"popular"), put(&v, b"popular"));
        assert_eq!(count(&v), (3, 2));
        for id in [a, b, c] {
            v.verify(id).unwrap();
        }
        // Names that others gave are not counted: what the vault holds it knows itself.
        v.purge(a).unwrap();
        assert_eq!(count(&v), (2, 1));
    });
    run("umount", &[point.as_os_str()]);
    tried.unwrap();
}

#[test]
fn an_object_of_another_owner_is_shared_too() {
    let (_dir, v) = new();
    let a = put_of(&v, 1000, b"same").unwrap();
    let b = put_of(&v, 1001, b"same").unwrap();
    assert_eq!(count(&v), (2, 1));
    let owners = v.owners();
    assert_eq!((owners[0].0, owners[1].0), (1000, 1001));
    assert_eq!(owners[0].1, owners[1].1, "each is charged for the blob");
    // Each keeps its own story.
    let m: Vec<Manifest> = [a, b].into_iter().map(|id| v.manifest(id).unwrap()).collect();
    assert_eq!((m[0].uid, m[1].uid), (1000, 1001));
}

#[test]
fn a_further_recipient_opens_what_is_sealed_from_then_on() {
    let (dir, v) = new();
    let root = dir.path().join("v");
    let keys = Command::new("age-keygen").output().unwrap();
    assert!(keys.status.success(), "{keys:?}");
    let fleet = dir.path().join("fleet.txt");
    std::fs::write(&fleet, &keys.stdout).unwrap();
    let public = Command::new("age-keygen").arg("-y").arg(&fleet).output().unwrap().stdout;
    let public = String::from_utf8(public).unwrap().trim().to_owned();
    let before = put(&v, b"same");
    for bad in ["", "age1", "ssh-ed25519 AAAA", &public.to_uppercase()[1..], &format!("{public}q")] {
        assert!(v.seal_for(Some(bad)).is_err(), "{bad}");
    }
    v.seal_for(Some(&public)).unwrap();
    let opens = |id| {
        let out = Command::new("age").arg("-d").arg("-i").arg(&fleet).arg(v.blob_path(id)).output().unwrap();
        out.status.success().then_some(out.stdout)
    };
    assert_eq!(opens(before), None, "what was sealed before stays as it is");
    let (again, other) = (put(&v, b"same"), put(&v, b"other"));
    assert_eq!(opens(again).as_deref(), Some(b"same".as_slice()), "not shared with one that it cannot open");
    assert_eq!(opens(other).as_deref(), Some(b"other".as_slice()));
    assert_eq!(v.manifest(again).unwrap().blob.unwrap().further, std::slice::from_ref(&public));
    let third = put(&v, b"same");
    assert_eq!((v.holders(third), v.holders(before)), (2, 1), "the new blob is shared");
    for id in [before, again, other, third] {
        assert!(!age(&root.join("host.key"), &v.blob_path(id)).is_empty(), "the vault's own key opens all");
        v.verify(id).unwrap();
    }
    v.seal_for(None).unwrap();
    let alone = put(&v, b"alone");
    assert_eq!(opens(alone), None);
    assert!(v.manifest(alone).unwrap().blob.unwrap().further.is_empty());
}
