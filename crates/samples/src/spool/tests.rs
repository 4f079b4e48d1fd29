// SPDX-License-Identifier: Apache-2.0
//! Bounds of the spool, and what of it outlives a process.

use super::*;

fn key(n: u8) -> Key {
    Key::new("p", &[n; 32]).unwrap()
}

struct Case {
    dir: tempfile::TempDir,
    keys: Keys,
}

impl Case {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::open(dir.path()).unwrap();
        Self { dir, keys }
    }

    fn open(&self, most: u64) -> Spool {
        Spool::open(&self.dir.path().join("spool"), most, 0).unwrap()
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.dir.path().join("spool")).unwrap().count()
    }

    /// One part, as the server takes it.
    async fn part(
        &self,
        spool: &Spool,
        key: &Key,
        size: u64,
        at: u64,
        data: &[u8],
    ) -> Result<u64, SampleError> {
        let mut held = spool.hold(key).await?;
        let done = spool.begin(key, &mut held, size);
        let done = done.and_then(|()| spool.take(key, &mut held, &self.keys, at, data));
        spool.release(key, held);
        done
    }

    async fn content(&self, spool: &Spool, key: &Key) -> Vec<u8> {
        let held = spool.hold(key).await.unwrap();
        let mut out = Vec::new();
        let parts = held.as_ref().unwrap();
        let mut each = parts.each(&self.keys);
        while let Some(part) = each().unwrap() {
            out.extend(part);
        }
        out
    }
}

#[tokio::test]
async fn parts_are_taken_in_order_only() {
    let c = Case::new();
    let spool = c.open(1 << 20);
    let k = key(1);
    assert_eq!(c.part(&spool, &k, 10, 0, b"").await.unwrap(), 0, "where to go on");
    assert_eq!(c.part(&spool, &k, 10, 4, b"later").await.unwrap(), 0, "a hole");
    assert_eq!(c.part(&spool, &k, 10, 0, b"hello").await.unwrap(), 5);
    assert_eq!(c.part(&spool, &k, 10, 0, b"HELLO").await.unwrap(), 5, "again");
    assert_eq!(c.part(&spool, &k, 10, 3, b"lo wor").await.unwrap(), 5, "overlapping");
    let e = c.part(&spool, &k, 10, 5, b" world").await.unwrap_err();
    assert!(matches!(e, SampleError::Lied(_)) && e.to_string().contains("more than the 10"), "{e}");
    assert!(c.part(&spool, &k, 10, u64::MAX, b"x").await.is_err(), "no overflow");
    let e = c.part(&spool, &k, 11, 5, b" worl").await.unwrap_err();
    assert!(e.to_string().contains("another host") && !e.is_retryable(), "{e}");
    assert_eq!(c.part(&spool, &k, 10, 5, b" worl").await.unwrap(), 10);
    assert_eq!(c.content(&spool, &k).await, b"hello worl");
}

#[tokio::test]
async fn what_another_process_still_had_is_gone_on_with_when_it_ends() {
    let c = Case::new();
    let k = key(1);
    let old = c.open(1 << 20);
    c.part(&old, &k, 10, 0, b"hello").await.unwrap();
    let new = c.open(1 << 20);
    let e = c.part(&new, &k, 10, 5, b" worl").await.unwrap_err();
    assert!(matches!(e, SampleError::Busy(_)), "{e}");
    let used = old.bytes();
    drop(old);
    assert_eq!(c.part(&new, &k, 10, 5, b"").await.unwrap(), 5, "where it was");
    assert_eq!(new.bytes(), used);
    assert_eq!(c.part(&new, &k, 10, 5, b" worl").await.unwrap(), 10);
    assert_eq!(c.content(&new, &k).await, b"hello worl");
    // Said to have another size: from the start.
    let other = key(2);
    let old = c.open(1 << 20);
    c.part(&old, &other, 10, 0, b"hello").await.unwrap();
    drop(old);
    assert_eq!(c.part(&new, &other, 11, 0, b"").await.unwrap(), 0);
}

#[tokio::test]
async fn a_restart_goes_on_where_the_last_whole_part_ended() {
    let c = Case::new();
    let k = key(1);
    let spool = c.open(1 << 20);
    c.part(&spool, &k, 100, 0, b"hello").await.unwrap();
    c.part(&spool, &k, 100, 5, b"world").await.unwrap();
    let used = spool.bytes();
    drop(spool);
    let path = std::fs::read_dir(c.dir.path().join("spool")).unwrap().next().unwrap().unwrap().path();
    let whole = std::fs::read(&path).unwrap();
    assert_eq!(whole.len() as u64, used);
    assert!(!whole.windows(5).any(|w| w == b"hello" || w == b"world"), "nothing plain on disk");
    // A crash in the middle of the second part, at every byte of it.
    let first = {
        let lengths: [u8; 4] = whole[20..24].try_into().unwrap();
        24 + u32::from_le_bytes(lengths) as usize
    };
    for cut in (first..whole.len()).step_by(7) {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let spool = c.open(1 << 20);
        assert_eq!(spool.bytes(), first as u64, "cut at {cut}");
        assert_eq!(c.part(&spool, &k, 100, 5, b"").await.unwrap(), 5);
    }
    std::fs::write(&path, &whole).unwrap();
    let spool = c.open(1 << 20);
    assert_eq!(c.part(&spool, &k, 100, 0, b"").await.unwrap(), 10);
    assert_eq!(c.content(&spool, &k).await, b"helloworld");
}

#[tokio::test]
async fn what_is_none_of_ours_or_no_use_is_handled() {
    let c = Case::new();
    drop(c.open(1 << 20));
    let folder = c.dir.path().join("spool");
    std::fs::write(folder.join("stranger"), "x").unwrap();
    std::fs::write(folder.join("sealing.1.0"), "left by a crash").unwrap();
    std::fs::write(folder.join(format!("{}.parts", key(2).flat())), "garbage").unwrap();
    std::fs::write(
        folder.join(format!("{}.parts", key(3).flat())),
        b"LZPARTS1\xff\xff\xff\xff\xff\xff\xff\xffx",
    )
    .unwrap();
    let old = folder.join(format!("{}.parts", key(4).flat()));
    std::fs::write(&old, b"LZPARTS1\x0a\0\0\0\0\0\0\0").unwrap();
    let past = std::time::SystemTime::now() - 2 * ABANDONED;
    File::options().write(true).open(&old).unwrap().set_modified(past).unwrap();
    let spool = c.open(1 << 20);
    assert_eq!(c.files(), 2, "the stranger stays, the one that can go on, too");
    // It was said to have an absurd size: whoever comes with the true one begins anew once that is idle.
    assert_eq!(spool.bytes(), 16);
}

#[tokio::test]
async fn the_room_is_bounded_and_idle_ones_make_room() {
    let c = Case::new();
    let spool = c.open(3_000);
    c.part(&spool, &key(1), 5_000, 0, &[1; 2_000]).await.unwrap();
    let e = c.part(&spool, &key(2), 5_000, 0, &[2; 2_000]).await.unwrap_err();
    assert!(e.is_retryable() && e.to_string().contains("spool_bytes"), "{e}");
    {
        let mut held = spool.hold(&key(1)).await.unwrap();
        held.as_mut().unwrap().age(IDLE);
    }
    assert_eq!(c.part(&spool, &key(2), 5_000, 0, &[2; 2_000]).await.unwrap(), 2_000);
    assert_eq!(c.files(), 1);
    assert_eq!(spool.sweep(), 0);
    {
        let mut held = spool.hold(&key(2)).await.unwrap();
        held.as_mut().unwrap().age(ABANDONED);
    }
    assert_eq!(spool.sweep(), 1);
    assert_eq!((c.files(), spool.bytes()), (0, 0));
}

#[tokio::test]
async fn crumbs_are_bounded() {
    let c = Case::new();
    let spool = c.open(1 << 30);
    let mut have = 0;
    let e = loop {
        match c.part(&spool, &key(1), 1 << 20, have, b"x").await {
            Ok(now) => have = now,
            Err(e) => break e,
        }
        assert!(have < 2_000, "{have} parts of one byte");
    };
    assert!(matches!(e, SampleError::Lied(_)) && e.to_string().contains("small parts"), "{e}");
}

#[tokio::test]
async fn two_processes_do_not_write_one_file() {
    let c = Case::new();
    let one = c.open(1 << 20);
    c.part(&one, &key(1), 10, 0, b"hello").await.unwrap();
    let other = c.open(1 << 20);
    let e = c.part(&other, &key(1), 10, 0, b"hello").await.unwrap_err();
    assert!(e.is_retryable() && e.to_string().contains("another process"), "{e}");
    assert_eq!(c.content(&one, &key(1)).await, b"hello");
}

#[tokio::test]
async fn what_has_no_parts_is_not_kept_in_mind() {
    let c = Case::new();
    let spool = c.open(1 << 20);
    for n in 0..20 {
        let mut held = spool.hold(&key(n)).await.unwrap();
        spool.begin(&key(n), &mut held, 5).unwrap();
        spool.drop_parts(&mut held).unwrap();
        spool.release(&key(n), held);
    }
    assert!(spool.slots.lock().unwrap().is_empty());
    assert_eq!((c.files(), spool.bytes()), (0, 0));
}
