// SPDX-License-Identifier: Apache-2.0
//! The session between an agent and a server, without either: both sides' logic over any byte stream
//! (docs/adr/0008). Nothing here opens a socket or reads a clock that a simulation could not steer.
//!
//! One WebSocket carries it, one frame in each binary message. The agent speaks first. It sends the
//! entries of its journal in batches, one batch at a time, from behind what the server says it has;
//! the server acknowledges what it has committed. The server sends desired states and commands; a
//! command is sent in every session anew until its result is there, and the agent does each id once.
//!
//! An agent's journal can go back (a snapshot of its machine). It then knows fewer entries as sent
//! than the server has, and that is how it is found: [`AgentSide::sent`] is written down before each
//! batch. What it has not sent is numbered anew, in a higher epoch ([`AgentSide::fork`]). Of that, what
//! was written before the snapshot may have been sent by the life that is lost: nobody can tell, so it
//! comes again, as an entry of another epoch. Alarms and isolated files are one row all the same, by
//! their ids; a line of a host's history may stand there twice.

#![forbid(unsafe_code)]

mod agent;
mod backoff;
mod channel;
mod cloud;
mod end;
mod keep;
mod limits;
mod order;
mod outbox;
mod serve;
mod server;
mod talk;
mod wire;

pub use agent::{AgentSide, Notice};
pub use backoff::{LONGEST, SHORTEST, delay};
pub use channel::{Accepted, Channel, accept, connect};
pub use cloud::{MAX_PART, MAX_QUESTIONS, MAX_ROWS, MAX_VERDICTS};
pub use end::{End, goodbye};
pub use keep::{Dial, stay_connected};
pub use limits::Limits;
pub use order::{Place, Refusal, check_batch, place};
pub use outbox::{cut, wire_position};
pub use serve::serve;
pub use server::{Ingested, ServerSide, Trouble, Welcome};
pub use talk::talk;

/// The version of the session's protocol that this build speaks.
pub const PROTOCOL_VERSION: u32 = 1;

/// Where an agent's session begins, on the gateway's port.
pub const SESSION_PATH: &str = "/agent/v1/session";

/// Where an agent enrols: a WebSocket too, one message each way.
pub const ENROLL_PATH: &str = "/agent/v1/enroll";
