// SPDX-License-Identifier: Apache-2.0
//! Compiled content.

use crate::extra_rules::{ExtraRules, ExtraSet};
use crate::file_scanner::FileScanner;
use crate::file_type::{Detected, detect};
use crate::hash_filter::HashFilter;
use crate::limits::Limits;
use crate::listed::Listed;
use crate::marker_search::MarkerSearch;
use crate::pattern::PatternCompiler;
use crate::shipped_rules::ShippedRules;
use lazaret_model::ContentInfo;
use lazaret_pack::Content;
use sha2::Digest;

/// The pattern engine in use (docs/adr/0002-yara-x.md).
pub(crate) type Patterns = crate::yara_x::YaraX;
type Set = <Patterns as PatternCompiler>::Set;

/// Compiled content: rules, digest lists, the test program marker. Shared by all scanners.
pub struct Engine {
    pub(crate) version: String,
    pub(crate) shipped: ShippedRules<Set>,
    pub(crate) extra: Option<ExtraSet<Set>>,
    pub(crate) hashes: HashFilter,
    pub(crate) listed: Listed,
    pub(crate) marker: Option<MarkerSearch>,
    /// Whether files are kept from the shipped rules where none of them can match.
    pub(crate) gates: bool,
    /// Of what is unpacked.
    pub(crate) limits: Limits,
}

impl Engine {
    /// Compiles content and rules that others wrote. Never fails as a whole: what does not compile is a
    /// problem in the returned info, which names its file, line and column, and the rest is in force.
    #[must_use]
    pub fn load(content: &Content, extra: &[ExtraRules]) -> (Self, ContentInfo) {
        let mut problems = content.problems.clone();
        let shipped = ShippedRules::new::<Patterns>(&content.rules, &mut problems);
        let mut others: Vec<ExtraRules> = content
            .third_party
            .iter()
            .map(|t| ExtraRules {
                label: t.label.clone(),
                source: t.source.clone().into_bytes(),
                promoted: t.promoted,
            })
            .collect();
        others.extend_from_slice(extra);
        let added = ExtraSet::new::<Patterns>(&others, &mut problems);
        let listed = Listed::new(&content.listed);
        let version = version(&content.version, extra);
        let rules = shipped.len() + added.as_ref().map_or(0, ExtraSet::len);
        let info = ContentInfo {
            version: version.clone(),
            rules: u32::try_from(rules).unwrap_or(u32::MAX),
            known_bad: content.known_bad.len() as u64 + listed.len() as u64,
            known_good: content.known_good.len() as u64,
            problems,
        };
        let engine = Self {
            version,
            shipped,
            extra: added,
            listed,
            hashes: HashFilter::new(content.known_bad.clone(), content.known_good.clone()),
            marker: Some(MarkerSearch::new(false)),
            gates: true,
            limits: Limits::default(),
        };
        (engine, info)
    }

    /// Switches the Lazaret test program off or on; it is on after [`Engine::load`].
    #[must_use]
    pub fn with_test_programs(mut self, on: bool) -> Self {
        self.marker = on.then(|| MarkerSearch::new(false));
        self
    }

    /// Finds those test programs too that only the deep scan of a server finds; hosts never do. Of no effect
    /// where test programs are off.
    #[must_use]
    pub fn with_cloud_test_programs(mut self) -> Self {
        self.marker = self.marker.map(|_| MarkerSearch::new(true));
        self
    }

    /// Limits of what is unpacked, each at most [`Limits::MOST`]; [`Limits::default`] after
    /// [`Engine::load`].
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits.bounded();
        self
    }

    /// Switches the gates in front of the shipped rules off or on; they are on after [`Engine::load`]. They
    /// change nothing but the time that a scan takes: this is for tests and measurements that show it.
    #[must_use]
    pub fn with_gates(mut self, on: bool) -> Self {
        self.gates = on;
        self
    }

    /// The shipped rules, by id, for which the gates let this object through to the pattern engine; none
    /// for most objects. For measurements and for authors of rules.
    #[must_use]
    pub fn gates_opened_by(&self, object: &[u8]) -> Vec<String> {
        let Detected { main, also } = detect(object);
        let mut ids = Vec::new();
        for file_type in std::iter::once(main).chain(also.map(|a| a.file_type)) {
            let gate = self.shipped.set_for(file_type).and_then(|set| self.shipped.gate(set));
            let Some(gate) = gate else { continue };
            gate.candidates(object, object.len() as u64, &mut |rule| {
                if !ids.iter().any(|id| id == rule.id()) {
                    ids.push(rule.id().to_owned());
                }
                false
            });
        }
        ids
    }

    /// Makes a scanner for one thread or process. Do it before the jail is sealed: it takes some
    /// milliseconds and maps (not executable) memory.
    #[must_use]
    pub fn scanner(&self) -> FileScanner<'_> {
        FileScanner::new(self)
    }

    /// Version of the content in force.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}

/// Added rules change what a verdict is worth, so that they are part of the version.
fn version(base: &str, extra: &[ExtraRules]) -> String {
    if extra.is_empty() {
        return base.to_owned();
    }
    let mut hasher = sha2::Sha256::new();
    for file in extra {
        hasher.update((file.source.len() as u64).to_le_bytes());
        hasher.update(&file.source);
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let short: String = digest.iter().take(4).map(|b| format!("{b:02x}")).collect();
    format!("{base}+extra.{short}")
}
