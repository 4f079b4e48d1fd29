// SPDX-License-Identifier: Apache-2.0
//! What must be in a file for a hexadecimal pattern to match: its runs of whole bytes.

use super::clause::{self, Clause, Needs};
use super::literal::Literal;
use yara_x_parser::ast::{HexSubPattern, HexToken};

pub(crate) fn needs(pattern: &HexSubPattern) -> Needs {
    let mut parts: Vec<Needs> = Vec::new();
    let mut run = Vec::new();
    for token in pattern.iter() {
        match token {
            HexToken::Byte(b) if b.mask == 0xff => {
                run.push(b.value);
                continue;
            }
            HexToken::Alternative(any) => {
                parts.push(clause::at_least(1, any.alternatives.iter().map(needs).collect()));
            }
            HexToken::Byte(_) | HexToken::NotByte(_) | HexToken::Jump(_) => {}
        }
        parts.push(literal(&run));
        run.clear();
    }
    parts.push(literal(&run));
    clause::all(parts)
}

fn literal(run: &[u8]) -> Needs {
    Clause::new(vec![Literal::exact(run)]).into_iter().collect()
}
