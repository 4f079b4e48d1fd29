// SPDX-License-Identifier: Apache-2.0
//! Another uid fights for the file while it is isolated, and for the folder while it is restored: no innocent
//! file is touched, and what is reported is what happened.

mod support;

use lazaret_model::{Action, IsolatedStatus, Outcome, Sha256};
use lazaret_response::{Report, Responder, Target};
use rustix::fs::{CWD, Mode, OFlags, openat};
use sha2::Digest;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{Fs, State, delete, file_ref, isolate, restore, target};

const STRANGER: u32 = 65_534;

fn rounds() -> u32 {
    if std::env::var_os("LAZARET_FULL").is_some() { 10_000 } else { 500 }
}

/// The yard, the innocent folder, and the attacker in the yard.
struct Field {
    fs: Fs,
    yard: PathBuf,
    innocent: PathBuf,
    before: Vec<String>,
    what: &'static str,
    attacker: Child,
    began: Instant,
    seed: u64,
    turns: u64,
    exchanges: u64,
}

/// Everything of a file that an accident would change, the change time above all.
fn state_of(folder: &Path) -> Vec<String> {
    let mut all: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|e| {
            let m = e.metadata().unwrap();
            let content = std::fs::read(e.path()).unwrap();
            format!(
                "{:?} {} {:o} {}:{} {} {} {}.{} {}.{} {}",
                e.file_name(),
                m.ino(),
                m.mode(),
                m.uid(),
                m.gid(),
                m.nlink(),
                m.len(),
                m.mtime(),
                m.mtime_nsec(),
                m.ctime(),
                m.ctime_nsec(),
                Sha256(sha2::Sha256::digest(&content).into())
            )
        })
        .collect();
    all.sort();
    let m = folder.metadata().unwrap();
    all.push(format!("{} {:o} {}.{}", m.ino(), m.mode(), m.ctime(), m.ctime_nsec()));
    all
}

fn start(what: &str, yard: &Path, innocent: &Path, seed: u64) -> Child {
    let exe = std::env::current_exe().unwrap();
    let program = exe.parent().unwrap().parent().unwrap().join("examples/attacker");
    // The build folder may be closed to others: the program goes where the stranger can read it.
    let copy = yard.parent().unwrap().join("attacker");
    if !copy.exists() {
        std::fs::copy(&program, &copy).unwrap_or_else(|e| panic!("{}: {e}", program.display()));
    }
    Command::new(copy)
        .arg(what)
        .args([yard, innocent])
        .args(["15", &seed.to_string()])
        .uid(STRANGER)
        .gid(STRANGER)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

impl Field {
    fn new(what: &'static str) -> Self {
        let fs = Fs::new("ext4");
        std::fs::set_permissions(&fs.dir, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let (yard, innocent) = (fs.dir.join("yard"), fs.dir.join("innocent"));
        for d in [&yard, &innocent, &yard.join("play")] {
            std::fs::create_dir(d).unwrap();
        }
        symlink(&innocent, yard.join("link")).unwrap();
        for d in [&yard, &yard.join("play")] {
            chown(d, Some(STRANGER), Some(STRANGER)).unwrap();
        }
        for name in ["f", "h", "r", "l0", "t"] {
            std::fs::write(innocent.join(name), format!("precious {name}")).unwrap();
            chown(innocent.join(name), Some(1000), Some(1000)).unwrap();
        }
        // `r` must be free, or a restore that follows the link would be refused for the wrong reason.
        std::fs::remove_file(innocent.join("r")).unwrap();
        let before = state_of(&innocent);
        let seed = std::env::var("LAZARET_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_261_125);
        let attacker = start(what, &yard, &innocent, seed);
        Self {
            fs,
            yard,
            innocent,
            before,
            what,
            attacker,
            began: Instant::now(),
            seed,
            turns: 0,
            exchanges: 0,
        }
    }

    /// The attacker ends by itself; the next one goes on.
    fn keep_attacking(&mut self) {
        if self.began.elapsed() > Duration::from_secs(13) {
            self.collect();
            let _ = std::fs::remove_file(self.yard.join("stop"));
            self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            self.attacker = start(self.what, &self.yard, &self.innocent, self.seed);
            self.began = Instant::now();
        }
    }

    fn collect(&mut self) {
        std::fs::write(self.yard.join("stop"), "").unwrap();
        let mut said = String::new();
        self.attacker.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(self.attacker.wait().unwrap().success());
        let mut numbers = said.split_whitespace().map(|n| n.parse::<u64>().unwrap());
        self.turns += numbers.next().unwrap();
        self.exchanges += numbers.next().unwrap();
    }

    /// The real folder, whatever its name is.
    fn play(&self) -> PathBuf {
        loop {
            for name in ["play", "link"] {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
                if let Ok(fd) = openat(CWD, self.yard.join(name), flags, Mode::empty()) {
                    let path = format!("/proc/self/fd/{}", std::os::fd::IntoRawFd::into_raw_fd(fd));
                    return path.into();
                }
            }
        }
    }

    fn end(mut self, rounds: u32, counts: &BTreeMap<String, u32>) {
        self.collect();
        assert_eq!(state_of(&self.innocent), self.before, "an innocent file was touched");
        assert!(self.exchanges > 1000, "{} exchanges are no attack", self.exchanges);
        let _ = writeln!(
            std::io::stdout(),
            "{}: {rounds} rounds against {} moves of the attacker, {} of them exchanges of the folder: {counts:?}; 0 wrong files",
            self.what,
            self.turns,
            self.exchanges
        );
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        let _ = std::fs::write(self.yard.join("stop"), "");
        let _ = self.attacker.wait();
    }
}

fn responder(state: &State) -> Responder {
    let mut config = state.config();
    config.link_search = Duration::from_millis(20);
    config.journal_bytes = 8 << 20;
    Responder::open(config).unwrap().0
}

/// As a sensor would: whatever the path leads to at that moment is opened, read, and judged by its content.
fn judged(path: &Path) -> Option<(Target, File)> {
    let file = File::open(path).ok()?;
    let held = file.try_clone().ok()?;
    let m = file.metadata().ok()?;
    let mut content = vec![0; usize::try_from(m.len()).ok()?];
    file.read_exact_at(&mut content, 0).ok()?;
    if !content.starts_with(b"BAD") {
        return None;
    }
    let mut t = Target { file: file.into(), identity: file_ref(&m), ..target(Path::new("/etc/hostname")) };
    t.sha256 = Sha256(sha2::Sha256::digest(&content).into());
    t.path = path.as_os_str().as_bytes().to_vec();
    Some((t, held))
}

/// What is reported is what happened.
fn truthful(r: &Responder, report: &Report, sha256: Sha256, held: &File) -> String {
    let outcome = report.outcome(Action::Isolate).unwrap_or_else(|| panic!("{report:?}"));
    let names = held.metadata().unwrap().nlink();
    let sealed = || {
        let id = report.isolated.unwrap_or_else(|| panic!("{report:?}"));
        let m = r.vault().manifest(id).unwrap_or_else(|e| panic!("{e}: {report:?}"));
        assert_eq!(m.sha256, sha256, "{report:?}");
        r.vault().compare(id, sha256, m.size).unwrap_or_else(|e| panic!("{e}: {report:?} {m:?}"));
    };
    match (outcome, report.status) {
        (Outcome::Done | Outcome::AlreadyGone, Some(IsolatedStatus::Isolated)) => {
            assert_eq!(names, 0, "done, but it still has a name: {report:?}");
            sealed();
        }
        (Outcome::Partial(why) | Outcome::Failed(why), Some(IsolatedStatus::IsolatedInPlace)) => {
            assert!(!why.is_empty());
            let id = report.isolated.unwrap();
            let m = r.vault().manifest(id).unwrap_or_else(|e| panic!("{e}: {report:?}"));
            assert!(r.vault().has_content(id) || m.staged.is_some() || names > 0, "lost: {report:?}");
            if r.vault().has_content(id) {
                sealed();
            }
        }
        (Outcome::Failed(why), Some(IsolatedStatus::IsolateFailed)) => {
            // Given back because it changed: nothing of it is kept.
            assert!(why.contains("changed") || names == 0, "{report:?}");
            assert!(report.isolated.is_none_or(|id| !r.vault().has_content(id)), "{report:?}");
        }
        other => panic!("{other:?} {report:?}"),
    }
    let mut word = outcome.word().to_owned();
    if outcome.reason().contains("changed") {
        word.push_str(" (changed)");
    }
    word
}

#[test]
fn case_22_attacker_during_isolation() {
    let mut field = Field::new("isolate");
    let state = State::fast();
    let r = responder(&state);
    let path = field.yard.join("play/f");
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let (mut done, wanted) = (0, rounds());
    let end = Instant::now() + Duration::from_millis(u64::from(wanted) * 400);
    while done < wanted {
        assert!(Instant::now() < end, "{done} of {wanted} rounds: {counts:?}");
        field.keep_attacking();
        let Some((t, held)) = judged(&path) else { continue };
        let sha256 = t.sha256;
        let report = isolate(&r, t);
        done += 1;
        *counts.entry(truthful(&r, &report, sha256, &held)).or_default() += 1;
        if let Some(id) = report.isolated.filter(|id| r.vault().manifest(*id).is_ok()) {
            let gone = delete(&r, id);
            let in_place = report.status == Some(IsolatedStatus::IsolatedInPlace);
            assert!(gone.status == Some(IsolatedStatus::Deleted) || in_place, "{gone:?}");
        }
    }
    assert!(counts.get("done").is_some_and(|n| *n > wanted / 50), "the attacker always won: {counts:?}");
    let staged: Vec<_> =
        std::fs::read_dir(field.fs.dir.join(".lazaret-staging")).unwrap().flatten().collect();
    assert!(
        staged.is_empty(),
        "{} left in the staging folder: {:?} {counts:?}",
        staged.len(),
        staged.first()
    );
    field.end(wanted, &counts);
}

#[test]
fn case_29_attacker_during_restore() {
    let mut field = Field::new("restore");
    let state = State::fast();
    let r = responder(&state);
    let quiet = field.fs.dir.join("quiet");
    std::fs::create_dir(&quiet).unwrap();
    let to = field.yard.join("play/r");
    let play = field.play();
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let wanted = rounds();
    for round in 0..wanted {
        field.keep_attacking();
        let content = format!("BAD file of round {round}\n");
        let source = quiet.join("f");
        std::fs::write(&source, &content).unwrap();
        chown(&source, Some(STRANGER), Some(STRANGER)).unwrap();
        let report = isolate(&r, target(&source));
        let id = report.isolated.unwrap();
        let back = restore(&r, id, Some(&to));
        let outcome = back.outcome(Action::Restore).unwrap();
        let live = holds(&play, content.as_bytes());
        let kept = r.vault().has_content(id);
        match back.status {
            Some(IsolatedStatus::Restored) => {
                assert!(live && !kept, "round {round}: live {live}, kept {kept}: {back:?}");
            }
            _ => {
                assert!(!outcome.reason().is_empty(), "{back:?}");
                assert!(!live, "round {round}: not restored, it is said, but it is live: {back:?}");
                r.vault().verify(id).unwrap();
                let gone = delete(&r, id);
                assert_eq!(gone.status, Some(IsolatedStatus::Deleted), "{gone:?}");
            }
        }
        *counts.entry(outcome.word().to_owned()).or_default() += 1;
        if round % 50 == 49 {
            for e in std::fs::read_dir(&play).unwrap().flatten() {
                let _ = std::fs::remove_file(e.path());
            }
        }
    }
    assert!(counts.get("done").is_some_and(|n| *n > wanted / 50), "the attacker always won: {counts:?}");
    field.end(wanted, &counts);
}

/// Whether some file of the folder has this content. The folder is read twice: names move meanwhile.
fn holds(folder: &Path, content: &[u8]) -> bool {
    (0..3).any(|_| {
        std::fs::read_dir(folder).unwrap().flatten().any(|e| {
            e.file_type().is_ok_and(|t| t.is_file()) && std::fs::read(e.path()).is_ok_and(|c| c == content)
        })
    })
}
