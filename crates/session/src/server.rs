// SPDX-License-Identifier: Apache-2.0
//! What the session asks of a server.

use crate::{End, Place};
use lazaret_proto::v1;
use std::future::Future;
use std::time::Duration;

/// The answer to an agent that is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Welcome {
    /// Of the server's data.
    pub incarnation: String,
    /// What it has of this host.
    pub acked: Place,
    /// Of the desired state that the host should have.
    pub generation: u64,
    /// The server's clock, milliseconds UTC.
    pub now_ms: i64,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ingested {
    /// Committed up to there.
    Acked(Place),
    /// Committed, and the agent should send no more for a while.
    AckedThenPause(Place, Duration),
    /// Not taken: the agent sends it again after that.
    Later(Duration),
}

/// Why a call ends the session.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// The agent is told so.
    Goodbye(v1::Goodbye),
    /// The server's own (its database): the agent is told `BUSY` without the details.
    Own(String),
}

impl From<v1::Goodbye> for Trouble {
    fn from(g: v1::Goodbye) -> Self {
        Self::Goodbye(g)
    }
}

/// The server, for one connection. Who it is (certificate, address) is known before; calls come one at
/// a time, from one task.
pub trait ServerSide: Send {
    /// Looks a hello up: who this is (host id of the certificate, clone, revoked) and what is known.
    fn welcome(&mut self, hello: &v1::AgentHello) -> impl Future<Output = Result<Welcome, Trouble>> + Send;

    /// Commits entries that follow [`Welcome::acked`] without gaps, all or none; none of them was
    /// taken in this session before.
    fn ingest(&mut self, records: Vec<v1::Record>) -> impl Future<Output = Result<Ingested, Trouble>> + Send;

    /// The end of a command. The same may come again.
    fn result(&mut self, result: v1::CommandResult) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// A desired state is in force.
    fn applied(&mut self, applied: v1::StateApplied) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// The host changed.
    fn report(&mut self, report: v1::HostReport) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// A scan went on.
    fn progress(&mut self, progress: v1::ScanProgress) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Signs a request of this host; DER, the host's own certificate first.
    fn certificate(&mut self, csr: Vec<u8>) -> impl Future<Output = Result<Vec<Vec<u8>>, Trouble>> + Send;

    /// A part of the content that was offered. `None`: nothing is answered.
    fn content(
        &mut self,
        request: v1::ContentRequest,
    ) -> impl Future<Output = Result<Option<v1::ContentChunk>, Trouble>> + Send {
        let _ = request;
        async { Ok(None) }
    }

    /// What is known of hashes. `None`: nothing is answered, and the agent asks again.
    fn questions(
        &mut self,
        questions: v1::HashQuestions,
    ) -> impl Future<Output = Result<Option<v1::HashAnswers>, Trouble>> + Send {
        let _ = questions;
        async { Ok(None) }
    }

    /// Commits a part of the host's inventory; up to which version, then. `None`: it was not taken, and
    /// comes again. The same may come again, and late.
    fn inventory(
        &mut self,
        part: v1::InventoryPart,
    ) -> impl Future<Output = Result<Option<u64>, Trouble>> + Send {
        let _ = part;
        async { Ok(None) }
    }

    /// A part of a sample; how it stands with it, then. `None`: nothing is answered.
    fn sample(
        &mut self,
        part: v1::SamplePart,
    ) -> impl Future<Output = Result<Option<v1::SampleState>, Trouble>> + Send {
        let _ = part;
        async { Ok(None) }
    }

    /// Which verdicts the host has; from there on [`Self::outgoing`] gives them.
    fn verdicts_from(&mut self, from: v1::VerdictsFrom) -> impl Future<Output = Result<(), Trouble>> + Send {
        let _ = from;
        async { Ok(()) }
    }

    /// What is to be sent now: desired state, commands, cancellations, a goodbye as the last one. Each
    /// is given once in a session; commands without a result are given again in the next.
    fn outgoing(&mut self) -> impl Future<Output = Result<Vec<v1::server_frame::Kind>, Trouble>> + Send;

    /// Returns when [`Self::outgoing`] may have something. May be dropped at any time and must not
    /// lose news by that.
    fn news(&mut self) -> impl Future<Output = ()> + Send;

    /// Something was heard of the agent, a keep-alive at least. Cheap.
    fn heard(&mut self);

    /// Whether the agent is to be asked for a sign of life now; looked at after [`Self::news`].
    fn probe(&mut self) -> bool;

    /// The agent answered what [`Self::probe`] asked: its process lived after that.
    fn answered(&mut self) {}

    /// The session is over. Called once, whatever happened, after [`Self::welcome`] was asked.
    fn ended(&mut self, end: &End) -> impl Future<Output = ()> + Send;
}
