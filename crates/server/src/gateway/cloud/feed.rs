// SPDX-License-Identifier: Apache-2.0
//! Verdicts out: each session says how far it has come, and gets what follows, without a gap. The store is
//! asked once for a project, not once for a host; the newest verdicts stay in memory.

use super::view::View;
use crate::gateway::Inner;
use lazaret_proto::{Message as _, v1};
use lazaret_store::{StoreError, VerdictRow};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Verdicts of one question to the store, and of one message at most.
const PAGE: u32 = 500;
/// Newest ones of a project that stay in memory.
const TAIL: usize = 2_000;
/// Older pages that stay for a moment: hosts that come anew ask for the same ones.
const PAGES: usize = 16;
const PAGE_LIFE: Duration = Duration::from_secs(5);
/// Bytes of the verdicts of one message, about.
const BYTES: usize = 512 << 10;
/// A verdict with more evidence goes without it.
const MAX_VERDICT: usize = 64 << 10;

/// A verdict as it goes out, but for the host's ring.
#[derive(Debug)]
pub(super) struct Told {
    verdict: v1::HashVerdict,
    /// All hosts act, not only the canary ones.
    all: bool,
}

impl Told {
    pub(super) fn of(row: &VerdictRow) -> Self {
        // Bytes that are none are those of another version: what the columns say is enough to act by.
        let kept = v1::Verdict::decode(row.verdict.as_slice());
        let mut verdict = kept.ok().filter(|v| !v.class.is_empty()).unwrap_or_else(|| in_short(row));
        if verdict.encoded_len() > MAX_VERDICT {
            verdict.evidence.clear();
        }
        if verdict.encoded_len() > MAX_VERDICT {
            verdict = in_short(row);
        }
        verdict.sha256.clone_from(&row.sha256);
        Self {
            verdict: v1::HashVerdict {
                sha256: row.sha256.clone(),
                number: u64::try_from(row.number).unwrap_or_default(),
                verdict: Some(verdict),
                withdrawn: row.withdrawn,
                act: false,
                origin: row.origin.clone(),
                at_ms: row.at_ms,
            },
            all: row.act == "all",
        }
    }

    /// For a host of this ring.
    pub(super) fn for_ring(&self, canary: bool) -> v1::HashVerdict {
        let act = !self.verdict.withdrawn && (self.all || canary);
        v1::HashVerdict { act, ..self.verdict.clone() }
    }

    fn number(&self) -> u64 {
        self.verdict.number
    }
}

/// Without evidence.
fn in_short(row: &VerdictRow) -> v1::Verdict {
    v1::Verdict {
        sha256: row.sha256.clone(),
        file_type: "other".to_owned(),
        class: row.class.clone(),
        family: row.family.chars().take(256).collect(),
        confidence: u32::try_from(row.confidence).unwrap_or_default().min(100),
        ..v1::Verdict::default()
    }
}

/// All verdicts behind a number, up to `to`.
#[derive(Debug, Clone, Default)]
struct Page {
    rows: Vec<Arc<Told>>,
    to: u64,
}

/// The newest verdicts of a project.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// The feed; empty: not read yet.
    name: String,
    /// All behind that are here.
    from: u64,
    newest: u64,
    rows: VecDeque<Arc<Told>>,
    pages: HashMap<u64, (Instant, Page)>,
}

impl Tail {
    fn push(&mut self, page: Page) {
        self.rows.extend(page.rows);
        self.newest = self.newest.max(page.to);
        while self.rows.len() > TAIL {
            if let Some(gone) = self.rows.pop_front() {
                self.from = gone.number();
            }
        }
    }

    fn behind(&self, at: u64) -> Page {
        let first = self.rows.partition_point(|row| row.number() <= at);
        let rows: Vec<_> = self.rows.iter().skip(first).take(PAGE as usize).cloned().collect();
        let to = match rows.last() {
            Some(last) if first + rows.len() < self.rows.len() => last.number(),
            _ => self.newest,
        };
        Page { rows, to }
    }
}

/// What came of a question to the store.
struct Read {
    name: String,
    page: Page,
    more: bool,
}

async fn read(inner: &Inner, project: &str, behind: u64) -> Result<Read, StoreError> {
    let number = i64::try_from(behind).unwrap_or(i64::MAX);
    let got = inner.store.verdicts_after(project, number, PAGE).await?;
    let rows = got.rows.iter().map(|row| Arc::new(Told::of(row))).collect();
    let to = u64::try_from(got.to).unwrap_or_default().max(behind);
    Ok(Read { name: got.feed, page: Page { rows, to }, more: got.more })
}

impl Tail {
    /// Reads what came since; true when something did.
    async fn poll(&mut self, inner: &Inner, project: &str) -> Result<bool, StoreError> {
        let mut news = false;
        loop {
            let got = read(inner, project, self.newest).await?;
            if got.name != self.name {
                // The first time, or the data are others now. What is older than this is read when a host asks.
                let end = inner.store.verdicts_after(project, i64::MAX, 1).await?;
                let newest = u64::try_from(end.to).unwrap_or_default();
                *self = Self { name: end.feed, from: newest, newest, ..Self::default() };
                inner.cloud.known.forget(project);
                return Ok(true);
            }
            let shas = got.page.rows.iter().map(|row| row.verdict.sha256.as_slice());
            inner.cloud.known.drop_these(project, shas);
            if !got.page.rows.is_empty() {
                news = true;
                // A host that begins anew is not given what was withdrawn meanwhile.
                self.pages.clear();
            }
            self.push(got.page);
            if !got.more {
                return Ok(news);
            }
        }
    }

    async fn page(&mut self, inner: &Inner, project: &str, at: u64) -> Result<Page, StoreError> {
        if at >= self.from {
            return Ok(self.behind(at));
        }
        if let Some((since, page)) = self.pages.get(&at)
            && since.elapsed() < PAGE_LIFE
        {
            return Ok(page.clone());
        }
        let page = read(inner, project, at).await?.page;
        self.pages.retain(|_, (since, _)| since.elapsed() < PAGE_LIFE);
        if self.pages.len() < PAGES {
            self.pages.insert(at, (Instant::now(), page.clone()));
        }
        Ok(page)
    }
}

type Shared = Arc<tokio::sync::Mutex<Tail>>;

/// Those of all projects that hosts of this gateway are of.
#[derive(Default)]
pub(super) struct Feeds(Mutex<HashMap<String, Shared>>);

impl Feeds {
    fn of(&self, project: &str) -> Shared {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(project.to_owned()).or_default())
    }

    fn all(&self) -> Vec<(String, Shared)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(project, tail)| (project.clone(), Arc::clone(tail))).collect()
    }

    /// From now on the store is asked for this project's verdicts.
    pub(super) fn watch(&self, project: &str) {
        self.of(project);
    }

    /// Only these projects have hosts here.
    pub(super) fn keep(&self, projects: &HashSet<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|project, _| projects.contains(project));
    }
}

/// How far a session is.
#[derive(Debug, Default)]
pub(in crate::gateway) struct Follower {
    /// What the host said that it has.
    said: Option<v1::VerdictsFrom>,
    /// Whose verdicts it gets: project and feed.
    of: (String, String),
    at: u64,
    /// What the host has is of another feed: the next message says so, even an empty one.
    over: bool,
}

impl Follower {
    /// The host has that much.
    pub(in crate::gateway) fn begin(&mut self, said: v1::VerdictsFrom) {
        *self = Self { said: Some(said), ..Self::default() };
    }

    /// Whether the host wants verdicts at all.
    pub(in crate::gateway) fn wants(&self) -> bool {
        self.said.is_some()
    }

    /// The next verdicts for this host, when there are some.
    pub(in crate::gateway) async fn next(
        &mut self,
        inner: &Inner,
        view: &View,
    ) -> Result<Option<v1::HashVerdicts>, StoreError> {
        let Some(said) = self.said.as_ref().filter(|_| view.on) else { return Ok(None) };
        let shared = inner.cloud.feeds.of(&view.project);
        let mut tail = shared.lock().await;
        if tail.name.is_empty() {
            tail.poll(inner, &view.project).await?;
        }
        if (self.of.0.as_str(), self.of.1.as_str()) != (view.project.as_str(), tail.name.as_str()) {
            // The first time, or the host has moved: what it has of another project's it drops.
            let first = self.of.0.is_empty();
            let of_this = first && said.feed == tail.name;
            if of_this && said.number > tail.newest {
                // Another gateway may have been faster.
                tail.poll(inner, &view.project).await?;
            }
            let known = of_this && said.feed == tail.name && said.number <= tail.newest;
            self.at = if known { said.number } else { 0 };
            self.over = !known;
            self.of = (view.project.clone(), tail.name.clone());
        }
        let page = tail.page(inner, &view.project, self.at).await?;
        if page.rows.is_empty() && !self.over {
            return Ok(None);
        }
        let (verdicts, to) = message(&page, view.canary);
        let out = v1::HashVerdicts { feed: tail.name.clone(), from: self.at, to, verdicts };
        (self.at, self.over) = (to, false);
        metrics::counter!("lazaret_gateway_verdicts_sent_total").increment(out.verdicts.len() as u64);
        Ok(Some(out))
    }
}

/// As many as fit, of each hash the last one; and up to where they reach.
fn message(page: &Page, canary: bool) -> (Vec<v1::HashVerdict>, u64) {
    let mut bytes = 0;
    let fit = page.rows.iter().take_while(|row| {
        let first = bytes == 0;
        bytes += row.verdict.encoded_len() + 16;
        first || bytes <= BYTES
    });
    let fit: Vec<_> = fit.collect();
    let to = match fit.last() {
        Some(last) if fit.len() < page.rows.len() => last.number(),
        _ => page.to,
    };
    let mut seen = HashSet::new();
    let newest_first = fit.into_iter().rev().filter(|row| seen.insert(row.verdict.sha256.clone()));
    let mut verdicts: Vec<_> = newest_first.map(|row| row.for_ring(canary)).collect();
    verdicts.reverse();
    (verdicts, to)
}

/// Asks the store for what is new, and wakes the sessions that it is for.
pub(super) async fn look(inner: &Inner) -> Result<(), StoreError> {
    for (project, shared) in inner.cloud.feeds.all() {
        if !shared.lock().await.poll(inner, &project).await? {
            continue;
        }
        for live in inner.lives.all() {
            if live.view().is_some_and(|view| view.project == project) {
                live.news.notify_one();
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(number: u64, sha: u8, withdrawn: bool, all: bool) -> Arc<Told> {
        let verdict =
            v1::HashVerdict { sha256: vec![sha; 32], number, withdrawn, ..v1::HashVerdict::default() };
        Arc::new(Told { verdict, all })
    }

    fn numbers(verdicts: &[v1::HashVerdict]) -> Vec<u64> {
        verdicts.iter().map(|v| v.number).collect()
    }

    #[test]
    fn the_tail_has_what_follows_without_a_gap() {
        let mut tail = Tail::default();
        let many = TAIL as u64 + 700;
        let rows = (1..=many).map(|n| told(n * 2, 1, false, true)).collect();
        tail.push(Page { rows, to: many * 2 + 1 });
        assert_eq!((tail.rows.len(), tail.from, tail.newest), (TAIL, 1_400, many * 2 + 1));
        let mut at = tail.from;
        let mut got = Vec::new();
        for _ in 0..20 {
            let page = tail.behind(at);
            got.extend(page.rows.iter().map(|row| row.number()));
            at = page.to;
        }
        assert_eq!(at, tail.newest);
        assert_eq!(got, (701..=many).map(|n| n * 2).collect::<Vec<_>>(), "each once and in order");
        assert!(tail.behind(tail.newest).rows.is_empty());
    }

    #[test]
    fn of_each_hash_the_last_one_goes_and_the_ring_decides_who_acts() {
        let rows = vec![
            told(3, 1, false, false),
            told(4, 2, false, true),
            told(6, 3, true, true),
            told(7, 1, false, false),
        ];
        let page = Page { rows, to: 9 };
        let (verdicts, to) = message(&page, false);
        assert_eq!((numbers(&verdicts), to), (vec![4, 6, 7], 9));
        assert_eq!(verdicts.iter().map(|v| v.act).collect::<Vec<_>>(), [true, false, false]);
        let (verdicts, _) = message(&page, true);
        assert_eq!(verdicts.iter().map(|v| v.act).collect::<Vec<_>>(), [true, false, true], "a canary");
    }

    #[test]
    fn a_message_ends_where_it_is_full() {
        let large = |number: u64| {
            let mut told = Told {
                verdict: v1::HashVerdict { sha256: vec![1; 32], number, ..v1::HashVerdict::default() },
                all: true,
            };
            told.verdict.sha256[..8].copy_from_slice(&number.to_be_bytes());
            told.verdict.origin = "x".repeat(200 << 10);
            Arc::new(told)
        };
        let page = Page { rows: (1..=5).map(large).collect(), to: 8 };
        let (verdicts, to) = message(&page, false);
        assert_eq!((numbers(&verdicts), to), (vec![1, 2], 2));
        let page = Page { rows: vec![large(5)], to: 8 };
        assert_eq!(message(&page, false).1, 8);
    }

    #[test]
    fn a_verdict_is_cut_to_a_size_and_never_left_out() {
        let evidence = v1::Evidence { detail: "x".repeat(MAX_VERDICT), ..v1::Evidence::default() };
        let whole = v1::Verdict { class: "miner".to_owned(), evidence: vec![evidence], ..Default::default() };
        let mut row = VerdictRow {
            sha256: vec![7; 32],
            number: 5,
            verdict: whole.encode_to_vec(),
            origin: "person".to_owned(),
            act: "all".to_owned(),
            ..VerdictRow::default()
        };
        let told = Told::of(&row).for_ring(false);
        let verdict = told.verdict.unwrap();
        assert_eq!((verdict.class.as_str(), verdict.evidence.len(), told.act), ("miner", 0, true));
        (row.verdict, row.class, row.confidence) = (vec![0xff; 9], "worm".to_owned(), 97);
        let told = Told::of(&row).for_ring(false);
        assert_eq!((told.sha256, told.number, told.act), (vec![7; 32], 5, true));
        let verdict = told.verdict.unwrap();
        assert_eq!((verdict.class.as_str(), verdict.confidence), ("worm", 97));
    }
}
