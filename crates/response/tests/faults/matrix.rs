// SPDX-License-Identifier: Apache-2.0
//! Every call of every verb is failed in every way that it can fail, and cut off; replay follows; the judge
//! looks.

use crate::calls::{self, Call, Fault, Ran};
use crate::judge::{self, Fate, Seen, Verb};
use crate::scene::Scene;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Isolate,
    /// From the vault.
    Restore,
    /// From the staging folder, where it stayed because the vault was full.
    GiveBack,
    Delete,
    /// Of an isolation that was cut off at this step.
    Replay(&'static str),
}

/// A verb about to be run.
pub(crate) struct Ready {
    pub(crate) arguments: Vec<OsString>,
    pub(crate) verb: Verb,
    pub(crate) before: Seen,
}

pub(crate) fn arguments(scene: &Scene, verb: &str, more: &[&str]) -> Vec<OsString> {
    let mut all: Vec<OsString> = vec![verb.into(), "--state".into(), scene.state().into()];
    all.extend(more.iter().map(OsString::from));
    all
}

pub(crate) fn plain(scene: &Scene, verb: &str, more: &[&str]) -> Ran {
    calls::plain(&arguments(scene, verb, more))
}

fn file(scene: &Scene) -> String {
    scene.path().to_str().unwrap().to_owned()
}

impl Case {
    /// Once: the state folder from which each round begins.
    pub(crate) fn prepare(self, scene: &Scene) -> Seen {
        scene.reset();
        let ran = plain(scene, "replay", &[]);
        assert!(ran.ok, "{ran:?}");
        scene.furnish();
        let before = Seen::at(&scene.path()).unwrap();
        if matches!(self, Self::Restore | Self::Delete) {
            let ran = plain(scene, "isolate", &["--file", &file(scene)]);
            assert_eq!(ran.report().unwrap()["outcome"]["word"], "done", "{ran:?}");
        }
        scene.keep();
        before
    }

    /// Before each round.
    pub(crate) fn ready(self, scene: &Scene, before: &Seen) -> Ready {
        scene.reset();
        if !matches!(self, Self::Restore | Self::Delete) {
            scene.furnish();
        }
        let id = || judge::object(scene).unwrap().unwrap().id.to_string();
        let (verb, arguments) = match self {
            Self::Isolate => (Verb::Isolate, arguments(scene, "isolate", &["--file", &file(scene)])),
            Self::Restore => (Verb::Restore, arguments(scene, "restore", &["--id", &id()])),
            Self::Delete => (Verb::Delete, arguments(scene, "delete", &["--id", &id()])),
            Self::GiveBack => {
                let ran = plain(scene, "isolate", &["--file", &file(scene), "--full", "yes"]);
                assert_eq!(ran.report().unwrap()["status"], "isolated_in_place", "{ran:?}");
                (Verb::Restore, arguments(scene, "restore", &["--id", &id()]))
            }
            Self::Replay(step) => {
                let ran = plain(scene, "isolate", &["--file", &file(scene), "--die", step]);
                assert!(ran.killed, "{ran:?}");
                (Verb::Isolate, arguments(scene, "replay", &[]))
            }
        };
        Ready { arguments, verb, before: before.clone() }
    }
}

/// Which faults one test tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Faults {
    Kills,
    Errors,
    /// Errors that stay, as of a disk that is full.
    Lasting,
}

fn faults_of(call: &Call, which: Faults, full: bool) -> Vec<Fault> {
    match which {
        // Between two calls that change nothing a kill finds the same disk.
        Faults::Kills if call.changes() || full => vec![Fault::Kill],
        Faults::Kills => Vec::new(),
        Faults::Lasting if call.changes() => ["ENOSPC", "EIO", "EROFS"].map(Fault::Lasting).to_vec(),
        Faults::Lasting => Vec::new(),
        Faults::Errors => call.errors().iter().copied().map(Fault::Error).collect(),
    }
}

/// After the fault: replay, the judge, a second replay that finds nothing, and from wherever the content was
/// kept a restore that brings everything back.
pub(crate) fn survives(scene: &Scene, ready: &Ready, ran: &Ran) -> Result<Fate, String> {
    if !ran.killed && ran.report().is_none() && ready.arguments[0] != "replay" {
        return Err(format!("no report: {}", ran.errors));
    }
    let replay = plain(scene, "replay", &[]);
    if !replay.ok {
        return Err(format!("replay: {}", replay.errors));
    }
    let said = |why: String| format!("{why}\n  said {:?}\n  replay {:?}", ran.said, replay.said);
    let (fate, object) = judge::judge(scene, ready.verb, &ready.before, ran, &replay).map_err(said)?;
    // A second name that could not be taken, as was told, keeps the old inode.
    let second = Seen::at(&scene.second()).is_some();
    let again = match &object {
        Some(o) if matches!(fate, Fate::Sealed | Fate::Staged | Fate::DeniedInPlace) => {
            let back = plain(scene, "restore", &["--id", &o.id.to_string()]);
            let seen = Seen::at(&scene.path());
            let restored = back.report().is_some_and(|r| r["status"] == "restored");
            let mut differing = seen.map_or_else(|| vec!["all".to_owned()], |s| s.differing(&ready.before));
            differing.retain(|d| d != "names" || !second);
            if !restored || !differing.is_empty() {
                return Err(said(format!(
                    "{fate:?}, and it does not come back: {:?} {differing:?}",
                    back.said
                )));
            }
            back
        }
        _ => plain(scene, "replay", &[]),
    };
    if again.replayed().is_empty() {
        Ok(fate)
    } else {
        Err(said(format!("replayed twice: {:?}", again.said)))
    }
}

fn words(fates: &BTreeMap<Fate, usize>) -> String {
    fates.iter().map(|(f, n)| format!("{f:?} {n}")).collect::<Vec<_>>().join(", ")
}

/// Runs the verb with the fault in it; `None` when the verb does not make that call after all.
pub(crate) fn run(
    case: Case,
    scene: &Scene,
    before: &Seen,
    call: &Call,
    at: &mut calls::Before,
    fault: Fault,
) -> Option<(Ready, Ran)> {
    for _ in 0..4 {
        let ready = case.ready(scene, before);
        scene.sync();
        let ran = calls::faulty(&ready.arguments, call, at, fault, &scene.log());
        if ran.hit {
            return Some((ready, ran));
        }
        let ready = case.ready(scene, before);
        *at = calls::trace(&ready.arguments, &scene.log()).1;
    }
    None
}

/// Whether everything is to be tried, whatever it takes.
pub(crate) fn full() -> bool {
    std::env::var_os("LAZARET_FULL").is_some()
}

/// The matrix of one case on one filesystem; prints its line of the table.
pub(crate) fn matrix(case: Case, kind: &'static str, locked: bool, which: Faults) {
    let full = full();
    let scene = Scene::new(kind, None, locked);
    let before = case.prepare(&scene);
    let ready = case.ready(&scene, &before);
    let (calls, mut at) = calls::trace(&ready.arguments, &scene.log());
    let (mut tried, mut missed, mut touched, mut seldom) = (0, Vec::new(), 0, 0);
    let mut fates: BTreeMap<Fate, usize> = BTreeMap::new();
    let mut broken = Vec::new();
    for call in &calls {
        let faults = faults_of(call, which, full);
        touched += usize::from(!faults.is_empty());
        for fault in faults {
            let Some((ready, ran)) = run(case, &scene, &before, call, &mut at, fault) else {
                // On a busy machine the first look has seen one call more than any other: then there is none to miss.
                let ready = case.ready(&scene, &before);
                let (now, place) = calls::trace(&ready.arguments, &scene.log());
                at = place;
                let is_there = now.iter().any(|c| c.name == call.name && c.nth == call.nth);
                seldom += usize::from(!is_there);
                missed.extend((is_there && call.changes()).then(|| call.text.clone()));
                continue;
            };
            tried += 1;
            match survives(&scene, &ready, &ran) {
                Ok(fate) => *fates.entry(fate).or_default() += 1,
                Err(why) => {
                    broken.push(format!("{fault:?} at {} #{} {}: {why}", call.name, call.nth, call.text))
                }
            }
        }
    }
    let _ = writeln!(
        std::io::stdout(),
        "| {case:?} | {kind}{} | {which:?} | {} of {} | {tried} | {} | {} |",
        if locked { ", immutable" } else { "" },
        touched,
        calls.len(),
        tried - broken.len(),
        words(&fates)
    );
    assert!(broken.is_empty(), "{} of {tried} not survived\n{}", broken.len(), broken.join("\n\n"));
    // Looking for staging folders depends on what else is mounted at the moment; what changes something does not.
    assert!(missed.is_empty(), "{tried} tried, missed {missed:?}");
    assert!(seldom * 50 <= tried, "{tried} tried, {seldom} were there at the first look alone");
    assert!(tried > 10, "{tried}");
}
