// SPDX-License-Identifier: Apache-2.0
//! Works for all targets: one task each, so that a target that hangs holds up nobody else. Several processes on
//! one database share the targets by leases.

use crate::failure::Failure;
use crate::flood::Bucket;
use crate::outbound::Outbound;
use crate::settings::Settings;
use crate::text::now_ms;
use crate::{alert, export, notice};
use lazaret_store::{Result, Scope, Store, StoreError, TargetRow};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Where lines of the log go.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// A process that dies is replaced after so long.
const LEASE: Duration = Duration::from_secs(30);
/// What must be left of a lease when a delivery begins: longer than one may take.
const SPARE_MS: i64 = 18_000;
/// Nothing is waited for longer: settings may have changed, a wake-up may be lost.
const LOOK: Duration = Duration::from_millis(500);
/// The same for targets, which are woken when something is noted.
const TARGET_LOOK: Duration = Duration::from_secs(5);
/// How often old notices are dropped.
const CLEAN: Duration = Duration::from_secs(60);
/// Days that messages that were given up are kept.
const LETTER_DAYS: i64 = 30;
/// And what was told of an alarm, behind its last change.
const TOLD_DAYS: i64 = 90;

/// What a step came to.
pub(crate) enum Step {
    /// There may be more.
    Again,
    /// All is delivered.
    Idle,
    /// There is something, and it is not its time.
    Wait(Duration),
    /// It did not work; tried again after a wait.
    Failed { first: bool, wait: Duration, failure: Failure },
    /// It did not work so often that the message was laid aside.
    GivenUp(Failure),
}

impl Step {
    pub(crate) fn wait_ms(ms: i64) -> Self {
        Self::Wait(Duration::from_millis(ms.max(1).unsigned_abs()))
    }
}

struct Shared {
    store: Store,
    out: Outbound,
    log: Log,
    holder: String,
    stop: watch::Receiver<bool>,
    /// The newest notice that was seen.
    noted: watch::Sender<i64>,
}

/// Runs until told to stop.
pub async fn run(store: Store, out: Outbound, log: Log, stop: watch::Receiver<bool>) {
    let holder = uuid::Uuid::now_v7().to_string();
    let noted = watch::Sender::new(0);
    let shared = Arc::new(Shared { store, out, log, holder, stop: stop.clone(), noted });
    let mut running: HashMap<String, JoinHandle<()>> = HashMap::new();
    let mut changes = shared.store.subscribe();
    let mut stop = stop;
    let (mut told, mut cleaned) = (false, None::<Instant>);
    loop {
        let mut looked = look(&shared, &mut running).await;
        if looked.is_ok() && cleaned.is_none_or(|at| at.elapsed() >= CLEAN) {
            cleaned = Some(Instant::now());
            looked = clean(&shared).await;
        }
        match looked {
            Ok(()) => told = false,
            Err(e) => {
                if !std::mem::replace(&mut told, true) {
                    (shared.log)(&format!("outbound: waits for the database: {e}"));
                }
                tokio::time::sleep(LOOK).await;
            }
        }
        tokio::select! {
            _ = changes.changed() => {}
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.wait_for(|s| *s) => break,
        }
    }
    // A message that is on its way may end; one that hangs is sent again after the restart.
    let last = tokio::time::Instant::now() + Duration::from_secs(3);
    for (_, mut task) in running {
        if tokio::time::timeout_at(last, &mut task).await.is_err() {
            task.abort();
        }
    }
    let _ = shared.store.end_leases(&shared.holder).await;
}

/// Notes what arrived, and sees to it that every target has its task.
async fn look(shared: &Arc<Shared>, running: &mut HashMap<String, JoinHandle<()>>) -> Result<()> {
    // Asked first: a lease is a write, and mostly there is nothing.
    if !shared.store.arrivals(1).await?.is_empty() && lease(shared, "notices").await? {
        while !*shared.stop.borrow() && notice::take(&shared.store).await? > 0 {
            wake(shared).await?;
            lease(shared, "notices").await?;
        }
    }
    // Another process may have noted something.
    wake(shared).await?;
    running.retain(|_, task| !task.is_finished());
    for row in shared.store.targets(&Scope::All).await? {
        if row.enabled && !running.contains_key(&row.id) {
            running.insert(row.id.clone(), tokio::spawn(target(Arc::clone(shared), row.id)));
        }
    }
    Ok(())
}

/// Tells the tasks that there is something new.
async fn wake(shared: &Shared) -> Result<()> {
    let (_, newest) = shared.store.notice_bounds().await?;
    shared.noted.send_if_modified(|n| std::mem::replace(n, newest) != newest);
    Ok(())
}

async fn lease(shared: &Shared, name: &str) -> Result<bool> {
    let now = now_ms();
    let until = now + i64::try_from(LEASE.as_millis()).unwrap_or(0);
    shared.store.take_lease(name, &shared.holder, now, until).await
}

async fn clean(shared: &Shared) -> Result<()> {
    const DAY_MS: i64 = 86_400_000;
    let now = now_ms();
    let keep = i64::try_from(shared.out.limits.keep.as_millis()).unwrap_or(i64::MAX);
    while shared.store.drop_notices(now - keep, now - TOLD_DAYS * DAY_MS, 5_000).await? == 5_000 {
        tokio::task::yield_now().await;
    }
    shared.store.delete_dead_letters_before(now - LETTER_DAYS * DAY_MS).await?;
    Ok(())
}

/// Works for one target until it is gone, off, or the server stops.
async fn target(shared: Arc<Shared>, id: String) {
    let mut bucket = Bucket::full(Instant::now());
    let mut noted = shared.noted.subscribe();
    let mut stop = shared.stop.clone();
    let (mut told, mut held_ms) = (false, 0);
    while !*stop.borrow() {
        noted.mark_unchanged();
        let wait = match once(&shared, &id, &mut bucket, &mut held_ms).await {
            Ok(Some(step)) => {
                told = false;
                after(&shared, &id, step)
            }
            Ok(None) => return,
            Err(e) => {
                if !std::mem::replace(&mut told, true) {
                    (shared.log)(&format!("outbound: target {id} waits: {e}"));
                }
                (Duration::from_secs(2), false)
            }
        };
        let (wait, wakes) = wait;
        tokio::select! {
            () = tokio::time::sleep(wait.min(TARGET_LOOK)) => {}
            _ = noted.changed(), if wakes => {}
            _ = stop.wait_for(|s| *s) => return,
        }
    }
}

/// How long to wait, and whether something new ends the wait.
fn after(shared: &Shared, id: &str, step: Step) -> (Duration, bool) {
    match step {
        Step::Again => (Duration::ZERO, true),
        Step::Idle => (TARGET_LOOK, true),
        Step::Wait(wait) => (wait, false),
        Step::Failed { first, wait, failure } => {
            if first {
                (shared.log)(&format!("outbound: target {id}: {failure}; tried again"));
            }
            (wait, false)
        }
        Step::GivenUp(failure) => {
            (shared.log)(&format!("outbound: target {id}: {failure}; the message is laid aside"));
            (Duration::ZERO, true)
        }
    }
}

/// One step; `None` when the target needs no task.
async fn once(shared: &Shared, id: &str, bucket: &mut Bucket, held_ms: &mut i64) -> Result<Option<Step>> {
    let row: TargetRow = match shared.store.target(id).await {
        Ok(row) if row.enabled => row,
        Ok(_) | Err(StoreError::NotFound(_)) => return Ok(None),
        Err(e) => return Err(e),
    };
    // Enough of it is left for a whole delivery.
    let now = now_ms();
    if *held_ms - now < SPARE_MS {
        if !lease(shared, &format!("target {id}")).await? {
            *held_ms = 0;
            return Ok(Some(Step::Wait(Duration::from_secs(2))));
        }
        *held_ms = now + i64::try_from(LEASE.as_millis()).unwrap_or(0);
    }
    let settings = Settings::stored(&row.settings).map_err(StoreError::Corrupt)?;
    let kind = settings.kind().map_err(StoreError::Corrupt)?;
    let step = if kind.is_notification() {
        alert::step(&shared.store, &shared.out, &row, &settings, bucket).await
    } else {
        export::step(&shared.store, &shared.out, &row, &settings).await
    };
    match step {
        Ok(step) => Ok(Some(step)),
        // Deleted meanwhile.
        Err(StoreError::NotFound(_) | StoreError::Conflict(_)) => Ok(None),
        Err(e) => Err(e),
    }
}
