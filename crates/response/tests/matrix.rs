// SPDX-License-Identifier: Apache-2.0
//! Every property of a file comes back on every filesystem, as programs that know nothing of
//! Lazaret see it: `stat`, `getfattr`, `getfacl`, `getcap`, `lsattr`, `sha256sum`, and `xfs_io`
//! for where the holes are.

mod support;

use lazaret_model::{Action, Outcome};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Fs, State, isolate, judge, restore, run, target};

fn os(s: &str) -> &OsStr {
    OsStr::new(s)
}

/// One kind of file. `make` writes it; `after` sets what must come last, and is told whether the
/// filesystem took it.
struct Row {
    what: String,
    name: OsString,
    make: Box<dyn Fn(&Path)>,
    after: Vec<Vec<&'static str>>,
}

fn row(what: impl Into<String>, make: impl Fn(&Path) + 'static, after: &[&[&'static str]]) -> Row {
    let what = what.into();
    let name = what.replace(['/', ' '], "_").into();
    Row { what, name, make: Box::new(make), after: after.iter().map(|a| a.to_vec()).collect() }
}

fn text(path: &Path) {
    std::fs::write(path, "#!/bin/sh\nexit 0\n").unwrap();
}

fn sized(size: u64) -> impl Fn(&Path) {
    move |path| {
        let byte = |i: u64| u8::try_from(i * 7 % 251).unwrap();
        std::fs::write(path, (0..size).map(byte).collect::<Vec<u8>>()).unwrap();
    }
}

/// `size` bytes with data only at these offsets.
fn sparse(size: u64, data: &'static [(u64, usize)]) -> impl Fn(&Path) {
    move |path| {
        let file = File::create(path).unwrap();
        file.set_len(size).unwrap();
        for (at, len) in data {
            file.write_all_at(&vec![0x5a; *len], *at).unwrap();
        }
        file.sync_all().unwrap();
    }
}

const MIB: u64 = 1 << 20;

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (uid, gid, mode) in [
        (1234, 5678, 0o6755),
        (0, 0, 0o4711),
        (4_000_000_000, 3_999_999_999, 0o2750),
        (1, 2, 0o1777),
        (65_534, 65_534, 0),
    ] {
        rows.push(row(
            format!("owner {uid}:{gid} mode {mode:o}"),
            move |p| {
                text(p);
                chown(p, Some(uid), Some(gid)).unwrap();
                std::fs::set_permissions(p, std::fs::Permissions::from_mode(mode)).unwrap();
            },
            &[],
        ));
    }
    let times = [
        "1969-12-31 23:59:58.987654321 UTC",
        "2001-02-03 04:05:06.000000001 UTC",
        "2037-12-31 23:59:59.999999999 UTC",
    ];
    for (a, m) in [(times[0], times[1]), (times[1], times[2]), (times[2], times[0])] {
        rows.push(row(
            format!("times {a} {m}"),
            text,
            &[&["touch", "-a", "-d", a], &["touch", "-m", "-d", m]],
        ));
    }
    rows.push(row(
        "attributes",
        text,
        &[
            &["setfattr", "-n", "user.empty"],
            &["setfattr", "-n", "user.binary", "-v", "0x00ff0a27"],
            &["setfattr", "-n", "trusted.note", "-v", "kept"],
            &["setfattr", "-n", "security.selinux", "-v", "system_u:object_r:bin_t:s0"],
            &["setfattr", "-n", "security.ima", "-v", "0x0404"],
        ],
    ));
    rows.push(row(
        "access list",
        text,
        &[&["setfacl", "-m", "u:4321:rwx,u:77:---,g:99:r--,m::rx"], &["chmod", "u+s"]],
    ));
    rows.push(row("capabilities", text, &[&["setcap", "cap_net_raw,cap_sys_ptrace=eip"]]));
    for flags in ["+i", "+a", "+d", "+A", "+S", "+c", "+m", "+iad", "+dA", "+C"] {
        // No copy on write counts only for a file without content.
        let make = move |p: &Path| {
            File::create(p).unwrap();
            if flags == "+C" {
                let _ = Command::new("chattr").arg(flags).arg(p).output();
            }
            text(p);
        };
        rows.push(row(format!("flags {flags}"), make, &[&["chattr", flags]]));
    }
    for size in [0, 1, 4095, 4096, 4097, 65_536, MIB] {
        rows.push(row(format!("{size} bytes"), sized(size), &[]));
    }
    rows.push(row("hole at the end", sparse(8 * MIB, &[(0, 65_536)]), &[]));
    rows.push(row("hole at the beginning", sparse(8 * MIB, &[(8 * MIB - 65_536, 65_536)]), &[]));
    rows.push(row("nothing but a hole", sparse(8 * MIB, &[]), &[]));
    rows.push(row(
        "100 MiB with holes",
        sparse(100 * MIB, &[(0, 65_536), (10 * MIB, 131_072), (50 * MIB, 65_536), (99 * MIB, 65_536)]),
        &[],
    ));
    let named = |what: &str, name: Vec<u8>| Row { name: OsString::from_vec(name), ..row(what, text, &[]) };
    rows.push(named("longest name", vec![b'n'; 255]));
    rows.push(named("name that is not text", b"\xff\xfe\x80 \x01".to_vec()));
    rows.push(named("name of two lines", b"-rf *\nsecond: line\r".to_vec()));
    rows
}

/// Where the data is.
fn map(path: &Path) -> String {
    let sync = std::fs::File::open(path).unwrap().sync_all();
    sync.unwrap();
    let out = Command::new("xfs_io").args(["-r", "-c", "seek -a -r 0"]).arg(path).output().unwrap();
    assert!(out.status.success(), "{out:?}");
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn seen(path: &Path) -> Vec<(&'static str, String)> {
    let mut all = judge(path);
    all.push(("holes", map(path)));
    all
}

/// Makes every row's file, isolates all, restores all; nothing may differ. Gives the commands that
/// the filesystem refused.
fn circle(fs: &Fs, folder: &Path, rows: &[Row]) -> Vec<String> {
    let state = State::fast();
    let mut config = state.config();
    config.vault_limits.object_bytes = 8 << 30;
    let (r, _) = lazaret_response::Responder::open(config).unwrap();
    let mut refused = Vec::new();
    let mut taken = Vec::new();
    for row in rows {
        let path = folder.join(&row.name);
        (row.make)(&path);
        for command in &row.after {
            let out = Command::new(command[0]).args(&command[1..]).arg(&path).output().unwrap();
            if !out.status.success() {
                refused.push(command.join(" "));
            }
        }
        let before = seen(&path);
        let report = isolate(&r, target(&path));
        assert_eq!(
            report.outcome(Action::Isolate),
            Some(&Outcome::Done),
            "{} {}: {report:?}",
            fs.kind,
            row.what
        );
        assert!(!path.exists());
        taken.push((row, path, before, report.isolated.unwrap()));
    }
    for (row, path, before, id) in taken {
        let back = restore(&r, id, None);
        assert_eq!(back.outcome(Action::Restore), Some(&Outcome::Done), "{} {}: {back:?}", fs.kind, row.what);
        assert_eq!(seen(&path), before, "{} {}", fs.kind, row.what);
        let receipt = back.receipt.unwrap();
        for line in ["change time", "inode number", "birth time"] {
            let found = receipt.lines.iter().find(|l| l.attribute == line);
            assert!(found.is_none_or(|l| l.same || !l.note.is_empty()), "{line}: {found:?}");
        }
        let _ = Command::new("chattr").arg("-ia").arg(&path).output();
    }
    refused
}

/// What a filesystem of this kernel cannot have in the first place.
fn matrix(fs: &Fs, may_refuse: &[&str]) {
    let folder = fs.dir.join("srv");
    std::fs::create_dir(&folder).unwrap();
    let refused = circle(fs, &folder, &rows());
    let unexpected: Vec<_> = refused.iter().filter(|r| !may_refuse.contains(&r.as_str())).collect();
    assert!(unexpected.is_empty(), "{}: {unexpected:?}", fs.kind);
    paths(fs);
    links(fs);
}

/// The longest path that the kernel takes in one piece, and a longer one.
fn paths(fs: &Fs) {
    let state = State::fast();
    let r = state.open();
    let mut folder = fs.dir.join("deep");
    while 4095 - folder.as_os_str().len() > 251 {
        folder.push("d".repeat(199));
    }
    std::fs::create_dir_all(&folder).unwrap();
    let name = "f".repeat(4095 - folder.as_os_str().len() - 1);
    let path = folder.join(name);
    assert_eq!(path.as_os_str().len(), 4095);
    text(&path);
    let before = seen(&path);
    let report = isolate(&r, target(&path));
    assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::Done), "{}", fs.kind);
    let back = restore(&r, report.isolated.unwrap(), None);
    assert_eq!(back.outcome(Action::Restore), Some(&Outcome::Done), "{back:?}");
    assert_eq!(seen(&path), before);
    // Deeper: no program can name it, but a search finds it.
    let parent = File::open(&folder).unwrap();
    rustix::fs::mkdirat(&parent, "deeper".repeat(20), rustix::fs::Mode::RWXU).unwrap();
    let beyond = folder.join("deeper".repeat(20));
    assert!(beyond.as_os_str().len() > 4095);
    let dir = rustix::fs::openat(
        &parent,
        "deeper".repeat(20),
        rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::RDONLY,
        rustix::fs::Mode::empty(),
    )
    .unwrap();
    let inside = PathBuf::from(format!("/proc/self/fd/{}/f", std::os::fd::AsRawFd::as_raw_fd(&dir)));
    text(&inside);
    let report = isolate(&r, target(&inside));
    assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::Done), "{} {report:?}", fs.kind);
    assert!(!inside.exists());
    let id = report.isolated.unwrap();
    assert_eq!(r.vault().manifest(id).unwrap().path.0, beyond.join("f").as_os_str().as_bytes());
    let back = restore(&r, id, None);
    assert_eq!(back.outcome(Action::Restore), Some(&Outcome::Done), "{back:?}");
    assert_eq!(std::fs::read(&inside).unwrap(), b"#!/bin/sh\nexit 0\n");
}

/// Every name goes, and comes back as a name of one inode.
fn links(fs: &Fs) {
    let state = State::fast();
    let r = state.open();
    let names: Vec<PathBuf> =
        ["l/a", "l/b", "l/far/c", "l/far/\u{e4}\n"].iter().map(|n| fs.dir.join(n)).collect();
    std::fs::create_dir_all(fs.dir.join("l/far")).unwrap();
    text(&names[0]);
    for n in &names[1..] {
        std::fs::hard_link(&names[0], n).unwrap();
    }
    run("chattr", &[os("+d"), names[0].as_os_str()]);
    let before = seen(&names[2]);
    let report = isolate(&r, target(&names[1]));
    assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::Done), "{} {report:?}", fs.kind);
    assert!(names.iter().all(|n| !n.exists()));
    let back = restore(&r, report.isolated.unwrap(), None);
    assert_eq!(back.outcome(Action::Restore), Some(&Outcome::Done), "{back:?}");
    let inode = |p: &PathBuf| std::fs::metadata(p).map(|m| (m.ino(), m.nlink())).unwrap();
    assert!(names.iter().all(|n| inode(n) == inode(&names[0])) && inode(&names[0]).1 == 4);
    assert_eq!(seen(&names[2]), before, "{}", fs.kind);
}

#[test]
fn case_24_matrix_ext4() {
    matrix(&Fs::new("ext4"), &["chattr +c", "chattr +m", "chattr +C"]);
}

#[test]
fn case_24_matrix_xfs() {
    matrix(&Fs::new("xfs"), &["chattr +c", "chattr +m", "chattr +C"]);
}

#[test]
fn case_24_matrix_btrfs() {
    matrix(&Fs::new("btrfs"), &[]);
}

#[test]
fn case_24_matrix_tmpfs() {
    matrix(&Fs::new("tmpfs"), &["chattr +S", "chattr +c", "chattr +m", "chattr +C"]);
}

#[test]
fn case_24_matrix_overlay() {
    let refused = ["chattr +c", "chattr +m", "chattr +C"];
    matrix(&Fs::overlay("ext4", |_| {}), &refused);
}

/// Gigabytes take long: only with LAZARET_FULL=1.
#[test]
fn case_24_four_gigabytes() {
    if std::env::var_os("LAZARET_FULL").is_none_or(|v| v != "1") {
        eprintln!("skipped: LAZARET_FULL=1 runs it");
        return;
    }
    let fs = Fs::new("ext4");
    let rows = [row(
        "4 GiB",
        sparse(4096 * MIB, &[(0, 65_536), (2048 * MIB, 65_536), (4096 * MIB - 65_536, 65_536)]),
        &[],
    )];
    assert_eq!(circle(&fs, &fs.dir, &rows), Vec::<String>::new());
}
