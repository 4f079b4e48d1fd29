// SPDX-License-Identifier: Apache-2.0
//! Looks for many literals at once by looking at every fourth place of a file only.
//!
//! A literal of seven bytes or more has four bytes that begin at a multiple of four, wherever it stands.
//! For each of the four ways it can stand, the rarest such bytes (a *gram*) are put into a table of bits; a
//! file is read four bytes at a time, and only where a gram's bit is set a literal is compared. A literal of
//! six bytes is known by grams of three. Shorter ones take passes of their own, which files that are too
//! large for their rules are spared: one each where they are few, one over every second place else.

use super::literal::{Form, Literal, bits};
use memchr::memmem::Finder;

/// Bytes read at a time.
const STEP: usize = 4;
/// A shorter literal cannot be looked for, bytes.
pub(crate) const SHORTEST: usize = 4;
/// A shorter one that is turned by a key cannot be looked for, bytes.
pub(crate) const LONG: usize = 7;

/// Grams are compared in lower case, near enough: this bit makes it of an upper-case letter. It merges
/// some other bytes, which the comparison of the literal tells apart.
const FOLD: u32 = 0x2020_2020;
/// Up to so many short literals are looked for one after the other.
const FEW: usize = 4;
/// Steps that are looked up before it is asked whether one of them was in the table.
const BLOCK: usize = 16;

/// A literal, and the size of the largest object in which it counts, bytes.
pub(crate) struct Sought {
    pub(crate) literal: Literal,
    pub(crate) largest: u64,
}

/// One gram of one literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    gram: u32,
    literal: u32,
    /// Of the gram in the literal, bytes.
    offset: u32,
}

/// Grams: bits that say "perhaps", small enough for the processor's first cache, and a list that says what.
struct Grams {
    bits: Box<[u64; 1024]>,
    entries: Vec<Entry>,
    /// Size of the largest object in which one of them counts, bytes.
    largest: u64,
}

impl Grams {
    fn new() -> Self {
        Self { bits: Box::new([0; 1024]), entries: Vec::new(), largest: 0 }
    }

    /// Puts in the rarest gram of `length` bytes for each way the literal can stand.
    fn add(&mut self, number: usize, sought: &Sought, stride: usize, length: usize, gram: fn(u32) -> u32) {
        let bytes = &sought.literal.bytes;
        let told = bits(bytes);
        for way in 0..stride {
            let rarest = bytes
                .windows(length)
                .zip(told.windows(length))
                .enumerate()
                .skip(way)
                .step_by(stride)
                .map(|(offset, (bytes, told))| (offset, bytes, told.iter().sum::<f64>()))
                // What is all the same byte is what files are padded with.
                .max_by(|a, b| varied(a.1).cmp(&varied(b.1)).then_with(|| a.2.total_cmp(&b.2)));
            let Some((offset, bytes, _)) = rarest else { continue };
            let word = bytes.iter().rev().fold(0, |word, &b| word << 8 | u32::from(b));
            self.put(Entry {
                gram: gram(word),
                literal: u32::try_from(number).unwrap_or(u32::MAX),
                offset: u32::try_from(offset).unwrap_or(u32::MAX),
            });
        }
        self.largest = self.largest.max(sought.largest);
    }

    fn put(&mut self, entry: Entry) {
        let (word, bit) = place(entry.gram);
        if let Some(word) = self.bits.get_mut(word) {
            *word |= 1 << bit;
        }
        self.entries.push(entry);
    }

    /// 1 in the lowest bit where the gram may be one of these; the other bits are noise.
    #[inline(always)]
    fn perhaps(&self, gram: u32) -> u64 {
        let (word, bit) = place(gram);
        self.bits.get(word).map_or(0, |w| w >> bit)
    }

    fn of(&self, gram: u32) -> impl Iterator<Item = &Entry> {
        let first = self.entries.partition_point(|e| e.gram < gram);
        self.entries.get(first..).unwrap_or_default().iter().take_while(move |e| e.gram == gram)
    }

    fn counts(&self, size: u64) -> bool {
        !self.entries.is_empty() && size <= self.largest
    }
}

fn varied(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|w| w.first() != w.last())
}

/// Word and bit of a gram; the word is below 1024.
#[inline(always)]
fn place(gram: u32) -> (usize, u32) {
    let hash = gram.wrapping_mul(0x9e37_79b1) >> 16;
    ((hash >> 6) as usize & 1023, hash & 63)
}

/// Four bytes in lower case.
#[inline(always)]
fn four(word: u32) -> u32 {
    word | FOLD
}

/// The first three bytes in lower case.
#[inline(always)]
fn three(word: u32) -> u32 {
    (word | FOLD) & 0x00ff_ffff
}

/// What four bytes differ in, each from the next: a key that turns them all does not change it.
#[inline(always)]
fn differences(word: u32) -> u32 {
    (word ^ (word >> 8)) & 0x00ff_ffff
}

/// Literals, ready to be looked for.
pub(crate) struct Sampler {
    literals: Vec<Literal>,
    /// Of literals of seven bytes and more.
    long: Grams,
    /// Of those of them that are turned by a key.
    turned: Grams,
    /// Of six bytes.
    middle: Grams,
    /// Of four and five.
    short: Grams,
    /// Those of them that are exact, where they are few, with their size limits.
    few: Vec<(usize, Finder<'static>, u64)>,
}

impl Sampler {
    /// Literals that are shorter than [`SHORTEST`] (turned by a key: than [`LONG`]) are never found.
    pub(crate) fn new(sought: Vec<Sought>) -> Self {
        let (mut long, mut turned) = (Grams::new(), Grams::new());
        let (mut middle, mut short) = (Grams::new(), Grams::new());
        let mut few = Vec::new();
        let is_short = |l: &Literal| l.form == Form::Exact && (SHORTEST..6).contains(&l.bytes.len());
        let are_few = sought.iter().filter(|s| is_short(&s.literal)).count() <= FEW;
        for (number, one) in sought.iter().enumerate() {
            match (one.literal.form, one.literal.bytes.len()) {
                (Form::Xor(..), LONG..) => turned.add(number, one, STEP, 4, differences),
                (Form::Xor(..), _) => {}
                (_, LONG..) => long.add(number, one, STEP, 4, four),
                (_, 6) => middle.add(number, one, STEP, 3, three),
                _ if are_few && is_short(&one.literal) => {
                    few.push((number, Finder::new(&one.literal.bytes).into_owned(), one.largest));
                }
                (_, SHORTEST..) => short.add(number, one, 2, 3, three),
                _ => {}
            }
        }
        for grams in [&mut long, &mut turned, &mut middle, &mut short] {
            grams.entries.sort_unstable();
        }
        Self { literals: sought.into_iter().map(|s| s.literal).collect(), long, turned, middle, short, few }
    }

    /// Calls back for each literal found, by its number, perhaps more than once, until `each` says
    /// `true`; returns whether it did. `size` is that of the whole object: literals that do not count in one
    /// of that size may be passed over.
    pub(crate) fn find(&self, bytes: &[u8], size: u64, each: &mut dyn FnMut(usize) -> bool) -> bool {
        for (number, finder, largest) in &self.few {
            if size <= *largest && finder.find_iter(bytes).any(|_| each(*number)) {
                return true;
            }
        }
        let mut search = Search { bytes, sampler: self, each };
        let first = match (self.turned.counts(size), self.middle.counts(size)) {
            (false, false) => self.long.counts(size) && search.every_fourth::<false, false>(),
            (false, true) => search.every_fourth::<false, true>(),
            (true, false) => search.every_fourth::<true, false>(),
            (true, true) => search.every_fourth::<true, true>(),
        };
        first || self.short.counts(size) && search.every_second()
    }
}

struct Search<'s> {
    bytes: &'s [u8],
    sampler: &'s Sampler,
    each: &'s mut dyn FnMut(usize) -> bool,
}

impl Search<'_> {
    fn every_fourth<const TURNED: bool, const MIDDLE: bool>(&mut self) -> bool {
        let Sampler { long, turned, middle, .. } = self.sampler;
        let (words, rest) = self.bytes.as_chunks::<STEP>();
        for (number, block) in words.chunks(BLOCK).enumerate() {
            let mut perhaps = 0;
            for &bytes in block {
                let word = u32::from_le_bytes(bytes);
                perhaps |= long.perhaps(four(word));
                if TURNED {
                    perhaps |= turned.perhaps(differences(word));
                }
                if MIDDLE {
                    perhaps |= middle.perhaps(three(word));
                }
            }
            if perhaps & 1 == 0 {
                continue;
            }
            for (i, &bytes) in block.iter().enumerate() {
                let word = u32::from_le_bytes(bytes);
                let at = (number * BLOCK + i) * STEP;
                if self.compare(long, four(word), at)
                    || TURNED && self.compare(turned, differences(word), at)
                    || MIDDLE && self.compare(middle, three(word), at)
                {
                    return true;
                }
            }
        }
        // The last bytes may hold a gram of three.
        let &[a, b, c] = rest else { return false };
        MIDDLE && self.compare(middle, three(u32::from_le_bytes([a, b, c, 0])), words.len() * STEP)
    }

    fn every_second(&mut self) -> bool {
        let bytes = self.bytes;
        for (i, window) in bytes.windows(3).step_by(2).enumerate() {
            let &[a, b, c] = window else { continue };
            if self.compare(&self.sampler.short, three(u32::from_le_bytes([a, b, c, 0])), i * 2) {
                return true;
            }
        }
        false
    }

    /// Compares the literals whose gram stands at `at`.
    #[inline(always)]
    fn compare(&mut self, grams: &Grams, gram: u32, at: usize) -> bool {
        grams.perhaps(gram) & 1 != 0 && self.compare_all(grams, gram, at)
    }

    #[inline(never)]
    fn compare_all(&mut self, grams: &Grams, gram: u32, at: usize) -> bool {
        grams.of(gram).any(|entry| {
            let start = at.checked_sub(entry.offset as usize);
            let rest = start.and_then(|s| self.bytes.get(s..));
            let literal = self.sampler.literals.get(entry.literal as usize);
            match (rest, literal) {
                (Some(rest), Some(literal)) if literal.begins(rest) => (self.each)(entry.literal as usize),
                _ => false,
            }
        })
    }
}
