// SPDX-License-Identifier: Apache-2.0
//! From the close of a bad file to its name being gone, and to it being sealed in the vault.

use crate::report::{Samples, header, line};
use lazaret_kit::{Daemon, Setup, Volume, bad};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const DROPS: usize = 200;

/// Waits for a condition, asking every half millisecond: a spinning wait would take one of the
/// machine's cores from the daemon. `None` when it does not happen within 5 s.
fn until(began: Instant, mut done: impl FnMut() -> bool) -> Option<Duration> {
    while began.elapsed() < Duration::from_secs(5) {
        if done() {
            return Some(began.elapsed());
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    None
}

/// Tells when a name has left a folder, without looking at it again and again.
struct Leaving(OwnedFd);

impl Leaving {
    fn of(folder: &Path) -> Self {
        let watch =
            inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK).expect("inotify");
        let what = inotify::WatchFlags::MOVED_FROM | inotify::WatchFlags::DELETE;
        inotify::add_watch(&watch, folder, what).expect("watch");
        Self(watch)
    }

    fn wait(&self, began: Instant, path: &Path) -> Option<Duration> {
        let mut buffer = [0; 4096];
        while began.elapsed() < Duration::from_secs(5) {
            if std::fs::symlink_metadata(path).is_err() {
                return Some(began.elapsed());
            }
            let wait = rustix::event::Timespec { tv_sec: 1, tv_nsec: 0 };
            let _ = poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&wait));
            while rustix::io::read(&self.0, &mut buffer).is_ok_and(|n| n > 0) {}
        }
        None
    }
}

/// The newest object's manifest says that it is sealed and verified.
fn sealed(objects: &Path, known: &mut Vec<PathBuf>) -> bool {
    let manifests = std::fs::read_dir(objects).into_iter().flatten().flatten().map(|e| e.path());
    let new = manifests
        .filter(|p| p.extension().is_some_and(|x| x == "json") && !known.contains(p))
        .find(|p| std::fs::read_to_string(p).is_ok_and(|t| t.contains("\"status\": \"isolated\"")));
    known.extend(new.clone());
    new.is_some()
}

fn on(volume: &Volume, name: &str) {
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    let objects = daemon.folder().join("state/vault/objects");
    std::thread::sleep(Duration::from_millis(300));
    let mut known = Vec::new();
    let leaving = Leaving::of(volume.path());
    let (mut gone, mut durable, mut missed) = (Vec::new(), Vec::new(), 0);
    for i in 0..DROPS {
        let path = volume.join(&format!("drop-{i}"));
        let mut file = File::create(&path).expect("create");
        file.write_all(&bad::eicar()).expect("write");
        drop(file);
        let began = Instant::now();
        match leaving.wait(began, &path) {
            Some(took) => gone.push(took),
            None => missed += 1,
        }
        durable.extend(until(began, || sealed(&objects, &mut known)));
    }
    Samples::new(gone).row(&format!("close to name gone, {name}"));
    Samples::new(durable).row(&format!("close to sealed, verified and durable, {name}"));
    if missed > 0 {
        line(&format!("| **missed within 5 s, {name}** | {missed} | | | | |"));
    }
}

pub(crate) fn measure() {
    header();
    on(&Volume::tmpfs(), "tmpfs");
    on(&Volume::ext4(), "ext4");
}
