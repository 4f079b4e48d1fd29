// SPDX-License-Identifier: Apache-2.0
//! A decisive rule of the stories' own, and harmless files that it condemns.

use crate::binaries;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Two words that only the rule of these stories knows; put together at run time.
#[must_use]
pub fn words() -> String {
    std::hint::black_box(["lazaret-story-", "stand-in"]).concat()
}

/// A script that the stories' own rule condemns; it prints `ran`.
#[must_use]
pub fn stand_in(number: usize) -> Vec<u8> {
    format!("#!/bin/sh\necho ran\n# {} {number}\n", words()).into_bytes()
}

/// Its id.
pub const RULE: &str = "malware_story_stand_in";

/// The shipped content and one decisive rule that is wrong about packages, as a pack.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn content(folder: &Path) -> PathBuf {
    let source = folder.join("content");
    crate::fs::run(
        "cp",
        &[
            "-r",
            binaries::repository().join("content").to_str().expect("a story's folder"),
            source.to_str().expect("a story's folder"),
        ],
    );
    let rule = format!(
        "\n[[rule]]\nid = \"{RULE}\"\nclass = \"malware\"\nfamily = \"story\"\nweight = 7.0\ndecisive = true\n\
         types = [\"script\"]\ndescription = \"A stand-in of the tests.\"\nreference = \"https://example.org/\"\n\
         yara = '''\nstrings:\n  $a = \"{0}\"\ncondition:\n  $a\n'''\n\
         [rule.match]\ntype = \"script\"\nbody = '#!/bin/sh {0}'\n\
         [rule.no_match]\ntype = \"script\"\nbody = '#!/bin/sh'\n",
        words()
    );
    let turned: Vec<u8> = rule
        .bytes()
        .map(|b| match b {
            33..=79 => b + 47,
            80..=126 => b - 47,
            _ => b,
        })
        .collect();
    let rules = source.join("rules/malware.toml.rot47");
    let mut text = std::fs::read(&rules).expect("a story's folder");
    text.extend(turned);
    std::fs::write(&rules, text).expect("a story's folder");
    let pack = folder.join("story.pack");
    let tool = binaries::path("lazaret-content");
    let made = Command::new(tool).arg("build").arg(&source).arg(&pack).output().expect("a story's folder");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    pack
}
