// SPDX-License-Identifier: Apache-2.0
//! What must be in a file for a regular expression to match.

use super::clause::{self, Clause, Needs};
use super::literal::Literal;
use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::hir::translate::TranslatorBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};
use yara_x_parser::ast::Regexp;

/// A part that stands for at most so many strings is written out.
const MAX_STRINGS: usize = 32;
/// A class of more bytes is no help.
const MAX_CLASS: usize = 8;
/// A string that is written out has at most so many bytes.
const MAX_LENGTH: usize = 96;

/// Nothing is known of an expression that this reads differently from the pattern engine, which mends
/// what is not regular syntax: what is, both read with the same settings.
pub(crate) fn needs(regexp: &Regexp<'_>, nocase: bool) -> Needs {
    let nocase = nocase || regexp.case_insensitive;
    let Ok(ast) = ParserBuilder::new().empty_min_range(true).build().parse(regexp.src) else {
        return Vec::new();
    };
    let hir = TranslatorBuilder::new()
        .case_insensitive(nocase)
        .dot_matches_new_line(regexp.dot_matches_new_line)
        .unicode(false)
        .utf8(false)
        .build()
        .translate(regexp.src, &ast);
    let Ok(hir) = hir else { return Vec::new() };
    let reader = Reader { nocase };
    let part = reader.read(&hir);
    reader.of_part(part)
}

/// Strings that a part stands for.
type Strings = Vec<Vec<u8>>;

/// What is known of a part of an expression.
#[derive(Default)]
struct Part {
    /// All strings that it matches, where they are few.
    strings: Option<Strings>,
    /// Where they are not: strings of which one begins each match, and of which one ends it.
    edges: Option<(Strings, Strings)>,
    needs: Needs,
}

impl Part {
    fn of(strings: Strings) -> Self {
        Self { strings: Some(strings), ..Self::default() }
    }
}

struct Reader {
    nocase: bool,
}

impl Reader {
    fn read(&self, hir: &Hir) -> Part {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Part::of(vec![Vec::new()]),
            HirKind::Literal(literal) => Part::of(vec![self.folded(&literal.0)]),
            HirKind::Class(class) => self.class(class),
            HirKind::Capture(capture) => self.read(&capture.sub),
            HirKind::Repetition(r) => self.repetition(r.min, r.max, self.read(&r.sub)),
            HirKind::Concat(parts) => self.concatenation(parts),
            HirKind::Alternation(parts) => self.alternation(parts),
        }
    }

    fn folded(&self, bytes: &[u8]) -> Vec<u8> {
        if self.nocase { bytes.to_ascii_lowercase() } else { bytes.to_vec() }
    }

    fn class(&self, class: &Class) -> Part {
        let Class::Bytes(class) = class else { return Part::default() };
        let mut strings = Vec::new();
        for range in class.ranges() {
            for byte in range.start()..=range.end() {
                let one = self.folded(&[byte]);
                if !strings.contains(&one) {
                    strings.push(one);
                }
                if strings.len() > MAX_CLASS {
                    return Part::default();
                }
            }
        }
        // A class that nothing is in matches nothing: nothing is said of it.
        if strings.is_empty() { Part::default() } else { Part::of(strings) }
    }

    fn repetition(&self, min: u32, max: Option<u32>, part: Part) -> Part {
        if min == 0 {
            return match part.strings {
                Some(mut strings) if max == Some(1) => {
                    if !strings.contains(&Vec::new()) {
                        strings.push(Vec::new());
                    }
                    Part::of(strings)
                }
                _ => Part::default(),
            };
        }
        if let Some(strings) = &part.strings
            && min as usize <= MAX_LENGTH
        {
            let mut all = vec![Vec::new()];
            for _ in 0..min {
                match product(&all, strings) {
                    Some(more) => all = more,
                    None => return Part { needs: self.of_part(part), ..Part::default() },
                }
            }
            if max == Some(min) {
                return Part::of(all);
            }
            return Part {
                strings: None,
                needs: self.of_strings(all.clone()),
                edges: Some((all.clone(), all)),
            };
        }
        Part { needs: self.of_part(part), ..Part::default() }
    }

    fn concatenation(&self, parts: &[Hir]) -> Part {
        let mut run = vec![Vec::new()];
        let mut needs: Vec<Needs> = Vec::new();
        // What it begins with, once the first run has ended.
        let mut beginning: Option<Strings> = None;
        for part in parts {
            let part = self.read(part);
            needs.push(part.needs);
            let (begin, end) = match (part.strings, part.edges) {
                (Some(strings), _) => {
                    if let Some(longer) = product(&run, &strings) {
                        run = longer;
                        continue;
                    }
                    (vec![Vec::new()], strings)
                }
                (None, Some(edges)) => edges,
                (None, None) => (vec![Vec::new()], vec![Vec::new()]),
            };
            let ended = product(&run, &begin).unwrap_or(run);
            needs.push(self.of_strings(ended.clone()));
            beginning.get_or_insert(ended);
            run = end;
        }
        let Some(beginning) = beginning else { return Part::of(run) };
        needs.push(self.of_strings(run.clone()));
        Part { strings: None, needs: clause::all(needs), edges: Some((beginning, run)) }
    }

    fn alternation(&self, parts: &[Hir]) -> Part {
        let parts: Vec<Part> = parts.iter().map(|p| self.read(p)).collect();
        let count: Option<usize> = parts.iter().map(|p| p.strings.as_ref().map(Vec::len)).sum();
        if count.is_some_and(|n| n <= MAX_STRINGS) {
            let mut strings: Strings = Vec::new();
            for string in parts.into_iter().filter_map(|p| p.strings).flatten() {
                if !strings.contains(&string) {
                    strings.push(string);
                }
            }
            return Part::of(strings);
        }
        let needs = clause::at_least(1, parts.into_iter().map(|p| self.of_part(p)).collect());
        Part { needs, ..Part::default() }
    }

    fn of_part(&self, part: Part) -> Needs {
        match part.strings {
            Some(strings) => self.of_strings(strings),
            None => part.needs,
        }
    }

    fn of_strings(&self, strings: Strings) -> Needs {
        let make = if self.nocase { Literal::nocase } else { Literal::exact };
        Clause::new(strings.iter().map(|s| make(s)).collect()).into_iter().collect()
    }
}

/// Each of the first followed by each of the second; `None` where that is too much.
fn product(first: &[Vec<u8>], second: &[Vec<u8>]) -> Option<Strings> {
    if first.len().saturating_mul(second.len()) > MAX_STRINGS {
        return None;
    }
    let mut all: Strings = Vec::with_capacity(first.len() * second.len());
    for a in first {
        for b in second {
            let both = [&a[..], &b[..]].concat();
            if both.len() > MAX_LENGTH {
                return None;
            }
            if !all.contains(&both) {
                all.push(both);
            }
        }
    }
    Some(all)
}
