// SPDX-License-Identifier: Apache-2.0
//! Hosts that lie about a sample, each in its own way: another content than it said, larger than anybody consented
//! to, bytes behind the end, and a beginning without an end.

use super::cloud::hash;
use lazaret_proto::v1;
use lazaret_session::MAX_PART;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Of a sample that is not what it is said to be: three parts.
const SIZE: u64 = 2 * MAX_PART as u64 + 1000;
/// Larger than any consent.
const HUGE: u64 = 1 << 40;

/// One host's lie.
pub(crate) struct Lie {
    way: u32,
    sha256: Vec<u8>,
    size: u64,
    /// Where to go on; `None`: an answer is to come, or nothing more is sent.
    next: Option<u64>,
}

impl Lie {
    /// Hosts take turns with the ways.
    pub(crate) fn of(number: u32) -> Self {
        let way = number % 4;
        let size = if way == 1 { HUGE } else { SIZE };
        // Numbers that no inventory of the swarm has.
        let sha256 = hash(u64::MAX - u64::from(number)).to_vec();
        Self { way, sha256, size, next: Some(0) }
    }

    /// The next part, when it is its turn.
    pub(crate) fn part(&mut self, told: &Told) -> Option<v1::SamplePart> {
        let at = self.next.take()?;
        if at == 0 {
            told.begun.fetch_add(1, Relaxed);
        }
        let (offset, length) = match self.way {
            2 => (self.size - 10, 1000),
            _ => (at, self.size.saturating_sub(at).min(MAX_PART as u64)),
        };
        Some(v1::SamplePart {
            sha256: self.sha256.clone(),
            size: self.size,
            offset,
            data: vec![0x5a; usize::try_from(length).unwrap_or(0)],
            kind: "executable".to_owned(),
        })
    }

    /// What the server says to that.
    pub(crate) fn answered(&mut self, state: &v1::SampleState, told: &Told) {
        if state.sha256 != self.sha256 {
            return;
        }
        match state.state.as_str() {
            "refused" => told.refused.fetch_add(1, Relaxed),
            "stored" => told.stored.fetch_add(1, Relaxed),
            // Who never ends says nothing more; neither does who is told to wait.
            _ if self.way == 3 || state.retry_after_ms > 0 => told.waiting.fetch_add(1, Relaxed),
            _ => {
                self.next = Some(state.have);
                0
            }
        };
    }
}

/// What became of them.
#[derive(Default)]
pub(crate) struct Told {
    begun: AtomicU64,
    refused: AtomicU64,
    stored: AtomicU64,
    waiting: AtomicU64,
}

impl Told {
    /// As it stands now.
    pub(crate) fn json(&self) -> serde_json::Value {
        let n = |a: &AtomicU64| a.load(Relaxed);
        serde_json::json!({
            "begun": n(&self.begun),
            "refused": n(&self.refused),
            "stored": n(&self.stored),
            "waiting": n(&self.waiting),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(lie: &Lie, word: &str, have: u64) -> v1::SampleState {
        v1::SampleState { sha256: lie.sha256.clone(), state: word.into(), have, ..v1::SampleState::default() }
    }

    #[test]
    fn each_lies_in_its_own_way() {
        let told = Told::default();
        let mut wrong = Lie::of(0);
        let mut sent = 0;
        while let Some(part) = wrong.part(&told) {
            assert!(part.data.len() <= MAX_PART && part.offset == sent);
            sent += part.data.len() as u64;
            let answer = state(&wrong, if sent < SIZE { "wanted" } else { "refused" }, sent);
            wrong.answered(&answer, &told);
        }
        assert_eq!(sent, SIZE);
        assert_eq!(Lie::of(1).part(&told).map(|p| p.size), Some(HUGE));
        assert!(Lie::of(2).part(&told).is_some_and(|p| p.offset + p.data.len() as u64 > p.size));
        let mut drip = Lie::of(3);
        assert!(drip.part(&told).is_some());
        let answer = state(&drip, "wanted", 5);
        drip.answered(&answer, &told);
        assert!(drip.part(&told).is_none());
        assert_eq!(told.json(), serde_json::json!({"begun": 4, "refused": 1, "stored": 0, "waiting": 1}));
    }
}
