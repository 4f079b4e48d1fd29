// SPDX-License-Identifier: Apache-2.0
//! The session between an agent and a server, without either: both sides' logic over any byte stream
//! (docs/adr/0008). Nothing here opens a socket or reads a clock that a simulation could not steer.

#![forbid(unsafe_code)]
