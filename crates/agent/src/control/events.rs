// SPDX-License-Identifier: Apache-2.0
//! `events`: the last ones, then live ones until the peer goes away.

use super::{Answered, Reply};
use crate::core::Core;
use crossbeam_channel::RecvTimeoutError;
use lazaret_proto::v1;
use lazaret_proto::v1::response::Answer;
use std::time::Duration;

pub(super) fn follow(core: &Core, request: &v1::EventsFollow, reply: &mut Reply<'_>) -> Answered {
    let (past, live) = core.events.listen(request.past as usize);
    for event in past {
        reply.more(Answer::Event(event))?;
    }
    while !request.no_follow && !core.is_stopping() {
        match live.recv_timeout(Duration::from_millis(500)) {
            Ok(event) => reply.more(Answer::Event(event))?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    Ok(None)
}
