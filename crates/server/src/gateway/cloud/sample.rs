// SPDX-License-Identifier: Apache-2.0
//! Samples coming in, part by part. Each part has one answer: where to go on, that it is stored, or that it is
//! refused and why. What the server itself cannot do now is no refusal: the host comes again.

use super::uploads::Turn;
use super::view::View;
use crate::gateway::live::Live;
use crate::gateway::{Inner, facts, millis, now_ms};
use crate::time::DAY_MS;
use crate::{numbers, read_only};
use lazaret_proto::v1;
use lazaret_samples::{SampleError, Samples};
use lazaret_store::{NewSample, StoreError};
use std::sync::Arc;
use std::time::{Duration, Instant};
use v1::server_frame::Kind as Say;

/// Samples that are sealed and stored at the same time.
pub(super) const FINISHES: usize = 8;
/// A part that takes longer to write is sent again.
const PATIENCE: Duration = Duration::from_secs(15);
/// Storing one takes so long at most; what it has done by then is found the next time.
const STORING: Duration = Duration::from_secs(300);
/// After trouble of our own: of the place where samples lie, of the database.
const TROUBLE: Duration = Duration::from_secs(30);
/// When somebody is needed to put it right.
const BROKEN: Duration = Duration::from_secs(300);
/// A host that sends parts faster than that waits so long for each answer at most.
const BRAKE: Duration = Duration::from_secs(5);
/// So many bytes come before it is noted how far a sample is.
const NOTED: u64 = 1 << 20;

/// What is answered.
struct Answer {
    state: &'static str,
    have: u64,
    reason: String,
    wait: Duration,
}

impl Answer {
    fn go_on(have: u64) -> Self {
        Self { state: "wanted", have, reason: String::new(), wait: Duration::ZERO }
    }

    fn later(have: u64, reason: impl Into<String>, wait: Duration) -> Self {
        // Not all at the same time.
        let spread = Duration::from_millis(u64::try_from(now_ms() % 1_000).unwrap_or_default());
        Self { state: "wanted", have, reason: reason.into(), wait: wait + spread }
    }

    fn stored(size: u64) -> Self {
        Self { state: "stored", have: size, reason: String::new(), wait: Duration::ZERO }
    }

    fn refused(why: &'static str, reason: impl Into<String>) -> Self {
        metrics::counter!("lazaret_gateway_samples_refused_total", "why" => why).increment(1);
        Self { state: "refused", have: 0, reason: reason.into(), wait: Duration::ZERO }
    }

    fn wire(self, sha256: &[u8]) -> v1::SampleState {
        v1::SampleState {
            sha256: sha256.to_vec(),
            state: self.state.to_owned(),
            have: self.have,
            reason: facts::text(&self.reason, 512),
            retry_after_ms: super::ms(self.wait),
        }
    }
}

/// Takes a part. `None`: the answer comes when the whole is stored, or is not.
pub(in crate::gateway) async fn take(
    inner: &Arc<Inner>,
    live: &Arc<Live>,
    view: &View,
    part: v1::SamplePart,
) -> Option<v1::SampleState> {
    metrics::counter!("lazaret_gateway_sample_parts_total").increment(1);
    let (_, wait) = inner.cloud.parts.take(&live.host, 1, Instant::now());
    if !wait.is_zero() {
        tokio::time::sleep(wait.min(BRAKE)).await;
    }
    let sha256 = part.sha256.clone();
    answer(inner, live, view, part).await.map(|a| a.wire(&sha256))
}

async fn answer(inner: &Arc<Inner>, live: &Arc<Live>, view: &View, part: v1::SamplePart) -> Option<Answer> {
    let Some(samples) = inner.settings.samples.clone() else {
        return Some(Answer::refused("off", "this server takes no samples"));
    };
    if let Some(why) = view.no_sample(part.size, &part.kind) {
        return Some(Answer::refused("consent", why));
    }
    let end = part.offset.saturating_add(part.data.len() as u64);
    if end > part.size {
        let why = format!("bytes {} to {end} of a sample of {}", part.offset, part.size);
        return Some(Answer::refused("offset", why));
    }
    if inner.settings.read_only.is_on() {
        return Some(Answer::later(part.offset, "the server is read-only", read_only::PAUSE));
    }
    let (project, sha256, host) = (view.project.as_str(), part.sha256.as_slice(), live.host.as_str());
    let lives = |host: &str| inner.lives.get(host).is_some();
    let turn = inner.cloud.uploads.turn(project, sha256, host, part.size, Instant::now(), lives);
    let mut stored = false;
    match turn {
        Turn::Next { stored: there } => stored = there,
        Turn::First { other } => match first(inner, &samples, host, view, &part, other).await {
            Ok(First::GoOn) => {}
            Ok(First::Stored) => stored = true,
            Ok(First::Known) => {
                inner.cloud.uploads.done(project, sha256);
                return Some(Answer::stored(part.size));
            }
            Err(answer) => {
                inner.cloud.uploads.done(project, sha256);
                return Some(answer);
            }
        },
        Turn::Wait(why, wait) => return Some(Answer::later(part.offset, why, wait)),
        Turn::Refuse(why) => return Some(Answer::refused("lied", why)),
    }
    let have = if stored {
        part.size
    } else {
        match put(&samples, project, &part).await {
            Ok(have) => have,
            Err(e) => {
                return Some(failed(inner, &samples, (project, sha256, host), part.offset, e).await);
            }
        }
    };
    if have == end {
        metrics::counter!("lazaret_gateway_sample_bytes_total").increment(part.data.len() as u64);
    }
    if inner.cloud.uploads.came(project, sha256, have) {
        let what =
            Whole { inner: inner.clone(), live: live.clone(), project: project.to_owned(), stored, part };
        tokio::spawn(what.finish(samples));
        return None;
    }
    // For people who look how far it is, and for other gateways; the parts themselves say where to go on.
    if have / NOTED > part.offset / NOTED {
        let have = i64::try_from(have).unwrap_or(i64::MAX);
        if let Err(e) = inner.store.set_sample_have(project, sha256, have, now_ms()).await {
            numbers::database(&e);
        }
    }
    Some(Answer::go_on(have))
}

/// What a first part begins with.
enum First {
    GoOn,
    /// It lies where it belongs, and nobody wrote that down.
    Stored,
    /// It is here already.
    Known,
}

async fn first(
    inner: &Inner,
    samples: &Samples,
    host: &str,
    view: &View,
    part: &v1::SamplePart,
    other: bool,
) -> Result<First, Answer> {
    let (project, sha256) = (view.project.as_str(), part.sha256.as_slice());
    let trouble = |e: StoreError| database(inner, part.offset, &e);
    let known = match inner.store.sample(project, sha256).await {
        Ok(row) => Some(row),
        Err(StoreError::NotFound(_)) => None,
        Err(e) => return Err(trouble(e)),
    };
    let begun = known.as_ref().filter(|row| row.state == "receiving");
    let now = now_ms();
    // Of hosts of this gateway it is known here whether they still send.
    let elsewhere = match begun {
        Some(row) if row.host != host => is_elsewhere(inner, &row.host).await.map_err(trouble)?,
        _ => false,
    };
    let silent_since_ms = if elsewhere { now - millis(inner.settings.cloud.stall) } else { i64::MAX };
    let new = NewSample {
        project: project.to_owned(),
        sha256: sha256.to_vec(),
        size: i64::try_from(part.size).unwrap_or(i64::MAX),
        kind: facts::line(&part.kind, 64),
        host: host.to_owned(),
        silent_since_ms,
        expires_ms: if view.sample_days > 0 { now + view.sample_days * DAY_MS } else { 0 },
        now_ms: now,
    };
    let same = begun.is_some_and(|row| row.host == new.host && row.size == new.size);
    let row = inner.store.begin_sample(&new).await.map_err(trouble)?;
    match row.state.as_str() {
        "stored" => return Ok(First::Known),
        "receiving" if row.host == host => {}
        "receiving" => {
            return Err(Answer::later(part.offset, "another host sends it", Duration::from_secs(30)));
        }
        "failed" => {
            let wait = u64::try_from(row.retry_ms.saturating_sub(now)).unwrap_or_default();
            let wait = Duration::from_millis(wait).max(Duration::from_secs(1));
            return Err(Answer::later(part.offset, "it could not be taken before", wait));
        }
        _ => return Err(Answer::refused("deleted", "it was deleted here, and is not wanted any more")),
    }
    if other || !same {
        // Of what another host began nobody knows whether it is right.
        samples.give_up(project, sha256).await.map_err(|e| place(inner, part.offset, &e))?;
        return Ok(First::GoOn);
    }
    // Stored by a process that ended before it could write that down.
    let stored = tokio::time::timeout(PATIENCE, samples.exists(project, sha256)).await;
    Ok(if matches!(stored, Ok(Ok(true))) { First::Stored } else { First::GoOn })
}

/// Whether a host has its session on another gateway.
async fn is_elsewhere(inner: &Inner, host: &str) -> Result<bool, StoreError> {
    match inner.store.host(host).await {
        Ok(row) => Ok(!row.gateway.is_empty() && row.gateway != inner.settings.instance),
        Err(StoreError::NotFound(_)) => Ok(false),
        Err(e) => Err(e),
    }
}

async fn put(samples: &Samples, project: &str, part: &v1::SamplePart) -> Result<u64, SampleError> {
    let put = samples.put_part(project, &part.sha256, part.size, part.offset, &part.data);
    tokio::time::timeout(PATIENCE, put)
        .await
        .unwrap_or_else(|_| Err(SampleError::Busy("the disk with the parts is slow".to_owned())))
}

fn database(inner: &Inner, have: u64, e: &StoreError) -> Answer {
    numbers::database(e);
    if e.is_retryable() {
        return Answer::later(have, "the server's database does not answer", TROUBLE);
    }
    inner.log(&format!("a sample cannot be taken: {e}"));
    Answer::later(have, "the server cannot take it now", BROKEN)
}

/// Trouble of the place where samples lie: the host keeps what it has.
fn place(inner: &Inner, have: u64, e: &SampleError) -> Answer {
    let wait = match e {
        SampleError::Busy(_) => Duration::from_secs(3),
        e if e.is_retryable() => TROUBLE,
        _ => BROKEN,
    };
    let why = if matches!(e, SampleError::Busy(_)) { "busy" } else { "place" };
    metrics::counter!("lazaret_gateway_samples_put_off_total", "why" => why).increment(1);
    if why == "place" {
        inner.cloud.samples_fail(inner, e);
    }
    Answer::later(have, "the server cannot store it now", wait)
}

/// What an error means for the host. Nothing stays of what is refused.
async fn failed(
    inner: &Inner,
    samples: &Samples,
    (project, sha256, host): (&str, &[u8], &str),
    have: u64,
    e: SampleError,
) -> Answer {
    let (uploads, now) = (&inner.cloud.uploads, Instant::now());
    match &e {
        SampleError::Lied(why) => {
            forget(inner, samples, project, sha256, why, 0).await;
            uploads.lied(project, sha256, host, now);
            inner.log(&format!("{host}: a sample is refused: {why}"));
            Answer::refused("lied", why)
        }
        SampleError::TooLarge { .. } | SampleError::Invalid(_) => {
            forget(inner, samples, project, sha256, &e.to_string(), now_ms() + DAY_MS).await;
            uploads.done(project, sha256);
            Answer::refused("too_large", e.to_string())
        }
        SampleError::Quota { .. } => {
            forget(
                inner,
                samples,
                project,
                sha256,
                &e.to_string(),
                now_ms() + millis(super::uploads::NO_ROOM),
            )
            .await;
            uploads.done(project, sha256);
            uploads.full(project, now);
            inner.cloud.samples_fail(inner, &e);
            // How much there is is none of the host's business.
            Answer::refused("quota", "there is no room for samples of this project")
        }
        e => place(inner, have, e),
    }
}

fn is_final(e: &SampleError) -> bool {
    matches!(
        e,
        SampleError::Lied(_)
            | SampleError::TooLarge { .. }
            | SampleError::Invalid(_)
            | SampleError::Quota { .. }
    )
}

/// All parts of a sample are here.
struct Whole {
    inner: Arc<Inner>,
    live: Arc<Live>,
    project: String,
    /// It lies where it belongs already.
    stored: bool,
    part: v1::SamplePart,
}

impl Whole {
    async fn finish(self, samples: Arc<Samples>) {
        let answer = self.store(&samples).await.wire(&self.part.sha256);
        self.live.inbox().out.push_back(Say::Sample(answer));
        self.live.news.notify_one();
    }

    async fn store(&self, samples: &Samples) -> Answer {
        let Self { inner, project, part, .. } = self;
        let sha256 = part.sha256.as_slice();
        if !self.stored {
            let Ok(_place) = inner.cloud.finishes.acquire().await else {
                return Answer::later(part.size, "the server stops", TROUBLE);
            };
            let done = tokio::time::timeout(STORING, samples.finish(project, sha256)).await;
            match done.unwrap_or_else(|_| Err(SampleError::Busy("storing takes too long".to_owned()))) {
                Ok(()) => inner.cloud.samples_work(inner),
                Err(e) => {
                    if !is_final(&e) {
                        inner.cloud.uploads.again(project, sha256, false, Instant::now());
                    }
                    let whose = (project.as_str(), sha256, self.live.host.as_str());
                    return failed(inner, samples, whose, part.size, e).await;
                }
            }
        }
        // With this the deep scan is queued.
        match inner.store.sample_stored(project, sha256, now_ms()).await {
            Ok(_) => {
                inner.cloud.uploads.done(project, sha256);
                metrics::counter!("lazaret_gateway_samples_stored_total").increment(1);
                Answer::stored(part.size)
            }
            Err(e) if e.is_retryable() => {
                inner.cloud.uploads.again(project, sha256, true, Instant::now());
                database(inner, part.size, &e)
            }
            Err(e) => {
                // A person deleted it while it came.
                inner.log(&format!("a sample is not kept: {e}"));
                inner.cloud.uploads.done(project, sha256);
                if let Err(e) = samples.delete(project, sha256).await {
                    inner.log(&format!("a sample that is not to be kept cannot be deleted: {e}"));
                }
                Answer::refused("deleted", "it was deleted here, and is not wanted any more")
            }
        }
    }
}

/// Nothing of it is to stay: neither parts nor that it comes.
pub(super) async fn forget(
    inner: &Inner,
    samples: &Samples,
    project: &str,
    sha256: &[u8],
    why: &str,
    retry_ms: i64,
) {
    if let Err(e) = samples.give_up(project, sha256).await {
        inner.log(&format!("parts of a sample that is not to come cannot be removed: {e}"));
    }
    let why = facts::text(why, 512);
    if let Err(e) = inner.store.sample_failed(project, sha256, &why, retry_ms, now_ms()).await {
        numbers::database(&e);
    }
}

/// When it cannot even be read what the host may send.
pub(in crate::gateway) fn not_now(part: &v1::SamplePart) -> v1::SampleState {
    Answer::later(part.offset, "the server's database does not answer", TROUBLE).wire(&part.sha256)
}
