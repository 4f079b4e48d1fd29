// SPDX-License-Identifier: Apache-2.0
//! The vault: its part of `status`, and one object as `vault list` has it.

use super::Isolated;
use lazaret_proto::v1;
use serde::Serialize;

/// What it holds and when it refuses more; `null` for no limit.
#[derive(Debug, Serialize)]
pub(crate) struct Vault {
    objects: u64,
    blobs: u64,
    bytes: u64,
    total_limit: u64,
    object_limit: u64,
    keep_free: u64,
    free: u64,
    user_bytes_limit: Option<u64>,
    user_objects_limit: Option<u64>,
    owners: Vec<Owner>,
    refused: u64,
    age_days: Option<u32>,
    aged: u64,
    remove_aged: bool,
}

#[derive(Debug, Serialize)]
struct Owner {
    uid: u32,
    objects: u64,
    bytes: u64,
    objects_limit: Option<u64>,
    bytes_limit: Option<u64>,
}

fn limit(n: u64) -> Option<u64> {
    (n > 0).then_some(n)
}

impl From<&v1::VaultStatus> for Vault {
    fn from(v: &v1::VaultStatus) -> Self {
        let owner = |o: &v1::VaultOwner| Owner {
            uid: o.uid,
            objects: o.objects,
            bytes: o.bytes,
            objects_limit: limit(o.objects_limit),
            bytes_limit: limit(o.bytes_limit),
        };
        Self {
            objects: v.objects,
            blobs: v.blobs,
            bytes: v.bytes,
            total_limit: v.total_limit,
            object_limit: v.object_limit,
            keep_free: v.keep_free,
            free: v.free,
            user_bytes_limit: limit(v.user_bytes_limit),
            user_objects_limit: limit(v.user_objects_limit),
            owners: v.owners.iter().map(owner).collect(),
            refused: v.refused,
            age_days: (v.age_days > 0).then_some(v.age_days),
            aged: v.aged,
            remove_aged: v.remove_aged,
        }
    }
}

/// As `isolated list`, with what is in the vault.
#[derive(Debug, Serialize)]
pub(crate) struct Held<'a> {
    #[serde(flatten)]
    head: Isolated<'a>,
    held: bool,
    stored: u64,
    sharing: u64,
}

impl<'a> From<&'a v1::Isolated> for Held<'a> {
    fn from(i: &'a v1::Isolated) -> Self {
        Self { head: i.into(), held: i.sharing > 0, stored: i.stored, sharing: i.sharing }
    }
}
