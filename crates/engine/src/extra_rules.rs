// SPDX-License-Identifier: Apache-2.0
//! Rules that others wrote. They are not decisive and reach *medium* at most, unless an administrator
//! promoted the file that they are in.

use crate::confidence::weight_for;
use crate::pattern::{PatternCompiler, PatternSet, RuleHead};
use lazaret_model::{ContentProblem, MalwareClass};
use std::collections::HashMap;

/// A YARA file from somewhere else.
#[derive(Debug, Clone)]
pub struct ExtraRules {
    /// Its name in problems and evidence: the path that the user gave.
    pub label: String,
    /// Its text.
    pub source: Vec<u8>,
    /// An administrator let it reach the rating high.
    pub promoted: bool,
}

/// What is known of a rule that others wrote.
pub(crate) struct ExtraRule {
    pub(crate) label: String,
    pub(crate) class: MalwareClass,
    pub(crate) family: String,
    pub(crate) weight: f32,
    pub(crate) description: String,
    pub(crate) decisive: bool,
}

/// The compiled rules of all files.
pub(crate) struct ExtraSet<S> {
    pub(crate) set: S,
    /// By unit and name.
    rules: HashMap<String, HashMap<String, ExtraRule>>,
    count: usize,
}

/// Confidence of a rule that says nothing about itself: what most public collections take as theirs.
const DEFAULT_SCORE: u8 = 75;
/// The same of a rule in a file that was promoted.
const PROMOTED_SCORE: u8 = 95;
/// Names are labels for people.
const MAX_WORD: usize = 200;

impl<S: PatternSet> ExtraSet<S> {
    /// Compiles; `None` when there is nothing to compile. Rules that do not compile become problems,
    /// with file, line and column; all others are in force.
    pub(crate) fn new<C: PatternCompiler<Set = S>>(
        files: &[ExtraRules],
        problems: &mut Vec<ContentProblem>,
    ) -> Option<Self> {
        if files.is_empty() {
            return None;
        }
        // A syntax error costs neighbours too: files that have one are compiled again in pieces. A
        // compiler cannot forget, so that this takes a second one.
        let mut compiler = C::new();
        let mut torn = Vec::with_capacity(files.len());
        let mut found = Vec::new();
        for (i, file) in files.iter().enumerate() {
            let faults = compiler.add(&unit(i), &file.source);
            torn.push(faults.iter().any(|f| f.syntax));
            found.extend(faults.into_iter().map(|f| (i, 0, f)));
        }
        if torn.contains(&true) {
            compiler = C::new();
            found.clear();
            for (i, (file, &torn)) in files.iter().zip(&torn).enumerate() {
                let pieces =
                    if torn { crate::extra_split::split(&file.source) } else { vec![(1, &file.source[..])] };
                for (line, piece) in pieces {
                    let faults = compiler.add(&unit(i), piece);
                    found.extend(faults.into_iter().map(|f| (i, line - 1, f)));
                }
            }
        }
        problems.extend(found.into_iter().map(|(i, lines_before, fault)| ContentProblem {
            file: files.get(i).map(|f| f.label.clone()).unwrap_or_default(),
            line: if fault.line == 0 { 0 } else { fault.line + lines_before },
            column: fault.column,
            message: fault.message,
        }));
        let set = compiler.build();
        let sources: HashMap<String, &ExtraRules> =
            files.iter().enumerate().map(|(i, f)| (unit(i), f)).collect();
        let mut rules: HashMap<String, HashMap<String, ExtraRule>> = HashMap::new();
        let mut count = 0;
        set.describe(&mut |head| {
            count += 1;
            let (label, promoted) =
                sources.get(head.unit).map_or(("", false), |f| (f.label.as_str(), f.promoted));
            let rule = rule(label, promoted, &head);
            rules.entry(head.unit.to_owned()).or_default().insert(head.name.to_owned(), rule);
        });
        Some(Self { set, rules, count })
    }

    pub(crate) fn rule(&self, unit: &str, name: &str) -> Option<&ExtraRule> {
        self.rules.get(unit)?.get(name)
    }

    /// Rules in force.
    pub(crate) fn len(&self) -> usize {
        self.count
    }
}

fn unit(index: usize) -> String {
    format!("extra{index}")
}

fn rule(label: &str, promoted: bool, head: &RuleHead<'_>) -> ExtraRule {
    let meta = |names: &[&str]| {
        names.iter().find_map(|n| {
            head.meta
                .iter()
                .find(|(key, value)| key.eq_ignore_ascii_case(n) && !value.trim().is_empty())
                .map(|(_, value)| value.trim().chars().filter(|c| !c.is_control()).take(MAX_WORD).collect())
        })
    };
    let class: Option<String> =
        meta(&["class", "malware_type", "malware_class", "category", "tc_detection_type", "threat_type"]);
    let family: Option<String> =
        meta(&["family", "malware_family", "malware", "tc_detection_name", "threat_name", "threat"]);
    let score: Option<String> = meta(&["score", "confidence"]);
    let score = score.and_then(|s| s.parse::<f32>().ok()).filter(|s| (1.0..=100.0).contains(s));
    let score = score.map(|s| s as u8);
    let score = if promoted {
        score.unwrap_or(PROMOTED_SCORE).min(99)
    } else {
        // Between 1 and 89: others' rules do not reach *high*.
        score.unwrap_or(DEFAULT_SCORE).min(89)
    };
    ExtraRule {
        label: label.to_owned(),
        class: class.map_or(MalwareClass::Unclassified, |c| class_of(&c)),
        family: family.unwrap_or_default(),
        weight: weight_for(score),
        decisive: promoted,
        description: meta(&["description", "desc", "info"]).unwrap_or_default(),
    }
}

/// The class that a word of somebody else's vocabulary means.
fn class_of(word: &str) -> MalwareClass {
    let word: String = word.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    if let Ok(class) = word.parse() {
        return class;
    }
    for (part, class) in [
        ("webshell", MalwareClass::WebShell),
        ("reverseshell", MalwareClass::ReverseShell),
        ("ransom", MalwareClass::Ransomware),
        ("rootkit", MalwareClass::Rootkit),
        ("coinminer", MalwareClass::Miner),
        ("cryptominer", MalwareClass::Miner),
        ("miner", MalwareClass::Miner),
        ("botnet", MalwareClass::Botnet),
        ("bot", MalwareClass::Botnet),
        ("backdoor", MalwareClass::Backdoor),
        ("worm", MalwareClass::Worm),
        ("hacktool", MalwareClass::HackTool),
        ("hackingtool", MalwareClass::HackTool),
        ("trojan", MalwareClass::Trojan),
        ("virus", MalwareClass::Virus),
    ] {
        if word.contains(part) {
            return class;
        }
    }
    MalwareClass::Unclassified
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_others() {
        assert_eq!(class_of("Coin-Miner"), MalwareClass::Miner);
        assert_eq!(class_of("Ransomware"), MalwareClass::Ransomware);
        assert_eq!(class_of("web shell"), MalwareClass::WebShell);
        assert_eq!(class_of("INFO"), MalwareClass::Unclassified);
    }
}
