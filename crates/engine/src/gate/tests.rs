// SPDX-License-Identifier: Apache-2.0
//! What is derived from each construct of a rule, and that what is derived is found wherever it stands.

use super::literal::{Form, Literal};
use super::sample::{Sampler, Sought};
use super::{RuleGate, SetGate};
use crate::shipped_rules::source;
use proptest::prelude::*;

/// The gate of a rule with these patterns and this condition.
fn gate(patterns: &str, condition: &str) -> RuleGate {
    RuleGate::new("r", &format!("rule r {{ strings: {patterns} condition: {condition} }}"), None)
}

/// The literals of the first clause, sorted; `open` where there is none.
fn first(patterns: &str, condition: &str) -> Vec<String> {
    let gate = gate(patterns, condition);
    if gate.is_open() {
        return vec!["open".to_owned()];
    }
    let mut all: Vec<String> = gate.literals().iter().map(word).collect();
    all.sort();
    all
}

fn word(literal: &Literal) -> String {
    let bytes = literal.bytes.escape_ascii();
    match literal.form {
        Form::Exact => format!("{bytes}"),
        Form::Nocase => format!("{bytes}/i"),
        Form::Xor(from, to) => format!("{bytes}^{from:x}-{to:x}"),
    }
}

#[test]
fn patterns_of_each_kind() {
    for (pattern, expected) in [
        ("$a = \"quokka-one\"", &["quokka-one"][..]),
        ("$a = \"quokka-one\" fullword private", &["quokka-one"]),
        ("$a = \"Quokka-One\" nocase", &["quokka-one/i"]),
        ("$a = \"quokka\" wide", &["q\\x00u\\x00o\\x00k\\x00k\\x00a"]),
        (
            "$a = \"quokka-one\" ascii wide",
            &["q\\x00u\\x00o\\x00k\\x00k\\x00a\\x00-\\x00o\\x00n\\x00e", "quokka-one"],
        ),
        ("$a = \"quokka-one\" xor", &["quokka-one^0-ff"]),
        ("$a = \"quokka-one\" xor(1-9)", &["quokka-one^1-9"]),
        ("$a = \"quokka-one\" xor(0xfe)", &["quokka-one^fe-fe"]),
        // Too short to be found under every key.
        ("$a = \"quokka\" xor", &["open"]),
        ("$a = \"quokka-one\" xor wide", &["open"]),
        ("$a = \"quokka-one\" base64", &["open"]),
        ("$a = \"quokka-one\" base64wide", &["open"]),
        ("$a = \"quo\"", &["open"]),
        ("$a = \"quok\"", &["quok"]),
        ("$a = { 51 75 6f 6b ?? 6b 61 2d 6f 6e 65 }", &["ka-one"]),
        ("$a = { 51 75 6f 6b 6b 61 [2-4] 6b 61 }", &["Quokka"]),
        ("$a = { 51 75 6f 6b 6b 6? 6b 61 }", &["Quokk"]),
        ("$a = { 51 75 6f 6b 6b ~61 6b 61 }", &["Quokk"]),
        ("$a = { 00 01 ( 51 75 6f 6b 6b | 61 2d 6f 6e 65 ) 02 }", &["Quokk", "a-one"]),
        ("$a = { 00 01 ( 51 75 6f 6b 6b | ?? ) 02 }", &["open"]),
        ("$a = { 00 ?? 01 }", &["open"]),
        ("$a = /quokka-one/", &["quokka-one"]),
        ("$a = /quokka-one/i", &["quokka-one/i"]),
        ("$a = /Quokka-one/ nocase", &["quokka-one/i"]),
        ("$a = /quokka-one/ wide", &["open"]),
        ("$a = /quokka-one/ ascii wide", &["open"]),
        ("$a = /quokka-(one|two)/", &["quokka-one", "quokka-two"]),
        ("$a = /qu[ao]kka-one/", &["quakka-one", "quokka-one"]),
        ("$a = /quokka[^\\n]{1,80}wombat-two/", &["wombat-two"]),
        ("$a = /(quokka-one|wombat[0-9]+)\\s*[a-z]{3}/", &["quokka-one", "wombat"]),
        ("$a = /(quokka-one|[a-z]+)\\s/", &["open"]),
        ("$a = /quokka(-one)?[0-9]/", &["quokka"]),
        ("$a = /x*[xy]+(quokka-one){1,3}/", &["xquokka-one", "yquokka-one"]),
        ("$a = /x*.+(quokka-one){1,3}/", &["quokka-one"]),
        ("$a = /(quokka-one)?(wombat-two)*/", &["open"]),
        ("$a = /(quokka-one){0,3}wombat/", &["wombat"]),
        ("$a = /\\bquokka-one\\b$/", &["quokka-one"]),
        ("$a = /quokka[ \\t]+-x/", &["quokka ", "quokka\\t"]),
        ("$a = /\\d(ab){2,}c\\d/", &["ababc"]),
        ("$a = /q([ \\t]+-e)[ \\t]+\\d/", &[" -e ", " -e\\t", "\\t-e ", "\\t-e\\t"]),
        ("$a = /[a-z0-9]{20,30}/", &["open"]),
        ("$a = /#{6}[a-z]+/", &["######"]),
        ("$a = /(?:)/", &["open"]),
        ("$a = /(\\b){1000}quokka-one/", &["quokka-one"]),
        ("$a = /(\\d{1000}quokka-one){1000}/", &["quokka-one"]),
    ] {
        assert_eq!(first(pattern, "$a"), expected, "{pattern}");
    }
}

#[test]
fn conditions_of_each_kind() {
    let p = "$a1 = \"quokka-one\" $a2 = \"quokka-two\" $a3 = \"quokka-three\" $b = \"wombat-4711-zxq\"";
    let a = &["quokka-one", "quokka-three", "quokka-two"][..];
    for (condition, expected) in [
        ("$b", &["wombat-4711-zxq"][..]),
        ("$b at 0", &["wombat-4711-zxq"]),
        ("$b in (0 .. 100)", &["wombat-4711-zxq"]),
        ("#b > 0", &["wombat-4711-zxq"]),
        ("#b >= 3", &["wombat-4711-zxq"]),
        ("#b == 2", &["wombat-4711-zxq"]),
        ("2 < #b", &["wombat-4711-zxq"]),
        ("1 <= #b", &["wombat-4711-zxq"]),
        ("#b in (0..100) >= 2", &["wombat-4711-zxq"]),
        ("#a1 + #a2 + #a3 >= 3", a),
        ("any of them", &["quokka-one", "quokka-three", "quokka-two", "wombat-4711-zxq"]),
        ("any of ($a*)", a),
        ("1 of ($a*) in (0..10)", a),
        ("20% of ($a*)", a),
        ("any of ($a1, $b)", &["quokka-one", "wombat-4711-zxq"]),
        // Any two of the three must hold one of what is there: the more telling two are taken.
        ("2 of ($a*)", &["quokka-three", "quokka-two"]),
        ("all of ($a*)", &["quokka-three"]),
        ("7 of ($a*)", &["quokka-three"]),
        ("$a1 and $b", &["wombat-4711-zxq"]),
        ("$a1 or $b", &["quokka-one", "wombat-4711-zxq"]),
        ("filesize < 100 and ($a1 or $a2) and uint32(0) == 1", &["quokka-one", "quokka-two"]),
        ("($a1 and not $b) or $a2", &["quokka-one", "quokka-two"]),
        ("any of ($a1 and $b, $a2)", &["quokka-two", "wombat-4711-zxq"]),
        ("all of ($a1, filesize > 3)", &["quokka-one"]),
        // These can hold where nothing is.
        ("not $b", &["open"]),
        ("#b == 0", &["open"]),
        ("#b >= 0", &["open"]),
        ("#b > -1", &["open"]),
        ("#b < 3", &["open"]),
        ("#b <= 3", &["open"]),
        ("#b != 3", &["open"]),
        ("#b >= filesize", &["open"]),
        ("#a1 + filesize >= 3", &["open"]),
        ("#a1 - #a2 >= 1", &["open"]),
        ("none of them", &["open"]),
        ("0 of them", &["open"]),
        ("0% of them", &["open"]),
        ("filesize of them", &["open"]),
        ("$a1 or filesize < 10", &["open"]),
        ("1 of ($a1, filesize > 3)", &["open"]),
        ("defined #b", &["open"]),
        ("@b > 3", &["open"]),
        ("!b == 3", &["open"]),
        ("for any of them : ( $ at 3 )", &["open"]),
        ("for all i in (1 .. #b) : ( @b[i] > 10 )", &["open"]),
        ("with x = 1 : ( $b )", &["open"]),
        ("other_rule", &["open"]),
        ("true", &["open"]),
        ("filesize > 1", &["open"]),
    ] {
        assert_eq!(first(p, condition), expected, "{condition}");
    }
}

#[test]
fn what_is_not_one_sound_rule_is_open() {
    for source in [
        "",
        "rule a { condition: ",
        "rule a { strings: $a = \"quokka-one\" condition: $a } rule b { condition: true }",
        "rule a { strings: $a = \"quokka-one\" condition: $a and }",
    ] {
        assert!(RuleGate::new("r", source, None).is_open(), "{source}");
    }
}

#[test]
fn a_rule_that_lacks_another_need_or_is_for_smaller_files_does_not_open() {
    let p = "$a = \"quokka-4711\" $b1 = \"wombat\" $b2 = \"dingo\" $c = \"numbat\" nocase";
    let yara = format!("rule r {{ strings: {p} condition: $a and 1 of ($b*) and $c }}");
    let gate = SetGate::new(vec![RuleGate::new("r", &yara, Some(1000))]);
    for (text, opens) in [
        ("quokka-4711 and a dingo and a Numbat", true),
        ("quokka-4711 and a dingo", false),
        ("quokka-4711, nuMBat, a dIngo", false),
        ("quokka-4711 and nobody", false),
        ("a wombat, a dingo and a numbat", false),
        ("", false),
    ] {
        assert_eq!(gate.may_match(text.as_bytes(), 1000), opens, "{text}");
        assert!(!gate.may_match(text.as_bytes(), 1001));
    }
    let open = RuleGate::new("s", "rule s { condition: true }", Some(10));
    let gate = SetGate::new(vec![RuleGate::new("r", &yara, None), open]);
    assert!(gate.may_match(b"", 10));
    assert!(!gate.may_match(b"", 11));
    assert!(gate.may_match(b"quokka-4711 dingo numbat", 1 << 40));
}

#[test]
fn every_shipped_rule_has_a_gate_that_its_own_case_opens_wherever_it_stands() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content");
    let content = lazaret_pack::read_sources(&[&dir, &dir.join("deep")]).unwrap();
    let mut without = Vec::new();
    for rule in &content.rules {
        let gate = RuleGate::new(&rule.id, &source(rule), rule.max_size);
        if gate.is_open() {
            without.push(rule.id.as_str());
        }
        let set = SetGate::new(vec![gate]);
        let object = rule.matching.as_ref().unwrap().object();
        for shift in 0..8 {
            let shifted = [&vec![b'x'; shift], &object[..]].concat();
            assert!(set.may_match(&shifted, object.len() as u64), "{} moved by {shift}", rule.id);
        }
        assert!(!set.may_match(&[b'x'; 4096], 4096) || without.contains(&rule.id.as_str()), "{}", rule.id);
    }
    assert!(
        without.is_empty(),
        "rules that every file of their types is searched for (docs/content-authoring.md): {without:?}"
    );
}

/// A literal as a file would hold it.
fn as_held(literal: &Literal, choice: u8) -> Vec<u8> {
    match literal.form {
        Form::Exact => literal.bytes.clone(),
        Form::Nocase => literal
            .bytes
            .iter()
            .enumerate()
            .map(|(i, b)| if choice >> (i % 8) & 1 == 0 { *b } else { b.to_ascii_uppercase() })
            .collect(),
        Form::Xor(from, to) => {
            let key = from + choice % (to - from).max(1);
            literal.bytes.iter().map(|b| b ^ key).collect()
        }
    }
}

fn some_literal() -> impl Strategy<Value = Literal> {
    let bytes = prop_oneof![
        proptest::collection::vec(any::<u8>(), 4..24),
        "[a-zA-Z0-9 /._-]{4,24}".prop_map(String::into_bytes),
        "[ab]{4,12}".prop_map(String::into_bytes),
    ];
    (bytes, 0..3u8, any::<u8>(), any::<u8>()).prop_map(|(bytes, form, a, b)| match form {
        0 => Literal::exact(&bytes),
        1 => Literal::nocase(&bytes),
        _ if bytes.len() >= super::sample::LONG => Literal { bytes, form: Form::Xor(a.min(b), a.max(b)) },
        _ => Literal::exact(&bytes),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Wherever it stands and whatever is around it, each literal is found, and nothing is reported that
    /// is not there.
    #[test]
    fn the_fast_pass_finds_what_is_there_and_nothing_else(
        literals in proptest::collection::vec(some_literal(), 1..40),
        chosen in any::<prop::sample::Index>(),
        choice in any::<u8>(),
        before in proptest::collection::vec(any::<u8>(), 0..200),
        after in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let number = chosen.index(literals.len());
        let held = as_held(&literals[number], choice);
        let bytes = [&before[..], &held, &after].concat();
        let sought = literals.iter().map(|l| Sought { literal: l.clone(), largest: 1000 });
        let sampler = Sampler::new(sought.collect());
        let mut found = Vec::new();
        let stopped = sampler.find(&bytes, 1000, &mut |literal| { found.push(literal); false });
        prop_assert!(!stopped);
        prop_assert!(found.contains(&number));
        for literal in found {
            prop_assert!((0..bytes.len()).any(|at| literals[literal].begins(&bytes[at..])));
            prop_assert!(literals[literal].may_be_in(&bytes));
        }
        prop_assert!(sampler.find(&bytes, 1000, &mut |literal| literal == number));
        prop_assert!(!sampler.find(&bytes, 1001, &mut |_| true));
    }
}
