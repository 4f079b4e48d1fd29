// SPDX-License-Identifier: Apache-2.0
//! An alarm as columns, in both directions.

use crate::db::sql::searchable;
use crate::db::value::{Fields, Value};
use crate::error::Result;
use crate::{AlarmRow, Position};
use sha2::{Digest, Sha256};

/// As `read` reads them, from [`FROM`].
pub(crate) const COLUMNS: &str = "id, host, project, at_ms, last_ms, received_ms, hits, severity, class, rating, \
     confidence, title, path, sha256, process_sha256, cmdline, uid, container, origin, decision, auto_block, test, \
     isolated, handled, handled_by, handled_who, handled_ms, remark, suppressed, attack_tag, attack_phase, \
     technique, epoch, seq, details";

/// Narrow rows and what is wide beside them.
pub(crate) const FROM: &str = "alarms JOIN alarm_details ON alarm_id = id";

pub(crate) fn read(f: &mut Fields<'_>) -> Result<AlarmRow> {
    Ok(AlarmRow {
        id: f.text()?,
        host: f.text()?,
        project: f.text()?,
        at_ms: f.int()?,
        last_ms: f.int()?,
        received_ms: f.int()?,
        count: f.int()?,
        severity: f.int()?,
        class: f.text()?,
        rating: f.text()?,
        confidence: f.int()?,
        title: f.text()?,
        path: f.bytes()?,
        sha256: f.bytes()?,
        process_sha256: f.bytes()?,
        cmdline: f.bytes()?,
        uid: f.int()?,
        container: f.text()?,
        origin: f.text()?,
        decision: f.text()?,
        auto_block: f.flag()?,
        test: f.flag()?,
        isolated: f.text()?,
        handled: f.flag()?,
        handled_by: f.text()?,
        handled_who: f.text()?,
        handled_ms: f.int()?,
        remark: f.text()?,
        suppressed: f.text()?,
        attack_tag: f.text()?,
        attack_phase: f.text()?,
        technique: f.text()?,
        position: f.position()?,
        details: f.bytes()?,
    })
}

/// Columns of the table `alarms`, in the order of [`narrow`].
pub(super) const NARROW: &str = "INSERT INTO alarms (id, host, project, at_ms, last_ms, received_ms, hits, severity, class, rating, \
     confidence, title, path, sha256, process_sha256, cmdline_key, uid, container, origin, decision, auto_block, \
     test, isolated, handled, handled_by, handled_who, handled_ms, remark, suppressed, epoch, seq, pos, facet, \
     attack_tag, attack_phase, technique, search, container_search)";

/// A later form replaces an earlier one of the same host; an id that another host has is not its to write.
pub(super) const REPLACE: &str = "ON CONFLICT (id) DO UPDATE SET project = excluded.project, \
     at_ms = excluded.at_ms, last_ms = excluded.last_ms, received_ms = excluded.received_ms, hits = excluded.hits, severity = excluded.severity, \
     class = excluded.class, rating = excluded.rating, confidence = excluded.confidence, title = excluded.title, \
     path = excluded.path, sha256 = excluded.sha256, process_sha256 = excluded.process_sha256, \
     cmdline_key = excluded.cmdline_key, uid = excluded.uid, container = excluded.container, \
     origin = excluded.origin, decision = excluded.decision, auto_block = excluded.auto_block, \
     test = excluded.test, isolated = excluded.isolated, handled = excluded.handled, \
     handled_by = excluded.handled_by, handled_who = excluded.handled_who, handled_ms = excluded.handled_ms, \
     remark = excluded.remark, \
     suppressed = CASE WHEN excluded.suppressed = '' THEN alarms.suppressed ELSE excluded.suppressed END, \
     epoch = excluded.epoch, seq = excluded.seq, facet = excluded.facet, attack_tag = excluded.attack_tag, \
     attack_phase = excluded.attack_phase, technique = excluded.technique, search = excluded.search, \
     container_search = excluded.container_search, \
     pos = CASE WHEN excluded.pos / 1048576 = alarms.pos / 1048576 THEN alarms.pos ELSE excluded.pos END WHERE alarms.host = excluded.host";

/// What a row has besides the alarm: place, facet and the texts that are looked in.
pub(super) struct Beside {
    pub(super) pos: i64,
    pub(super) facet: i64,
    pub(super) search: String,
    pub(super) container_search: String,
}

pub(super) fn narrow(a: &AlarmRow, host: &str, project: &str, at: Position, beside: Beside) -> Vec<Value> {
    vec![
        (&a.id).into(),
        host.into(),
        project.into(),
        a.at_ms.into(),
        a.last_ms.into(),
        a.received_ms.into(),
        a.count.into(),
        a.severity.into(),
        (&a.class).into(),
        (&a.rating).into(),
        a.confidence.into(),
        (&a.title).into(),
        (&a.path).into(),
        (&a.sha256).into(),
        (&a.process_sha256).into(),
        cmdline_key(&a.cmdline).into(),
        a.uid.into(),
        (&a.container).into(),
        (&a.origin).into(),
        (&a.decision).into(),
        a.auto_block.into(),
        a.test.into(),
        (&a.isolated).into(),
        a.handled.into(),
        (&a.handled_by).into(),
        (&a.handled_who).into(),
        a.handled_ms.into(),
        (&a.remark).into(),
        (&a.suppressed).into(),
        at.epoch.into(),
        at.seq.into(),
        beside.pos.into(),
        beside.facet.into(),
        (&a.attack_tag).into(),
        (&a.attack_phase).into(),
        (&a.technique).into(),
        beside.search.into(),
        beside.container_search.into(),
    ]
}

/// The text that a part of is looked for.
pub(super) fn search_of(a: &AlarmRow) -> String {
    searchable(&[&a.title, &String::from_utf8_lossy(&a.path)]).replace('\0', "\u{fffd}")
}

/// What an index takes for the arguments; 0 without any.
pub(super) fn cmdline_key(cmdline: &[u8]) -> i64 {
    if cmdline.is_empty() {
        return 0;
    }
    let hash = Sha256::digest(cmdline);
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    i64::from_le_bytes(first) | 1
}
