// SPDX-License-Identifier: Apache-2.0
//! The agent's side of one session.

use crate::channel::Heard;
use crate::outbox::cut;
use crate::{AgentSide, Channel, End, Limits, Notice, PROTOCOL_VERSION, Place, cloud, goodbye, place, wire};
use lazaret_proto::v1;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use v1::agent_frame::Kind as Say;
use v1::goodbye::Kind as Bye;
use v1::server_frame::Kind as Told;

/// Commands that a server may have under way on one host.
const MAX_OWED: usize = 10_000;

/// Databases keep signed numbers.
const HIGHEST: u64 = i64::MAX as u64;

/// Speaks with a server until the session ends; true beside the end when the server let us in.
pub async fn talk<S, A>(mut channel: Channel<S>, side: &mut A, limits: &Limits) -> (End, bool)
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: AgentSide,
{
    let mut welcome = false;
    let end = match Talk::begin(&mut channel, side, limits).await {
        Ok(mut talk) => {
            welcome = true;
            match talk.run(&mut channel, side).await {
                Err(end) => end,
                Ok(never) => match never {},
            }
        }
        Err(end) => end,
    };
    let last = match &end {
        End::Said(g) => Some(g.clone()),
        End::Protocol(why) => Some(goodbye(Bye::BadFrame, why.clone())),
        _ => None,
    };
    let last = last.map(|g| v1::AgentFrame { kind: Some(Say::Goodbye(g)) });
    if last.is_some() || matches!(end, End::Told(_) | End::Own(_)) {
        channel.farewell(last.as_ref()).await;
    }
    (end, welcome)
}

/// A session that stands.
struct Talk {
    limits: Limits,
    keep_alive: Duration,
    max_records: usize,
    max_frame: usize,
    /// The server's clock less ours.
    skew_ms: i64,
    /// What the server has.
    acked: Place,
    /// Last entry of the batch that is on its way.
    flying: Option<Place>,
    /// No records before that.
    pause: Option<Instant>,
    /// Commands whose result the server waits for in this session.
    owed: BTreeSet<String>,
    /// Answers that are due.
    answers: VecDeque<Say>,
}

enum Never {}

impl Talk {
    async fn begin<S, A>(channel: &mut Channel<S>, side: &mut A, limits: &Limits) -> Result<Self, End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
        A: AgentSide,
    {
        let mut hello = side.hello().await.map_err(own)?;
        (hello.version_min, hello.version_max) = (PROTOCOL_VERSION, PROTOCOL_VERSION);
        let last = place(hello.last.as_ref());
        let owed = hello.commands.iter().cloned().collect();
        channel.send(&v1::AgentFrame { kind: Some(Say::Hello(hello)) }).await?;
        let answer: v1::ServerFrame = channel.receive().await?;
        let hello = match answer.kind {
            Some(Told::Hello(hello)) => hello,
            Some(Told::Goodbye(g)) => return Err(End::Told(g)),
            _ => return Err(End::Protocol("the server's first message is no hello".to_owned())),
        };
        if hello.version != PROTOCOL_VERSION {
            let why = format!("the server answers with version {}", hello.version);
            return Err(End::Said(goodbye(Bye::UnsupportedVersion, why)));
        }
        let acked = place(hello.acked.as_ref());
        if acked.epoch >= HIGHEST || acked.seq >= HIGHEST {
            return Err(End::Protocol("the server's position is out of range".to_owned()));
        }
        let sent = side.sent();
        if acked > sent {
            let epoch = acked.epoch.max(sent.epoch).max(last.epoch) + 1;
            side.fork(epoch).await.map_err(own)?;
            // The server has them, whoever sent them.
            side.sending(acked).await.map_err(own)?;
        }
        let skew_ms = hello.now_ms.saturating_sub(side.now_ms());
        side.welcomed(&hello, skew_ms).await;
        side.acked(acked).await.map_err(own)?;
        Ok(Self {
            // A server's wish, as far as it makes sense.
            keep_alive: Duration::from_secs(u64::from(hello.keep_alive_seconds.clamp(1, 300))),
            max_records: (hello.max_records as usize).clamp(1, limits.max_records),
            max_frame: (hello.max_frame as usize).clamp(64 << 10, limits.max_frame.max(64 << 10)),
            limits: limits.clone(),
            skew_ms,
            acked,
            flying: None,
            pause: None,
            owed,
            answers: VecDeque::new(),
        })
    }

    async fn run<S, A>(&mut self, channel: &mut Channel<S>, side: &mut A) -> Result<Never, End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
        A: AgentSide,
    {
        let dead_after = self.keep_alive.saturating_mul(5) / 2;
        let mut fresh = true;
        loop {
            if fresh && channel.flushed() {
                match self.next(side).await? {
                    Some(Say::Goodbye(g)) => return Err(End::Said(g)),
                    Some(say) => channel.queue(&v1::AgentFrame { kind: Some(say) })?,
                    None => fresh = false,
                }
                continue;
            }
            let dead = channel.dead_at(dead_after);
            // Three quarters: what is on its way for a quarter is still in time.
            let ping = channel.said() + self.keep_alive * 3 / 4;
            let wake = self.pause.map_or(ping, |p| p.min(ping)).min(dead);
            tokio::select! {
                heard = channel.next() => match heard? {
                    Heard::Message(bytes) => {
                        self.hear(&bytes, side).await?;
                        fresh = true;
                    }
                    Heard::Alive | Heard::Answered => {}
                    Heard::Flushed => fresh = true,
                },
                () = side.news() => fresh = true,
                () = tokio::time::sleep_until(wake) => {
                    let now = Instant::now();
                    if now >= dead {
                        return Err(End::Silent);
                    }
                    if self.pause.is_some_and(|p| now >= p) {
                        // What was on its way and is not acknowledged goes again.
                        (self.pause, self.flying, fresh) = (None, None, true);
                    }
                    if now >= ping {
                        channel.ping()?;
                    }
                }
            }
        }
    }

    /// The next thing to say, the most urgent first.
    async fn next<A: AgentSide>(&mut self, side: &mut A) -> Result<Option<Say>, End> {
        if let Some(say) = self.answers.pop_front() {
            return Ok(Some(say));
        }
        let mut done = None;
        for id in &self.owed {
            if let Some(result) = side.result(id).await.map_err(own)? {
                done = Some(result);
                break;
            }
        }
        if let Some(result) = done {
            self.owed.remove(&result.id);
            return Ok(Some(Say::Result(result)));
        }
        match side.notice().await {
            Some(Notice::Report(report)) => return Ok(Some(Say::Report(*report))),
            Some(Notice::Progress(progress)) => return Ok(Some(Say::Progress(progress))),
            Some(Notice::Renew(csr)) => {
                return Ok(Some(Say::CertificateRequest(v1::CertificateRequest { csr })));
            }
            Some(Notice::Content(request)) => return Ok(Some(Say::Content(request))),
            Some(Notice::Questions(questions)) => return Ok(Some(Say::Questions(questions))),
            Some(Notice::Inventory(part)) => return Ok(Some(Say::Inventory(part))),
            Some(Notice::Sample(part)) => return Ok(Some(Say::Sample(part))),
            Some(Notice::VerdictsFrom(from)) => return Ok(Some(Say::VerdictsFrom(from))),
            Some(Notice::Stop(g)) => return Ok(Some(Say::Goodbye(g))),
            None => {}
        }
        self.batch(side).await
    }

    async fn batch<A: AgentSide>(&mut self, side: &mut A) -> Result<Option<Say>, End> {
        if self.flying.is_some() || self.pause.is_some() {
            return Ok(None);
        }
        let room = self.max_frame.saturating_sub(64);
        let mut records = side.read_after(self.acked, self.max_records, room).await.map_err(own)?;
        if records.is_empty() {
            return Ok(None);
        }
        cut(&mut records, self.max_records, room);
        let last = place(records.last().and_then(|r| r.at.as_ref()));
        if last <= self.acked {
            return Err(End::Own(format!("the journal gave {last:?} as what follows {:?}", self.acked)));
        }
        side.sending(last).await.map_err(own)?;
        self.flying = Some(last);
        Ok(Some(Say::Records(v1::Records { records })))
    }

    async fn hear<A: AgentSide>(&mut self, bytes: &[u8], side: &mut A) -> Result<(), End> {
        match wire::decode_server(bytes, &self.limits)?.kind {
            Some(Told::Acked(v1::Acked { at })) => self.acked(place(at.as_ref()), side).await?,
            Some(Told::Desired(state)) => {
                let applied = side.desired(state).await.map_err(own)?;
                self.answers.push_back(Say::Applied(applied));
            }
            Some(Told::Command(command)) => {
                self.owe(&command.id)?;
                let now = side.now_ms().saturating_add(self.skew_ms);
                side.begin(command, now).await.map_err(own)?;
            }
            Some(Told::Cancel(v1::CancelCommand { id })) => {
                self.owe(&id)?;
                side.cancel(&id).await.map_err(own)?;
            }
            Some(Told::SlowDown(s)) => {
                let wait = Duration::from_millis(u64::from(s.for_ms)).min(Duration::from_secs(600));
                self.pause = Some(Instant::now() + wait);
            }
            Some(Told::Certificate(c)) => side.certificate(c.chain).await.map_err(own)?,
            Some(Told::Content(chunk)) => side.content(chunk).await.map_err(own)?,
            Some(Told::Answers(answers)) => {
                cloud::answers(&answers)?;
                side.answers(answers).await.map_err(own)?;
            }
            Some(Told::InventoryAcked(v1::InventoryAcked { version })) => {
                side.inventory_acked(version).await.map_err(own)?;
            }
            Some(Told::Sample(state)) => {
                cloud::sample_state(&state)?;
                side.sample_state(state).await.map_err(own)?;
            }
            Some(Told::Verdicts(verdicts)) => {
                cloud::verdicts(&verdicts)?;
                side.verdicts(verdicts).await.map_err(own)?;
            }
            Some(Told::Goodbye(g)) => return Err(End::Told(g)),
            Some(Told::Hello(_)) => return Err(End::Protocol("a second hello".to_owned())),
            // Of a later version: additions are no error.
            None => {}
        }
        Ok(())
    }

    fn owe(&mut self, id: &str) -> Result<(), End> {
        if id.is_empty() || id.len() > 64 || self.owed.len() >= MAX_OWED {
            return Err(End::Protocol("a command without an id, or too many of them".to_owned()));
        }
        self.owed.insert(id.to_owned());
        Ok(())
    }

    async fn acked<A: AgentSide>(&mut self, at: Place, side: &mut A) -> Result<(), End> {
        if at < self.acked || at > side.sent().max(self.acked) {
            return Err(End::Protocol(format!("{at:?} is acknowledged and was never sent")));
        }
        self.acked = at;
        if self.flying.is_some_and(|last| at >= last) {
            self.flying = None;
        }
        side.acked(at).await.map_err(own)
    }
}

fn own(e: impl std::fmt::Display) -> End {
    End::Own(e.to_string())
}
