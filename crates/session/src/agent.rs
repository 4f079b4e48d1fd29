// SPDX-License-Identifier: Apache-2.0
//! What the session asks of an agent.

use crate::Place;
use lazaret_proto::v1;
use std::fmt::Display;
use std::future::Future;

/// What an agent has to say beside its journal and its results.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// The host changed.
    Report(Box<v1::HostReport>),
    /// A scan went on.
    Progress(v1::ScanProgress),
    /// The certificate is to be renewed: PKCS #10, DER.
    Renew(Vec<u8>),
    /// A part of the offered content is wanted.
    Content(v1::ContentRequest),
    /// What is known of hashes? At most [`crate::MAX_QUESTIONS`].
    Questions(v1::HashQuestions),
    /// Programs and scripts of the host, as far as they were not told: at most [`crate::MAX_ROWS`].
    Inventory(v1::InventoryPart),
    /// A part of a sample, at most [`crate::MAX_PART`] bytes; empty to ask where to go on.
    Sample(v1::SamplePart),
    /// Which verdicts are here; those that follow are wanted.
    VerdictsFrom(v1::VerdictsFrom),
    /// The daemon stops (`SHUTDOWN`) or starts anew at once (`RESTART`): the last word of the session.
    Stop(v1::Goodbye),
}

/// The agent, as far as the session needs it. Calls come one at a time, from one task. An error means
/// that the agent's own disk failed: the session ends and is tried again.
pub trait AgentSide: Send {
    /// The agent's own trouble, for its log.
    type Error: Display + Send;

    /// Its own clock, milliseconds UTC.
    fn now_ms(&self) -> i64;

    /// What it says of itself: everything of the hello but the versions. `commands` are those that
    /// it has begun and not finished.
    fn hello(&mut self) -> impl Future<Output = Result<v1::AgentHello, Self::Error>> + Send;

    /// The last entry that it may ever have sent to any server, as its disk has it.
    fn sent(&self) -> Place;

    /// The server has entries that this journal does not know as sent: the journal went back to an
    /// older state. Every entry whose place is behind [`Self::sent`] has `epoch` from now on, and so has
    /// every new one; sequence numbers stay. Must be on disk before it returns. (What the server has
    /// is then noted by [`Self::sending`], so that this happens once.)
    fn fork(&mut self, epoch: u64) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Entries behind `after` in the order of (epoch, seq): at most `records`, and about `bytes` (one
    /// entry always goes). When the journal no longer holds what follows, its first entry. Empty when
    /// there is none.
    fn read_after(
        &mut self,
        after: Place,
        records: usize,
        bytes: usize,
    ) -> impl Future<Output = Result<Vec<v1::Record>, Self::Error>> + Send;

    /// Writes down, before they go out, that entries up to `last` are sent; raises [`Self::sent`],
    /// never lowers it.
    fn sending(&mut self, last: Place) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// The session stands. `skew_ms` is the server's clock less this one's.
    fn welcomed(&mut self, hello: &v1::ServerHello, skew_ms: i64) -> impl Future<Output = ()> + Send;

    /// The server has committed everything up to `at`.
    fn acked(&mut self, at: Place) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Keeps and applies a desired state; says what it refused. One of a generation that is in force
    /// already is answered all the same.
    fn desired(
        &mut self,
        state: v1::DesiredState,
    ) -> impl Future<Output = Result<v1::StateApplied, Self::Error>> + Send;

    /// Takes a command. Must be remembered (on disk) before it is begun, so that it is done once; one
    /// that is known already changes nothing. One that is not known and has expired by
    /// `server_now_ms`, or was cancelled before, is not begun and has that as its result. Returns at
    /// once; the work goes on elsewhere.
    fn begin(
        &mut self,
        command: v1::Command,
        server_now_ms: i64,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Cancels a command if it still can; one that is not known is never begun (result `cancelled`).
    fn cancel(&mut self, id: &str) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// The result of a command; `None` while it is under way. Kept as long as the journal's entries:
    /// a restored server asks again.
    fn result(
        &mut self,
        id: &str,
    ) -> impl Future<Output = Result<Option<v1::CommandResult>, Self::Error>> + Send;

    /// A renewed certificate, DER, the host's own first. An error is logged and ends nothing.
    fn certificate(&mut self, chain: Vec<Vec<u8>>) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// A part of the offered content, or why there is none. An error is logged and ends nothing.
    fn content(&mut self, chunk: v1::ContentChunk) -> impl Future<Output = Result<(), Self::Error>> + Send {
        let _ = chunk;
        async { Ok(()) }
    }

    /// Answers to questions. Some, or all, may be missing: those are asked again, not before
    /// `retry_after_ms`. The id may be one of an earlier session.
    fn answers(&mut self, answers: v1::HashAnswers) -> impl Future<Output = Result<(), Self::Error>> + Send {
        let _ = answers;
        async { Ok(()) }
    }

    /// The server has committed the inventory up to this version. A part that is not acknowledged was not
    /// taken, or its acknowledgement was lost: it goes again, after a while or in the next session.
    fn inventory_acked(&mut self, version: u64) -> impl Future<Output = Result<(), Self::Error>> + Send {
        let _ = version;
        async { Ok(()) }
    }

    /// How it stands with a sample: where to go on, or that it ends here.
    fn sample_state(
        &mut self,
        state: v1::SampleState,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send {
        let _ = state;
        async { Ok(()) }
    }

    /// Verdicts that follow what is here. Of another feed, or behind a gap, they are not taken: then
    /// [`Notice::VerdictsFrom`] says again what is here.
    fn verdicts(
        &mut self,
        verdicts: v1::HashVerdicts,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send {
        let _ = verdicts;
        async { Ok(()) }
    }

    /// The next of what it has to say; asked until there is none.
    fn notice(&mut self) -> impl Future<Output = Option<Notice>> + Send;

    /// Returns when there may be something new: entries, results, notices. May be dropped at any
    /// time and must not lose news by that (a [`tokio::sync::Notify`] does).
    fn news(&mut self) -> impl Future<Output = ()> + Send;

    /// A session, or the attempt at one, is over; the next is tried in `retry`.
    fn ended(
        &mut self,
        end: &crate::End,
        retry: Option<std::time::Duration>,
    ) -> impl Future<Output = ()> + Send;
}
