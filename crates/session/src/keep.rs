// SPDX-License-Identifier: Apache-2.0
//! Keeps an agent connected: session after session, with growing waits between attempts that fail.

use crate::{AgentSide, End, Limits, SESSION_PATH, connect, delay, talk};
use lazaret_proto::v1;
use std::future::Future;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep, timeout};
use v1::goodbye::Kind as Bye;

/// A session that stood so long was good: the next attempt comes soon.
const GOOD: Duration = Duration::from_secs(30);

/// Attempts after which the waits are the longest.
const LAST_STEP: u32 = 9;

/// How to reach the server.
pub trait Dial: Send {
    /// What comes of it: TLS over TCP, as a rule.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send;

    /// Connects once. Names and addresses are looked up each time. Bounded by [`Limits::patience`]
    /// from outside. The error names the server and the cause.
    fn dial(&mut self) -> impl Future<Output = Result<Self::Stream, String>> + Send;

    /// Name and port of the server, for the request.
    fn authority(&self) -> String;
}

/// Stays connected until the agent has said its last word (`Notice::Stop`), or the server says that
/// this is a copy of another machine. Returns that goodbye. To stop at once, drop it.
pub async fn stay_connected<D, A>(dial: &mut D, side: &mut A, limits: &Limits, seed: u64) -> v1::Goodbye
where
    D: Dial,
    A: AgentSide,
{
    let mut attempt = 0;
    loop {
        let begun = Instant::now();
        let (end, welcome) = match timeout(limits.patience, dial.dial()).await {
            Err(_) => (End::Broken(format!("{} does not answer", dial.authority())), false),
            Ok(Err(why)) => (End::Broken(why), false),
            Ok(Ok(stream)) => match connect(stream, &dial.authority(), SESSION_PATH, limits).await {
                Ok(channel) => talk(channel, side, limits).await,
                Err(end) => (end, false),
            },
        };
        let last = end.goodbye().filter(|g| {
            matches!(
                (&end, g.kind()),
                (End::Told(_), Bye::Clone) | (End::Said(_), Bye::Shutdown | Bye::Restart)
            )
        });
        if let Some(last) = last {
            let last = last.clone();
            side.ended(&end, None).await;
            return last;
        }
        let mut asked = Duration::ZERO;
        if let End::Told(g) = &end {
            asked = Duration::from_millis(u64::from(g.retry_after_ms));
            // A person must do something first. The server may still change its mind.
            if matches!(g.kind(), Bye::Revoked | Bye::UnknownHost | Bye::UnsupportedVersion) {
                attempt = LAST_STEP;
            }
        }
        if welcome && begun.elapsed() >= GOOD {
            attempt = 0;
        }
        let wait = delay(attempt, seed, asked);
        attempt = attempt.saturating_add(1).min(LAST_STEP);
        side.ended(&end, Some(wait)).await;
        sleep(wait).await;
    }
}
