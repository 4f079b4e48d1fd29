// SPDX-License-Identifier: Apache-2.0
//! Malware Cloud Scan: what leaves this host, what was sent and when, what came back.

use super::{Answered, Reply, refuse};
use crate::core::Core;
use lazaret_model::Sha256;
use lazaret_proto::v1;
use lazaret_proto::v1::failure::Kind;
use lazaret_proto::v1::response::Answer;
use lazaret_proto::{Message as _, v1::HashVerdict};
use lazaret_state::{SentFilter, SentWhat};

/// Places of one content that are listed.
const PLACES: u32 = 100;

pub(super) fn status(core: &Core) -> Answered {
    match core.cloud.status(core) {
        Some(status) => Ok(Some(Answer::CloudStatus(status))),
        None => refuse(
            Kind::Refused,
            "this host belongs to no server, and nothing leaves it: Malware Cloud Scan is the fleet's own server; \
             see lazaretd enroll --help",
        )?,
    }
}

fn digest(given: &[u8]) -> Result<Option<Sha256>, super::Refusal> {
    match Sha256::from_slice(given) {
        None if given.is_empty() => Ok(None),
        None => refuse(Kind::BadRequest, "a SHA-256 digest has 32 bytes"),
        some => Ok(some),
    }
}

pub(super) fn sent(core: &Core, request: &v1::CloudSentList, reply: &mut Reply<'_>) -> Answered {
    let what = match request.what.as_str() {
        "" => None,
        word => match SentWhat::of_word(word) {
            None => refuse(Kind::BadRequest, "what was sent is \"hash\" or \"sample\"")?,
            some => some,
        },
    };
    let filter = SentFilter {
        what,
        sha256: digest(&request.sha256)?,
        since_ms: (request.since_ms > 0).then_some(request.since_ms),
        limit: (request.limit > 0).then_some(request.limit),
    };
    for row in core.database.sent(&filter)? {
        reply.more(Answer::CloudSent(v1::CloudSent {
            what: row.what.word().to_owned(),
            path: row.path,
            sha256: row.sha256.0.to_vec(),
            server: row.server,
            first_ms: row.first_ms,
            last_ms: row.last_ms,
            times: row.times,
            bytes: row.bytes,
        }))?;
    }
    Ok(None)
}

pub(super) fn verdicts(core: &Core, request: &v1::CloudVerdictsList, reply: &mut Reply<'_>) -> Answered {
    let known = match digest(&request.sha256)? {
        Some(sha256) => vec![sha256],
        None => {
            let mut known = core.database.known_cloud_verdicts()?;
            known.retain(|(_, v)| !v.withdrawn);
            known.sort_by_key(|(_, v)| std::cmp::Reverse(v.number));
            known.into_iter().map(|(sha256, _)| sha256).collect()
        }
    };
    let most = if request.limit == 0 { usize::MAX } else { request.limit as usize };
    for sha256 in known.into_iter().take(most) {
        // Withdrawn, or pushed out, since it was listed.
        let Some(row) = core.database.cloud_verdict(sha256)?.filter(|row| !row.withdrawn) else { continue };
        let Ok(message) = HashVerdict::decode(row.verdict.as_slice()) else { continue };
        let places = core.database.program_places(sha256, PLACES)?;
        reply.more(Answer::CloudVerdict(v1::CloudVerdict {
            sha256: sha256.0.to_vec(),
            number: row.number,
            verdict: message.verdict,
            act: row.act,
            origin: message.origin,
            at_ms: message.at_ms,
            paths: places.into_iter().map(|p| p.path).collect(),
        }))?;
    }
    Ok(None)
}
