// SPDX-License-Identifier: Apache-2.0
//! Clauses: sets of literals of which at least one must be there. What a rule needs is a list of clauses
//! that must all hold; an empty list says nothing.

use super::literal::{Form, Literal};
use super::sample::{LONG, SHORTEST};

/// Clauses kept of one expression; each is true by itself, so that any may be dropped.
const MAX_CLAUSES: usize = 12;
/// Literals in one clause; a larger set is a bad gate.
const MAX_LITERALS: usize = 256;

/// At least one of these literals is in every file that matches.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Clause {
    literals: Vec<Literal>,
    /// How likely one of them is met at a given place; infinite when one is too short to be looked for.
    cost: f64,
}

/// Clauses that all hold, the most telling first.
pub(crate) type Needs = Vec<Clause>;

impl Clause {
    /// `None` where the set says nothing: an empty literal is everywhere, and an empty set would say
    /// that there is no match at all, which is left to the pattern engine.
    pub(crate) fn new(mut literals: Vec<Literal>) -> Option<Self> {
        literals.sort_by(|a, b| a.bytes.len().cmp(&b.bytes.len()).then_with(|| a.cmp(b)));
        let mut kept: Vec<Literal> = Vec::with_capacity(literals.len());
        for literal in literals {
            if literal.bytes.is_empty() {
                return None;
            }
            if !kept.iter().any(|k| k.within(&literal)) {
                kept.push(literal);
            }
        }
        if kept.is_empty() || kept.len() > MAX_LITERALS {
            return None;
        }
        let cost = kept.iter().map(cost).sum();
        Some(Self { literals: kept, cost })
    }

    pub(crate) fn literals(&self) -> &[Literal] {
        &self.literals
    }

    /// May stand alone in front of the pattern engine: each literal can be looked for in the fast pass.
    pub(crate) fn is_searchable(&self) -> bool {
        self.cost.is_finite()
    }

    /// Whether none of its literals is in `bytes`.
    pub(crate) fn is_missing(&self, bytes: &[u8]) -> bool {
        !self.literals.iter().any(|l| l.may_be_in(bytes))
    }

    fn or(mut self, other: &Self) -> Option<Self> {
        self.literals.extend(other.literals.iter().cloned());
        Self::new(self.literals)
    }
}

/// A literal that is short makes the pass slower, besides being common.
fn cost(literal: &Literal) -> f64 {
    let slower = match (literal.form, literal.bytes.len()) {
        (_, LONG..) => 0.0,
        (Form::Xor(..), _) | (_, ..SHORTEST) => f64::INFINITY,
        (_, 6) => 1.0 / 65536.0,
        _ => 1.0 / 1024.0,
    };
    literal.likelihood() + slower
}

/// All of these hold.
pub(crate) fn all(parts: impl IntoIterator<Item = Needs>) -> Needs {
    let mut needs: Needs = Vec::new();
    for clause in parts.into_iter().flatten() {
        if !needs.contains(&clause) {
            needs.push(clause);
        }
    }
    needs.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    needs.truncate(MAX_CLAUSES);
    needs
}

/// At least `n` of these hold.
///
/// Of `m` parts, `n` hold only if at least one holds of any `m - n + 1` of them: the most telling are
/// taken, and a part of which nothing is known is left to the others.
pub(crate) fn at_least(n: usize, parts: Vec<Needs>) -> Needs {
    if n == 0 {
        return Vec::new();
    }
    let n = n.min(parts.len());
    if n == parts.len() {
        return all(parts);
    }
    let size = parts.len() - n + 1;
    let mut known: Vec<Needs> = parts.into_iter().filter(|p| !p.is_empty()).collect();
    known.sort_by(|a, b| first_cost(a).total_cmp(&first_cost(b)));
    if known.len() < size {
        return Vec::new();
    }
    let mut clauses = Vec::new();
    if n == 1 {
        // Alternatives with more than one need each: the best of each, then the second best, and so on.
        let deepest = known.iter().map(Vec::len).max().unwrap_or_default();
        for level in 0..deepest {
            clauses.extend(union(known.iter().filter_map(|p| p.get(level).or_else(|| p.last()))));
        }
    } else {
        for window in known.windows(size) {
            clauses.extend(union(window.iter().filter_map(|p| p.first())));
        }
    }
    all([clauses])
}

fn first_cost(needs: &Needs) -> f64 {
    needs.first().map_or(f64::INFINITY, |c| c.cost)
}

fn union<'c>(mut clauses: impl Iterator<Item = &'c Clause>) -> Option<Clause> {
    let first = clauses.next()?.clone();
    clauses.try_fold(first, Clause::or)
}
