// SPDX-License-Identifier: Apache-2.0
//! Rules whose isolate and kill a circuit breaker has stopped.

use super::{Answered, Peer, Reply, done, refuse};
use crate::core::Core;
use lazaret_proto::v1;
use lazaret_proto::v1::failure::Kind;
use lazaret_proto::v1::response::Answer;

pub(super) fn disarmed(core: &Core, reply: &mut Reply<'_>) -> Answered {
    let open: Vec<v1::DisarmedRule> = core
        .live()
        .open_breakers()
        .into_iter()
        .map(|b| v1::DisarmedRule {
            rule: b.rule.clone(),
            since_ms: b.opened_ms,
            why: b.why.clone(),
            hits: b.hits,
        })
        .collect();
    for rule in open {
        reply.more(Answer::DisarmedRule(rule))?;
    }
    Ok(None)
}

pub(crate) fn rearm(core: &Core, peer: &Peer, request: &v1::BreakerRearm) -> Answered {
    let closed = core.live().rearm(&request.rule);
    for rule in &closed {
        core.database.remove_breaker(rule)?;
        core.events.tell("switch", format!("the breaker of {rule} is armed again ({})", peer.name()), None);
    }
    core.judge_again();
    if closed.is_empty() && !request.rule.is_empty() {
        refuse(
            Kind::NotFound,
            format!("the breaker of rule \"{}\" is not open; see lazaret rules disarmed", request.rule),
        )?;
    }
    done(format!("{} breakers armed again", closed.len()))
}
