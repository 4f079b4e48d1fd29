// SPDX-License-Identifier: Apache-2.0
//! Finds the Lazaret test program marker. What is searched for is put together at run time: neither
//! this source nor the binary built from it contains it.

use crate::finding::Fixed;
use lazaret_model::{
    CLOUD_TEST_WORD, Confidence, MAX_TEST_PROGRAM_SIZE, MalwareClass, TestRating, test_program_prefix,
};
use memchr::memmem::Finder;

/// Classes that a marker may ask for.
const CLASSES: [MalwareClass; 10] = [
    MalwareClass::Virus,
    MalwareClass::Worm,
    MalwareClass::Trojan,
    MalwareClass::Botnet,
    MalwareClass::Backdoor,
    MalwareClass::Rootkit,
    MalwareClass::Ransomware,
    MalwareClass::HackTool,
    MalwareClass::WebShell,
    MalwareClass::Miner,
];

pub(crate) struct MarkerSearch {
    finder: Finder<'static>,
    prefix_length: usize,
    /// Whether those are found that only the deep scan of a server finds.
    cloud: bool,
}

impl MarkerSearch {
    pub(crate) fn new(cloud: bool) -> Self {
        let prefix = test_program_prefix();
        Self { finder: Finder::new(prefix.as_bytes()).into_owned(), prefix_length: prefix.len(), cloud }
    }

    /// The first valid marker of a program: a `#!` script or an executable ELF file (not a core dump) of
    /// at most 4 MiB. `None` for everything else, whatever it contains.
    pub(crate) fn find(&self, bytes: &[u8], size: u64) -> Option<Fixed> {
        if size > MAX_TEST_PROGRAM_SIZE || !is_program(bytes) {
            return None;
        }
        self.finder.find_iter(bytes).find_map(|at| self.parse(bytes.get(at + self.prefix_length..)?))
    }

    fn parse(&self, rest: &[u8]) -> Option<Fixed> {
        let mut words = rest.get(..rest.len().min(32))?.splitn(3, |&b| b == b'/');
        let (class, rating) = (words.next()?, words.next()?);
        // The slash that ends the rating is part of the marker.
        words.next()?;
        let class = CLASSES.into_iter().find(|c| c.word().as_bytes() == class)?;
        Some(Fixed { class, confidence: self.confidence(rating)? })
    }

    fn confidence(&self, word: &[u8]) -> Option<Confidence> {
        if self.cloud && word == CLOUD_TEST_WORD.as_bytes() {
            return Some(TestRating::High.confidence());
        }
        TestRating::ALL.into_iter().find(|r| r.word().as_bytes() == word).map(TestRating::confidence)
    }
}

fn is_program(bytes: &[u8]) -> bool {
    bytes.starts_with(b"#!") || matches!(crate::elf::kind(bytes), Some(crate::elf::Kind::Program))
}
