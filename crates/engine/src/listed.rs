// SPDX-License-Identifier: Apache-2.0
//! Digests that others listed. Without the size that the shipped lists state, a digest alone reaches the
//! rating medium, unless an administrator promoted its list.

use lazaret_model::Sha256;
use lazaret_pack::{DigestList, ListedDigest};
use std::collections::HashMap;

/// The lists, and where in them a digest is.
#[derive(Default)]
pub(crate) struct Listed {
    lists: Vec<DigestList>,
    places: HashMap<Sha256, (usize, usize)>,
}

impl Listed {
    /// Of two entries of one digest that of a promoted list counts, else the first.
    pub(crate) fn new(lists: &[DigestList]) -> Self {
        let mut places: HashMap<Sha256, (usize, usize)> = HashMap::new();
        for promoted in [true, false] {
            for (i, list) in lists.iter().enumerate().filter(|(_, l)| l.promoted == promoted) {
                for (n, entry) in list.entries.iter().enumerate() {
                    places.entry(entry.sha256).or_insert((i, n));
                }
            }
        }
        Self { lists: lists.to_vec(), places }
    }

    pub(crate) fn get(&self, digest: &Sha256) -> Option<(&DigestList, &ListedDigest)> {
        let (list, entry) = self.places.get(digest)?;
        let list = self.lists.get(*list)?;
        Some((list, list.entries.get(*entry)?))
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }
}
