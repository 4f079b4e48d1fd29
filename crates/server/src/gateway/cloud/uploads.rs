// SPDX-License-Identifier: Apache-2.0
//! Which samples come in, and from whom: each once for its project, few of one host, bounded in all. What
//! stands still, or drips, is given up.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Who was told that a sample is wanted begins within that, or another host is told.
const OFFERED: Duration = Duration::from_secs(60);
/// Wanted of one host and not begun, at most.
const OFFERS_OF_HOST: usize = 64;
/// Bytes that must come within the time after which a sample counts as standing still.
const LEAST: u64 = 64 << 10;
/// A host that sent what it was not is not asked for the same for so long.
const DISTRUST: Duration = Duration::from_secs(3_600);
/// So many of those are remembered.
const MAX_LIARS: usize = 10_000;
/// A project that has no room is asked for nothing for so long.
pub(super) const NO_ROOM: Duration = Duration::from_secs(600);

/// Project and SHA-256.
type Key = (String, Vec<u8>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Offered,
    Coming,
    /// All of it is here; it is compared, sealed and stored.
    Finishing,
}

#[derive(Debug)]
struct Upload {
    host: String,
    state: State,
    size: u64,
    have: u64,
    /// Since when, and from how many bytes on, it is looked whether it goes on.
    mark: (Instant, u64),
    /// It lies where it belongs; the database does not know yet.
    stored: bool,
    /// Another host began it: what is here of it is not this one's.
    other: bool,
}

#[derive(Debug, Default)]
struct Inner {
    all: HashMap<Key, Upload>,
    offers: HashMap<String, usize>,
    coming: usize,
    liars: HashMap<(Key, String), Instant>,
    full: HashMap<String, Instant>,
}

/// All of this gateway.
pub(super) struct Uploads {
    most: usize,
    most_of_host: usize,
    stall: Duration,
    inner: Mutex<Inner>,
}

/// Whether a host is to send what it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    /// It is.
    Wanted,
    /// Another one does.
    Coming,
    /// Not before this host has sent some of what it was asked for.
    Soon,
    /// Not now.
    Later,
}

/// Whether a part is taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is the next of one that comes.
    Next {
        /// See [`Uploads::stored`].
        stored: bool,
    },
    /// The first one. `other`: what is here was sent by another host.
    First {
        /// Nobody vouches for what another host began.
        other: bool,
    },
    /// Not now.
    Wait(&'static str, Duration),
    /// Never.
    Refuse(&'static str),
}

impl Inner {
    fn put(&mut self, key: Key, upload: Upload) {
        self.remove(&key);
        match upload.state {
            State::Offered => *self.offers.entry(upload.host.clone()).or_default() += 1,
            State::Coming | State::Finishing => self.coming += 1,
        }
        self.all.insert(key, upload);
    }

    fn remove(&mut self, key: &Key) -> Option<Upload> {
        let gone = self.all.remove(key)?;
        match gone.state {
            State::Offered => {
                if let Some(n) = self.offers.get_mut(&gone.host) {
                    *n = n.saturating_sub(1);
                    if *n == 0 {
                        self.offers.remove(&gone.host);
                    }
                }
            }
            State::Coming | State::Finishing => self.coming = self.coming.saturating_sub(1),
        }
        Some(gone)
    }

    fn of_host(&self, host: &str) -> usize {
        self.all.values().filter(|u| u.host == host && u.state != State::Offered).count()
    }
}

impl Uploads {
    pub(super) fn new(most: usize, most_of_host: usize, stall: Duration) -> Self {
        Self { most, most_of_host, stall, inner: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody else's upload is none any more: its host is gone, or it was told and did not begin.
    fn over(upload: &Upload, now: Instant, lives: bool) -> bool {
        let silent = upload.state == State::Offered && now.saturating_duration_since(upload.mark.0) > OFFERED;
        upload.state != State::Finishing && (!lives || silent)
    }

    /// A host has what is unknown here. `lives` says whether a host has a session.
    pub(super) fn offer(
        &self,
        project: &str,
        sha256: &[u8],
        host: &str,
        now: Instant,
        lives: impl Fn(&str) -> bool,
    ) -> Offer {
        let key = (project.to_owned(), sha256.to_vec());
        let mut inner = self.lock();
        let other = match inner.all.get(&key) {
            Some(u) if u.host == host && u.state != State::Offered => return Offer::Wanted,
            Some(u) if u.host != host && !Self::over(u, now, lives(&u.host)) => return Offer::Coming,
            Some(u) => u.other || (u.host != host && u.state != State::Offered),
            None => false,
        };
        let full = inner.full.get(project).is_some_and(|until| *until > now);
        let own = inner.all.get(&key).is_some_and(|u| u.host == host);
        let many = !own && inner.offers.get(host).is_some_and(|n| *n >= OFFERS_OF_HOST);
        let lied = inner.liars.get(&(key.clone(), host.to_owned())).is_some_and(|until| *until > now);
        if full || lied || inner.coming >= self.most {
            return Offer::Later;
        }
        if many {
            return Offer::Soon;
        }
        let upload = Upload {
            host: host.to_owned(),
            state: State::Offered,
            size: 0,
            have: 0,
            mark: (now, 0),
            stored: false,
            other,
        };
        inner.put(key, upload);
        Offer::Wanted
    }

    /// A part has come.
    pub(super) fn turn(
        &self,
        project: &str,
        sha256: &[u8],
        host: &str,
        size: u64,
        now: Instant,
        lives: impl Fn(&str) -> bool,
    ) -> Turn {
        let key = (project.to_owned(), sha256.to_vec());
        let mut inner = self.lock();
        if inner.liars.get(&(key.clone(), host.to_owned())).is_some_and(|until| *until > now) {
            return Turn::Refuse("what this host sent before was not what it said");
        }
        let mut other = false;
        match inner.all.get_mut(&key) {
            Some(u) if u.host == host => match u.state {
                State::Finishing => {
                    return Turn::Wait("it is being stored", Duration::from_secs(2));
                }
                State::Coming if u.size != size => return Turn::Refuse("it had another size before"),
                State::Coming => {
                    // All is here, and the store is asked again: that is no standing still.
                    if u.have == u.size {
                        u.mark = (now, u.have);
                    }
                    return Turn::Next { stored: u.stored };
                }
                State::Offered => other = u.other,
            },
            Some(u) if !Self::over(u, now, lives(&u.host)) => {
                return Turn::Wait("another host sends it", Duration::from_secs(30));
            }
            Some(_) => other = true,
            None => {}
        }
        if inner.full.get(project).is_some_and(|until| *until > now) {
            return Turn::Wait("there is no room for samples of this project", NO_ROOM);
        }
        if inner.of_host(host) >= self.most_of_host {
            return Turn::Wait("this host sends as many as it may", Duration::from_secs(5));
        }
        if inner.coming >= self.most {
            return Turn::Wait("as many come as this gateway takes", Duration::from_secs(10));
        }
        let upload = Upload {
            host: host.to_owned(),
            state: State::Coming,
            size,
            have: 0,
            mark: (now, 0),
            stored: false,
            other,
        };
        inner.put(key, upload);
        Turn::First { other }
    }

    /// So much is here now. `true`: that is all, and whoever asked finishes it.
    pub(super) fn came(&self, project: &str, sha256: &[u8], have: u64) -> bool {
        let mut inner = self.lock();
        let Some(upload) = inner.all.get_mut(&(project.to_owned(), sha256.to_vec())) else { return false };
        upload.have = have;
        let all = upload.state == State::Coming && have == upload.size;
        if all {
            upload.state = State::Finishing;
        }
        all
    }

    /// It could not be stored now; the host asks again.
    pub(super) fn again(&self, project: &str, sha256: &[u8], stored: bool, now: Instant) {
        let mut inner = self.lock();
        if let Some(upload) = inner.all.get_mut(&(project.to_owned(), sha256.to_vec())) {
            upload.state = State::Coming;
            upload.stored = stored;
            upload.mark = (now, upload.have);
        }
    }

    /// It is stored, or is not to come.
    pub(super) fn done(&self, project: &str, sha256: &[u8]) {
        self.lock().remove(&(project.to_owned(), sha256.to_vec()));
    }

    /// It was not what the host had said.
    pub(super) fn lied(&self, project: &str, sha256: &[u8], host: &str, now: Instant) {
        let key = (project.to_owned(), sha256.to_vec());
        let mut inner = self.lock();
        inner.remove(&key);
        if inner.liars.len() >= MAX_LIARS {
            inner.liars.retain(|_, until| *until > now);
        }
        if inner.liars.len() >= MAX_LIARS {
            inner.liars.clear();
        }
        inner.liars.insert((key, host.to_owned()), now + DISTRUST);
    }

    /// The project has no room for more.
    pub(super) fn full(&self, project: &str, now: Instant) {
        self.lock().full.insert(project.to_owned(), now + NO_ROOM);
    }

    /// How many come.
    pub(super) fn coming(&self) -> usize {
        self.lock().coming
    }

    /// Those that stood still and are given up from now on.
    pub(super) fn sweep(&self, now: Instant) -> Vec<Key> {
        let mut inner = self.lock();
        let mut out = Vec::new();
        let mut ended = HashSet::new();
        for (key, upload) in &mut inner.all {
            let since = now.saturating_duration_since(upload.mark.0);
            match upload.state {
                State::Offered if since > OFFERED => {
                    ended.insert(key.clone());
                }
                State::Coming if since >= self.stall => {
                    let least = LEAST.min(upload.size.saturating_sub(upload.mark.1)).max(1);
                    if upload.have.saturating_sub(upload.mark.1) < least {
                        ended.insert(key.clone());
                        out.push(key.clone());
                    } else {
                        upload.mark = (now, upload.have);
                    }
                }
                _ => {}
            }
        }
        for key in ended {
            inner.remove(&key);
        }
        inner.liars.retain(|_, until| *until > now);
        inner.full.retain(|_, until| *until > now);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALL: Duration = Duration::from_secs(600);

    fn uploads() -> Uploads {
        Uploads::new(3, 2, STALL)
    }

    fn all_live(_: &str) -> bool {
        true
    }

    #[test]
    fn one_host_of_a_project_sends_it() {
        let (u, now) = (uploads(), Instant::now());
        assert_eq!(u.offer("p", b"x", "a", now, all_live), Offer::Wanted);
        assert_eq!(u.offer("p", b"x", "b", now, all_live), Offer::Coming);
        assert_eq!(
            u.offer("q", b"x", "c", now, all_live),
            Offer::Wanted,
            "another project knows nothing of it"
        );
        assert_eq!(u.offer("p", b"x", "a", now, all_live), Offer::Wanted, "asked again");
        assert!(matches!(u.turn("p", b"x", "b", 5, now, all_live), Turn::Wait(..)));
        assert_eq!(u.turn("p", b"x", "a", 5, now, all_live), Turn::First { other: false });
        assert_eq!(u.turn("p", b"x", "a", 5, now, all_live), Turn::Next { stored: false });
        assert!(matches!(u.turn("p", b"x", "a", 6, now, all_live), Turn::Refuse(_)));
        // Its host is gone: another one begins, and from nothing.
        assert_eq!(u.offer("p", b"x", "b", now, |h| h != "a"), Offer::Wanted);
        assert_eq!(u.turn("p", b"x", "b", 5, now, |h| h != "a"), Turn::First { other: true });
        assert_eq!(u.turn("p", b"x", "c", 5, now, |h| h != "b"), Turn::First { other: true });
        assert_eq!(u.coming(), 1);
    }

    #[test]
    fn who_is_told_and_does_not_begin_is_passed_over() {
        let (u, now) = (uploads(), Instant::now());
        assert_eq!(u.offer("p", b"x", "a", now, all_live), Offer::Wanted);
        let later = now + OFFERED + Duration::from_secs(1);
        assert_eq!(u.offer("p", b"x", "b", later, all_live), Offer::Wanted);
        assert_eq!(u.offer("p", b"x", "a", later, all_live), Offer::Coming);
    }

    #[test]
    fn hosts_and_the_gateway_have_bounds() {
        let (u, now) = (uploads(), Instant::now());
        for (n, sha) in [b"1", b"2"].iter().enumerate() {
            assert_eq!(u.turn("p", *sha, "a", 5, now, all_live), Turn::First { other: false }, "{n}");
        }
        assert!(matches!(u.turn("p", b"3", "a", 5, now, all_live), Turn::Wait(..)), "a third of one host");
        assert_eq!(u.turn("p", b"3", "b", 5, now, all_live), Turn::First { other: false });
        assert!(matches!(u.turn("p", b"4", "c", 5, now, all_live), Turn::Wait(..)), "a fourth in all");
        assert_eq!(u.offer("p", b"5", "c", now, all_live), Offer::Later);
        u.done("p", b"1");
        for n in 0..OFFERS_OF_HOST {
            assert_eq!(u.offer("p", &n.to_be_bytes(), "c", now, all_live), Offer::Wanted);
        }
        assert_eq!(u.offer("p", b"one more", "c", now, all_live), Offer::Soon);
        assert!(u.sweep(now + OFFERED * 2).is_empty(), "an offer is nothing that came");
        assert_eq!(u.offer("p", b"one more", "c", now, all_live), Offer::Wanted);
    }

    #[test]
    fn what_stands_still_or_drips_is_given_up() {
        let (u, start) = (uploads(), Instant::now());
        let size = 10 << 20;
        for sha in [b"still", b"drips", b"flows"] {
            let host = String::from_utf8_lossy(sha).into_owned();
            assert_eq!(u.turn("p", sha, &host, size, start, all_live), Turn::First { other: false });
        }
        let mut given_up = Vec::new();
        for n in 1..=3_u64 {
            assert!(!u.came("p", b"drips", n));
            assert!(!u.came("p", b"flows", n * (100 << 10)));
            given_up.extend(u.sweep(start + STALL * u32::try_from(n).unwrap()));
        }
        given_up.sort();
        assert_eq!(given_up, [("p".to_owned(), b"drips".to_vec()), ("p".to_owned(), b"still".to_vec())]);
        assert_eq!(u.coming(), 1);
    }

    #[test]
    fn all_of_it_waits_for_the_store_as_long_as_the_host_asks() {
        let (u, start) = (uploads(), Instant::now());
        assert_eq!(u.turn("p", b"x", "a", 5, start, all_live), Turn::First { other: false });
        assert!(u.came("p", b"x", 5));
        assert!(matches!(u.turn("p", b"x", "a", 5, start, all_live), Turn::Wait(..)), "it is being stored");
        u.again("p", b"x", true, start);
        for n in 1..5 {
            let now = start + STALL / 2 * n;
            assert_eq!(u.turn("p", b"x", "a", 5, now, all_live), Turn::Next { stored: true });
            assert!(u.sweep(now).is_empty());
        }
        assert_eq!(u.sweep(start + STALL * 5).len(), 1, "nobody asks any more");
    }

    #[test]
    fn who_lied_is_not_asked_for_that_again() {
        let (u, now) = (uploads(), Instant::now());
        assert_eq!(u.turn("p", b"x", "a", 5, now, all_live), Turn::First { other: false });
        u.lied("p", b"x", "a", now);
        assert!(matches!(u.turn("p", b"x", "a", 5, now, all_live), Turn::Refuse(_)));
        assert_eq!(u.offer("p", b"x", "a", now, all_live), Offer::Later);
        assert_eq!(u.offer("p", b"x", "b", now, all_live), Offer::Wanted, "another host may have it");
        let later = now + DISTRUST + Duration::from_secs(1);
        assert_eq!(u.turn("p", b"y", "a", 5, now, all_live), Turn::First { other: false });
        u.done("p", b"x");
        assert_eq!(u.turn("p", b"x", "a", 5, later, all_live), Turn::First { other: false });
        u.full("q", now);
        assert_eq!(u.offer("q", b"z", "b", now, all_live), Offer::Later);
    }
}
