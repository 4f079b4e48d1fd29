// SPDX-License-Identifier: Apache-2.0
//! How known files stand, in memory for a moment: the same programs run everywhere. What the verdict feed
//! brings is dropped at once.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Known for so long.
const LIFE: Duration = Duration::from_secs(10);
/// Of one project.
const MOST: usize = 50_000;
/// Projects.
const MOST_PROJECTS: usize = 1_000;

struct Project<T> {
    /// Counts what was dropped: what was read before that is not kept after it.
    age: u64,
    all: HashMap<[u8; 32], (Instant, Arc<T>)>,
    /// In the order in which they came, which is that in which they go: one by one, never all at once while hosts
    /// wait. Some are gone already, or came again later.
    order: VecDeque<([u8; 32], Instant)>,
}

impl<T> Project<T> {
    fn keep(&mut self, sha256: [u8; 32], standing: Arc<T>, now: Instant) {
        while let Some((first, at)) = self.order.front() {
            if self.order.len() < MOST && now.saturating_duration_since(*at) < LIFE {
                break;
            }
            if self.all.get(first).is_some_and(|(kept, _)| kept == at) {
                self.all.remove(first);
            }
            self.order.pop_front();
        }
        self.all.insert(sha256, (now, standing));
        self.order.push_back((sha256, now));
    }
}

/// By project and SHA-256.
pub(super) struct Known<T>(Mutex<HashMap<String, Project<T>>>);

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Known<T> {
    fn with<R>(&self, project: &str, f: impl FnOnce(&mut Project<T>) -> R) -> R {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_PROJECTS && !all.contains_key(project) {
            all.clear();
        }
        let fresh = || Project { age: 0, all: HashMap::new(), order: VecDeque::new() };
        f(all.entry(project.to_owned()).or_insert_with(fresh))
    }

    /// What is known of each, and what to give to [`Self::put`] with what was read then.
    pub(super) fn get(&self, project: &str, list: &[[u8; 32]], now: Instant) -> (Vec<Option<Arc<T>>>, u64) {
        self.with(project, |p| {
            let fresh = |sha256: &[u8; 32]| {
                let (at, standing) = p.all.get(sha256)?;
                (now.saturating_duration_since(*at) < LIFE).then(|| Arc::clone(standing))
            };
            (list.iter().map(fresh).collect(), p.age)
        })
    }

    /// Keeps what was read; nothing of it when something was dropped meanwhile.
    pub(super) fn put(
        &self,
        project: &str,
        age: u64,
        read: impl Iterator<Item = ([u8; 32], Arc<T>)>,
        now: Instant,
    ) {
        self.with(project, |p| {
            if p.age != age {
                return;
            }
            for (sha256, standing) in read {
                p.keep(sha256, standing, now);
            }
        });
    }

    /// All of the project may stand differently now.
    pub(super) fn forget(&self, project: &str) {
        self.with(project, |p| {
            p.age += 1;
            p.all.clear();
            p.order.clear();
        });
    }

    /// These stand differently now.
    pub(super) fn drop_these<'a>(&self, project: &str, list: impl Iterator<Item = &'a [u8]>) {
        self.with(project, |p| {
            p.age += 1;
            for sha256 in list {
                if let Ok(sha256) = <[u8; 32]>::try_from(sha256) {
                    p.all.remove(&sha256);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_known_for_a_moment_and_in_its_project_alone() {
        let (known, now) = (Known::default(), Instant::now());
        let (a, b) = ([1; 32], [2; 32]);
        let (found, age) = known.get("p", &[a, b], now);
        assert_eq!(found, [None, None]);
        known.put("p", age, [(a, Arc::new("bad"))].into_iter(), now);
        assert_eq!(known.get("p", &[b, a], now).0, [None, Some(Arc::new("bad"))]);
        assert_eq!(known.get("q", &[a], now).0, [None]);
        assert_eq!(known.get("p", &[a], now + LIFE).0, [None]);
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let (known, now) = (Known::default(), Instant::now());
        let a = [1; 32];
        let (_, age) = known.get("p", &[a], now);
        known.put("p", age, [(a, Arc::new("clean"))].into_iter(), now);
        let (_, age) = known.get("p", &[a], now);
        known.drop_these("p", [&a[..]].into_iter());
        assert_eq!(known.get("p", &[a], now).0, [None]);
        known.put("p", age, [(a, Arc::new("clean"))].into_iter(), now);
        assert_eq!(known.get("p", &[a], now).0, [None], "it was read before the verdict");
        let (_, age) = known.get("p", &[a], now);
        known.put("p", age, [(a, Arc::new("bad"))].into_iter(), now);
        assert_eq!(known.get("p", &[a], now).0, [Some(Arc::new("bad"))]);
    }

    fn sha256(n: usize) -> [u8; 32] {
        let mut sha256 = [0; 32];
        sha256[..8].copy_from_slice(&n.to_be_bytes());
        sha256
    }

    #[test]
    fn the_oldest_make_room() {
        let (known, now) = (Known::default(), Instant::now());
        let (_, age) = known.get("p", &[], now);
        let later = now + LIFE / 2;
        known.put("p", age, (0..MOST).map(|n| (sha256(n), Arc::new(n))), now);
        // Known anew: as young as the new ones.
        known.put("p", age, [(sha256(0), Arc::new(0))].into_iter(), later);
        known.put("p", age, (MOST..MOST + 9).map(|n| (sha256(n), Arc::new(n))), later);
        let list = [0, 1, 9, 10, MOST - 1, MOST, MOST + 8];
        let found = known.get("p", &list.map(sha256), later).0;
        let there: Vec<bool> = found.iter().map(Option::is_some).collect();
        assert_eq!(there, [true, false, false, true, true, true, true]);
        assert!(known.with("p", |p| p.all.len() <= MOST && p.order.len() <= MOST));
    }

    #[test]
    fn what_is_over_does_not_stay() {
        let (known, now) = (Known::default(), Instant::now());
        let (_, age) = known.get("p", &[], now);
        known.put("p", age, (0..100).map(|n| (sha256(n), Arc::new(n))), now);
        known.put("p", age, [(sha256(100), Arc::new(100))].into_iter(), now + LIFE);
        assert_eq!(known.with("p", |p| (p.all.len(), p.order.len())), (1, 1));
    }
}
