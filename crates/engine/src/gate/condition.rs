// SPDX-License-Identifier: Apache-2.0
//! What must be in a file for a condition to hold. Only what is asked for positively counts; of
//! everything that is not understood nothing is known, which is always right.

use super::clause::{self, Clause, Needs};
use super::literal::{Form, Literal};
use super::{hex, regexp};
use yara_x_parser::ast::{
    Expr, NAryExpr, Of, OfItems, Pattern, PatternModifier, PatternSet, Quantifier, Rule,
};

/// What a match of this rule needs.
pub(crate) fn needs(rule: &Rule<'_>) -> Needs {
    let patterns: Vec<(&Pattern<'_>, Needs)> =
        rule.patterns.iter().flatten().map(|p| (p, of_pattern(p))).collect();
    of_expression(&rule.condition, &patterns)
}

type Patterns<'p, 'src> = [(&'p Pattern<'src>, Needs)];

fn of_expression(expression: &Expr<'_>, patterns: &Patterns<'_, '_>) -> Needs {
    match expression {
        Expr::And(parts) => clause::all(parts.operands().map(|e| of_expression(e, patterns))),
        Expr::Or(parts) => {
            clause::at_least(1, parts.operands().map(|e| of_expression(e, patterns)).collect())
        }
        // Where it must stand does not matter: it must be there.
        Expr::PatternMatch(one) => named(one.identifier.name, patterns),
        Expr::Of(of) => of_set(of, patterns),
        Expr::Ge(e) => counted(&e.lhs, &e.rhs, 1, patterns),
        Expr::Gt(e) => counted(&e.lhs, &e.rhs, 0, patterns),
        Expr::Le(e) => counted(&e.rhs, &e.lhs, 1, patterns),
        Expr::Lt(e) => counted(&e.rhs, &e.lhs, 0, patterns),
        Expr::Eq(e) => {
            clause::all([counted(&e.lhs, &e.rhs, 1, patterns), counted(&e.rhs, &e.lhs, 1, patterns)])
        }
        _ => Vec::new(),
    }
}

/// The name is that of the pattern but for its first character: `$a`, `#a`.
fn named(name: &str, patterns: &Patterns<'_, '_>) -> Needs {
    let bare = |name: &'_ str| name.get(1..).unwrap_or_default().to_owned();
    let mut found = patterns.iter().filter(|(p, _)| bare(p.identifier().name) == bare(name));
    match (found.next(), found.next()) {
        (Some((_, needs)), None) => needs.clone(),
        // An unnamed pattern of a loop, or nothing that is known.
        _ => Vec::new(),
    }
}

/// `#a >= number`, `#a + #b + #c >= number`: when the number is at least `least`, one must be there.
fn counted(count: &Expr<'_>, number: &Expr<'_>, least: i64, patterns: &Patterns<'_, '_>) -> Needs {
    if integer(number).is_none_or(|n| n < least) {
        return Vec::new();
    }
    match count {
        Expr::PatternCount(one) => named(one.identifier.name, patterns),
        Expr::Add(sum) => of_sum(sum, patterns),
        _ => Vec::new(),
    }
}

fn of_sum(sum: &NAryExpr<'_>, patterns: &Patterns<'_, '_>) -> Needs {
    let mut parts = Vec::new();
    for part in sum.operands() {
        let Expr::PatternCount(one) = part else { return Vec::new() };
        parts.push(named(one.identifier.name, patterns));
    }
    clause::at_least(1, parts)
}

/// `any of`, `all of`, `3 of`, `20% of`, with or without a place where they must stand.
fn of_set(of: &Of<'_>, patterns: &Patterns<'_, '_>) -> Needs {
    let parts: Vec<Needs> = match &of.items {
        OfItems::PatternSet(PatternSet::Them { .. }) => patterns.iter().map(|(_, n)| n.clone()).collect(),
        OfItems::PatternSet(PatternSet::Set(items)) => patterns
            .iter()
            .filter(|(p, _)| items.iter().any(|i| i.matches(p.identifier())))
            .map(|(_, n)| n.clone())
            .collect(),
        OfItems::BoolExprTuple(expressions) => {
            expressions.iter().map(|e| of_expression(e, patterns)).collect()
        }
    };
    let n = match &of.quantifier {
        Quantifier::All { .. } => parts.len(),
        Quantifier::Any { .. } => 1,
        Quantifier::Expr(e) => integer(e).and_then(|n| usize::try_from(n).ok()).unwrap_or_default(),
        // How a share is rounded does not matter: above zero it is one at least.
        Quantifier::Percentage(e) => usize::from(integer(e).is_some_and(|n| n > 0)),
        Quantifier::None { .. } => 0,
    };
    clause::at_least(n, parts)
}

fn integer(expression: &Expr<'_>) -> Option<i64> {
    match expression {
        Expr::LiteralInteger(i) if !i.is_unsigned => Some(i.value),
        _ => None,
    }
}

fn of_pattern(pattern: &Pattern<'_>) -> Needs {
    let wide = pattern.modifiers().wide().is_some();
    // Like the pattern engine: `wide` alone takes the place of `ascii`.
    let ascii = !wide || pattern.modifiers().ascii().is_some();
    match pattern {
        Pattern::Text(p) => {
            let encoded = p.modifiers.base64().is_some() || p.modifiers.base64wide().is_some();
            // Whether a key turns the zeros of `wide` too is better not relied on.
            if encoded || wide && p.modifiers.xor().is_some() {
                return Vec::new();
            }
            let text: &[u8] = p.text.value.as_ref();
            let form = if let Some(PatternModifier::Xor { start, end, .. }) = p.modifiers.xor() {
                Form::Xor(*start, *end)
            } else if p.modifiers.nocase().is_some() {
                Form::Nocase
            } else {
                Form::Exact
            };
            let bytes = if form == Form::Nocase { text.to_ascii_lowercase() } else { text.to_vec() };
            let mut literals = Vec::new();
            if wide {
                literals.push(Literal { bytes: widened(&bytes), form });
            }
            if ascii {
                literals.push(Literal { bytes, form });
            }
            Clause::new(literals).into_iter().collect()
        }
        Pattern::Hex(p) => hex::needs(&p.sub_patterns),
        Pattern::Regexp(_) if wide => Vec::new(),
        Pattern::Regexp(p) => regexp::needs(&p.regexp, p.modifiers.nocase().is_some()),
    }
}

/// Each byte with a zero behind it, up to the last one's.
fn widened(bytes: &[u8]) -> Vec<u8> {
    let mut wide: Vec<u8> = bytes.iter().flat_map(|&b| [b, 0]).collect();
    wide.pop();
    wide
}
