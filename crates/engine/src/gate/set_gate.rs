// SPDX-License-Identifier: Apache-2.0
//! The gate of one set of rules.

use super::literal::Literal;
use super::rule_gate::RuleGate;
use super::sample::{Sampler, Sought};
use std::collections::BTreeMap;

/// Says of bytes whether a rule of a set may match them.
pub(crate) struct SetGate {
    rules: Vec<RuleGate>,
    /// Those that nothing is known of.
    open: Vec<usize>,
    sampler: Sampler,
    /// For each literal of the sampler, the rules that it may mean.
    meaning: Vec<Vec<usize>>,
}

impl SetGate {
    pub(crate) fn new(rules: Vec<RuleGate>) -> Self {
        let mut open = Vec::new();
        let mut literals: BTreeMap<Literal, Vec<usize>> = BTreeMap::new();
        for (i, rule) in rules.iter().enumerate() {
            if rule.is_open() {
                open.push(i);
            }
            for literal in rule.literals() {
                literals.entry(literal.clone()).or_default().push(i);
            }
        }
        let largest = |rules_of: &Vec<usize>| {
            rules_of.iter().filter_map(|&i| rules.get(i)).map(RuleGate::largest).max().unwrap_or_default()
        };
        let sought =
            literals.iter().map(|(l, of)| Sought { literal: l.clone(), largest: largest(of) }).collect();
        Self { open, sampler: Sampler::new(sought), meaning: literals.into_values().collect(), rules }
    }

    /// `false` where no rule of the set matches `bytes`, which are (a part of) an object of `size` bytes, or
    /// only such whose hits do not count on an object of that size.
    pub(crate) fn may_match(&self, bytes: &[u8], size: u64) -> bool {
        self.candidates(bytes, size, &mut |_| true)
    }

    /// Calls back for each rule that may match, perhaps more than once, until `each` says `true`; returns
    /// whether it did.
    pub(crate) fn candidates(
        &self,
        bytes: &[u8],
        size: u64,
        each: &mut dyn FnMut(&RuleGate) -> bool,
    ) -> bool {
        for rule in self.open.iter().filter_map(|&i| self.rules.get(i)) {
            if size <= rule.largest() && each(rule) {
                return true;
            }
        }
        // Rules whose literals were met, but which lack something else.
        let mut lacking: Vec<usize> = Vec::new();
        self.sampler.find(bytes, size, &mut |literal| {
            self.meaning.get(literal).into_iter().flatten().any(|i| {
                let Some(rule) = self.rules.get(*i) else { return false };
                if size > rule.largest() || lacking.contains(i) {
                    return false;
                }
                if rule.lacks(bytes) {
                    lacking.push(*i);
                    return false;
                }
                each(rule)
            })
        })
    }
}
