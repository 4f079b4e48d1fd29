// SPDX-License-Identifier: Apache-2.0
//! Walks through everything that a file system can put in their way.

mod kit;

use lazaret_model::ScanError;
use lazaret_pool::walk::{Entry, EntryError, Visitor, WalkOptions, WalkSummary, walk};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

#[derive(Default)]
struct Seen {
    files: Vec<Vec<u8>>,
    problems: Vec<(Vec<u8>, ScanError)>,
    unopened: Vec<EntryError>,
}

impl Visitor for Seen {
    fn file(&mut self, entry: &Entry<'_>) {
        match entry.open() {
            Ok(_) => self.files.push(entry.path()),
            Err(e) => self.unopened.push(e),
        }
    }

    fn problem(&mut self, path: Vec<u8>, error: ScanError) {
        self.problems.push((path, error));
    }
}

fn see(roots: &[&Path], options: &WalkOptions) -> (Seen, WalkSummary) {
    let mut visitors = [Seen::default(), Seen::default()];
    let roots: Vec<PathBuf> = roots.iter().map(|r| r.to_path_buf()).collect();
    let summary = walk(&roots, options, &mut visitors);
    let [mut all, other] = visitors;
    all.files.extend(other.files);
    all.problems.extend(other.problems);
    all.unopened.extend(other.unopened);
    all.files.sort();
    (all, summary)
}

fn write(path: impl AsRef<Path>) {
    std::fs::write(path, b"x").unwrap();
}

fn fifo(path: &Path) {
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
}

#[test]
fn files_are_seen_once_by_their_raw_names_and_nothing_else_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &[u8]| dir.path().join(OsStr::from_bytes(name));
    std::fs::create_dir_all(at(b"a/b/c")).unwrap();
    let names: [&[u8]; 6] =
        [b"plain", b"new\nline", b"\xff\xfe not utf-8", b"a/x", b"a/b/c/deep", b" leading and -dash"];
    for name in names {
        write(at(name));
    }
    symlink("/etc/passwd", at(b"link")).unwrap();
    symlink(dir.path(), at(b"a/loop")).unwrap();
    symlink("self", at(b"self")).unwrap();
    fifo(&at(b"fifo"));
    let _socket = std::os::unix::net::UnixListener::bind(at(b"socket")).unwrap();
    let (seen, summary) = see(&[dir.path()], &WalkOptions::default());
    let mut expected: Vec<Vec<u8>> = names.iter().map(|n| at(n).as_os_str().as_bytes().to_vec()).collect();
    expected.sort();
    assert_eq!(seen.files, expected);
    assert!(seen.problems.is_empty() && seen.unopened.is_empty());
    assert_eq!(summary, WalkSummary { folders: 4, files: 6, other: 5, vanished: 0, left_out: 0 });
}

#[test]
fn what_was_named_and_is_no_file_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let (pipe, link, file) = (dir.path().join("fifo"), dir.path().join("link"), dir.path().join("file"));
    fifo(&pipe);
    symlink("link", &link).unwrap();
    write(&file);
    let missing = dir.path().join("missing");
    let (seen, _) = see(&[&pipe, &link, Path::new("/dev/null"), &missing, &file], &WalkOptions::default());
    assert_eq!(seen.files, [file.as_os_str().as_bytes()]);
    let said: Vec<String> = seen.problems.iter().map(|(_, e)| e.to_string()).collect();
    assert!(said[0].contains("a FIFO"), "{said:?}");
    assert!(said[1].contains("a symbolic link"), "{said:?}");
    assert!(said[2].contains("a character device"), "{said:?}");
    assert!(said[3].contains("No such file"), "{said:?}");
    assert_eq!(seen.problems[3].0, missing.as_os_str().as_bytes());
}

#[test]
fn exclusion_and_pseudo_filesystems() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("keep/skip")).unwrap();
    std::fs::create_dir_all(dir.path().join("skip")).unwrap();
    for name in ["keep/a", "keep/skip/b", "skip/c", "skipped-not", "one"] {
        write(dir.path().join(name));
    }
    let exclude = vec![dir.path().join("skip/"), dir.path().join("one")];
    let (seen, summary) = see(&[dir.path()], &WalkOptions { exclude, ..WalkOptions::default() });
    assert_eq!(seen.files.len(), 3);
    assert_eq!(summary.left_out, 2);
    // The root of the machine has /proc and /sys; only its first level is looked at here.
    let exclude: Vec<PathBuf> = std::fs::read_dir("/")
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| !["/proc", "/sys"].iter().any(|keep| p == Path::new(keep)))
        .collect();
    let (seen, summary) = see(&[Path::new("/")], &WalkOptions { exclude, ..WalkOptions::default() });
    assert_eq!(summary.folders, 1, "/proc and /sys were entered");
    assert!(seen.files.iter().all(|f| !f.starts_with(b"/proc") && !f.starts_with(b"/sys")));
}

#[test]
fn endless_depth_is_bounded_and_said() {
    // In memory: ten thousand folders take their time on a disk.
    let memory = Path::new("/dev/shm");
    let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    // A chain deeper than PATH_MAX, with a sibling at every level so that many folders wait.
    let (mut at, levels) = (rustix::fs::open(dir.path(), dir_flags(), mode()).unwrap(), 5000);
    for _ in 0..levels {
        for name in ["d", "e"] {
            rustix::fs::mkdirat(&at, name, mode()).unwrap();
        }
        at = rustix::fs::openat(&at, "d", dir_flags(), mode()).unwrap();
    }
    let (seen, summary) = see(&[dir.path()], &WalkOptions::default());
    assert_eq!(seen.problems.len(), 1, "{:?}", seen.problems.iter().map(|p| &p.1).collect::<Vec<_>>());
    assert!(seen.problems[0].1.to_string().contains("4096 folders deep"));
    assert_eq!(summary.folders, 1 + 2 * 4096);
    // `remove_dir_all` cannot go that deep: take it down from below, two levels at a time.
    drop(at);
    take_down(dir.path());
}

fn dir_flags() -> rustix::fs::OFlags {
    rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC
}

fn mode() -> rustix::fs::Mode {
    rustix::fs::Mode::RWXU
}

/// Removes the chain: the second level is moved up beside the first, which then is empty.
fn take_down(root: &Path) {
    use rustix::fs::{AtFlags, open, renameat, unlinkat};
    let root = open(root, dir_flags(), mode()).unwrap();
    loop {
        let _ = unlinkat(&root, "d/e", AtFlags::REMOVEDIR);
        let moved = renameat(&root, "d/d", &root, "next").is_ok();
        let _ = unlinkat(&root, "d", AtFlags::REMOVEDIR);
        if !moved {
            break;
        }
        renameat(&root, "next", &root, "d").unwrap();
    }
}

#[test]
fn a_folder_exchanged_for_a_link_leads_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    write(outside.path().join("secret"));
    let root = dir.path().join("root");
    for n in 0..50 {
        std::fs::create_dir_all(root.join(format!("{n}/sub"))).unwrap();
        write(root.join(format!("{n}/sub/file")));
    }
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (real, link) = (root.join("7"), dir.path().join("link"));
            symlink(outside.path(), &link).unwrap();
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                rustix::fs::renameat_with(
                    rustix::fs::CWD,
                    &real,
                    rustix::fs::CWD,
                    &link,
                    rustix::fs::RenameFlags::EXCHANGE,
                )
                .unwrap();
            }
        });
        for _ in 0..200 {
            let (seen, _) = see(&[&root], &WalkOptions::default());
            assert!(seen.files.iter().all(|f| !f.ends_with(b"secret")));
            assert!(seen.files.len() >= 49);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn vanishing_files_are_counted_only() {
    let dir = tempfile::tempdir().unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                for n in 0..20 {
                    let sub = dir.path().join(format!("s{n}"));
                    std::fs::create_dir(&sub).unwrap();
                    write(sub.join("f"));
                    write(dir.path().join(format!("f{n}")));
                }
                for n in 0..20 {
                    std::fs::remove_dir_all(dir.path().join(format!("s{n}"))).unwrap();
                    std::fs::remove_file(dir.path().join(format!("f{n}"))).unwrap();
                }
            }
        });
        for _ in 0..300 {
            let (seen, _) = see(&[dir.path()], &WalkOptions::default());
            assert!(seen.problems.is_empty(), "{:?}", seen.problems);
            assert!(seen.unopened.iter().all(|e| *e == EntryError::Vanished), "{:?}", seen.unopened);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn one_file_system_stays_on_it() {
    if !kit::is_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mount = dir.path().join("mount");
    std::fs::create_dir(&mount).unwrap();
    let run = |program: &str, arguments: &[&OsStr]| {
        assert!(std::process::Command::new(program).args(arguments).status().unwrap().success());
    };
    run(
        "mount",
        &["-t", "tmpfs", "tmpfs"].map(OsStr::new).into_iter().chain([mount.as_os_str()]).collect::<Vec<_>>(),
    );
    write(mount.join("there"));
    write(dir.path().join("here"));
    let (all, _) = see(&[dir.path()], &WalkOptions::default());
    let (one, summary) = see(&[dir.path()], &WalkOptions { one_file_system: true, ..WalkOptions::default() });
    run("umount", &[mount.as_os_str()]);
    assert_eq!((all.files.len(), one.files.len(), summary.left_out), (2, 1, 1));
}

#[test]
fn an_unreadable_folder_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let closed = dir.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    let (seen, summary) = see(&[dir.path()], &WalkOptions::default());
    if kit::is_root() {
        // Root reads it.
        assert_eq!((seen.problems.len(), summary.folders), (0, 2));
    } else {
        assert_eq!(seen.problems.len(), 1);
        assert!(seen.problems[0].1.to_string().contains("ermission"));
    }
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
}
