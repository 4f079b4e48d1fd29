// SPDX-License-Identifier: Apache-2.0
//! Rules in TOML.
//!
//! The file is cut at every line that is exactly `[[rule]]`, and each piece is read by itself: a rule
//! that is broken, even one with an open quote, cannot take its neighbours with it.

use crate::{Case, Content, Rule};
use base64::Engine as _;
use lazaret_model::{ContentProblem, FileType, MalwareClass};
use serde::Deserialize;
use std::collections::HashMap;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Piece {
    rule: Vec<WrittenRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    id: String,
    class: String,
    family: String,
    weight: f32,
    #[serde(default)]
    decisive: bool,
    #[serde(default)]
    test: bool,
    types: Vec<String>,
    max_size: Option<u64>,
    correlate: Option<String>,
    description: String,
    reference: String,
    yara: Spanned<String>,
    #[serde(rename = "match")]
    matching: Option<WrittenCase>,
    #[serde(rename = "no_match")]
    other: Option<WrittenCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCase {
    #[serde(rename = "type")]
    file_type: String,
    body: Option<String>,
    body_base64: Option<String>,
}

/// Adds the rules of one file to `content`; `ids` holds the ids of all files and where they were.
pub(crate) fn parse(file: &str, text: &str, ids: &mut HashMap<String, String>, content: &mut Content) {
    for (first_line, piece) in pieces(text) {
        let mut problem = |line: u32, column: u32, message: String| {
            content.problems.push(ContentProblem { file: file.to_owned(), line, column, message });
        };
        if !piece.trim_start().starts_with("[[rule]]") {
            if let Some(at) = piece.lines().position(|l| !l.trim().is_empty() && !l.trim().starts_with('#')) {
                problem(first_line + line_number(at), 0, "this is not part of a [[rule]]".to_owned());
            }
            continue;
        }
        let written = match toml::from_str::<Piece>(piece) {
            Ok(p) => p.rule,
            Err(e) => {
                let (line, column) = place(piece, e.span().map_or(0, |s| s.start));
                problem(first_line + line, column, e.message().to_owned());
                continue;
            }
        };
        for rule in written {
            match finish(file, first_line, piece, rule) {
                Err(message) => problem(first_line, 0, message),
                Ok(rule) => {
                    if let Some(taken) = ids.get(&rule.id) {
                        problem(first_line, 0, format!("rule {}: its id is taken by {taken}", rule.id));
                        continue;
                    }
                    ids.insert(rule.id.clone(), format!("{file}:{first_line}"));
                    content.rules.push(rule);
                }
            }
        }
    }
}

/// Each piece with the number of its first line, from 1.
fn pieces(text: &str) -> Vec<(u32, &str)> {
    let mut starts = vec![(1, 0)];
    let mut offset = 0;
    for (i, line) in text.split_inclusive('\n').enumerate() {
        if line.trim_end() == "[[rule]]" && offset != 0 {
            starts.push((line_number(i) + 1, offset));
        }
        offset += line.len();
    }
    let mut out = Vec::with_capacity(starts.len());
    for (i, &(line, start)) in starts.iter().enumerate() {
        let end = starts.get(i + 1).map_or(text.len(), |next| next.1);
        out.push((line, text.get(start..end).unwrap_or_default()));
    }
    out
}

fn line_number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX - 1)
}

/// Line from 0 and column from 1 of a byte offset.
fn place(text: &str, offset: usize) -> (u32, u32) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.bytes().filter(|&b| b == b'\n').count();
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count());
    (line_number(line), line_number(column) + 1)
}

fn finish(file: &str, first_line: u32, piece: &str, w: WrittenRule) -> Result<Rule, String> {
    let id = w.id.clone();
    let of_rule = |e: String| format!("rule {id}: {e}");
    let class: MalwareClass = w.class.parse().map_err(|e| of_rule(format!("{e}")))?;
    let types = w.types.iter().map(|t| file_type(t)).collect::<Result<Vec<_>, _>>().map_err(of_rule)?;
    let case = |c: Option<WrittenCase>, name: &str| {
        c.map(|c| finish_case(c).map_err(|e| of_rule(format!("{name}: {e}")))).transpose()
    };
    // The YARA text begins behind the opening quotes, on the next line when they end theirs: TOML
    // drops a line end there.
    let span = w.yara.span();
    let quoted = piece.get(span.clone()).unwrap_or_default();
    let skipped = u32::from(quoted.trim_start_matches(['\'', '"']).starts_with(['\n', '\r']));
    let yara_line = first_line + place(piece, span.start).0 + skipped;
    let rule = Rule {
        matching: case(w.matching, "match")?,
        other: case(w.other, "no_match")?,
        id: w.id,
        class,
        weight: w.weight,
        decisive: w.decisive,
        test: w.test,
        types,
        max_size: w.max_size,
        correlate: w.correlate.unwrap_or_else(|| w.family.clone()),
        family: w.family,
        description: w.description,
        reference: w.reference,
        yara: w.yara.into_inner(),
        file: file.to_owned(),
        line: first_line,
        yara_line,
    };
    rule.fault().map_or(Ok(rule), Err)
}

fn file_type(word: &str) -> Result<FileType, String> {
    FileType::from_word(word).ok_or_else(|| {
        let known: Vec<&str> = FileType::ALL.iter().map(|t| t.word()).collect();
        format!("unknown file type \"{word}\"; known: {}", known.join(", "))
    })
}

fn finish_case(c: WrittenCase) -> Result<Case, String> {
    let body = match (c.body, c.body_base64) {
        (Some(text), None) => text.into_bytes(),
        (None, Some(encoded)) => {
            let packed: String = encoded.split_whitespace().collect();
            base64::engine::general_purpose::STANDARD
                .decode(packed)
                .map_err(|e| format!("body_base64 is not base64: {e}"))?
        }
        _ => return Err("needs either body or body_base64".to_owned()),
    };
    Ok(Case { file_type: file_type(&c.file_type)?, body })
}
