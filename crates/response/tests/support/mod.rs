// SPDX-License-Identifier: Apache-2.0
//! What the tests of this crate share: mounts that go away, a responder, independent judges.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod mounts;

use lazaret_model::{Confidence, FileRef, FileTime, MalwareClass, Sha256};
use lazaret_response::{DenyInode, Order, Plan, Report, Responder, ResponderConfig, Target};
use lazaret_sys::process::ProcessHandle;
use lazaret_vault::Vault;
use sha2::Digest;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

/// A filesystem of its own; unmounted when dropped, also on panic.
pub(crate) struct Fs {
    pub(crate) kind: &'static str,
    pub(crate) dir: PathBuf,
    /// What an overlay is made of; unmounted after it.
    pub(crate) under: Option<Box<Fs>>,
    tmp: tempfile::TempDir,
}

pub(crate) fn run(program: &str, args: &[&OsStr]) -> String {
    let out = Command::new(program).args(args).output().unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn os(s: &str) -> &OsStr {
    OsStr::new(s)
}

impl Fs {
    pub(crate) fn new(kind: &'static str) -> Self {
        let tmp = tempfile::Builder::new().prefix("lz-fs-").tempdir().unwrap();
        let dir = tmp.path().join("m");
        std::fs::create_dir(&dir).unwrap();
        if kind == "tmpfs" {
            run(
                "mount",
                &[os("-t"), os("tmpfs"), os("-o"), os("noatime,size=256m"), os("none"), dir.as_os_str()],
            );
        } else {
            let image = tmp.path().join("image");
            let size = if kind == "ext4" { 64 << 20 } else { 320 << 20 };
            File::create(&image).unwrap().set_len(size).unwrap();
            let quiet = if kind == "ext4" { "-F" } else { "-f" };
            run(&format!("mkfs.{kind}"), &[os("-q"), os(quiet), image.as_os_str()]);
            run("mount", &[os("-o"), os("loop,noatime"), image.as_os_str(), dir.as_os_str()]);
        }
        Self { kind, dir, under: None, tmp }
    }

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        ["tmpfs", "ext4", "xfs"].into_iter().map(Self::new)
    }

    pub(crate) fn remount(&self, option: &str) {
        run("mount", &[os("-o"), os(&format!("remount,{option}")), self.dir.as_os_str()]);
    }
}

impl Drop for Fs {
    fn drop(&mut self) {
        let quiet = |args: &[&OsStr]| {
            Command::new("umount").args(args).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
        };
        if !quiet(&[self.dir.as_os_str()]) {
            quiet(&[os("-l"), self.dir.as_os_str()]);
        }
    }
}

#[derive(Default)]
pub(crate) struct Denied(pub(crate) Mutex<HashSet<(u64, u64)>>);

impl DenyInode for Denied {
    fn deny(&self, file: &FileRef) {
        self.0.lock().unwrap().insert((file.dev, file.ino));
    }
    fn release(&self, file: &FileRef) {
        self.0.lock().unwrap().remove(&(file.dev, file.ino));
    }
}

/// A state folder with an initialised vault.
pub(crate) struct State {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) recovery: String,
    pub(crate) denied: Arc<Denied>,
}

impl State {
    pub(crate) fn new() -> Self {
        Self::within(tempfile::Builder::new().prefix("lz-state-").tempdir().unwrap())
    }

    /// In memory, where the test is not about durability.
    pub(crate) fn fast() -> Self {
        Self::within(tempfile::Builder::new().prefix("lz-state-").tempdir_in("/dev/shm").unwrap())
    }

    fn within(dir: tempfile::TempDir) -> Self {
        let (_, recovery) = Vault::init(&dir.path().join("vault")).unwrap();
        Self { recovery: recovery.secret().to_owned(), dir, denied: Arc::default() }
    }

    pub(crate) fn config(&self) -> ResponderConfig {
        let mut c = ResponderConfig::new(
            self.dir.path().join("journal"),
            self.dir.path().join("vault"),
            self.denied.clone(),
        );
        c.journal_bytes = 256 * 1024;
        c
    }

    pub(crate) fn open(&self) -> Responder {
        let (r, replayed) = Responder::open(self.config()).unwrap();
        assert!(replayed.is_empty(), "{replayed:?}");
        r
    }
}

pub(crate) fn file_ref(m: &std::fs::Metadata) -> FileRef {
    let ctime = FileTime { sec: m.ctime(), nsec: u32::try_from(m.ctime_nsec()).unwrap() };
    FileRef { dev: m.dev(), ino: m.ino(), ctime, size: m.len() }
}

pub(crate) fn digest(path: &Path) -> Sha256 {
    Sha256(sha2::Sha256::digest(std::fs::read(path).unwrap()).into())
}

pub(crate) fn target(path: &Path) -> Target {
    let file = File::open(path).unwrap();
    Target {
        identity: file_ref(&file.metadata().unwrap()),
        file: file.into(),
        sha256: digest(path),
        path: path.as_os_str().as_bytes().to_vec(),
        class: MalwareClass::Trojan,
        family: "Test.Standin".into(),
        confidence: Confidence::new(99),
        content_version: "test".into(),
        test: true,
        processes: Box::new(Vec::new),
        may_kill: Arc::new(|_| Ok(())),
        isolate: true,
        kill: false,
    }
}

pub(crate) fn isolate(r: &Responder, target: Target) -> Report {
    r.execute(Plan { alarm: None, who: "test".into(), order: Order::IsolateAndKill(target) })
}

pub(crate) fn restore(r: &Responder, id: lazaret_model::IsolatedId, to: Option<&Path>) -> Report {
    let to = to.map(Path::to_path_buf);
    r.execute(Plan { alarm: None, who: "test".into(), order: Order::Restore { id, to, parents: false } })
}

pub(crate) fn delete(r: &Responder, id: lazaret_model::IsolatedId) -> Report {
    r.execute(Plan { alarm: None, who: "test".into(), order: Order::Delete { id } })
}

pub(crate) fn handle(child: &std::process::Child) -> ProcessHandle {
    ProcessHandle::open(i32::try_from(child.id()).unwrap()).unwrap()
}

/// What tools that know nothing of Lazaret say about a file.
pub(crate) fn judge(path: &Path) -> Vec<(&'static str, String)> {
    let p = path.as_os_str();
    let parent = path.parent().unwrap();
    let say = |program: &str, args: &[&OsStr]| {
        let out = Command::new(program).args(args).arg(p).output().unwrap();
        format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
    };
    assert!(parent.exists());
    vec![
        ("stat", say("stat", &[os("-c"), os("%f %u %g %s %h %F %x %y")])),
        ("getfattr", say("getfattr", &[os("-d"), os("-m-"), os("-e"), os("hex"), os("--absolute-names")])),
        ("getfacl", say("getfacl", &[os("-n"), os("-p")])),
        ("getcap", say("getcap", &[])),
        ("lsattr", say("lsattr", &[os("-d")])),
        ("sha256sum", say("sha256sum", &[])),
    ]
}
