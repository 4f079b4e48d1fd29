// SPDX-License-Identifier: Apache-2.0
//! The server's side of one session.

use crate::channel::Heard;
use crate::outbox::wire_position;
use crate::{
    Channel, End, Ingested, Limits, PROTOCOL_VERSION, Place, ServerSide, Trouble, check_batch, cloud,
    goodbye, place, wire,
};
use lazaret_proto::v1;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use v1::agent_frame::Kind as Told;
use v1::goodbye::Kind as Bye;
use v1::server_frame::Kind as Say;

/// How long an agent waits when the server has trouble of its own.
const OWN_TROUBLE: Duration = Duration::from_secs(5);

/// Speaks with an agent until the session ends.
pub async fn serve<S, D>(mut channel: Channel<S>, side: &mut D, limits: &Limits) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
    D: ServerSide,
{
    let mut asked = false;
    let end = match Serve::begin(&mut channel, side, limits, &mut asked).await {
        Ok(mut serve) => match serve.run(&mut channel, side).await {
            Err(end) => end,
            Ok(never) => match never {},
        },
        Err(end) => end,
    };
    if asked {
        side.ended(&end).await;
    }
    let last = match &end {
        End::Said(g) => Some(g.clone()),
        End::Protocol(why) => Some(goodbye(Bye::BadFrame, why.clone())),
        // What is wrong in here is for the server's own log.
        End::Own(_) => Some(v1::Goodbye {
            retry_after_ms: u32::try_from(OWN_TROUBLE.as_millis()).unwrap_or(u32::MAX),
            ..goodbye(Bye::Busy, "the server cannot take this now")
        }),
        End::Told(_) | End::Broken(_) | End::Silent => None,
    };
    let last = last.map(|g| v1::ServerFrame { kind: Some(Say::Goodbye(g)) });
    if last.is_some() || matches!(end, End::Told(_)) {
        channel.farewell(last.as_ref()).await;
    }
    end
}

/// A session that stands.
struct Serve {
    limits: Limits,
    acked: Place,
    /// Oldest entry of the agent's journal.
    first: Place,
    out: VecDeque<Say>,
}

enum Never {}

impl Serve {
    async fn begin<S, D>(
        channel: &mut Channel<S>,
        side: &mut D,
        limits: &Limits,
        asked: &mut bool,
    ) -> Result<Self, End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
        D: ServerSide,
    {
        let frame = wire::decode_agent(&channel.receive_bytes().await?, limits)?;
        let Some(Told::Hello(hello)) = frame.kind else {
            return Err(End::Protocol("the first message is no hello".to_owned()));
        };
        if !(hello.version_min..=hello.version_max).contains(&PROTOCOL_VERSION) {
            let why = format!(
                "this server speaks version {PROTOCOL_VERSION}, the agent {} to {}",
                hello.version_min, hello.version_max
            );
            return Err(End::Said(goodbye(Bye::UnsupportedVersion, why)));
        }
        *asked = true;
        let welcome = side.welcome(&hello).await.map_err(end)?;
        let answer = v1::ServerHello {
            version: PROTOCOL_VERSION,
            incarnation: welcome.incarnation,
            acked: Some(wire_position(welcome.acked)),
            generation: welcome.generation,
            now_ms: welcome.now_ms,
            keep_alive_seconds: u32::try_from(limits.keep_alive.as_secs()).unwrap_or(u32::MAX).max(1),
            max_records: u32::try_from(limits.max_records).unwrap_or(u32::MAX),
            max_frame: u32::try_from(limits.max_frame).unwrap_or(u32::MAX),
        };
        channel.queue(&v1::ServerFrame { kind: Some(Say::Hello(answer)) })?;
        Ok(Self {
            limits: limits.clone(),
            acked: welcome.acked,
            first: place(hello.first.as_ref()),
            out: VecDeque::new(),
        })
    }

    async fn run<S, D>(&mut self, channel: &mut Channel<S>, side: &mut D) -> Result<Never, End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
        D: ServerSide,
    {
        let dead_after = self.limits.dead_after();
        let mut fresh = true;
        loop {
            if channel.flushed() {
                if fresh && self.out.is_empty() {
                    self.out.extend(side.outgoing().await.map_err(end)?);
                    fresh = false;
                }
                if let Some(say) = self.out.pop_front() {
                    if let Say::Goodbye(g) = say {
                        return Err(End::Said(g));
                    }
                    channel.queue(&v1::ServerFrame { kind: Some(say) })?;
                    continue;
                }
            }
            let dead = channel.dead_at(dead_after);
            tokio::select! {
                heard = channel.next() => match heard? {
                    Heard::Message(bytes) => {
                        side.heard();
                        self.hear(&bytes, side).await?;
                    }
                    Heard::Alive => side.heard(),
                    Heard::Answered => {
                        side.heard();
                        side.answered();
                    }
                    Heard::Flushed => {}
                },
                () = side.news(), if !fresh => {
                    fresh = true;
                    if side.probe() {
                        channel.ask()?;
                    }
                }
                () = tokio::time::sleep_until(dead) => {
                    if Instant::now() >= channel.dead_at(dead_after) {
                        return Err(End::Silent);
                    }
                }
            }
        }
    }

    async fn hear<D: ServerSide>(&mut self, bytes: &[u8], side: &mut D) -> Result<(), End> {
        match wire::decode_agent(bytes, &self.limits)?.kind {
            Some(Told::Records(records)) => self.records(records.records, side).await,
            Some(Told::Result(result)) => side.result(result).await.map_err(end),
            Some(Told::Applied(applied)) => side.applied(applied).await.map_err(end),
            Some(Told::Report(report)) => side.report(report).await.map_err(end),
            Some(Told::Progress(progress)) => side.progress(progress).await.map_err(end),
            Some(Told::CertificateRequest(request)) => {
                let chain = side.certificate(request.csr).await.map_err(end)?;
                self.out.push_back(Say::Certificate(v1::Certificate { chain }));
                Ok(())
            }
            Some(Told::Content(request)) => {
                if let Some(chunk) = side.content(request).await.map_err(end)? {
                    self.out.push_back(Say::Content(chunk));
                }
                Ok(())
            }
            Some(Told::Questions(questions)) => {
                cloud::questions(&questions)?;
                let answers = side.questions(questions).await.map_err(end)?;
                self.out.extend(answers.map(Say::Answers));
                Ok(())
            }
            Some(Told::Inventory(part)) => {
                cloud::inventory(&part)?;
                let version = side.inventory(part).await.map_err(end)?;
                self.out.extend(version.map(|version| Say::InventoryAcked(v1::InventoryAcked { version })));
                Ok(())
            }
            Some(Told::Sample(part)) => {
                cloud::sample_part(&part)?;
                let state = side.sample(part).await.map_err(end)?;
                self.out.extend(state.map(Say::Sample));
                Ok(())
            }
            Some(Told::VerdictsFrom(from)) => {
                cloud::verdicts_from(&from)?;
                side.verdicts_from(from).await.map_err(end)
            }
            Some(Told::Goodbye(g)) => Err(End::Told(g)),
            Some(Told::Hello(_)) => Err(End::Protocol("a second hello".to_owned())),
            // Of a later version: additions are no error.
            None => Ok(()),
        }
    }

    async fn records<D: ServerSide>(
        &mut self,
        mut records: Vec<v1::Record>,
        side: &mut D,
    ) -> Result<(), End> {
        let known = check_batch(self.acked, self.first, &records, self.limits.max_records)
            .map_err(|e| End::Protocol(e.to_string()))?;
        records.drain(..known);
        let mut pause = None;
        if !records.is_empty() {
            match side.ingest(records).await.map_err(end)? {
                Ingested::Acked(at) => self.acked = at,
                Ingested::AckedThenPause(at, wait) => (self.acked, pause) = (at, Some(wait)),
                Ingested::Later(wait) => {
                    self.out.push_back(slow_down(wait));
                    return Ok(());
                }
            }
        }
        // The pause first: with the acknowledgement the next batch would already be on its way.
        self.out.extend(pause.map(slow_down));
        self.out.push_back(Say::Acked(v1::Acked { at: Some(wire_position(self.acked)) }));
        Ok(())
    }
}

fn slow_down(wait: Duration) -> Say {
    Say::SlowDown(v1::SlowDown { for_ms: u32::try_from(wait.as_millis()).unwrap_or(u32::MAX) })
}

fn end(trouble: Trouble) -> End {
    match trouble {
        Trouble::Goodbye(g) => End::Said(g),
        Trouble::Own(why) => End::Own(why),
    }
}
