// SPDX-License-Identifier: Apache-2.0
//! Answers to questions about hashes. Batches; known files from memory, the others with one look-up of the
//! store. What cannot be answered now is missing, and is asked again: never a guess.

use super::feed::Told;
use super::uploads::Offer;
use super::view::View;
use crate::gateway::live::Live;
use crate::gateway::{Inner, facts};
use crate::numbers;
use lazaret_proto::{Message as _, v1};
use lazaret_store::{NewFile, Standing};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Look-ups at the same time: more of them only wait for each other.
pub(super) const LOOK_UPS: usize = 8;
/// Who does not get a turn within that asks again: what nobody waits for any more would be looked up in vain.
const TURN: Duration = Duration::from_millis(500);
/// A look-up that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(2);
/// When there was none, it is asked again after that.
const TROUBLE: Duration = Duration::from_secs(1);
/// A host that may ask nothing asks again after that.
const NOTHING: Duration = Duration::from_secs(60);

/// Bytes of the answers of one message, about: verdicts may have much evidence.
const BYTES: usize = 512 << 10;
/// What did not fit is asked again after that.
const FULL: Duration = Duration::from_millis(10);

/// How long answers are good for, seconds.
const DAY: u32 = 86_400;
const HOUR: u32 = 3_600;
const MINUTE: u32 = 60;
/// Some files are sent within that.
const SOON: u32 = 10;
/// The feed says when it does not hold any more.
const BAD: u32 = 30 * DAY;

/// Answers what it can.
pub(in crate::gateway) async fn answer(
    inner: &Inner,
    live: &Live,
    view: &View,
    asked: v1::HashQuestions,
) -> v1::HashAnswers {
    let begun = Instant::now();
    let mut out = v1::HashAnswers { id: asked.id, answers: Vec::new(), retry_after_ms: 0 };
    let count = u32::try_from(asked.questions.len()).unwrap_or(u32::MAX);
    metrics::counter!("lazaret_gateway_questions_total").increment(count.into());
    if !view.hashes() {
        out.retry_after_ms = super::ms(NOTHING);
        return out;
    }
    let (granted, wait) = inner.cloud.questions.take(&live.host, count, begun);
    if granted < count {
        out.retry_after_ms = super::ms(wait);
        metrics::counter!("lazaret_gateway_questions_limited_total").increment((count - granted).into());
    }
    let questions = asked.questions.get(..granted as usize).unwrap_or_default();
    let standings = match standings(inner, view, questions).await {
        Ok(standings) => standings,
        Err(standings) => {
            out.retry_after_ms = out.retry_after_ms.max(super::ms(TROUBLE));
            metrics::counter!("lazaret_gateway_questions_unanswered_total").increment(1);
            standings
        }
    };
    let mut unknown = Vec::new();
    let mut bytes = 0;
    let mut counts = Counts::default();
    for (question, standing) in questions.iter().zip(standings) {
        let Some(standing) = standing else { continue };
        let answer = one(inner, live, view, question, &standing);
        counts.add(&answer.standing);
        bytes += answer.encoded_len() + 8;
        if bytes > BYTES && !out.answers.is_empty() {
            out.retry_after_ms = out.retry_after_ms.max(super::ms(FULL));
            break;
        }
        // Where a program is that content lists as good, the host's inventory says; a fleet has a million of them.
        let listed_good = standing.known.as_ref().is_some_and(|known| !known.bad);
        if !standing.noted && !listed_good {
            unknown.push(new_file(question));
        }
        out.answers.push(answer);
    }
    if !unknown.is_empty() {
        inner.cloud.notes.put(&view.project, &live.host, unknown);
    }
    counts.tell();
    metrics::histogram!("lazaret_gateway_questions_seconds").record(begun.elapsed().as_secs_f64());
    out
}

/// Answers of a batch by standing: each counter is looked up once, not hundreds of times.
#[derive(Default)]
struct Counts([u64; STANDINGS.len()]);

/// The last is for all others.
const STANDINGS: [&str; 5] = ["known_good", "clean", "bad", "pending", "unknown"];

impl Counts {
    fn add(&mut self, standing: &str) {
        let place = STANDINGS.iter().position(|s| *s == standing).unwrap_or(STANDINGS.len() - 1);
        if let Some(count) = self.0.get_mut(place) {
            *count += 1;
        }
    }

    fn tell(&self) {
        for (standing, count) in STANDINGS.into_iter().zip(self.0) {
            if count > 0 {
                metrics::counter!("lazaret_gateway_answers_total", "standing" => standing).increment(count);
            }
        }
    }
}

type Found = Vec<Option<Arc<Standing>>>;

/// In the order of the questions; as an error when the store did not answer for some.
async fn standings(inner: &Inner, view: &View, questions: &[v1::HashQuestion]) -> Result<Found, Found> {
    // The session has seen to it that they are as long as that.
    let list: Vec<[u8; 32]> =
        questions.iter().map(|q| q.sha256.as_slice().try_into().unwrap_or_default()).collect();
    inner.cloud.feeds.watch(&view.project);
    let (mut found, age) = inner.cloud.known.get(&view.project, &list, Instant::now());
    let mut missing: Vec<[u8; 32]> =
        list.iter().zip(&found).filter(|(_, f)| f.is_none()).map(|(sha256, _)| *sha256).collect();
    metrics::counter!("lazaret_gateway_answers_cached_total").increment((list.len() - missing.len()) as u64);
    if missing.is_empty() {
        return Ok(found);
    }
    let Ok(Ok(_turn)) = tokio::time::timeout(TURN, inner.cloud.look_ups.acquire()).await else {
        return Err(found);
    };
    missing.sort_unstable();
    missing.dedup();
    let shas: Vec<Vec<u8>> = missing.iter().map(|sha256| sha256.to_vec()).collect();
    let looked = tokio::time::timeout(PATIENCE, inner.store.look_up(&view.project, &shas)).await;
    let read = match looked {
        Ok(Ok(read)) => read,
        Ok(Err(e)) => {
            numbers::database(&e);
            if !e.is_retryable() {
                inner.log(&format!("questions about hashes cannot be answered: {e}"));
            }
            return Err(found);
        }
        Err(_) => return Err(found),
    };
    let read: HashMap<[u8; 32], Arc<Standing>> = read
        .into_iter()
        .filter_map(|s| Some((<[u8; 32]>::try_from(s.sha256.as_slice()).ok()?, Arc::new(s))))
        .collect();
    let lasting = read.iter().filter(|(_, s)| matches!(s.standing.as_str(), "known_good" | "clean" | "bad"));
    let lasting = lasting.map(|(sha256, s)| (*sha256, Arc::clone(s)));
    inner.cloud.known.put(&view.project, age, lasting, Instant::now());
    for (sha256, place) in list.iter().zip(&mut found) {
        if place.is_none() {
            *place = read.get(sha256).cloned();
        }
    }
    Ok(found)
}

fn one(
    inner: &Inner,
    live: &Live,
    view: &View,
    question: &v1::HashQuestion,
    standing: &Standing,
) -> v1::HashAnswer {
    let mut answer = v1::HashAnswer {
        sha256: question.sha256.clone(),
        standing: standing.standing.clone(),
        verdict: None,
        ttl_seconds: match standing.standing.as_str() {
            "known_good" | "clean" => DAY,
            "bad" => BAD,
            "pending" => MINUTE,
            _ => HOUR,
        },
        wanted: false,
        hosts: u32::try_from(standing.hosts).unwrap_or(u32::MAX),
        first_ms: standing.first_ms,
    };
    if standing.standing == "bad" {
        answer.verdict = match (&standing.verdict, &standing.known) {
            (Some(row), _) => Some(Told::of(row).for_ring(view.canary)),
            (None, Some(known)) if known.bad => {
                Some(inner.cloud.listed.met(view, (question.size, &question.kind), known))
            }
            (None, _) => None,
        };
    }
    // One that is deleted or gone wrong is not asked for again by every host.
    let sendable = matches!(standing.sample.as_str(), "" | "receiving" | "failed");
    if standing.standing == "unknown" && sendable && may_send(inner, view, question) {
        let lives = |host: &str| inner.lives.get(host).is_some();
        let offer =
            inner.cloud.uploads.offer(&view.project, &question.sha256, &live.host, Instant::now(), lives);
        match offer {
            Offer::Wanted => (answer.wanted, answer.ttl_seconds) = (true, MINUTE),
            Offer::Coming => {
                "pending".clone_into(&mut answer.standing);
                answer.ttl_seconds = MINUTE;
            }
            Offer::Soon => answer.ttl_seconds = spread(question, SOON),
            Offer::Later => answer.ttl_seconds = spread(question, MINUTE),
        }
    }
    answer
}

/// Once to twice as long: not all in the same second.
fn spread(question: &v1::HashQuestion, seconds: u32) -> u32 {
    seconds + u32::from(question.sha256.first().copied().unwrap_or_default()) % seconds
}

fn may_send(inner: &Inner, view: &View, question: &v1::HashQuestion) -> bool {
    let settings = &inner.settings;
    question.can_send
        && !question.packaged
        && settings.samples.is_some()
        && !settings.read_only.is_on()
        && view.no_sample(question.size, &question.kind).is_none()
}

fn new_file(question: &v1::HashQuestion) -> NewFile {
    NewFile {
        sha256: question.sha256.clone(),
        size: i64::try_from(question.size).unwrap_or(i64::MAX),
        kind: facts::line(&question.kind, 64),
        tlsh: facts::line(&question.tlsh, 128),
    }
}
