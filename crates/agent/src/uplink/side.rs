// SPDX-License-Identifier: Apache-2.0
//! The agent's side of the session.

use super::identity::{Identity, Request, stamp};
use super::outbox::records;
use super::{content, enroll, lock, report, tls};
use crate::core::Core;
use crate::log::log;
use crate::look::now_ms;
use anyhow::{Error, Result};
use lazaret_proto::v1;
use lazaret_session::{AgentSide, End, Notice, Place, goodbye, wire_position};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use v1::goodbye::Kind as Bye;

/// The journal is looked at this often: its appends do not ring, they are on the way of responses.
const LOOK: Duration = Duration::from_millis(100);
/// The host is looked at this often.
const REPORT: Duration = Duration::from_secs(30);
/// Clocks that are so far apart are said to be; the way to the server takes less.
const CLOCK_OFF: Duration = Duration::from_secs(60);
/// A renewal that is not answered is asked for again.
const RENEW_AGAIN: Duration = Duration::from_secs(3600);

/// What the session and the way to the server share.
pub(super) struct Shared {
    pub(super) identity: Mutex<Identity>,
    /// Of its file, as we wrote it last.
    pub(super) stamp: Mutex<Option<(u64, i64)>>,
    /// The server has taken the right away.
    pub(super) banned: Notify,
}

pub(super) struct Side {
    core: Arc<Core>,
    shared: Arc<Shared>,
    /// Seq of the newest entry that was looked at.
    seen: u64,
    told: Option<v1::HostReport>,
    looked: Instant,
    renewal: Option<(Request, Instant)>,
    synced: u64,
}

/// What is wrong with the clocks, when they are too far apart to compare times of several hosts.
fn clock(skew_ms: i64) -> String {
    let seconds = skew_ms.unsigned_abs() / 1000;
    if seconds < CLOCK_OFF.as_secs() {
        return String::new();
    }
    let (where_to, span) = (if skew_ms > 0 { "behind" } else { "ahead of" }, span(seconds));
    format!(
        "this host's clock is {span} {where_to} the server's: alarms carry this host's time; set one of the two clocks \
         right (chronyd, systemd-timesyncd)"
    )
}

fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", (seconds + 30) / 60),
        7_200..172_800 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} days", (seconds + 43_200) / 86_400),
    }
}

impl Side {
    pub(super) fn new(core: &Arc<Core>, shared: Arc<Shared>) -> Self {
        Self {
            core: Arc::clone(core),
            shared,
            seen: 0,
            told: None,
            looked: Instant::now(),
            renewal: None,
            synced: 0,
        }
    }

    fn newest(&self) -> u64 {
        self.core.responder.journal().position().1
    }

    fn renewal(&mut self) -> Option<Vec<u8>> {
        let asked = self.renewal.as_ref().is_some_and(|(_, at)| at.elapsed() < RENEW_AGAIN);
        if asked || !lock(&self.shared.identity).wants_renewal(now_ms()) {
            return None;
        }
        match Request::new(&report::of_machine().host_name) {
            Ok(request) => {
                let csr = request.csr.clone();
                self.renewal = Some((request, Instant::now()));
                Some(csr)
            }
            Err(e) => {
                log!("the certificate cannot be renewed: {e:#}");
                None
            }
        }
    }

    fn changed_report(&mut self) -> Option<v1::HostReport> {
        if !self.core.uplink.content.take_news() && self.looked.elapsed() < REPORT {
            return None;
        }
        self.looked = Instant::now();
        let report = report::report(&self.core);
        let essence = report::essence(&report);
        (self.told.as_ref() != Some(&essence)).then(|| {
            self.told = Some(essence);
            report
        })
    }

    fn renewed(&mut self, chain: Vec<Vec<u8>>) -> Result<()> {
        let (request, _) =
            self.renewal.as_ref().ok_or_else(|| Error::msg("nobody asked for a certificate"))?;
        let mut identity = lock(&self.shared.identity);
        let own = chain.first().ok_or_else(|| Error::msg("it holds no certificate"))?;
        enroll::check_name(own, &identity.host)?;
        let renewed = Identity { key: request.key.clone(), chain, ..identity.clone() };
        tls::enrolled(&renewed)?;
        let state = &self.core.config.paths.state;
        renewed.store(state)?;
        *lock(&self.shared.stamp) = stamp(state);
        let until = renewed.validity().map_or(0, |v| v.1);
        *identity = renewed;
        drop(identity);
        self.renewal = None;
        self.core.uplink.set_link(|link| link.certificate_until_ms = until);
        log!("the certificate of this host is renewed");
        Ok(())
    }
}

impl AgentSide for Side {
    type Error = Error;

    fn now_ms(&self) -> i64 {
        now_ms()
    }

    async fn hello(&mut self) -> Result<v1::AgentHello> {
        self.core.uplink.content.session();
        let report = report::report(&self.core);
        self.told = Some(report::essence(&report));
        self.looked = Instant::now();
        let journal = self.core.responder.journal();
        let first = journal.entries(0, 1)?.first().map(|e| (e.epoch, e.seq));
        let (epoch, seq) = journal.position();
        let outbox = lock(&self.core.uplink.outbox);
        Ok(v1::AgentHello {
            version_min: 0,
            version_max: 0,
            host: lock(&self.shared.identity).host.clone(),
            run: self.core.uplink.run.clone(),
            incarnation: outbox.incarnation().to_owned(),
            acked: Some(wire_position(outbox.acked())),
            first: first.map(|(epoch, seq)| wire_position(outbox.place(epoch, seq))),
            last: Some(wire_position(outbox.place(epoch, seq))),
            generation: self.core.uplink.desired.generation(),
            report: Some(report),
            machine_id: report::machine_id(),
            boot_id: report::boot_id(),
            commands: self.core.uplink.commands.open(),
        })
    }

    fn sent(&self) -> Place {
        lock(&self.core.uplink.outbox).sent()
    }

    async fn fork(&mut self, epoch: u64) -> Result<()> {
        log!(
            "the server knows more of this host than its journal: it went back to an older state, epoch {epoch} begins"
        );
        lock(&self.core.uplink.outbox).fork(&self.core.database, epoch)?;
        self.core.cloud.parts.start_anew(&self.core);
        Ok(())
    }

    async fn read_after(&mut self, after: Place, count: usize, bytes: usize) -> Result<Vec<v1::Record>> {
        let newest = self.newest();
        let outbox = lock(&self.core.uplink.outbox).clone();
        let records = records(&self.core, &outbox, after, count, bytes)?;
        if records.is_empty() {
            self.seen = newest;
        }
        Ok(records)
    }

    async fn sending(&mut self, last: Place) -> Result<()> {
        // What a server has must never be lost here, or its numbers would be given twice.
        if last.seq > self.synced {
            let newest = self.newest();
            self.core.responder.journal().sync()?;
            self.synced = newest;
        }
        lock(&self.core.uplink.outbox).sending(&self.core.database, last)
    }

    async fn welcomed(&mut self, hello: &v1::ServerHello, skew_ms: i64) {
        self.core.uplink.commands.set_skew(skew_ms);
        let kept = lock(&self.core.uplink.outbox).set_incarnation(&self.core.database, &hello.incarnation);
        if let Err(e) = kept {
            log!("{e:#}");
        }
        self.core.uplink.set_link(|link| {
            link.connected = true;
            link.banned = false;
            link.error.clear();
            link.problem.clear();
            link.clock = clock(skew_ms);
        });
        if let Some(why) = self.core.uplink.problem() {
            log!("{why}");
        }
        self.core.cloud.begin_session(&self.core, &hello.incarnation);
        log!("connected to {}", lock(&self.shared.identity).url);
    }

    async fn acked(&mut self, at: Place) -> Result<()> {
        lock(&self.core.uplink.outbox).set_acked(&self.core.database, at)
    }

    async fn desired(&mut self, state: v1::DesiredState) -> Result<v1::StateApplied> {
        let offer = state.content.clone();
        let applied = self.core.uplink.desired.take(&self.core, state)?;
        let identity = {
            let mut identity = lock(&self.shared.identity);
            if content::learn_key(&mut identity, offer.as_ref(), &self.core.config) {
                *lock(&self.shared.stamp) = stamp(&self.core.config.paths.state);
            }
            identity.clone()
        };
        self.core.uplink.content.offered(&self.core, &identity, offer);
        Ok(applied)
    }

    async fn begin(&mut self, command: v1::Command, _server_now_ms: i64) -> Result<()> {
        self.core.uplink.commands.take(&self.core, command)
    }

    async fn cancel(&mut self, id: &str) -> Result<()> {
        self.core.uplink.commands.cancel(&self.core, id)
    }

    async fn result(&mut self, id: &str) -> Result<Option<v1::CommandResult>> {
        self.core.uplink.commands.result(&self.core, id)
    }

    async fn certificate(&mut self, chain: Vec<Vec<u8>>) -> Result<()> {
        if let Err(e) = self.renewed(chain) {
            log!("the server's certificate for this host is not taken: {e:#}");
        }
        Ok(())
    }

    async fn content(&mut self, chunk: v1::ContentChunk) -> Result<()> {
        self.core.uplink.content.part(&self.core, &chunk);
        Ok(())
    }

    async fn answers(&mut self, answers: v1::HashAnswers) -> Result<()> {
        self.core.cloud.answered(&self.core, answers);
        Ok(())
    }

    async fn inventory_acked(&mut self, version: u64) -> Result<()> {
        self.core.cloud.parts.acked(&self.core, version);
        Ok(())
    }

    async fn sample_state(&mut self, state: v1::SampleState) -> Result<()> {
        self.core.cloud.samples.heard(state);
        Ok(())
    }

    async fn verdicts(&mut self, verdicts: v1::HashVerdicts) -> Result<()> {
        self.core.cloud.verdicts.take(&self.core, verdicts)
    }

    async fn notice(&mut self) -> Option<Notice> {
        if self.core.uplink.is_stopping() {
            return Some(Notice::Stop(goodbye(Bye::Shutdown, "the daemon stops")));
        }
        // An execution may wait for it.
        if let Some(questions) = self.core.cloud.questions.next(&self.core) {
            return Some(Notice::Questions(questions));
        }
        if let Some(from) = self.core.cloud.verdicts.next(&self.core) {
            return Some(Notice::VerdictsFrom(from));
        }
        if let Some((_, progress)) = lock(&self.core.uplink.progress).pop_first() {
            return Some(Notice::Progress(progress));
        }
        if let Some(report) = self.changed_report() {
            return Some(Notice::Report(Box::new(report)));
        }
        if let Some(csr) = self.renewal() {
            return Some(Notice::Renew(csr));
        }
        if let Some(part) = self.core.cloud.parts.next(&self.core) {
            return Some(Notice::Inventory(part));
        }
        if let Some(request) = self.core.uplink.content.next_request() {
            return Some(Notice::Content(request));
        }
        self.core.cloud.samples.next_part().map(Notice::Sample)
    }

    async fn news(&mut self) {
        loop {
            tokio::select! {
                () = self.core.uplink.bell.notified() => return,
                () = tokio::time::sleep(self.core.cloud.due_in().map_or(LOOK, |due| due.min(LOOK))) => {
                    let newest = self.newest();
                    let due = self.core.cloud.due_in().is_some_and(|due| due.is_zero());
                    if newest != self.seen || self.looked.elapsed() >= REPORT || due {
                        self.seen = newest;
                        return;
                    }
                }
            }
        }
    }

    async fn ended(&mut self, end: &End, retry: Option<Duration>) {
        self.core.cloud.end_session();
        let told = if let End::Told(g) = end { g.kind() } else { Bye::Unspecified };
        let banned = matches!(told, Bye::Revoked | Bye::UnknownHost);
        let why = end.to_string();
        let mut news = false;
        self.core.uplink.set_link(|link| {
            news = link.connected || link.error != why;
            (link.connected, link.banned) = (false, banned);
            link.error.clone_from(&why);
            if banned {
                link.problem = format!(
                    "{} has taken this host's right away ({why}): it goes on with what it was told last; enrol it \
                     again with lazaretd enroll --again",
                    link.url
                );
            }
        });
        if news {
            let retry = retry.map(|r| format!("; tried again in {} s", r.as_secs())).unwrap_or_default();
            log!("not connected to {}: {why}{retry}", lock(&self.shared.identity).url);
        }
        if banned {
            self.shared.banned.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_are_apart_are_said_to_be() {
        assert_eq!(clock(0), "");
        assert_eq!(clock(59_000), "");
        assert_eq!(clock(-59_000), "");
        assert!(clock(90_000).contains("90 s behind"), "{}", clock(90_000));
        assert!(clock(-3 * 3_600_000).contains("3 h ahead of"), "{}", clock(-3 * 3_600_000));
        assert!(clock(i64::MIN).contains("days ahead of"));
    }
}
