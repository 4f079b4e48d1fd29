// SPDX-License-Identifier: Apache-2.0
//! Somebody interferes at a chosen step of an isolation: another file is never touched, the judged
//! content is in the vault or where it was, and the outcome says which.

mod support;

use lazaret_model::{Action, IsolatedStatus, Outcome};
use lazaret_response::{Report, Responder, Step};
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use support::{Fs, State, isolate, restore, run, target};

const BAD: &str = "judged as bad";
const PRECIOUS: &str = "somebody else's";

/// The steps at which the file may still be meddled with.
const STEPS: [Step; 5] = [Step::IntentWritten, Step::Denied, Step::NameGone, Step::Sealed, Step::LinksGone];

/// `d/f` is the bad file; `e/f` is another one.
struct Scene {
    fs: Fs,
    state: State,
    path: PathBuf,
    other: PathBuf,
    /// Who opened it before it was judged.
    held: File,
}

impl Scene {
    fn new(kind: &'static str) -> Self {
        let fs = Fs::new(kind);
        for d in ["d", "e"] {
            std::fs::create_dir(fs.dir.join(d)).unwrap();
        }
        let (path, other) = (fs.dir.join("d/f"), fs.dir.join("e/f"));
        std::fs::write(&path, BAD).unwrap();
        std::fs::write(&other, PRECIOUS).unwrap();
        let held = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        Self { fs, state: State::fast(), path, other, held }
    }

    /// Isolates, with `attack` once at `step`.
    fn play(&self, step: Step, attack: impl Fn(&Self) + Send + Sync) -> (Responder, Report) {
        let hit = Arc::new(AtomicBool::new(false));
        let mut config = self.state.config();
        let at: Arc<Mutex<Option<Step>>> = Arc::default();
        let (flag, now) = (hit.clone(), at.clone());
        // The hook outlives this call; the attack does not: it runs on this thread, between two steps.
        let (to_attack, told) = std::sync::mpsc::channel::<()>();
        let (done, attacked) = std::sync::mpsc::channel::<()>();
        let attacked = Mutex::new(attacked);
        config.on_step = Some(Arc::new(move |s| {
            if s == step && !flag.swap(true, Ordering::SeqCst) {
                *now.lock().unwrap() = Some(s);
                to_attack.send(()).unwrap();
                attacked.lock().unwrap().recv().unwrap();
            }
        }));
        let (r, _) = Responder::open(config).unwrap();
        let t = target(&self.path);
        let report = std::thread::scope(|scope| {
            let work = scope.spawn(|| isolate(&r, t));
            while !work.is_finished() {
                if told.recv_timeout(std::time::Duration::from_millis(5)).is_ok() {
                    attack(self);
                    done.send(()).unwrap();
                }
            }
            work.join().unwrap()
        });
        assert!(hit.load(Ordering::SeqCst), "{step:?} was not passed");
        (r, report)
    }

    /// What holds whatever was done to the file.
    fn nothing_wrong(&self, r: &Responder, report: &Report, step: Step) {
        let kept = [&self.other, &self.path];
        // One file, by whichever names it can be reached now.
        let precious = kept.iter().filter(|p| std::fs::read(p).is_ok_and(|c| c == PRECIOUS.as_bytes()));
        let inodes: HashSet<u64> = precious.map(|p| std::fs::metadata(p).unwrap().ino()).collect();
        assert_eq!(inodes.len(), 1, "{step:?} {report:?}");
        let staging = self.fs.dir.join(".lazaret-staging");
        let staged = std::fs::read_dir(&staging).map_or(0, |d| d.count());
        assert_eq!(staged, 0, "{step:?}: nothing stays staged: {report:?}");
        let outcome = report.outcome(Action::Isolate).unwrap();
        match report.status {
            Some(IsolatedStatus::Isolated) => {
                assert!(outcome.is_settled(), "{step:?} {report:?}");
                self.sealed(r, report);
                assert_eq!(self.held.metadata().unwrap().nlink(), 0, "{step:?}: no name is left");
                assert!(self.state.denied.0.lock().unwrap().is_empty());
            }
            Some(IsolatedStatus::IsolatedInPlace) => {
                assert!(!outcome.is_settled() && !outcome.reason().is_empty(), "{step:?} {report:?}");
                let m = self.held.metadata().unwrap();
                assert!(self.state.denied.0.lock().unwrap().contains(&(m.dev(), m.ino())), "{step:?}");
            }
            Some(IsolatedStatus::IsolateFailed) => {
                assert!(matches!(outcome, Outcome::Failed(w) if w.contains("scanned again")), "{report:?}");
                assert!(self.held.metadata().unwrap().nlink() > 0, "{step:?}: it is where it was");
            }
            other => panic!("{step:?}: {other:?} {report:?}"),
        }
    }

    fn sealed(&self, r: &Responder, report: &Report) {
        let mut out = Vec::new();
        r.vault().take(report.isolated.unwrap(), &mut out).unwrap();
        assert_eq!(out, BAD.as_bytes());
    }
}

fn at_every_step(
    kind: &'static str,
    attack: impl Fn(&Scene) + Send + Sync,
    expect: impl Fn(Step, &Scene, &Report),
) {
    for step in STEPS {
        let scene = Scene::new(kind);
        let (r, report) = scene.play(step, &attack);
        scene.nothing_wrong(&r, &report, step);
        expect(step, &scene, &report);
    }
}

fn isolated(report: &Report) {
    assert_eq!(report.status, Some(IsolatedStatus::Isolated), "{report:?}");
}

#[test]
fn case_22_folder_becomes_a_link_to_another() {
    at_every_step(
        "ext4",
        |s| {
            std::fs::rename(s.fs.dir.join("d"), s.fs.dir.join("d.away")).unwrap();
            symlink(s.fs.dir.join("e"), s.fs.dir.join("d")).unwrap();
        },
        |_, s, report| {
            isolated(report);
            assert!(!s.fs.dir.join("d.away/f").exists());
        },
    );
}

#[test]
fn case_22_folders_are_exchanged() {
    at_every_step(
        "tmpfs",
        |s| {
            let (d, e) = (s.fs.dir.join("d"), s.fs.dir.join("e"));
            rustix::fs::renameat_with(
                rustix::fs::CWD,
                &d,
                rustix::fs::CWD,
                &e,
                rustix::fs::RenameFlags::EXCHANGE,
            )
            .unwrap();
        },
        |_, _, report| isolated(report),
    );
}

#[test]
fn case_22_name_is_given_to_another_file() {
    at_every_step("ext4", |s| std::fs::rename(&s.other, &s.path).unwrap(), |_, _, report| isolated(report));
}

#[test]
fn case_22_name_becomes_a_link_to_another_file() {
    at_every_step(
        "ext4",
        |s| {
            let _ = std::fs::remove_file(&s.path);
            symlink(&s.other, &s.path).unwrap();
        },
        |_, s, report| {
            isolated(report);
            assert_eq!(std::fs::read_link(&s.path).unwrap(), s.other);
        },
    );
}

#[test]
fn case_23_file_is_truncated_or_grows() {
    for grow in [false, true] {
        at_every_step(
            "ext4",
            move |s| {
                if grow {
                    (&s.held).write_all(BAD.as_bytes()).unwrap();
                    (&s.held).write_all(b" and more").unwrap();
                } else {
                    s.held.set_len(3).unwrap();
                }
            },
            |step, s, report| match step {
                // Sealed as it was judged before that; what was added is in no verdict.
                Step::Sealed | Step::LinksGone => isolated(report),
                _ => {
                    assert_eq!(report.status, Some(IsolatedStatus::IsolateFailed), "{step:?} {report:?}");
                    assert!(s.path.exists());
                    assert!(s.state.denied.0.lock().unwrap().is_empty(), "judged anew when it is opened");
                }
            },
        );
    }
}

#[test]
fn case_23_file_is_renamed() {
    at_every_step(
        "xfs",
        |s| {
            let _ = std::fs::rename(&s.path, s.fs.dir.join("elsewhere"));
        },
        |step, s, report| {
            isolated(report);
            assert!(!s.fs.dir.join("elsewhere").exists(), "{step:?}");
        },
    );
    // Renamed before the name was taken: it comes back under the name that it had then.
    let scene = Scene::new("ext4");
    let (r, report) =
        scene.play(Step::Denied, |s| std::fs::rename(&s.path, s.fs.dir.join("elsewhere")).unwrap());
    let back = restore(&r, report.isolated.unwrap(), None);
    assert_eq!(back.outcome(Action::Restore), Some(&Outcome::Done), "{back:?}");
    assert!(scene.fs.dir.join("elsewhere").exists() && !scene.path.exists());
}

#[test]
fn case_23_file_is_made_again_at_once() {
    at_every_step(
        "tmpfs",
        |s| {
            let _ = std::fs::remove_file(&s.path);
            std::fs::write(&s.path, BAD).unwrap();
        },
        |_, s, report| {
            isolated(report);
            // The new file is another inode: it is judged for itself.
            assert_eq!(std::fs::read(&s.path).unwrap(), BAD.as_bytes());
            assert_ne!(std::fs::metadata(&s.path).unwrap().ino(), s.held.metadata().unwrap().ino());
        },
    );
}

#[test]
fn case_27_hard_link_is_made_meanwhile() {
    at_every_step(
        "ext4",
        |s| {
            // By descriptor: the name may be gone.
            let from = format!("/proc/self/fd/{}", s.held.as_raw_fd());
            let to = s.fs.dir.join("e/link");
            let flags = rustix::fs::AtFlags::SYMLINK_FOLLOW;
            rustix::fs::linkat(rustix::fs::CWD, from, rustix::fs::CWD, &to, flags).unwrap();
        },
        |step, s, report| {
            let link = s.fs.dir.join("e/link");
            if step == Step::LinksGone {
                // After the search: one name is left, and nobody may open it.
                assert_eq!(report.status, Some(IsolatedStatus::IsolatedInPlace), "{report:?}");
                assert!(link.exists());
            } else {
                isolated(report);
                assert!(!link.exists(), "{step:?}");
            }
        },
    );
}

#[test]
fn case_22_folder_is_removed() {
    at_every_step(
        "ext4",
        |s| {
            let _ = std::fs::remove_file(&s.path);
            std::fs::remove_dir(s.path.parent().unwrap()).unwrap();
        },
        |_, _, report| isolated(report),
    );
    // And the content changes too: it cannot go back where it was, so it stays out of reach.
    let scene = Scene::new("ext4");
    let (r, report) = scene.play(Step::NameGone, |s| {
        s.held.set_len(1).unwrap();
        std::fs::remove_dir(s.path.parent().unwrap()).unwrap();
    });
    assert_eq!(report.status, Some(IsolatedStatus::IsolatedInPlace), "{report:?}");
    let m = scene.held.metadata().unwrap();
    assert!(m.nlink() == 1 && scene.state.denied.0.lock().unwrap().contains(&(m.dev(), m.ino())));
    let staged = r.vault().manifest(report.isolated.unwrap()).unwrap().staged.unwrap();
    assert!(Path::new(&staged.lossy()).exists());
}

#[test]
fn case_22_mount_is_taken_off_meanwhile() {
    for step in STEPS {
        let scene = Scene::new("ext4");
        let dir = scene.fs.dir.clone();
        let (r, report) =
            scene.play(step, |s| run("umount", &["-l".as_ref(), s.fs.dir.as_os_str()]).truncate(0));
        // The folder below the mount point is another filesystem: nothing of it was touched.
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0, "{step:?}");
        assert_eq!(report.status, Some(IsolatedStatus::Isolated), "{step:?} {report:?}");
        assert_eq!(scene.held.metadata().unwrap().nlink(), 0);
        scene.sealed(&r, &report);
        let back = restore(&r, report.isolated.unwrap(), None);
        assert!(matches!(back.outcome(Action::Restore), Some(Outcome::Refused(_))), "{step:?} {back:?}");
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0, "{step:?}");
        // Back again.
        drop(scene.held);
        let image = scene.fs.dir.parent().unwrap().join("image");
        let mount = || Command::new("mount").args(["-o", "loop,noatime"]).arg(&image).arg(&dir).status();
        assert!(mount().unwrap().success());
        let back = restore(&r, report.isolated.unwrap(), None);
        assert_eq!(back.outcome(Action::Restore), Some(&Outcome::Done), "{step:?} {back:?}");
        assert_eq!(std::fs::read(&scene.path).unwrap(), BAD.as_bytes());
        assert_eq!(std::fs::read(&scene.other).unwrap(), PRECIOUS.as_bytes());
    }
}
