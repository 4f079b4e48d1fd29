// SPDX-License-Identifier: Apache-2.0
//! A set of malware classes, one bit each.

use lazaret_model::{CLASSES, MalwareClass};
use std::fmt;

/// Which classes something applies to.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClassSet(u32);

impl ClassSet {
    /// No class.
    pub const EMPTY: Self = Self(0);

    /// Every class of the table.
    #[must_use]
    pub fn all() -> Self {
        MalwareClass::all().collect()
    }

    /// Whether the class is in it.
    #[must_use]
    pub const fn contains(self, class: MalwareClass) -> bool {
        self.0 & Self::bit(class) != 0
    }

    /// Ticks a class.
    pub const fn insert(&mut self, class: MalwareClass) {
        self.0 |= Self::bit(class);
    }

    /// Unticks a class.
    pub const fn remove(&mut self, class: MalwareClass) {
        self.0 &= !Self::bit(class);
    }

    /// In table order.
    pub fn iter(self) -> impl Iterator<Item = MalwareClass> {
        MalwareClass::all().filter(move |c| self.contains(*c))
    }

    const fn bit(class: MalwareClass) -> u32 {
        1 << class as u32
    }
}

impl Default for ClassSet {
    /// The classes that isolate and kill acts on by itself unless a person says otherwise
    /// ([`lazaret_model::ClassRow::automatic_by_default`]).
    fn default() -> Self {
        CLASSES.iter().filter(|r| r.automatic_by_default).map(|r| r.class).collect()
    }
}

impl FromIterator<MalwareClass> for ClassSet {
    fn from_iter<I: IntoIterator<Item = MalwareClass>>(classes: I) -> Self {
        let mut set = Self::EMPTY;
        for c in classes {
            set.insert(c);
        }
        set
    }
}

impl fmt::Debug for ClassSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_own_bit() {
        for c in MalwareClass::all() {
            let one: ClassSet = [c].into_iter().collect();
            assert_eq!(one.iter().collect::<Vec<_>>(), [c]);
            let mut rest = ClassSet::all();
            rest.remove(c);
            assert!(!rest.contains(c));
            assert_eq!(rest.iter().count(), CLASSES.len() - 1);
        }
    }

    #[test]
    fn default_follows_the_table() {
        let set = ClassSet::default();
        for r in CLASSES {
            assert_eq!(set.contains(r.class), r.automatic_by_default, "{}", r.word);
        }
    }
}
