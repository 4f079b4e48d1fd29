// SPDX-License-Identifier: Apache-2.0
//! Opens: unprotected, behind a responder that allows everything, and behind lazaretd.

use crate::report::{Samples, header};
use lazaret_kit::{Daemon, Setup, Volume};
use lazaret_sys::fanotify::{Answer, EventBuffer, Mask, PermissionGroup};
use rustix::event::{PollFd, PollFlags, poll};
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const ROUNDS: usize = 10_000;

fn place(volume: &Volume, mode: u32) -> PathBuf {
    let path = volume.join(&format!("file-{mode:o}"));
    std::fs::write(&path, "#!/bin/sh\necho text that looks like a script\n").expect("write");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("mode");
    path
}

fn once(path: &Path) -> Duration {
    let began = Instant::now();
    let file = File::open(path);
    let took = began.elapsed();
    assert!(file.is_ok());
    took
}

/// Answers "allow" to everything on its volume, from a thread of this process: the floor that any
/// responder stands on.
struct AllowAll {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl AllowAll {
    fn start(volume: &Volume) -> Self {
        let group = PermissionGroup::open().expect("fanotify");
        group.mark_filesystem(volume.path(), Mask::OPEN_PERM.and(Mask::OPEN_EXEC_PERM)).expect("mark");
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut buffer = EventBuffer::new();
            let wait = rustix::event::Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
            while !asked.load(Ordering::Relaxed) {
                let _ = poll(&mut [PollFd::new(&group, PollFlags::IN)], Some(&wait));
                let _ = group.read(&mut buffer, |event| {
                    if let Some(file) = event.fd {
                        let _ = group.answer(file.as_fd(), Answer::Allow);
                    }
                });
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for AllowAll {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub(crate) fn measure() {
    let (free, allowing, guarded) = (Volume::tmpfs(), Volume::tmpfs(), Volume::tmpfs());
    let paths =
        [place(&free, 0o644), place(&allowing, 0o644), place(&guarded, 0o644), place(&guarded, 0o666)];
    let allow_all = AllowAll::start(&allowing);
    let daemon = Daemon::start(&Setup::armed(guarded.path()));
    std::thread::sleep(Duration::from_millis(300));
    let mut samples: [Vec<Duration>; 4] = Default::default();
    for _ in 0..10 {
        for path in &paths {
            once(path);
        }
    }
    for _ in 0..ROUNDS {
        for (samples, path) in samples.iter_mut().zip(&paths) {
            samples.push(once(path));
        }
    }
    header();
    for (samples, name) in samples.into_iter().zip([
        "open, unprotected",
        "open, a responder that allows everything",
        "open, only root can write it (remembered by the kernel)",
        "open, users can write it (remembered by lazaretd)",
    ]) {
        Samples::new(samples).row(name);
    }
    drop(daemon);
    drop(allow_all);
}
