// SPDX-License-Identifier: Apache-2.0
//! What one rule needs in a file.

use super::clause::{Clause, Needs};
use super::condition;
use super::literal::Literal;
use yara_x_parser::Parser;
use yara_x_parser::ast::AST;

/// What one rule needs.
#[derive(Debug, Clone)]
pub(crate) struct RuleGate {
    id: String,
    /// Looked for in the fast pass; `None` when the rule may match anything.
    first: Option<Clause>,
    /// Must hold too.
    others: Needs,
    /// Hits on larger objects do not count, bytes.
    largest: u64,
}

impl RuleGate {
    /// Of the text of one whole rule. A text that is not exactly one sound rule is open to everything.
    /// `max_size` is that of the largest object that the rule is for, bytes.
    pub(crate) fn new(id: &str, source: &str, max_size: Option<u64>) -> Self {
        let ast = AST::from(Parser::new(source.as_bytes()));
        let mut rules = ast.rules();
        let mut others = match (rules.next(), rules.next()) {
            (Some(rule), None) if ast.errors().is_empty() => condition::needs(rule),
            _ => Needs::new(),
        };
        // The most telling come first.
        let first = others.iter().position(Clause::is_searchable).map(|i| others.remove(i));
        Self { id: id.to_owned(), first, others, largest: max_size.unwrap_or(u64::MAX) }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Whether nothing that a fast pass could look for is known of it.
    pub(crate) fn is_open(&self) -> bool {
        self.first.is_none()
    }

    /// Of these one at least is in every file that matches.
    pub(crate) fn literals(&self) -> &[Literal] {
        self.first.as_ref().map_or(&[], Clause::literals)
    }

    /// Size of the largest object that it is for, bytes.
    pub(crate) fn largest(&self) -> u64 {
        self.largest
    }

    /// Whether something that it needs besides its first literals is missing.
    pub(crate) fn lacks(&self, bytes: &[u8]) -> bool {
        self.others.iter().any(|c| c.is_missing(bytes))
    }
}
