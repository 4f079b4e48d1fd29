// SPDX-License-Identifier: Apache-2.0
//! After loading, the engine needs nothing that a sealed worker may not do. A program of its own:
//! other tests load engines meanwhile.

#![forbid(unsafe_code)]

#[path = "../engine/stand_ins.rs"]
#[allow(dead_code, reason = "shared with the other tests, which use more of it")]
mod stand_ins;

use lazaret_engine::{Engine, ExtraRules};
use stand_ins::{BAD, eicar, shipped};

fn executable_mappings() -> Vec<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines()
        .filter(|l| l.split(' ').nth(1).is_some_and(|mode| mode.contains('x')))
        .map(str::to_owned)
        .collect()
}

fn count(folder: &str) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

#[test]
fn nothing_executable_is_mapped_and_no_thread_started_after_loading() {
    let source = b"import \"elf\" import \"hash\" import \"math\"\n\
        rule a { condition: elf.type == elf.ET_EXEC and math.entropy(0, filesize) > 0 }\n\
        rule b { strings: $a = /q[uo]+kka{2,3}/ nocase condition: #a > 3 or hash.md5(0, filesize) == \"x\" }";
    let extra = ExtraRules { label: "extra.yar".to_owned(), source: source.to_vec(), promoted: false };
    let (engine, info) = Engine::load(&shipped(), &[extra]);
    assert_eq!(info.problems, []);
    let before = (executable_mappings(), count("/proc/self/task"), count("/proc/self/fd"));
    let mut scanner = engine.scanner();
    let eicar = eicar();
    let php = b"<?php echo 1; ?>".to_vec();
    let script = b"#!/bin/sh\necho hello\n".to_vec();
    let program = std::fs::read("/bin/true").unwrap();
    for bytes in [BAD.to_vec(), eicar, php, script, program, vec![0; 5000], b"PK\x03\x04".to_vec()] {
        scanner.scan_bytes(&bytes, true).unwrap();
    }
    assert!(!before.0.is_empty());
    assert_eq!((executable_mappings(), count("/proc/self/task"), count("/proc/self/fd")), before);
}
