// SPDX-License-Identifier: Apache-2.0
//! Samples in a folder: the whole way, lies, bounds, crashes, a disk that is full.

mod support;

use lazaret_kit::Volume;
use lazaret_samples::{MAX_PART, SampleError};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use support::{Place, all, bytes, files, keys, lies_open, read, send, sha, store};

#[tokio::test]
async fn a_sample_comes_is_opened_and_goes() {
    let place = Place::new();
    let samples = place.open();
    samples.check().await.unwrap();
    assert!(samples.place().contains(place.config.folder.to_str().unwrap()));
    let content = bytes(1, 3 * MAX_PART + 17);
    let digest = sha(&content);
    send(&samples, "p", &content).await.unwrap();
    assert!(samples.spool_bytes() > content.len() as u64);
    assert!(!lies_open(place.dir.path(), &content[100..132]), "parts are sealed");
    assert!(!samples.exists("p", &digest).await.unwrap());
    samples.finish("p", &digest).await.unwrap();
    samples.finish("p", &digest).await.unwrap();
    assert_eq!((samples.spool_bytes(), files(&place.config.spool).len()), (0, 0));
    assert!(samples.exists("p", &digest).await.unwrap());
    assert_eq!(read(&samples, "p", &digest).await.unwrap(), content);
    assert!(!lies_open(place.dir.path(), &content[100..132]), "the sample is sealed");
    let usage = samples.usage("p").await.unwrap();
    assert_eq!(usage.samples, 1);
    assert!(usage.bytes > content.len() as u64 && usage.most == place.config.project_bytes);
    samples.delete("p", &digest).await.unwrap();
    samples.delete("p", &digest).await.unwrap();
    assert!(matches!(read(&samples, "p", &digest).await, Err(SampleError::NotFound(_))));
    assert_eq!(samples.usage("p").await.unwrap().bytes, 0);
    assert_eq!(keys(&samples).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_empty_sample_and_one_byte_are_samples_too() {
    let samples = Place::new();
    let samples = samples.open();
    for content in [&b""[..], b"x"] {
        store(&samples, "p", content).await.unwrap();
        assert_eq!(read(&samples, "p", &sha(content)).await.unwrap(), content);
    }
}

#[tokio::test]
async fn a_project_never_sees_that_another_one_has_it() {
    let place = Place::new();
    let samples = place.open();
    let content = bytes(2, 1000);
    store(&samples, "one", &content).await.unwrap();
    let digest = sha(&content);
    assert!(!samples.exists("two", &digest).await.unwrap());
    assert!(matches!(read(&samples, "two", &digest).await, Err(SampleError::NotFound(_))));
    assert!(matches!(samples.finish("two", &digest).await, Err(SampleError::NotFound(_))));
    assert_eq!(samples.put_part("two", &digest, 1000, 0, b"").await.unwrap(), 0, "it is sent again");
    store(&samples, "two", &content).await.unwrap();
    samples.delete("one", &digest).await.unwrap();
    assert_eq!(read(&samples, "two", &digest).await.unwrap(), content);
    assert_eq!(
        (samples.usage("one").await.unwrap().samples, samples.usage("two").await.unwrap().samples),
        (0, 1)
    );
    for odd in ["../one", "one/", "", "One"] {
        assert!(!matches!(samples.exists(odd, &digest).await, Ok(true)), "{odd:?}");
    }
}

#[tokio::test]
async fn lies_are_noticed_dropped_and_can_be_put_right() {
    let place = Place::with(|c| c.max_sample_bytes = 1 << 20);
    let samples = place.open();
    let content = bytes(3, 5000);
    let digest = sha(&content);
    // Another content under this hash.
    let mut other = content.clone();
    other[4000] ^= 1;
    samples.put_part("p", &digest, 5000, 0, &other).await.unwrap();
    let e = samples.finish("p", &digest).await.unwrap_err();
    assert!(matches!(e, SampleError::Lied(_)) && !e.is_retryable(), "{e}");
    assert!(
        e.to_string().contains(&sha(&other).iter().map(|b| format!("{b:02x}")).collect::<String>()),
        "{e}"
    );
    assert_eq!((samples.spool_bytes(), keys(&samples).await.len()), (0, 0), "nothing of it stays");
    // Shorter than announced: not taken as it is, and not dropped, the rest may come.
    samples.put_part("p", &digest, 5000, 0, &content[..4999]).await.unwrap();
    let e = samples.finish("p", &digest).await.unwrap_err();
    assert!(e.is_retryable() && e.to_string().contains("4999 of the 5000"), "{e}");
    // Longer than announced.
    let e = samples.put_part("p", &digest, 5000, 4999, &[1, 2]).await.unwrap_err();
    assert!(matches!(e, SampleError::Lied(_)), "{e}");
    // Overlapping, and with a hole: not taken.
    assert_eq!(samples.put_part("p", &digest, 5000, 10, &[0; 100]).await.unwrap(), 4999);
    assert_eq!(samples.put_part("p", &digest, 5000, 5000, b"").await.unwrap(), 4999);
    samples.put_part("p", &digest, 5000, 4999, &content[4999..]).await.unwrap();
    samples.finish("p", &digest).await.unwrap();
    assert_eq!(read(&samples, "p", &digest).await.unwrap(), content);
    // A length that is said to be another one, from the beginning.
    let short = sha(b"short");
    samples.put_part("p", &short, 4, 0, b"shor").await.unwrap();
    assert!(matches!(samples.finish("p", &short).await, Err(SampleError::Lied(_))));
    // What is none of it.
    assert!(matches!(samples.put_part("p", b"no hash", 4, 0, b"").await, Err(SampleError::Invalid(_))));
    let e = samples.put_part("p", &short, 2 << 20, 0, b"").await.unwrap_err();
    assert!(matches!(e, SampleError::TooLarge { .. }) && e.to_string().contains("max_sample_bytes"), "{e}");
    assert!(samples.put_part("p", &short, u64::MAX, 0, b"").await.is_err());
    let large = vec![0; MAX_PART + 1];
    assert!(matches!(samples.put_part("p", &short, 1 << 20, 0, &large).await, Err(SampleError::Invalid(_))));
    assert_eq!(samples.spool_bytes(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_at_once_are_all_stored_once() {
    let place = Place::new();
    let samples = place.open();
    let same = Arc::new(bytes(4, 2 * MAX_PART));
    let tasks: Vec<_> = (0..100_u64)
        .map(|n| {
            let (samples, same) = (samples.clone(), Arc::clone(&same));
            tokio::spawn(async move {
                // Half of them send the same, the others each its own.
                let own = bytes(1000 + n, 3000);
                let content: &[u8] = if n % 2 == 0 { &same } else { &own };
                for _ in 0..200 {
                    match store(&samples, "p", content).await {
                        Ok(()) => return sha(content),
                        Err(e) if e.is_retryable() => {}
                        // Another one has finished it between our last part and our end.
                        Err(SampleError::NotFound(_)) => {}
                        Err(e) => panic!("{e}"),
                    }
                }
                panic!("busy for ever")
            })
        })
        .collect();
    for task in tasks {
        let digest = task.await.unwrap();
        assert_eq!(sha(&read(&samples, "p", &digest).await.unwrap()), digest);
    }
    assert_eq!(keys(&samples).await.len(), 51);
    // Who came late may have begun anew; that is dropped when it is over.
    samples.give_up("p", &sha(&same)).await.unwrap();
    assert_eq!(samples.spool_bytes(), 0);
    assert!(files(&place.config.folder).iter().all(|f| f.ends_with(".age")));
}

#[tokio::test]
async fn a_project_has_no_more_than_its_share() {
    let place = Place::with(|c| c.project_bytes = 20_000);
    let samples = place.open();
    store(&samples, "p", &bytes(5, 9_000)).await.unwrap();
    let second = bytes(6, 9_000);
    store(&samples, "p", &second).await.unwrap();
    let third = bytes(7, 9_000);
    let e = store(&samples, "p", &third).await.unwrap_err();
    let text = e.to_string();
    assert!(
        matches!(e, SampleError::Quota { .. }) && text.contains("project_bytes") && text.contains('p'),
        "{text}"
    );
    assert_eq!(samples.spool_bytes(), 0, "refused before it was sent");
    store(&samples, "another", &third).await.unwrap();
    samples.delete("p", &sha(&second)).await.unwrap();
    store(&samples, "p", &third).await.unwrap();
    // Counted anew by another process.
    assert_eq!(place.open().usage("p").await.unwrap(), samples.usage("p").await.unwrap());
}

#[tokio::test]
async fn a_crash_loses_no_part_and_leaves_nothing_lying_about() {
    let place = Place::new();
    let content = bytes(8, 3 * MAX_PART);
    let digest = sha(&content);
    let samples = place.open();
    let size = content.len() as u64;
    samples.put_part("p", &digest, size, 0, &content[..MAX_PART]).await.unwrap();
    samples.put_part("p", &digest, size, MAX_PART as u64, &content[MAX_PART..2 * MAX_PART]).await.unwrap();
    drop(samples);
    // Between writing aside and naming; and between sealing and storing.
    std::fs::write(place.config.folder.join(".tmp/4711.0"), "half of a sample").unwrap();
    std::fs::write(place.config.spool.join("sealing.4711.0"), "half of a sample").unwrap();
    let samples = place.open();
    assert_eq!(files(&place.config.folder), Vec::<String>::new());
    assert_eq!(files(&place.config.spool).len(), 1, "the parts");
    assert_eq!(samples.put_part("p", &digest, size, 0, b"").await.unwrap(), 2 * MAX_PART as u64);
    store(&samples, "p", &content).await.unwrap();
    assert_eq!(read(&samples, "p", &digest).await.unwrap(), content);
    // Stored, and the crash came before the parts were gone.
    send(&samples, "p", &bytes(9, 10)).await.unwrap();
    let parts = files(&place.config.spool).remove(0);
    let kept = std::fs::read(&parts).unwrap();
    samples.finish("p", &sha(&bytes(9, 10))).await.unwrap();
    drop(samples);
    std::fs::write(&parts, kept).unwrap();
    let samples = place.open();
    samples.finish("p", &sha(&bytes(9, 10))).await.unwrap();
    assert_eq!((samples.spool_bytes(), keys(&samples).await.len()), (0, 2));
}

#[tokio::test]
async fn parts_that_were_sealed_for_another_key_begin_anew() {
    let place = Place::new();
    let content = bytes(10, 1000);
    let samples = place.open();
    send(&samples, "p", &content).await.unwrap();
    drop(samples);
    std::fs::remove_file(place.key_file()).unwrap();
    let samples = place.open();
    let e = samples.finish("p", &sha(&content)).await.unwrap_err();
    assert!(e.is_retryable() && e.to_string().contains("from the start"), "{e}");
    store(&samples, "p", &content).await.unwrap();
}

#[tokio::test]
async fn a_damaged_sample_is_never_given_out() {
    let place = Place::new();
    let samples = place.open();
    let content = bytes(11, 200_000);
    store(&samples, "p", &content).await.unwrap();
    let path = files(&place.config.folder).remove(0);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let file = std::fs::File::options().read(true).write(true).open(&path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, 150_000).unwrap();
    file.write_all_at(&[byte[0] ^ 1], 150_000).unwrap();
    let e = samples.open_sample("p", &sha(&content)).await.unwrap_err();
    assert!(matches!(e, SampleError::Corrupt { .. }) && !e.is_retryable(), "{e}");
    assert!(samples.archive("p", &sha(&content), "a long enough one").await.is_err());
    // One that opens and is another one.
    let other = bytes(12, 10);
    store(&samples, "p", &other).await.unwrap();
    let hex: String = sha(&other).iter().map(|b| format!("{b:02x}")).collect();
    let theirs = files(&place.config.folder).into_iter().find(|f| f.contains(&hex)).unwrap();
    std::fs::copy(theirs, &path).unwrap();
    let e = samples.open_sample("p", &sha(&content)).await.unwrap_err();
    assert!(e.to_string().contains(&hex), "{e}");
    // What cannot be it by its length counts for nothing when it is sent again.
    store(&samples, "p", &content).await.unwrap();
    assert_eq!(read(&samples, "p", &sha(&content)).await.unwrap(), content);
}

#[tokio::test]
async fn age_opens_what_is_stored_and_what_is_downloaded() {
    let place = Place::new();
    let samples = place.open();
    let content = bytes(13, 100_000);
    store(&samples, "p", &content).await.unwrap();
    let stored = files(&place.config.folder).remove(0);
    let out =
        Command::new("age").arg("-d").arg("-i").arg(place.key_file()).arg(&stored).output().expect("age");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(out.stdout, content);
    for bad in ["short", &"x".repeat(257)] {
        let e = samples.archive("p", &sha(&content), bad).await.unwrap_err();
        assert!(matches!(e, SampleError::Invalid(_)) && e.to_string().contains("12 to 256"), "{e}");
    }
    let password = "correct horse battery";
    let archive = all(samples.archive("p", &sha(&content), password).await.unwrap());
    assert!(archive.starts_with(b"age-encryption.org/v1\n-> scrypt "));
    let path = place.dir.path().join("archive.age");
    std::fs::write(&path, archive).unwrap();
    // It asks for the password on a terminal only.
    let plain = place.dir.path().join("plain");
    let line = format!("age -d -o {} {}", plain.display(), path.display());
    let mut age = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("script of util-linux");
    std::io::Write::write_all(&mut age.stdin.take().unwrap(), format!("{password}\n").as_bytes()).unwrap();
    assert!(age.wait().unwrap().success());
    assert_eq!(std::fs::read(&plain).unwrap(), content);
}

#[tokio::test]
async fn a_backup_brings_samples_back() {
    let place = Place::new();
    let samples = place.open();
    for (project, n) in [("one", 14), ("two", 15)] {
        store(&samples, project, &bytes(n, 5000)).await.unwrap();
    }
    let other = Place::new();
    std::fs::copy(place.key_file(), other.key_file()).unwrap();
    let restored = other.open();
    let mut listing = samples.list();
    while let Some(object) = listing.next().await {
        let object = object.unwrap();
        let sealed = samples.sealed(&object).await.unwrap();
        assert_eq!(sealed.metadata().unwrap().len(), object.bytes);
        restored.put_sealed(&object.key, sealed).await.unwrap();
    }
    assert_eq!(keys(&restored).await, keys(&samples).await);
    assert_eq!(read(&restored, "two", &sha(&bytes(15, 5000))).await.unwrap(), bytes(15, 5000));
    let nothing = tempfile::tempfile().unwrap();
    assert!(matches!(restored.put_sealed("../x.age", nothing).await, Err(SampleError::Invalid(_))));
}

#[tokio::test]
async fn a_full_disk_refuses_and_loses_nothing() {
    lazaret_kit::needs_root();
    for on_volume in ["spool", "samples"] {
        let volume = Volume::ext4();
        let place = Place::with(|c| match on_volume {
            "spool" => c.spool = volume.join("spool"),
            _ => c.folder = volume.join("samples"),
        });
        let samples = place.open();
        let first = bytes(16, 100_000);
        store(&samples, "p", &first).await.unwrap();
        let second = bytes(17, 2 * MAX_PART);
        samples.put_part("p", &sha(&second), second.len() as u64, 0, &second[..MAX_PART]).await.unwrap();
        // Everything that is left, root's reserve too.
        let ballast = volume.join("ballast");
        let filled = Command::new("dd")
            .args(["if=/dev/zero", "bs=1M", &format!("of={}", ballast.display())])
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(!filled.success(), "the volume is full");
        let e = store(&samples, "p", &second).await.unwrap_err();
        assert!(matches!(e, SampleError::Full(_)) && e.is_retryable(), "{on_volume}: {e}");
        assert!(e.to_string().contains(volume.path().to_str().unwrap()), "{on_volume}: {e}");
        assert_eq!(read(&samples, "p", &sha(&first)).await.unwrap(), first);
        std::fs::remove_file(&ballast).unwrap();
        store(&samples, "p", &second).await.unwrap();
        assert_eq!(read(&samples, "p", &sha(&second)).await.unwrap(), second);
        assert_eq!((samples.spool_bytes(), keys(&samples).await.len()), (0, 2));
    }
}

#[tokio::test]
async fn the_last_part_of_a_disk_is_left_alone() {
    lazaret_kit::needs_root();
    let volume = Volume::tmpfs();
    let place = Place::with(|c| {
        c.folder = volume.join("samples");
        c.spool = volume.join("spool");
        c.free_percent = 90;
    });
    let samples = place.open();
    store(&samples, "p", &bytes(18, 1000)).await.unwrap();
    std::fs::write(volume.join("ballast"), vec![0; 30 << 20]).unwrap();
    let e = samples.check().await.unwrap_err();
    assert!(e.to_string().contains("free_percent"), "{e}");
    let e = store(&samples, "p", &bytes(19, 1000)).await.unwrap_err();
    assert!(matches!(e, SampleError::Full(_)) && e.to_string().contains("free_percent"), "{e}");
    std::fs::remove_file(volume.join("ballast")).unwrap();
    store(&samples, "p", &bytes(19, 1000)).await.unwrap();
}

#[tokio::test]
async fn a_folder_or_key_that_cannot_be_used_is_named() {
    let place = Place::new();
    std::fs::write(place.key_file(), "AGE-SECRET-KEY-1NONSENSE\n").unwrap();
    let e = place.try_open().unwrap_err();
    assert!(!e.is_retryable() && e.to_string().contains("samples.key"), "{e}");
    let place = Place::with(|c| c.folder = "/proc/samples".into());
    let e = place.try_open().unwrap_err();
    assert!(e.to_string().contains("/proc/samples"), "{e}");
}
