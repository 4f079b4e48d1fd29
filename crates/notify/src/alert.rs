// SPDX-License-Identifier: Apache-2.0
//! One step for a target of people: a message about one alarm, about many, or about a day.

use crate::failure::Failure;
use crate::flood::Bucket;
use crate::gather::{self, Found};
use crate::message::Message;
use crate::outbound::Outbound;
use crate::secrets::Secrets;
use crate::settings::{Mode, Settings};
use crate::text::now_ms;
use crate::worker::Step;
use crate::{backoff, digest, email, webhook};
use lazaret_store::{DeadLetterRow, Result, Store, StoreError, TargetRow, TargetState};
use std::time::{Duration, Instant};

/// Sends one message.
pub(crate) async fn send(
    out: &Outbound,
    settings: &Settings,
    secrets: &Secrets,
    message: &Message,
) -> std::result::Result<(), Failure> {
    match (&settings.email, &settings.webhook) {
        (Some(e), _) => email::send(out, e, secrets.password.as_deref(), message).await,
        (_, Some(w)) => webhook::send(out, w, &secrets.webhook, message).await,
        _ => Err(Failure::new("the target is neither a mail nor a web hook")),
    }
}

/// What is next.
enum Plan {
    Send(Planned),
    /// It is not time for a message yet.
    Wait(Duration),
    /// Up to this notice there is nothing to tell.
    Nothing {
        to: i64,
    },
}

/// What is to be sent, and up to which notice it goes.
struct Planned {
    to: i64,
    kind: &'static str,
    found: Found,
}

/// Does what is due.
pub(crate) async fn step(
    store: &Store,
    out: &Outbound,
    row: &TargetRow,
    settings: &Settings,
    bucket: &mut Bucket,
) -> Result<Step> {
    let mut state = store.target_state(&row.id).await?;
    let now = now_ms();
    if now < state.retry_ms {
        return Ok(Step::wait_ms(state.retry_ms - now));
    }
    let daily = settings.delivery.mode == Mode::Daily;
    let next = || {
        digest::zone(settings.delivery.zone.as_deref())
            .map(|zone| digest::next(now, settings.delivery.hour, &zone))
            .map_err(StoreError::Other)
    };
    let pending = state.pending_to > state.cursor;
    if daily && !pending {
        if state.digest_ms == 0 {
            state.digest_ms = next()?;
            store.set_target_state(&state).await?;
        }
        if now < state.digest_ms {
            return Ok(Step::wait_ms(state.digest_ms - now));
        }
    }
    let planned = match plan(store, row, settings, &state, bucket, daily).await? {
        Plan::Send(planned) => planned,
        Plan::Wait(wait) => return Ok(Step::Wait(wait)),
        Plan::Nothing { to } => {
            // A day without alarms has no message.
            if daily && !pending {
                state.digest_ms = next()?;
            }
            if to > state.cursor || daily || pending {
                state.cursor = state.cursor.max(to);
                state.pending_to = 0;
                store.set_target_state(&state).await?;
            }
            return Ok(Step::Idle);
        }
    };
    // From here on a restart sends the same message again, by the same id.
    if state.pending_to != planned.to {
        state.pending_to = planned.to;
        if !store.set_target_state(&state).await? {
            return Ok(Step::Again);
        }
    }
    let id = gather::message_id(&out.installation, &row.id, state.cursor, planned.to);
    let message = gather::message(store, out, &row.project, planned.kind, id, &planned.found).await?;
    bucket.take();
    let sent = match Secrets::of(row, &*out.seal) {
        Ok(secrets) => send(out, settings, &secrets, &message).await,
        Err(e) => Err(Failure::new(e)),
    };
    let digest_ms = if daily { next()? } else { 0 };
    settle(store, out, row, state, planned.to, &message, sent, digest_ms).await
}

/// What the next message is about.
async fn plan(
    store: &Store,
    row: &TargetRow,
    settings: &Settings,
    state: &TargetState,
    bucket: &mut Bucket,
    daily: bool,
) -> Result<Plan> {
    let pending = state.pending_to > state.cursor;
    let (_, newest) = store.notice_bounds().await?;
    let to = if pending { state.pending_to } else { newest };
    if to <= state.cursor {
        return Ok(Plan::Nothing { to: state.cursor });
    }
    let found = gather::look(store, &row.project, settings, state.cursor, to).await?;
    if found.total == 0 {
        return Ok(Plan::Nothing { to });
    }
    if daily {
        return Ok(Plan::Send(Planned { to, kind: "digest", found }));
    }
    let per_minute = settings.delivery.per_minute;
    let left = bucket.left(per_minute, Instant::now());
    if left == 0 {
        return Ok(Plan::Wait(bucket.wait(per_minute)));
    }
    if found.total == 1 {
        return Ok(Plan::Send(Planned { to, kind: "alarm", found }));
    }
    if pending || found.total > u64::from(left) {
        return Ok(Plan::Send(Planned { to, kind: "summary", found }));
    }
    // The first alone; the others come right after it.
    let to = found.first.first().map_or(to, |n| n.seq);
    let found = gather::look(store, &row.project, settings, state.cursor, to).await?;
    Ok(Plan::Send(Planned { to, kind: "alarm", found }))
}

/// Writes down what came of it.
#[allow(clippy::too_many_arguments, reason = "all of one message, and used once")]
async fn settle(
    store: &Store,
    out: &Outbound,
    row: &TargetRow,
    mut state: TargetState,
    to: i64,
    message: &Message,
    sent: std::result::Result<(), Failure>,
    digest_ms: i64,
) -> Result<Step> {
    let now = now_ms();
    let Err(failure) = sent else {
        state = TargetState {
            cursor: to,
            pending_to: 0,
            failures: 0,
            retry_ms: 0,
            digest_ms,
            ok_ms: now,
            ..state
        };
        state.sent += 1;
        state.error.clear();
        store.set_target_state(&state).await?;
        return Ok(Step::Again);
    };
    state.failures += 1;
    state.error = failure.to_string();
    state.error_ms = now;
    let first = state.failures == 1;
    if state.failures < i64::from(out.limits.attempts) {
        let wait = backoff::after(state.failures, out.limits.most_retry, &out.limits);
        state.retry_ms = now + wait;
        store.set_target_state(&state).await?;
        return Ok(Step::Failed { first, wait: Duration::from_millis(wait.unsigned_abs()), failure });
    }
    store
        .put_dead_letter(&DeadLetterRow {
            id: letter_id(&message.id),
            target: row.id.clone(),
            project: row.project.clone(),
            subject: message.title.clone(),
            body: serde_json::to_string(message).unwrap_or_default(),
            alarms: i64::try_from(message.total).unwrap_or(i64::MAX),
            failed_ms: now,
            attempts: state.failures,
            error: state.error.clone(),
        })
        .await?;
    state = TargetState { cursor: to, pending_to: 0, failures: 0, retry_ms: 0, digest_ms, ..state };
    store.set_target_state(&state).await?;
    Ok(Step::GivenUp(failure))
}

/// The same for the same message, so that giving it up twice is once.
fn letter_id(message: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Sha256::digest(message.as_bytes())[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}
