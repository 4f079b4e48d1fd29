// SPDX-License-Identifier: Apache-2.0
//! What is written down before a file is taken away.

use crate::journal::IsolateIntent;
use crate::metadata::{self, Metadata};
use crate::plan::Target;
use crate::stage::{self, Place, Staging};
use lazaret_model::{AlarmId, IsolatedId, IsolatedStatus, JournalId};
use lazaret_vault::{MANIFEST_SCHEMA, Manifest, RawPath, Surroundings};

/// The manifest as it will be, of an object that is being isolated.
pub(crate) fn manifest(
    target: &Target,
    meta: &Metadata,
    alarm: Option<AlarmId>,
    who: &str,
    id: IsolatedId,
    journal: JournalId,
    place: Option<&Place>,
) -> Manifest {
    Manifest {
        schema: MANIFEST_SCHEMA.to_owned(),
        id,
        alarm,
        journal,
        who: who.to_owned(),
        path: RawPath(place.map_or_else(|| target.path.clone(), Place::path)),
        links: Vec::new(),
        sha256: target.sha256,
        size: meta.size,
        extents: Vec::new(),
        uid: meta.uid,
        gid: meta.gid,
        mode: meta.mode,
        nlink: meta.nlink,
        atime: meta.atime,
        mtime: meta.mtime,
        ctime: meta.ctime,
        btime: meta.btime,
        xattrs: meta.xattrs.clone(),
        flags: meta.flags,
        dev: meta.inode.dev,
        ino: meta.inode.ino,
        class: target.class,
        family: target.family.clone(),
        confidence: target.confidence,
        content_version: target.content_version.clone(),
        test: target.test,
        blob: None,
        status: IsolatedStatus::Isolating,
        reason: meta.unread.join("; "),
        isolated_at_ms: crate::journal::now_ms(),
        staged: None,
        killed: Vec::new(),
        around: Surroundings::default(),
        left_alone: Vec::new(),
        later: serde_json::Map::new(),
    }
}

/// Bytes of attribute values that an intent carries. More would not fit into a journal segment;
/// replay reads them from the file itself, which is still there as long as the intent is open.
const MAX_INLINE: usize = 8 << 10;

/// Everything that replay needs.
pub(crate) fn intent(
    target: &Target,
    manifest: &Manifest,
    meta: &Metadata,
    place: Option<&Place>,
    staging: Option<&Staging>,
) -> IsolateIntent {
    let mut manifest = manifest.clone();
    let large = manifest.xattrs.iter().map(|x| x.value.0.len()).sum::<usize>() > MAX_INLINE;
    if large {
        manifest.xattrs.clear();
    }
    IsolateIntent {
        xattrs_left_out: large || !meta.unread.is_empty(),
        staged_name: RawPath(stage::staged_name(manifest.id)),
        manifest,
        isolate: target.isolate,
        kill: target.kill,
        parent: place.map(|p| RawPath(p.dir_path.clone())),
        name: RawPath(place.map_or_else(Vec::new, |p| p.name.clone())),
        staging: staging.map(|s| RawPath(s.path.clone())),
        parent_flags: place.and_then(|p| metadata::flags(&p.dir)),
    }
}
