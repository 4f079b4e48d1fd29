// SPDX-License-Identifier: Apache-2.0
//! Whitelist entries, and the exceptions that restores leave behind.

use super::{Answered, Peer, Refusal, Refused, Reply, done, refuse};
use crate::core::Core;
use crate::look::now_ms;
use lazaret_model::{MalwareClass, Sha256, WhitelistId};
use lazaret_policy::{Judge, WhitelistEntry, WhitelistField};
use lazaret_proto::v1;
use lazaret_proto::v1::failure::Kind;
use lazaret_proto::v1::response::Answer;
use lazaret_state::WhitelistRow;

pub(super) fn add(core: &Core, peer: &Peer, request: v1::WhitelistAdd) -> Answered {
    let Some(given) = request.entry else { return refuse(Kind::BadRequest, "the request holds no entry")? };
    let given = v1::WhitelistEntry { added_ms: now_ms(), added_by: peer.name(), ..given };
    let entry = checked_entry(WhitelistId::new(), given).map_err(|e| Refusal(Kind::BadRequest, e))?;
    let id = store(core, entry)?;
    done(format!("{id}"))
}

/// From the wire; says what is wrong with it.
pub(crate) fn checked_entry(id: WhitelistId, given: v1::WhitelistEntry) -> Result<WhitelistEntry, String> {
    let field = WhitelistField::ALL
        .into_iter()
        .find(|f| f.word() == given.field)
        .ok_or_else(|| format!("there is no whitelist field \"{}\"", given.field))?;
    let judge = given.judge.parse::<Judge>().map_err(|e| e.to_string())?;
    let sha256 = Sha256::from_slice(&given.sha256);
    if sha256.is_none() && !given.sha256.is_empty() {
        return Err(format!("its digest has {} bytes instead of 32", given.sha256.len()));
    }
    let class = match given.class.as_str() {
        "" => None,
        word => Some(word.parse::<MalwareClass>().map_err(|e| e.to_string())?),
    };
    let entry = WhitelistEntry {
        id,
        field,
        judge,
        value: given.value,
        sha256,
        any_content: given.any_content,
        description: given.description,
        added_ms: given.added_ms,
        added_by: given.added_by,
        class,
        expires_ms: (given.expires_ms > 0).then_some(given.expires_ms),
    };
    entry.validate().map_err(|e| e.to_string())?;
    Ok(entry)
}

/// Checks, keeps and puts an entry in force.
pub(super) fn store(core: &Core, entry: WhitelistEntry) -> Result<WhitelistId, Refused> {
    let id = entry.id;
    let row = row_of(&entry);
    core.live().whitelist_add(entry).map_err(|e| Refusal(Kind::BadRequest, e.to_string()))?;
    if let Err(e) = core.database.put_whitelist(&row) {
        core.live().whitelist_remove(id);
        return Err(e.into());
    }
    core.judge_again();
    core.events.tell("switch", format!("whitelist entry {id} added ({})", row.added_by), None);
    Ok(id)
}

pub(super) fn list(core: &Core, reply: &mut Reply<'_>) -> Answered {
    for row in core.database.whitelist()? {
        reply.more(Answer::WhitelistEntry(v1::WhitelistEntry {
            id: row.id.to_string(),
            field: row.field,
            judge: row.judge,
            value: row.value,
            sha256: row.sha256.map(|h| h.0.to_vec()).unwrap_or_default(),
            any_content: row.any_content,
            description: row.description,
            added_ms: row.added_ms,
            hits: row.hits,
            added_by: row.added_by,
            class: row.class.unwrap_or_default(),
            expires_ms: row.expires_ms.unwrap_or(0),
            source: String::new(),
        }))?;
    }
    for entry in core.uplink.desired.whitelist(core) {
        reply.more(Answer::WhitelistEntry(entry))?;
    }
    Ok(None)
}

pub(super) fn remove(core: &Core, peer: &Peer, request: &v1::WhitelistRemove) -> Answered {
    let part = request.id.to_ascii_lowercase();
    let ids: Vec<WhitelistId> = core
        .live()
        .whitelist
        .entries()
        .iter()
        .map(|e| e.id)
        .filter(|id| {
            part.len() >= 4 && (id.to_string().starts_with(&part) || id.to_string().ends_with(&part))
        })
        .collect();
    let [id] = ids.as_slice() else {
        return match ids.len() {
            0 => refuse(Kind::NotFound, format!("there is no whitelist entry {}", request.id))?,
            n => refuse(
                Kind::BadRequest,
                format!("\"{}\" could be {n} entries: give more digits", request.id),
            )?,
        };
    };
    if core.live().is_of_server(*id) {
        refuse(
            Kind::Refused,
            format!(
                "whitelist entry {id} is the server's: remove it there; to keep the server's entries away \
                     from this host: [local] pin = [\"whitelist\"]"
            ),
        )?;
    }
    remove_entry(core, *id, peer)?;
    done(format!("whitelist entry {id} removed: its files are judged again"))
}

pub(super) fn remove_entry(core: &Core, id: WhitelistId, peer: &Peer) -> Result<(), Refused> {
    core.database.remove_whitelist(id)?;
    core.live().whitelist_remove(id);
    core.judge_again();
    core.events.tell("switch", format!("whitelist entry {id} removed ({})", peer.name()), None);
    Ok(())
}

pub(crate) fn remove_exception(core: &Core, peer: &Peer, request: &v1::ExceptionRemove) -> Answered {
    let Some(content) = Sha256::from_slice(&request.sha256) else {
        return refuse(Kind::BadRequest, "a SHA-256 digest of 32 bytes is needed")?;
    };
    if !core.database.remove_exception(content)? {
        refuse(Kind::NotFound, format!("no restore has left an exception for {content}"))?;
    }
    core.live().exceptions.remove(&content);
    core.judge_again();
    core.events.tell("switch", format!("the exception for {content} is removed ({})", peer.name()), None);
    done(format!("{content} is judged again"))
}

pub(crate) fn row_of(e: &WhitelistEntry) -> WhitelistRow {
    WhitelistRow {
        id: e.id,
        field: e.field.word().into(),
        judge: e.judge.word().into(),
        value: e.value.clone(),
        sha256: e.sha256,
        any_content: e.any_content,
        description: e.description.clone(),
        added_ms: e.added_ms,
        added_by: e.added_by.clone(),
        hits: 0,
        last_hit_ms: None,
        class: e.class.map(|c| c.word().into()),
        expires_ms: e.expires_ms,
    }
}

/// Back from the stored form; `None` for an entry that this version does not understand.
pub(crate) fn entry_of(row: WhitelistRow) -> Option<WhitelistEntry> {
    Some(WhitelistEntry {
        id: row.id,
        field: WhitelistField::ALL.into_iter().find(|f| f.word() == row.field)?,
        judge: row.judge.parse().ok()?,
        value: row.value,
        sha256: row.sha256,
        any_content: row.any_content,
        description: row.description,
        added_ms: row.added_ms,
        added_by: row.added_by,
        class: row.class.map(|c| c.parse()).transpose().ok()?,
        expires_ms: row.expires_ms,
    })
}
