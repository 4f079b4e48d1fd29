// SPDX-License-Identifier: Apache-2.0
//! An object of the vault as the daemon would describe it, so that both are shown alike.

use lazaret_model::KilledProcess;
use lazaret_proto::v1;
use lazaret_vault::{Listed, Manifest, Reader};
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;

/// All of them, with how many share each blob.
pub(super) fn describe(reader: &Reader, objects: &[Listed]) -> Vec<v1::Isolated> {
    let blobs: Vec<Option<(u64, u64)>> = objects
        .iter()
        .map(|o| std::fs::metadata(reader.blob_path(o.id)).ok().map(|m| (m.ino(), m.len())))
        .collect();
    let mut holders: HashMap<u64, u64> = HashMap::new();
    for (inode, _) in blobs.iter().flatten() {
        *holders.entry(*inode).or_default() += 1;
    }
    let sharing = |inode: u64| holders.get(&inode).copied().unwrap_or(0);
    objects
        .iter()
        .zip(blobs)
        .map(|(object, blob)| {
            let (stored, sharing) = blob.map_or((0, 0), |(inode, bytes)| (bytes, sharing(inode)));
            let known = match &object.manifest {
                Ok(m) => known(m),
                Err(e) => v1::Isolated {
                    status: "unreadable".into(),
                    reason: e.to_string(),
                    ..v1::Isolated::default()
                },
            };
            v1::Isolated { id: object.id.to_string(), stored, sharing, ..known }
        })
        .collect()
}

fn known(m: &Manifest) -> v1::Isolated {
    v1::Isolated {
        path: m.path.0.clone(),
        sha256: m.sha256.0.to_vec(),
        size: m.size,
        class: m.class.word().into(),
        family: m.family.clone(),
        confidence: m.confidence.value().into(),
        status: m.status.word().into(),
        reason: m.reason.clone(),
        isolated_ms: m.isolated_at_ms,
        killed: m.killed.iter().map(|k| (&KilledProcess::from(k)).into()).collect(),
        links: m.links.iter().map(|l| l.0.clone()).collect(),
        alarm: m.alarm.map(|a| a.to_string()).unwrap_or_default(),
        ..v1::Isolated::default()
    }
}
