// SPDX-License-Identifier: Apache-2.0
//! Shipped rules, compiled into one set for each group of file types.
//!
//! A rule has a file-type guard; a text file need not be searched for what only ELF files can have. So
//! each file type has a set with exactly the rules that are for it (types with the same rules share
//! one), and a file is searched once, with one set.

use crate::gate::{RuleGate, SetGate};
use crate::pattern::{PatternCompiler, PatternSet};
use lazaret_model::{ContentProblem, FileType};
use lazaret_pack::Rule;
use std::collections::{HashMap, HashSet};

/// Compiled sets, and the rules they were made from.
pub(crate) struct ShippedRules<S> {
    pub(crate) sets: Vec<S>,
    /// For each set, what tells quickly that none of its rules matches.
    gates: Vec<SetGate>,
    /// For each file type, in the order of [`FileType::ALL`], its set.
    by_type: [Option<usize>; FileType::ALL.len()],
    rules: Vec<Rule>,
    by_id: HashMap<String, usize>,
}

/// The unit of all shipped rules: they share one name space.
const UNIT: &str = "lazaret";
/// Modules that a condition may use without saying so: a shipped rule has no place for `import`.
const MODULES: [&str; 5] = ["elf", "hash", "math", "string", "time"];

impl<S: PatternSet> ShippedRules<S> {
    /// Compiles; rules that do not compile become problems and are left out everywhere.
    pub(crate) fn new<C: PatternCompiler<Set = S>>(
        rules: &[Rule],
        problems: &mut Vec<ContentProblem>,
    ) -> Self {
        let mut sets = Vec::new();
        let mut gates = Vec::new();
        let sources: Vec<String> = rules.iter().map(source).collect();
        let rule_gates: Vec<RuleGate> =
            sources.iter().zip(rules).map(|(s, r)| RuleGate::new(&r.id, s, r.max_size)).collect();
        let mut by_type = [None; FileType::ALL.len()];
        let mut made: HashMap<Vec<usize>, usize> = HashMap::new();
        let mut broken: HashSet<usize> = HashSet::new();
        for (slot, file_type) in by_type.iter_mut().zip(FileType::ALL) {
            let mut group: Vec<usize> = (0..rules.len())
                .filter(|i| rules.get(*i).is_some_and(|r| r.types.contains(&file_type)))
                .collect();
            if let Some(&set) = made.get(&group) {
                *slot = Some(set);
                continue;
            }
            let key = group.clone();
            group.retain(|i| !broken.contains(i));
            if group.is_empty() {
                continue;
            }
            let mut compiler = C::new();
            let mut set_gates = Vec::with_capacity(group.len());
            for i in group {
                let (Some(rule), Some(source)) = (rules.get(i), sources.get(i)) else { continue };
                set_gates.extend(rule_gates.get(i).cloned());
                let faults = compiler.add(UNIT, source.as_bytes());
                if !faults.is_empty() {
                    broken.insert(i);
                }
                problems.extend(faults.into_iter().map(|fault| ContentProblem {
                    file: rule.file.clone(),
                    // The source has one line in front of the rule's own text.
                    line: if fault.line >= 2 { rule.yara_line + fault.line - 2 } else { rule.line },
                    column: fault.column,
                    message: format!("rule {}: {}", rule.id, fault.message),
                }));
            }
            *slot = Some(sets.len());
            made.insert(key, sets.len());
            sets.push(compiler.build());
            gates.push(SetGate::new(set_gates));
        }
        let mut sound = Vec::with_capacity(rules.len());
        for (i, rule) in rules.iter().enumerate() {
            if !broken.contains(&i) {
                sound.push(rule.clone());
            }
        }
        for rule in &mut sound {
            // From here on only the compiled form is needed.
            rule.yara = String::new();
            rule.matching = None;
            rule.other = None;
        }
        let by_id = sound.iter().enumerate().map(|(i, r)| (r.id.clone(), i)).collect();
        Self { sets, gates, by_type, rules: sound, by_id }
    }

    /// The set for files of this type; `None` when no rule is for them.
    pub(crate) fn set_for(&self, file_type: FileType) -> Option<usize> {
        self.by_type.get(file_type as usize).copied().flatten()
    }

    /// The gate of a set.
    pub(crate) fn gate(&self, set: usize) -> Option<&SetGate> {
        self.gates.get(set)
    }

    pub(crate) fn rule(&self, id: &str) -> Option<&Rule> {
        self.by_id.get(id).and_then(|&i| self.rules.get(i))
    }

    /// Rules in force.
    pub(crate) fn len(&self) -> usize {
        self.rules.len()
    }
}

/// Literals of which one at least is in every object that the rule matches; what the rule needs besides them
/// is not among them. `None` when nothing is known: then every object of its types is searched by rules.
#[must_use]
pub fn gate_literals(rule: &Rule) -> Option<Vec<Vec<u8>>> {
    let gate = RuleGate::new(&rule.id, &source(rule), rule.max_size);
    (!gate.is_open()).then(|| gate.literals().iter().map(|l| l.bytes.clone()).collect())
}

/// The whole YARA rule. What it needs before its own text stands on the first line, so that line
/// numbers can be told back.
pub(crate) fn source(rule: &Rule) -> String {
    let condition = rule.yara.rfind("condition:").and_then(|at| rule.yara.get(at..)).unwrap_or_default();
    let mut text = String::with_capacity(rule.yara.len() + 64);
    for module in MODULES {
        if condition.contains(&format!("{module}.")) {
            text.push_str(&format!("import \"{module}\" "));
        }
    }
    text.push_str(&format!("rule {} {{\n{}\n}}\n", rule.id, rule.yara));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_numbered_in_the_order_of_all() {
        for (i, t) in FileType::ALL.into_iter().enumerate() {
            assert_eq!(t as usize, i);
        }
    }
}
