// SPDX-License-Identifier: Apache-2.0
//! What a content list says is bad becomes a verdict of the project when the first host of it asks: with a
//! number, so that it spreads, waits for its ring and can be withdrawn as any other.

use super::view::View;
use crate::gateway::{Inner, now_ms};
use lazaret_proto::{Message as _, v1};
use lazaret_store::{KnownFile, NewVerdict, StoreError};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Verdicts that wait to be put; what is beyond is put when somebody asks again.
const MOST: usize = 10_000;
/// The list is sure; a person can still say otherwise.
const CONFIDENCE: u32 = 100;
/// Log-odds of a list of known-bad files.
const WEIGHT: f32 = 12.0;

/// By project and SHA-256.
#[derive(Default)]
pub(super) struct Listed(Mutex<HashMap<(String, Vec<u8>), NewVerdict>>);

impl Listed {
    fn lock(&self) -> MutexGuard<'_, HashMap<(String, Vec<u8>), NewVerdict>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A host of this project asked about it: what it is told, until the feed brings the verdict with its number.
    pub(super) fn met(&self, view: &View, (size, kind): (u64, &str), known: &KnownFile) -> v1::HashVerdict {
        let (verdict, now) = (verdict(size, kind, known), now_ms());
        let at_once = view.ring_seconds == 0;
        let new = NewVerdict {
            project: view.project.clone(),
            sha256: known.sha256.clone(),
            class: verdict.class.clone(),
            family: verdict.family.clone(),
            confidence: i64::from(verdict.confidence),
            rating: "high".to_owned(),
            verdict: verdict.encode_to_vec(),
            origin: "content".to_owned(),
            who: String::new(),
            why: format!("the list {} names it", known.source),
            act_all: at_once,
            release_ms: if view.ring_seconds > 0 { now + view.ring_seconds * 1_000 } else { 0 },
            now_ms: now,
        };
        let mut waiting = self.lock();
        if waiting.len() < MOST {
            waiting.entry((view.project.clone(), known.sha256.clone())).or_insert(new);
        }
        drop(waiting);
        v1::HashVerdict {
            sha256: known.sha256.clone(),
            number: 0,
            verdict: Some(verdict),
            withdrawn: false,
            act: at_once || view.canary,
            origin: "content".to_owned(),
            at_ms: now,
        }
    }
}

fn verdict(size: u64, kind: &str, known: &KnownFile) -> v1::Verdict {
    let hex = known.sha256.iter().fold(String::from("cloud:"), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let evidence = v1::Evidence {
        kind: "known_bad".to_owned(),
        id: hex,
        weight: WEIGHT,
        detail: format!("{}: {}", known.source, known.name),
        decisive: true,
    };
    v1::Verdict {
        sha256: known.sha256.clone(),
        size,
        file_type: match kind {
            "executable" => "elf",
            "script" => "script",
            _ => "other",
        }
        .to_owned(),
        class: "malware".to_owned(),
        family: known.name.clone(),
        confidence: CONFIDENCE,
        evidence: vec![evidence],
        content_version: known.source.clone(),
        ..v1::Verdict::default()
    }
}

/// Puts those that wait.
pub(super) async fn put(inner: &Inner) -> Result<(), StoreError> {
    let mut rest = std::mem::take(&mut *inner.cloud.listed.lock()).into_iter();
    while let Some((key, new)) = rest.next() {
        match inner.store.put_verdict(&new).await {
            Ok(_) => metrics::counter!("lazaret_gateway_verdicts_by_list_total").increment(1),
            Err(e) if e.is_retryable() => {
                let mut waiting = inner.cloud.listed.lock();
                waiting.insert(key, new);
                waiting.extend(rest);
                return Err(e);
            }
            Err(e) => inner.log(&format!("a file that a list names gets no verdict: {e}")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_list_names_is_told_at_once_and_put_once() {
        let view = |canary: bool, ring_seconds: i64| View {
            project: "p".to_owned(),
            on: true,
            policy: None,
            canary,
            sample_days: 0,
            ring_seconds,
        };
        let known = KnownFile {
            sha256: vec![0xab; 32],
            bad: true,
            source: "list-1".to_owned(),
            name: "Mirai".to_owned(),
        };
        let (listed, file) = (Listed::default(), (5, "script"));
        let told = listed.met(&view(false, 60), file, &known);
        assert!(!told.act && told.number == 0);
        assert!(listed.met(&view(true, 60), file, &known).act, "a canary acts at once");
        let verdict = told.verdict.unwrap();
        assert_eq!((verdict.family.as_str(), verdict.evidence[0].decisive), ("Mirai", true));
        assert_eq!(verdict.evidence[0].id, format!("cloud:{}", "ab".repeat(32)));
        let waiting = std::mem::take(&mut *listed.lock());
        assert_eq!(waiting.len(), 1);
        let new = waiting.into_values().next().unwrap();
        assert!(!new.act_all && new.release_ms == new.now_ms + 60_000);
        assert!(listed.met(&view(false, 0), file, &known).act, "no ring: all at once");
        let new = std::mem::take(&mut *listed.lock()).into_values().next().unwrap();
        assert!(new.act_all && new.release_ms == 0);
        listed.met(&view(false, -1), file, &known);
        let new = std::mem::take(&mut *listed.lock()).into_values().next().unwrap();
        assert!(!new.act_all && new.release_ms == 0, "only when a person says so");
    }
}
