// SPDX-License-Identifier: Apache-2.0
//! The vault's part of `status`: what it holds, its limits, and which of them is reached.

use crate::core::Core;
use crate::look::now_ms;
use lazaret_proto::v1;
use lazaret_vault::Quota;

/// Owners that are named.
const OWNERS: usize = 8;

pub(super) fn status(core: &Core) -> v1::VaultStatus {
    let vault = core.responder.vault();
    let (usage, limits) = (vault.usage(), vault.limits());
    let age = core.config.vault.age_limit();
    let owners = vault.owners().into_iter().take(OWNERS).map(|(uid, owned)| {
        let Quota { bytes, objects } = limits.quota(uid);
        v1::VaultOwner {
            uid,
            objects: owned.objects,
            bytes: owned.bytes,
            objects_limit: objects.unwrap_or(0),
            bytes_limit: bytes.unwrap_or(0),
        }
    });
    v1::VaultStatus {
        objects: usage.objects,
        blobs: usage.blobs,
        bytes: usage.bytes,
        total_limit: limits.total_bytes,
        object_limit: limits.object_bytes,
        keep_free: limits.keep_free,
        free: vault.free().unwrap_or(0),
        user_bytes_limit: limits.user.bytes.unwrap_or(0),
        user_objects_limit: limits.user.objects.unwrap_or(0),
        owners: owners.collect(),
        refused: vault.refused(),
        age_days: age.map_or(0, |a| a.days),
        aged: age.map_or(0, |a| core.responder.aged(a.days, now_ms()).map_or(0, |a| a.len() as u64)),
        remove_aged: age.is_some_and(|a| a.remove),
    }
}

/// Limits that are reached, or nearly: from here on bad files stay where they are, denied.
pub(super) fn full(core: &Core) -> Vec<String> {
    const WAY_OUT: &str = "what comes now stays denied where it is; restore or delete isolated files \
                           (lazaret isolated list)";
    let vault = core.responder.vault();
    let (usage, limits) = (vault.usage(), vault.limits());
    let mut out = Vec::new();
    if usage.bytes >= limits.total_bytes / 20 * 19 {
        let (used, max) = (usage.bytes, limits.total_bytes);
        out.push(format!("{used} of {max} bytes are used ([vault] total_bytes): {WAY_OUT}"));
    }
    if let Ok(free) = vault.free()
        && free <= limits.keep_free
    {
        let keep = limits.keep_free;
        out.push(format!(
            "{free} bytes are free on its filesystem and {keep} stay free ([vault] keep_free_bytes): what comes \
             now stays denied where it is; make room on that filesystem"
        ));
    }
    for (uid, owned) in vault.owners() {
        let quota = limits.quota(uid);
        if quota.objects.is_some_and(|max| owned.objects >= max) {
            let (have, max) = (owned.objects, quota.objects.unwrap_or(0));
            out.push(format!("uid {uid} has {have} of {max} files ([vault] user_objects): {WAY_OUT}"));
        } else if quota.bytes.is_some_and(|max| owned.bytes >= max / 20 * 19) {
            let (have, max) = (owned.bytes, quota.bytes.unwrap_or(0));
            out.push(format!("uid {uid} has {have} of {max} bytes ([vault] user_bytes): {WAY_OUT}"));
        }
    }
    out
}
