// SPDX-License-Identifier: Apache-2.0
//! Rules whose isolate and kill are stopped: by a circuit breaker, or by people at the server.

use super::{Answered, Peer, Reply, done, refuse};
use crate::core::Core;
use lazaret_proto::v1;
use lazaret_proto::v1::failure::Kind;
use lazaret_proto::v1::response::Answer;

pub(super) fn disarmed(core: &Core, reply: &mut Reply<'_>) -> Answered {
    let all: Vec<v1::DisarmedRule> = {
        let live = core.live();
        let open = live.open_breakers().into_iter().map(|b| v1::DisarmedRule {
            rule: b.rule.clone(),
            since_ms: b.opened_ms,
            why: b.why.clone(),
            hits: b.hits,
            by: String::new(),
        });
        let by_server = live.all_disarmed().into_iter().map(|d| v1::DisarmedRule {
            rule: d.rule.clone(),
            since_ms: d.at_ms,
            why: d.reason.clone(),
            hits: 0,
            by: d.who.clone(),
        });
        open.chain(by_server).collect()
    };
    for rule in all {
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
    let by_server = core.live().disarmed(&request.rule).map(|d| d.who.clone());
    if let Some(who) = by_server.filter(|_| closed.is_empty()) {
        let text = format!(
            "rule \"{}\" is disarmed at the server, by {who}, and only alarms here: arm it again there \
             (lazaret --server URL rules rearm RULE)",
            request.rule
        );
        refuse(Kind::Refused, text)?;
    }
    if closed.is_empty() && !request.rule.is_empty() {
        refuse(
            Kind::NotFound,
            format!("the breaker of rule \"{}\" is not open; see lazaret rules disarmed", request.rule),
        )?;
    }
    done(format!("{} breakers armed again", closed.len()))
}
