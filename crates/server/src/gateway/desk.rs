// SPDX-License-Identifier: Apache-2.0
//! The server's side of one session, on the store.

use super::cloud::view::View;
use super::live::{Live, Machine};
use super::{Inner, alarms, clone, cloud, commands, content, dispatch, facts, now_ms, rows};
use crate::authority::Identity;
use crate::numbers::{self, One};
use crate::read_only;
use lazaret_proto::v1;
use lazaret_session::{End, Ingested, Place, ServerSide, Trouble, Welcome, goodbye};
use lazaret_store::{Batch, HostRow, Ingested as Acked, Position, Record, StoreError, What};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use v1::goodbye::Kind as Bye;
use v1::server_frame::Kind as Say;

/// A batch that took so long means that there is too much for the store.
const SLOW: Duration = Duration::from_secs(1);
/// When the verdicts for a host could not be read.
const AGAIN: Duration = Duration::from_secs(2);

pub(super) struct Desk {
    inner: Arc<Inner>,
    who: Identity,
    project: String,
    live: Option<Arc<Live>>,
    acked: Position,
    certified: Option<Instant>,
    feed: cloud::feed::Follower,
}

impl Desk {
    pub(super) fn new(inner: Arc<Inner>, who: Identity) -> Self {
        let acked = Position::default();
        let feed = cloud::feed::Follower::default();
        Self { inner, who, project: String::new(), live: None, acked, certified: None, feed }
    }

    /// As the certificate says.
    pub(super) fn host(&self) -> &str {
        &self.who.host
    }

    /// Whether this certificate may speak for its host.
    async fn admitted(&self) -> Result<HostRow, Trouble> {
        let row = match self.inner.store.host(&self.who.host).await {
            Ok(row) if !row.removed => row,
            Ok(_) | Err(StoreError::NotFound(_)) => {
                let why = "this host is not known here (any more): enrol it again";
                return Err(goodbye(Bye::UnknownHost, why).into());
            }
            Err(e) => return Err(Trouble::Own(e.to_string())),
        };
        if row.revoked {
            return Err(goodbye(Bye::Revoked, "this host's certificate was revoked: enrol it again").into());
        }
        if row.serial != self.who.serial {
            if self.who.until_ms <= row.certificate_until_ms {
                return Err(goodbye(Bye::Revoked, "this host has a newer certificate than this one").into());
            }
            // The renewed one, used for the first time.
            self.inner
                .store
                .set_certificate(&row.id, &self.who.serial, self.who.until_ms)
                .await
                .map_err(own)?;
        }
        Ok(row)
    }

    async fn connect(
        &mut self,
        hello: &v1::AgentHello,
        machine: &Machine,
        row: &HostRow,
    ) -> Result<HostRow, StoreError> {
        let inner = self.inner.clone();
        let report = hello.report.clone().unwrap_or_default();
        let facts = facts::host(&report, &machine.machine_id, &machine.boot_id);
        inner.store.update_facts(&row.id, &facts, now_ms()).await?;
        let number = inner.sessions.fetch_add(1, Ordering::Relaxed);
        let instance: String = inner.settings.instance.chars().rev().take(12).collect();
        let key = format!("{}#{instance}-{number}", machine.run);
        let had = i64::try_from(hello.generation).unwrap_or_default();
        let live = Arc::new(Live::new(row.id.clone(), key, had, now_ms()));
        if let Some(old) = inner.lives.put(&live) {
            old.end(goodbye(Bye::Busy, "there is a newer session of this host"));
        }
        self.live = Some(live.clone());
        let row = inner.store.set_connected(&row.id, &live.key, &inner.settings.instance, now_ms()).await?;
        live.set_written();
        commands::again(&inner, &live, &hello.commands).await?;
        if had != row.generation || row.generation_applied != row.generation {
            dispatch::state(&inner, &live, &row, true).await?;
        }
        Ok(row)
    }
}

impl Desk {
    /// What the host may do of Malware Cloud Scan; `None` when that cannot be read now.
    async fn view(&self) -> Option<(Arc<Live>, Arc<View>)> {
        let live = self.live.as_ref()?;
        if let Some(view) = live.view() {
            return Some((live.clone(), view));
        }
        match View::load(&self.inner.store, &self.who.host).await {
            Ok(view) => Some((live.clone(), live.first_view(view))),
            Err(e) => {
                numbers::database(&e);
                None
            }
        }
    }

    /// Verdicts that follow what the host has. Trouble of the database ends no session: it is tried again.
    async fn verdicts(&mut self) -> Option<Say> {
        if !self.feed.wants() {
            return None;
        }
        let next = match self.view().await {
            Some((_, view)) => self.feed.next(&self.inner, &view).await,
            None => Err(StoreError::Unavailable(String::new())),
        };
        let live = self.live.clone()?;
        match next {
            Ok(Some(verdicts)) => {
                // There may be more, when these are out.
                live.news.notify_one();
                Some(Say::Verdicts(verdicts))
            }
            Ok(None) => None,
            Err(e) => {
                numbers::database(&e);
                tokio::spawn(async move {
                    tokio::time::sleep(AGAIN).await;
                    live.news.notify_one();
                });
                None
            }
        }
    }
}

/// A batch that the store does not take as a whole: of a record that it does not take, its bytes are kept.
/// Gives the last such record too.
async fn one_by_one(
    inner: &Inner,
    batch: &Batch,
    why: &StoreError,
) -> Result<(Acked, Option<Record>), StoreError> {
    inner.log(&format!("{}: a batch is taken apart, since the store refused it: {why}", batch.host));
    let mut whole = Acked::default();
    let mut unread = None;
    for record in &batch.records {
        let one = |record: &Record| Batch { host: batch.host.clone(), records: vec![record.clone()] };
        let done = match inner.store.ingest(one(record)).await {
            Err(e) if !e.is_retryable() => {
                let bytes = rows::bytes(record);
                let what = rows::unread(&batch.host, record.at, &e.to_string(), bytes, now_ms());
                let kept = Record { what, ..*record };
                // What cannot even be kept so is out of order, or the host is gone: that ends the session.
                let done = inner.store.ingest(one(&kept)).await?;
                unread = Some(kept);
                done
            }
            done => done?,
        };
        whole.acked = done.acked;
        whole.taken += done.taken;
        whole.alarms.extend(done.alarms);
        whole.isolated.extend(done.isolated);
    }
    Ok((whole, unread))
}

impl Desk {
    /// An alarm, one for each host: its newest record that could not be read.
    async fn tell_unread(&self, text: String) -> Result<(), StoreError> {
        metrics::counter!("lazaret_gateway_records_unread_total").increment(1);
        let host = self.inner.store.host(&self.who.host).await?;
        let id = alarms::named_id(&["unread", &host.id]);
        let title = format!("A record of {} could not be read", host.name);
        let reasons = vec![
            text,
            "what is behind it was taken; agent and server of one release understand each other".to_owned(),
        ];
        self.inner.store.put_alarms(vec![alarms::about(&host, id, title, reasons, now_ms())]).await
    }
}

impl ServerSide for Desk {
    async fn welcome(&mut self, hello: &v1::AgentHello) -> Result<Welcome, Trouble> {
        if hello.host != self.who.host {
            let why = "the host id of the hello is not that of the certificate";
            return Err(goodbye(Bye::BadFrame, why).into());
        }
        let machine = Machine {
            run: hello.run.clone(),
            machine_id: hello.machine_id.clone(),
            boot_id: hello.boot_id.clone(),
        };
        let sound = |t: &String| !t.is_empty() && t.len() <= 128 && !t.chars().any(char::is_control);
        if ![&machine.run, &machine.machine_id, &machine.boot_id].into_iter().all(sound) {
            return Err(goodbye(Bye::BadFrame, "run, machine id and boot id must be there").into());
        }
        let row = self.admitted().await?;
        if *self.inner.stopping.borrow() {
            return Err(goodbye(Bye::Restart, "the server stops").into());
        }
        let full = self.inner.lives.len() >= self.inner.settings.max_sessions;
        if full && self.inner.lives.get(&row.id).is_none() {
            let why = "this gateway holds as many sessions as it may";
            return Err(v1::Goodbye { retry_after_ms: 60_000, ..goodbye(Bye::Busy, why) }.into());
        }
        if clone::first_lives(&self.inner, &row, &machine).await {
            return Err(clone::refuse(&self.inner, &row, &machine).await);
        }
        let row = Box::pin(self.connect(hello, &machine, &row)).await.map_err(own)?;
        metrics::counter!("lazaret_gateway_sessions_total").increment(1);
        self.project.clone_from(&row.project);
        self.acked = row.acked;
        Ok(Welcome {
            incarnation: self.inner.incarnation.clone(),
            acked: place(row.acked),
            generation: u64::try_from(row.generation).unwrap_or_default(),
            now_ms: now_ms(),
        })
    }

    async fn ingest(&mut self, records: Vec<v1::Record>) -> Result<Ingested, Trouble> {
        if self.inner.settings.read_only.is_on() {
            return Ok(Ingested::Later(read_only::PAUSE));
        }
        let count = records.len() as u64;
        let mut batch = match rows::batch(&self.who.host, &self.project, records, now_ms()) {
            Ok(batch) => batch,
            Err(why) => {
                metrics::counter!("lazaret_gateway_records_refused_total").increment(count);
                return Err(goodbye(Bye::BadFrame, why).into());
            }
        };
        let begun = Instant::now();
        let queued = One::of(metrics::gauge!("lazaret_gateway_ingests_queued"));
        // By records, not by batches: what thousands of hosts bring one by one shares few commits.
        let places = u32::try_from(count).unwrap_or(u32::MAX).clamp(1, super::INGESTS);
        let permit =
            self.inner.ingests.acquire_many(places).await.map_err(|e| Trouble::Own(e.to_string()))?;
        drop(queued);
        let done = async {
            // Alarms that an isolated file names and that came before this batch.
            for record in &mut batch.records {
                if let What::Isolated(row) = &mut record.what
                    && row.alarm_title.is_empty()
                    && !row.alarm.is_empty()
                {
                    match self.inner.store.alarm(&row.alarm).await {
                        Ok(a) if a.host == row.host => {
                            rows::source(&a.origin).clone_into(&mut row.source);
                            row.alarm_title = a.title;
                        }
                        Ok(_) | Err(StoreError::NotFound(_)) => {}
                        Err(e) => return Err(e),
                    }
                }
            }
            if let Some(first) = batch.records.first().map(|r| r.at).filter(|at| !follows(self.acked, *at)) {
                // Its journal no longer holds what lies between; the session has checked that.
                self.inner.log(&format!(
                    "{}: entries behind {:?} up to {first:?} are lost, its journal no longer holds them",
                    self.who.host, self.acked
                ));
                let before = Position { seq: first.seq - 1, ..first };
                self.inner.store.reset_acked(&self.who.host, before).await?;
            }
            let unread = batch.records.iter().rfind(|r| matches!(r.what, What::Unread { .. })).cloned();
            let batch = Arc::new(batch);
            let done = match self.inner.store.ingest(Arc::clone(&batch)).await {
                Err(e) if !e.is_retryable() => one_by_one(&self.inner, &batch, &e).await,
                done => done.map(|done| (done, unread)),
            };
            let (done, unread) = done?;
            if let Some(Record { what: What::Unread { text, .. }, .. }) = unread {
                self.tell_unread(text).await?;
            }
            Ok(done)
        };
        let done = done.await;
        drop(permit);
        match done {
            Ok(done) => {
                self.acked = done.acked;
                self.inner.ingest_works();
                metrics::counter!("lazaret_gateway_records_total").increment(done.taken);
                metrics::histogram!("lazaret_gateway_ingest_seconds").record(begun.elapsed().as_secs_f64());
                let at = place(done.acked);
                if begun.elapsed() > SLOW {
                    return Ok(Ingested::AckedThenPause(at, pause(begun)));
                }
                Ok(Ingested::Acked(at))
            }
            Err(e) if e.is_retryable() => {
                numbers::database(&e);
                metrics::counter!("lazaret_gateway_ingest_retries_total").increment(1);
                self.inner.ingest_waits(&e);
                Ok(Ingested::Later(pause(begun)))
            }
            Err(e) => {
                numbers::database(&e);
                Err(own(e))
            }
        }
    }

    async fn result(&mut self, result: v1::CommandResult) -> Result<(), Trouble> {
        if self.inner.settings.read_only.is_on() {
            // The agent keeps it, and gives it again in its next session.
            return Err(read_only::busy().into());
        }
        if result.id.is_empty() || result.id.len() > 64 {
            return Err(goodbye(Bye::BadFrame, "a result without the id of its command").into());
        }
        commands::finish(&self.inner, &self.who.host, result).await.map_err(own)
    }

    async fn applied(&mut self, applied: v1::StateApplied) -> Result<(), Trouble> {
        let generation = i64::try_from(applied.generation).unwrap_or(i64::MAX);
        let Some(live) = &self.live else { return Ok(()) };
        // Only what it was given: else it would never be given what comes.
        if generation > live.inbox().generation {
            return Err(goodbye(Bye::BadFrame, "a state is in force that was never sent").into());
        }
        let refused: Vec<String> = applied.refused.iter().take(64).map(|r| facts::line(r, 256)).collect();
        self.inner.store.set_applied(&self.who.host, generation, &refused).await.map_err(own)
    }

    async fn report(&mut self, report: v1::HostReport) -> Result<(), Trouble> {
        // Empty ids leave what the hello said.
        let facts = facts::host(&report, "", "");
        self.inner.store.update_facts(&self.who.host, &facts, now_ms()).await.map_err(own)
    }

    async fn progress(&mut self, progress: v1::ScanProgress) -> Result<(), Trouble> {
        if self.inner.settings.read_only.is_on() {
            return Ok(());
        }
        commands::progressed(&self.inner, &self.who.host, &progress).await.map_err(own)
    }

    async fn certificate(&mut self, csr: Vec<u8>) -> Result<Vec<Vec<u8>>, Trouble> {
        if self.certified.is_some_and(|at| at.elapsed() < Duration::from_secs(60)) {
            return Err(goodbye(Bye::BadFrame, "one certificate a minute is enough").into());
        }
        let issued = self
            .inner
            .authority
            .host(&csr, &self.who.host, now_ms())
            .map_err(|e| Trouble::Goodbye(goodbye(Bye::BadFrame, e.to_string())))?;
        self.certified = Some(Instant::now());
        metrics::counter!("lazaret_gateway_certificates_renewed_total").increment(1);
        self.inner.log(&format!("{} gets a certificate anew", self.who.host));
        Ok(issued.chain)
    }

    async fn content(&mut self, request: v1::ContentRequest) -> Result<Option<v1::ContentChunk>, Trouble> {
        let mut chunk = content::part(&self.inner, &self.project, &request).await.map_err(own)?;
        if !chunk.error.is_empty() {
            // It may have been moved to another project since its hello.
            let row = self.inner.store.host(&self.who.host).await.map_err(own)?;
            if row.project != self.project {
                chunk = content::part(&self.inner, &row.project, &request).await.map_err(own)?;
            }
        }
        Ok(Some(chunk))
    }

    async fn questions(&mut self, asked: v1::HashQuestions) -> Result<Option<v1::HashAnswers>, Trouble> {
        let Some((live, view)) = self.view().await else { return Ok(None) };
        Ok(Some(cloud::ask::answer(&self.inner, &live, &view, asked).await))
    }

    async fn inventory(&mut self, part: v1::InventoryPart) -> Result<Option<u64>, Trouble> {
        let Some((live, view)) = self.view().await else { return Ok(None) };
        cloud::inventory::take(&self.inner, &live, &view, part).await.map_err(own)
    }

    async fn sample(&mut self, part: v1::SamplePart) -> Result<Option<v1::SampleState>, Trouble> {
        let Some((live, view)) = self.view().await else {
            return Ok(Some(cloud::sample::not_now(&part)));
        };
        Ok(cloud::sample::take(&self.inner, &live, &view, part).await)
    }

    async fn verdicts_from(&mut self, from: v1::VerdictsFrom) -> Result<(), Trouble> {
        self.feed.begin(from);
        if let Some(live) = &self.live {
            live.news.notify_one();
        }
        Ok(())
    }

    async fn outgoing(&mut self) -> Result<Vec<Say>, Trouble> {
        let Some(live) = &self.live else { return Ok(Vec::new()) };
        let mut out: Vec<Say> = {
            let mut inbox = live.inbox();
            if let Some(last) = &inbox.end {
                return Err(last.clone().into());
            }
            std::mem::take(&mut inbox.out).into()
        };
        out.extend(self.verdicts().await);
        Ok(out)
    }

    async fn news(&mut self) {
        match &self.live {
            Some(live) => live.news.notified().await,
            None => std::future::pending().await,
        }
    }

    fn heard(&mut self) {
        if let Some(live) = &self.live {
            live.heard(now_ms());
        }
    }

    fn probe(&mut self) -> bool {
        self.live.as_ref().is_some_and(|l| std::mem::take(&mut l.inbox().probe))
    }

    fn answered(&mut self) {
        if let Some(live) = &self.live {
            live.answered();
        }
    }

    async fn ended(&mut self, end: &End) {
        let Some(live) = self.live.take() else { return };
        self.inner.lives.take(&live);
        live.changed.notify_waiters();
        let stopped = end.is_shutdown();
        // Of a peer that fell silent the last word is what counts, not when that was noticed.
        let at = if *end == End::Silent { live.heard_ms() } else { now_ms() };
        let done = async {
            // The last sign of life, before the host counts as gone.
            if let Some(at) = live.newly_heard() {
                self.inner.store.touch_seen(&[(live.host.clone(), at)]).await?;
            }
            self.inner.store.set_disconnected(&live.host, &live.key, stopped, at).await
        };
        if let Err(e) = done.await {
            self.inner
                .log(&format!("{} has ended its session, which cannot be written down: {e}", live.host));
        }
    }
}

fn own(e: StoreError) -> Trouble {
    Trouble::Own(e.to_string())
}

fn place(p: Position) -> Place {
    Place { epoch: u64::try_from(p.epoch).unwrap_or_default(), seq: u64::try_from(p.seq).unwrap_or_default() }
}

fn follows(last: Position, next: Position) -> bool {
    (next.epoch == last.epoch && next.seq == last.seq + 1)
        || (next.epoch > last.epoch && next.seq <= last.seq + 1)
}

/// One to three seconds, not the same for all.
fn pause(begun: Instant) -> Duration {
    Duration::from_millis(1000 + u64::from(begun.elapsed().subsec_nanos()) % 2000)
}
