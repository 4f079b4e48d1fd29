// SPDX-License-Identifier: Apache-2.0
//! The pattern engine: YARA-X. No time-out is ever set on a scanner: it would start a thread, which a
//! forked, sealed worker cannot; the pool owns the deadline.

use crate::pattern::{Fault, Hit, MAX_PLACES, PatternCompiler, PatternScanner, PatternSet, RuleHead};
use yara_x::{Compiler, MetaValue, Rules, Scanner};

/// Modules of YARA that this build leaves out: rules that need one are left out with a word about it,
/// instead of as many errors.
const ABSENT_MODULES: [&str; 12] =
    ["pe", "dotnet", "macho", "dex", "crx", "lnk", "cuckoo", "vt", "magic", "msi", "olecf", "vba"];

pub(crate) struct YaraX {
    compiler: Compiler<'static>,
    ignored: usize,
}

impl PatternCompiler for YaraX {
    type Set = YaraXSet;

    fn new() -> Self {
        let mut compiler = Compiler::new();
        // A rule file must not make us read other files.
        compiler.enable_includes(false);
        // Rules of others are written for YARA, whose regular expressions forgive more.
        compiler.relaxed_re_syntax(true);
        for module in ABSENT_MODULES {
            compiler.ignore_module(module);
        }
        Self { compiler, ignored: 0 }
    }

    fn add(&mut self, unit: &str, source: &[u8]) -> Vec<Fault> {
        self.compiler.new_namespace(unit);
        let before = self.compiler.errors().len();
        // Its first error is among those that are read below.
        let _first = self.compiler.add_source(source).is_ok();
        let mut faults: Vec<Fault> =
            self.compiler.errors().iter().skip(before).map(|e| fault(source, e)).collect();
        faults.extend(self.absent());
        faults
    }

    fn build(self) -> YaraXSet {
        YaraXSet(self.compiler.build())
    }
}

impl YaraX {
    /// One line on the rules of the last source that need a module which is not there.
    fn absent(&mut self) -> Option<Fault> {
        let mut names: Vec<String> = Vec::new();
        let mut modules: Vec<String> = Vec::new();
        let mut count = 0;
        let mut seen = 0;
        for (name, why) in self.compiler.ignored_rules() {
            seen += 1;
            if seen <= self.ignored {
                continue;
            }
            match why {
                yara_x::IgnoredRuleReason::IgnoredModule(module) => {
                    if !modules.iter().any(|m| m == module) {
                        modules.push(module.to_owned());
                    }
                }
                yara_x::IgnoredRuleReason::IgnoredRule(_) => {}
                _ => continue,
            }
            count += 1;
            if names.len() < 3 {
                names.push(name.to_owned());
            }
        }
        self.ignored = seen;
        (count > 0).then(|| Fault {
            line: 0,
            column: 0,
            message: format!(
                "{count} rules need a YARA module that is not built in ({}) and were left out: {}{}",
                modules.join(", "),
                names.join(", "),
                if count > names.len() { ", ..." } else { "" }
            ),
            syntax: false,
        })
    }
}

fn fault(source: &[u8], error: &yara_x::errors::CompileError) -> Fault {
    let mut message = error.title().to_owned();
    let mut offset = None;
    if let Some(label) = error.labels().next() {
        offset = Some(label.span().start());
        if !label.text().is_empty() {
            message = format!("{message}: {}", label.text());
        }
    }
    let (line, column) = offset.map_or((0, 0), |o| place(source, o));
    Fault { line, column, message, syntax: error.code() == yara_x::errors::SyntaxError::code() }
}

/// Line and column, both from 1, of a byte offset; the column counts characters.
fn place(source: &[u8], offset: usize) -> (u32, u32) {
    let before = source.get(..offset).unwrap_or(source);
    let line = before.iter().filter(|&&b| b == b'\n').count();
    let start = before.iter().rposition(|&b| b == b'\n').map_or(0, |p| p + 1);
    let column = String::from_utf8_lossy(before.get(start..).unwrap_or_default()).chars().count();
    let number = |n: usize| u32::try_from(n + 1).unwrap_or(0);
    (number(line), number(column))
}

pub(crate) struct YaraXSet(Rules);

impl PatternSet for YaraXSet {
    type Scanner<'s> = YaraXScanner<'s>;

    fn scanner(&self) -> YaraXScanner<'_> {
        let mut scanner = Scanner::new(&self.0);
        // Where a condition only asks whether a pattern is there, its first place is enough.
        scanner.fast_scan(true);
        // A pattern that is everywhere must not fill the memory of a worker.
        scanner.max_matches_per_pattern(100_000);
        YaraXScanner(scanner)
    }

    fn describe(&self, each: &mut dyn FnMut(RuleHead<'_>)) {
        for rule in self.0.iter().filter(|r| !r.is_private()) {
            let meta = rule.metadata().map(|(key, value)| (key, text(&value))).collect();
            each(RuleHead { unit: rule.namespace(), name: rule.identifier(), meta });
        }
    }
}

fn text(value: &MetaValue<'_>) -> String {
    match value {
        MetaValue::Integer(n) => n.to_string(),
        MetaValue::Float(n) => n.to_string(),
        MetaValue::Bool(b) => b.to_string(),
        MetaValue::String(s) => (*s).to_owned(),
        MetaValue::Bytes(b) => String::from_utf8_lossy(b).into_owned(),
    }
}

pub(crate) struct YaraXScanner<'s>(Scanner<'s>);

impl PatternScanner for YaraXScanner<'_> {
    fn scan(&mut self, bytes: &[u8], each: &mut dyn FnMut(Hit<'_>)) -> Result<(), String> {
        let results = self.0.scan(bytes).map_err(|e| e.to_string())?;
        for rule in results.matching_rules() {
            let places = rule
                .patterns()
                .filter_map(|p| p.matches().next().map(|m| (p.identifier(), m.range().start)))
                .take(MAX_PLACES)
                .collect();
            each(Hit { unit: rule.namespace(), name: rule.identifier(), places });
        }
        Ok(())
    }
}
