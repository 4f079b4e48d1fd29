// SPDX-License-Identifier: Apache-2.0
//! The power goes at each step and before each call that changes something: the filesystem is shut down with
//! what it had flushed by then, mounted again, and replayed.

use crate::calls::{self, Fault, Ran};
use crate::judge::Fate;
use crate::matrix::{Case, run, survives};
use crate::scene::Scene;
use lazaret_response::Step;
use std::collections::BTreeMap;
use std::io::Write;

/// Which of the two filesystems still gets its log out: a disk with its own battery, or luck.
const LOGS: [[bool; 2]; 4] = [[false, false], [false, true], [true, false], [true, true]];

#[derive(Default)]
struct Score {
    cuts: usize,
    fates: BTreeMap<Fate, usize>,
    broken: Vec<String>,
}

impl Score {
    fn end(self, what: &str) {
        let words: Vec<String> = self.fates.iter().map(|(f, n)| format!("{f:?} {n}")).collect();
        let _ = writeln!(
            std::io::stdout(),
            "| {what} | {} | {} | {} |",
            self.cuts,
            self.cuts - self.broken.len(),
            words.join(", ")
        );
        assert!(
            self.broken.is_empty(),
            "{} of {} not survived\n{}",
            self.broken.len(),
            self.cuts,
            self.broken.join("\n\n")
        );
        assert!(self.cuts >= 2, "{}", self.cuts);
    }

    fn cut(&mut self, scene: &Scene, ready: &crate::matrix::Ready, ran: &Ran, logs: &[bool], point: &str) {
        for (mount, log) in scene.mounts().zip(logs) {
            mount.cut(*log);
        }
        self.cuts += 1;
        match survives(scene, ready, ran) {
            Ok(fate) => *self.fates.entry(fate).or_default() += 1,
            Err(why) => self.broken.push(format!("{point}, log out {logs:?}: {why}")),
        }
    }
}

fn logs(scene: &Scene) -> impl Iterator<Item = &'static [bool]> {
    let mounts = scene.mounts().count();
    LOGS.iter()
        .take(if mounts == 1 { 0 } else { 4 })
        .map(|l| &l[..])
        .chain([&[false][..], &[true][..]].into_iter().take(if mounts == 1 { 2 } else { 0 }))
}

const fn shown(locked: bool) -> &'static str {
    if locked { ", immutable" } else { "" }
}

/// At every step that the verb passes, and right after its report.
pub(crate) fn at_steps(case: Case, kind: &'static str, apart: Option<&'static str>, locked: bool) {
    let scene = Scene::new(kind, apart, locked);
    let before = case.prepare(&scene);
    let mut score = Score::default();
    let steps = Step::ALL.into_iter().map(|s| format!("{s:?}")).chain(["none".to_owned()]);
    for step in steps {
        for logs in logs(&scene) {
            let mut ready = case.ready(&scene, &before);
            scene.sync();
            ready.arguments.extend(["--die".into(), step.clone().into()]);
            let ran = calls::plain(&ready.arguments);
            if !ran.killed && step != "none" {
                break;
            }
            score.cut(&scene, &ready, &ran, logs, &step);
        }
    }
    score.end(&format!("{case:?} | {kind}, file on {}{} | step", apart.unwrap_or("the same"), shown(locked)));
}

/// Before every call that changes something.
pub(crate) fn at_calls(case: Case, kind: &'static str, locked: bool) {
    let scene = Scene::new(kind, None, locked);
    let before = case.prepare(&scene);
    let ready = case.ready(&scene, &before);
    let (calls, mut at) = calls::trace(&ready.arguments, &scene.log());
    let mut score = Score::default();
    for call in calls.iter().filter(|c| c.changes()) {
        let Some((ready, ran)) = run(case, &scene, &before, call, &mut at, Fault::Kill) else { continue };
        score.cut(&scene, &ready, &ran, &[false], &format!("{} #{} {}", call.name, call.nth, call.text));
    }
    score.end(&format!("{case:?} | {kind}{} | call", shown(locked)));
}
