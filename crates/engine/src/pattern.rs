// SPDX-License-Identifier: Apache-2.0
//! What Lazaret asks of a pattern engine. The one in use is [`crate::yara_x`] (docs/adr/0002-yara-x.md);
//! a second one implements these three traits.

/// What is wrong in a rule source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// From 1; 0 when unknown.
    pub(crate) line: u32,
    /// From 1; 0 when unknown.
    pub(crate) column: u32,
    pub(crate) message: String,
    /// The text is not YARA: rules near it may be lost although they are sound.
    pub(crate) syntax: bool,
}

/// Turns rule sources into a set.
pub(crate) trait PatternCompiler: Sized {
    type Set: PatternSet;

    fn new() -> Self;

    /// Adds a source under a name. What does not compile is returned; what does stays. Sources of the
    /// same unit share a name space, those of different units may use the same rule names.
    fn add(&mut self, unit: &str, source: &[u8]) -> Vec<Fault>;

    fn build(self) -> Self::Set;
}

/// A compiled set, shared by all scanners.
pub(crate) trait PatternSet: Send + Sync {
    type Scanner<'s>: PatternScanner
    where
        Self: 's;

    /// Makes a scanner. It must be usable where no file can be opened, no thread started and no memory
    /// made executable.
    fn scanner(&self) -> Self::Scanner<'_>;

    /// Calls back for each rule that can be reported.
    fn describe(&self, each: &mut dyn FnMut(RuleHead<'_>));
}

/// A compiled rule.
pub(crate) struct RuleHead<'a> {
    pub(crate) unit: &'a str,
    pub(crate) name: &'a str,
    pub(crate) meta: Vec<(&'a str, String)>,
}

/// Scans one piece of memory after the other.
pub(crate) trait PatternScanner {
    /// Calls back for each rule that matches.
    fn scan(&mut self, bytes: &[u8], each: &mut dyn FnMut(Hit<'_>)) -> Result<(), String>;
}

/// A rule that matched.
pub(crate) struct Hit<'a> {
    pub(crate) unit: &'a str,
    pub(crate) name: &'a str,
    /// Up to [`MAX_PLACES`] patterns of it with the offset of their first match. Never the matched
    /// bytes: they would make logs match.
    pub(crate) places: Vec<(&'a str, usize)>,
}

pub(crate) const MAX_PLACES: usize = 4;
