// SPDX-License-Identifier: Apache-2.0
//! Which blob holds which objects, and whose they are. Made anew from the folder when a vault is
//! opened: a crash leaves nothing to repair here.

use crate::limits::{Limits, Owned, Usage};
use lazaret_model::{IsolatedId, Sha256};
use std::collections::{BTreeSet, HashMap};

/// Of a content: equal ones are stored once.
pub(crate) type Content = (Sha256, u64);

/// Inode number of a sealed file.
pub(crate) type Inode = u64;

struct Blob {
    bytes: u64,
    holders: BTreeSet<IsolatedId>,
    content: Option<Content>,
}

#[derive(Default)]
struct Owner {
    objects: u64,
    /// Objects of this uid on each blob.
    on: HashMap<Inode, u64>,
    bytes: u64,
    reserved: Owned,
}

/// Room that was promised to one object that is being written.
#[derive(Debug)]
#[must_use = "it must be committed or cancelled"]
pub(crate) struct Reserved {
    uid: u32,
    /// A new blob's; 0 where one is shared.
    bytes: u64,
    /// Against the quota of `uid`.
    charged: u64,
    new_blob: bool,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Books {
    blobs: HashMap<Inode, Blob>,
    by_object: HashMap<IsolatedId, (Inode, Option<u32>)>,
    by_content: HashMap<Content, Inode>,
    owners: HashMap<u32, Owner>,
    stored: u64,
    reserved: Usage,
    refused: u64,
}

impl Books {
    /// An object on a blob. `uid` and `content` are unknown where the manifest cannot be read.
    pub(crate) fn hold(
        &mut self,
        id: IsolatedId,
        inode: Inode,
        bytes: u64,
        uid: Option<u32>,
        content: Option<Content>,
    ) {
        let blob = self.blobs.entry(inode).or_insert_with(|| {
            self.stored += bytes;
            Blob { bytes, holders: BTreeSet::new(), content: None }
        });
        if !blob.holders.insert(id) {
            return;
        }
        if let (None, Some(c)) = (blob.content, content) {
            blob.content = content;
            self.by_content.entry(c).or_insert(inode);
        }
        self.by_object.insert(id, (inode, uid));
        if let Some(owner) = uid.map(|u| self.owners.entry(u).or_default()) {
            owner.objects += 1;
            let on = owner.on.entry(inode).or_insert(0);
            *on += 1;
            if *on == 1 {
                owner.bytes += bytes;
            }
        }
    }

    /// The object is gone; its blob too where it was the last.
    pub(crate) fn release(&mut self, id: IsolatedId) {
        let Some((inode, uid)) = self.by_object.remove(&id) else { return };
        let Some(blob) = self.blobs.get_mut(&inode) else { return };
        let bytes = blob.bytes;
        blob.holders.remove(&id);
        if let Some(owner) = uid.and_then(|u| self.owners.get_mut(&u)) {
            owner.objects = owner.objects.saturating_sub(1);
            let left = owner.on.get_mut(&inode).map_or(0, |n| {
                *n = n.saturating_sub(1);
                *n
            });
            if left == 0 {
                owner.on.remove(&inode);
                owner.bytes = owner.bytes.saturating_sub(bytes);
            }
        }
        if blob.holders.is_empty() {
            let content = blob.content;
            self.blobs.remove(&inode);
            self.stored = self.stored.saturating_sub(bytes);
            if let Some(c) = content.filter(|c| self.by_content.get(c) == Some(&inode)) {
                self.by_content.remove(&c);
            }
        }
        self.owners.retain(|_, o| o.objects > 0 || o.reserved != Owned::default());
    }

    /// An object that holds this content, its blob and the blob's bytes.
    pub(crate) fn same_content(&self, content: &Content) -> Option<(IsolatedId, Inode, u64)> {
        let inode = *self.by_content.get(content)?;
        let blob = self.blobs.get(&inode)?;
        Some((*blob.holders.first()?, inode, blob.bytes))
    }

    /// The blob does not give back its content: nobody shall share it any more.
    pub(crate) fn distrust(&mut self, content: &Content, inode: Inode) {
        if self.by_content.get(content) == Some(&inode) {
            self.by_content.remove(content);
        }
    }

    /// Room for one object of `uid` that needs `bytes` in a new blob, or none in the blob `on`.
    ///
    /// # Errors
    /// For people: which limit, with its figures and the way out.
    pub(crate) fn reserve(
        &mut self,
        limits: &Limits,
        uid: u32,
        bytes: u64,
        on: Option<(Inode, u64)>,
    ) -> Result<Reserved, String> {
        let quota = limits.quota(uid);
        let new = if on.is_some() { 0 } else { bytes };
        let (owned, shared) = self.owners.get(&uid).map_or((Owned::default(), false), |o| {
            let owned = Owned { objects: o.objects + o.reserved.objects, bytes: o.bytes + o.reserved.bytes };
            (owned, on.is_some_and(|(inode, _)| o.on.contains_key(&inode)))
        });
        let charged = match on {
            Some(_) if shared => 0,
            Some((_, stored)) => stored,
            None => bytes,
        };
        let used = self.stored + self.reserved.bytes;
        let why = if quota.objects.is_some_and(|max| owned.objects >= max) {
            Some(format!(
                "{} isolated files of uid {uid} are in the vault, and its quota is {} ([vault] user_objects); \
                 restore or delete some of them (lazaret isolated list), or raise the quota",
                owned.objects,
                quota.objects.unwrap_or(0)
            ))
        } else if quota.bytes.is_some_and(|max| owned.bytes.saturating_add(charged) > max) {
            Some(format!(
                "{charged} bytes are needed, the isolated files of uid {uid} take {} and its quota is {} \
                 ([vault] user_bytes); restore or delete some of them (lazaret isolated list), or raise the quota",
                owned.bytes,
                quota.bytes.unwrap_or(0)
            ))
        } else if used.saturating_add(new) > limits.total_bytes {
            Some(format!(
                "{new} bytes are needed, {used} of {} are used ([vault] total_bytes); restore or delete \
                 isolated files (lazaret isolated list), or raise the limit",
                limits.total_bytes
            ))
        } else {
            None
        };
        if let Some(why) = why {
            self.refused += 1;
            return Err(why);
        }
        self.reserved.objects += 1;
        self.reserved.blobs += u64::from(on.is_none());
        self.reserved.bytes += new;
        let owner = self.owners.entry(uid).or_default();
        owner.reserved.objects += 1;
        owner.reserved.bytes += charged;
        Ok(Reserved { uid, bytes: new, charged, new_blob: on.is_none() })
    }

    /// The answer of [`Self::reserve`], without promising anything or counting a refusal.
    pub(crate) fn would_refuse(
        &mut self,
        limits: &Limits,
        uid: u32,
        bytes: u64,
        on: Option<(Inode, u64)>,
    ) -> Option<String> {
        let refused = self.refused;
        let answer = self.reserve(limits, uid, bytes, on);
        self.refused = refused;
        answer.map(|reserved| self.settle(reserved)).err()
    }

    /// Gives the promised room back: the object is held now, or there is none.
    pub(crate) fn settle(&mut self, reserved: Reserved) {
        self.reserved.objects = self.reserved.objects.saturating_sub(1);
        self.reserved.blobs = self.reserved.blobs.saturating_sub(u64::from(reserved.new_blob));
        self.reserved.bytes = self.reserved.bytes.saturating_sub(reserved.bytes);
        if let Some(owner) = self.owners.get_mut(&reserved.uid) {
            owner.reserved.objects = owner.reserved.objects.saturating_sub(1);
            owner.reserved.bytes = owner.reserved.bytes.saturating_sub(reserved.charged);
            if owner.objects == 0 && owner.reserved == Owned::default() {
                self.owners.remove(&reserved.uid);
            }
        }
    }

    /// Another limit than those of [`Self::reserve`] said no.
    pub(crate) fn count_refused(&mut self) {
        self.refused += 1;
    }

    /// Objects that were refused since the vault was opened.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    /// Everything, with what is being written.
    pub(crate) fn usage(&self) -> Usage {
        Usage {
            objects: self.by_object.len() as u64 + self.reserved.objects,
            blobs: self.blobs.len() as u64 + self.reserved.blobs,
            bytes: self.stored + self.reserved.bytes,
        }
    }

    /// By uid, the one with most bytes first.
    pub(crate) fn owners(&self) -> Vec<(u32, Owned)> {
        let mut out: Vec<(u32, Owned)> = self
            .owners
            .iter()
            .filter(|(_, o)| o.objects > 0)
            .map(|(uid, o)| (*uid, Owned { objects: o.objects, bytes: o.bytes }))
            .collect();
        out.sort_by_key(|(uid, o)| (std::cmp::Reverse(o.bytes), *uid));
        out
    }

    /// Objects on the same blob as this one, itself included; 0 where it has none.
    pub(crate) fn holders(&self, id: IsolatedId) -> u64 {
        let blob = self.by_object.get(&id).and_then(|(inode, _)| self.blobs.get(inode));
        blob.map_or(0, |b| b.holders.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(n: u8) -> Option<Content> {
        Some((Sha256([n; 32]), u64::from(n)))
    }

    #[test]
    fn a_blob_counts_once_for_all_and_for_each_owner() {
        let mut b = Books::default();
        let ids: Vec<IsolatedId> = (0..4).map(|_| IsolatedId::new()).collect();
        b.hold(ids[0], 7, 100, Some(1), content(1));
        b.hold(ids[1], 7, 100, Some(1), content(1));
        b.hold(ids[2], 7, 100, Some(2), content(1));
        b.hold(ids[3], 8, 50, None, None);
        assert_eq!(b.usage(), Usage { objects: 4, blobs: 2, bytes: 150 });
        assert_eq!(
            b.owners(),
            [(1, Owned { objects: 2, bytes: 100 }), (2, Owned { objects: 1, bytes: 100 })]
        );
        assert_eq!(b.holders(ids[1]), 3);
        assert_eq!(b.same_content(&content(1).unwrap()).map(|s| (s.1, s.2)), Some((7, 100)));
        b.release(ids[0]);
        b.release(ids[0]);
        b.release(ids[2]);
        assert_eq!(b.owners(), [(1, Owned { objects: 1, bytes: 100 })]);
        assert_eq!(b.usage().bytes, 150, "one holder is left");
        b.release(ids[1]);
        b.release(ids[3]);
        assert_eq!(b.usage(), Usage::default());
        assert!(b.same_content(&content(1).unwrap()).is_none() && b.owners().is_empty());
    }

    #[test]
    fn promises_count_until_they_are_settled() {
        let mut b = Books::default();
        let limits = Limits {
            total_bytes: 250,
            user: crate::Quota { bytes: Some(150), objects: Some(2) },
            ..Limits::default()
        };
        let one = b.reserve(&limits, 5, 100, None).unwrap();
        assert!(b.reserve(&limits, 5, 100, None).unwrap_err().contains("quota is 150"));
        let two = b.reserve(&limits, 5, 10, None).unwrap();
        let err = b.reserve(&limits, 5, 1, None).unwrap_err();
        assert!(err.contains("2 isolated files of uid 5") && err.contains("user_objects"), "{err}");
        assert!(b.reserve(&limits, 0, 200, None).unwrap_err().contains("110 of 250 are used"));
        b.settle(two);
        b.hold(IsolatedId::new(), 1, 90, Some(5), content(1));
        b.settle(one);
        assert_eq!(b.usage(), Usage { objects: 1, blobs: 1, bytes: 90 });
        // On a blob that it holds already nothing is charged, on another's blob its size is.
        b.hold(IsolatedId::new(), 2, 90, Some(6), content(2));
        let shared = b.reserve(&limits, 5, 90, Some((1, 90))).unwrap();
        b.settle(shared);
        assert!(b.reserve(&limits, 5, 90, Some((2, 90))).unwrap_err().contains("90 bytes are needed"));
        assert_eq!(b.refused(), 4);
    }
}
