// SPDX-License-Identifier: Apache-2.0
//! Isolating and restoring where filesystems differ: subvolumes, overlays, bind mounts, servers.

mod support;

use lazaret_model::{Action, FileRef, IsolatedStatus, Outcome};
use lazaret_response::{Report, Responder, Step};
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use support::mounts::Bind;
use support::{Fs, State, delete, file_ref, isolate, judge, restore, run, target};

fn is_denied(state: &State, file: &FileRef) -> bool {
    state.denied.0.lock().unwrap().contains(&(file.dev, file.ino))
}

fn nobody_is_denied(state: &State) {
    assert!(state.denied.0.lock().unwrap().is_empty(), "{:?}", state.denied.0.lock().unwrap());
}

fn refer(path: &Path) -> FileRef {
    file_ref(&std::fs::metadata(path).unwrap())
}

fn done(report: &Report) {
    assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::Done), "{report:?}");
    assert_eq!(report.status, Some(IsolatedStatus::Isolated));
}

fn in_place(report: &Report, word: &str) {
    let said = report.outcome(Action::Isolate).unwrap();
    assert!(said.reason().contains(word), "{word}: {report:?}");
    assert_eq!(report.status, Some(IsolatedStatus::IsolatedInPlace), "{report:?}");
}

fn comes_back(r: &Responder, report: &Report) {
    let back = restore(r, report.isolated.unwrap(), None);
    assert_eq!(back.outcome(Action::Restore), Some(&Outcome::Done), "{back:?}");
    assert_eq!(back.status, Some(IsolatedStatus::Restored));
}

/// What lies in a folder at the moment when the name is gone.
fn staged_while(state: &State, folder: PathBuf) -> (Responder, Arc<Mutex<Vec<String>>>) {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let mut config = state.config();
    let sink = seen.clone();
    config.on_step = Some(Arc::new(move |step| {
        if step == Step::Sealed
            && let Ok(list) = std::fs::read_dir(&folder)
        {
            sink.lock().unwrap().extend(list.flatten().map(|e| e.file_name().to_string_lossy().into_owned()));
        }
    }));
    (Responder::open(config).unwrap().0, seen)
}

#[test]
fn btrfs_stages_inside_the_subvolume() {
    let fs = Fs::new("btrfs");
    let sub = fs.dir.join("srv/sub");
    std::fs::create_dir(fs.dir.join("srv")).unwrap();
    run("btrfs", &["subvolume".as_ref(), "create".as_ref(), sub.as_os_str()]);
    let state = State::new();
    let (r, staged) = staged_while(&state, sub.join(".lazaret-staging"));
    let (path, far) = (sub.join("a/b/f"), sub.join("c/d/e/other"));
    for p in [&path, &far] {
        std::fs::create_dir_all(p.parent().unwrap()).unwrap();
    }
    std::fs::write(&path, "bad").unwrap();
    std::fs::hard_link(&path, &far).unwrap();
    assert_ne!(std::fs::metadata(&sub).unwrap().dev(), std::fs::metadata(&fs.dir).unwrap().dev());
    let before = judge(&path);
    let report = isolate(&r, target(&path));
    done(&report);
    assert!(!path.exists() && !far.exists());
    assert!(staged.lock().unwrap().iter().any(|n| n.starts_with(".lazaret-")), "{staged:?}");
    assert_eq!(std::fs::metadata(sub.join(".lazaret-staging")).unwrap().mode() & 0o777, 0o700);
    comes_back(&r, &report);
    assert_eq!(judge(&path), before);
    assert_eq!(std::fs::metadata(&far).unwrap().ino(), std::fs::metadata(&path).unwrap().ino());
    // The top of the filesystem and a mounted subvolume.
    let top = fs.dir.join("f");
    std::fs::write(&top, "bad at the top").unwrap();
    done(&isolate(&r, target(&top)));
    let own = fs.dir.join("mounted");
    std::fs::create_dir(&own).unwrap();
    let _bind = Bind::new(&sub, &own);
    std::fs::write(own.join("g"), "bad in a mounted one").unwrap();
    done(&isolate(&r, target(&own.join("g"))));
    assert!(!sub.join("g").exists() && own.join(".lazaret-staging").exists());
    nobody_is_denied(&state);
}

#[test]
fn case_25_read_only_subvolume_stays_denied() {
    let fs = Fs::new("btrfs");
    let sub = fs.dir.join("sub");
    run("btrfs", &["subvolume".as_ref(), "create".as_ref(), sub.as_os_str()]);
    let path = sub.join("f");
    std::fs::write(&path, "bad").unwrap();
    let set = |on: &str| {
        run("btrfs", &["property", "set", "-ts", sub.to_str().unwrap(), "ro", on].map(OsStr::new));
    };
    set("true");
    let state = State::new();
    let r = state.open();
    let report = isolate(&r, target(&path));
    in_place(&report, "read-only");
    assert!(path.exists() && is_denied(&state, &refer(&path)));
    comes_back(&r, &report);
    nobody_is_denied(&state);
    set("false");
}

/// Layers on one filesystem, and on two: the numbers that the kernel shows differ.
fn overlays(fill: impl Fn(&Path)) -> Vec<(Fs, Option<Fs>)> {
    let upper = Fs::new("tmpfs");
    let two = Fs::overlay_of(Fs::new("ext4"), &upper.dir, &fill);
    vec![(Fs::overlay("ext4", &fill), None), (Fs::overlay("xfs", &fill), None), (two, Some(upper))]
}

#[test]
fn overlay_upper_files_go_and_come_back() {
    for (fs, _upper) in overlays(|_| {}) {
        let state = State::new();
        let r = state.open();
        std::fs::create_dir(fs.dir.join("d")).unwrap();
        let (path, other) = (fs.dir.join("d/f"), fs.dir.join("other"));
        std::fs::write(&path, "bad").unwrap();
        std::fs::hard_link(&path, &other).unwrap();
        let before = judge(&path);
        let report = isolate(&r, target(&path));
        done(&report);
        assert!(!path.exists() && !other.exists());
        nobody_is_denied(&state);
        comes_back(&r, &report);
        assert_eq!(judge(&path), before);
        assert!(other.exists());
    }
}

#[test]
fn overlay_lower_file_becomes_a_whiteout_and_stays_denied() {
    let fill = |low: &Path| {
        std::fs::create_dir(low.join("bin")).unwrap();
        std::fs::write(low.join("bin/f"), "bad").unwrap();
        std::fs::write(low.join("bin/good"), "good").unwrap();
    };
    for (fs, upper) in overlays(fill) {
        let state = State::new();
        let r = state.open();
        let (path, low) = (fs.dir.join("bin/f"), fs.layer("low/bin/f"));
        let up = upper.as_ref().map_or_else(|| fs.layer("up"), |u| u.dir.join("up"));
        let before = judge(&path);
        let report = isolate(&r, target(&path));
        in_place(&report, "image layer still holds it");
        assert!(report.outcome(Action::Isolate).unwrap().reason().contains(low.to_str().unwrap()));
        assert!(!path.exists() && fs.dir.join("bin/good").exists());
        let whiteout = std::fs::symlink_metadata(up.join("bin/f")).unwrap();
        assert!(whiteout.file_type().is_char_device() && whiteout.rdev() == 0);
        assert_eq!(std::fs::read(&low).unwrap(), b"bad", "the image is as it was");
        let lower = refer(&low);
        assert_eq!(*state.denied.0.lock().unwrap(), [(lower.dev, lower.ino)].into());
        let id = report.isolated.unwrap();
        r.vault().verify(id).unwrap();
        // An event of the layer itself for the same file comes late: nothing more happens.
        let mut late = target(&low);
        late.path = b"/bin/f".to_vec();
        let again = isolate(&r, late);
        assert_eq!(again.outcome(Action::Isolate), Some(&Outcome::AlreadyGone), "{again:?}");
        assert_eq!(again.isolated, Some(id));
        assert!(low.exists() && is_denied(&state, &lower));
        // And after a restart.
        drop(r);
        state.denied.0.lock().unwrap().clear();
        let r = state.open();
        assert!(is_denied(&state, &lower), "denied again after a restart");
        comes_back(&r, &report);
        // Which flags there are is the upper layer's filesystem's business.
        let (mut now, mut before) = (judge(&path), before);
        now.retain(|s| s.0 != "lsattr");
        before.retain(|s| s.0 != "lsattr");
        assert_eq!(now, before);
        nobody_is_denied(&state);
    }
}

#[test]
fn overlay_lower_hard_links_all_go() {
    let fill = |low: &Path| {
        std::fs::create_dir(low.join("bin")).unwrap();
        std::fs::write(low.join("bin/box"), "bad").unwrap();
        for n in ["bin/ls", "sh", "bin/cat"] {
            std::fs::hard_link(low.join("bin/box"), low.join(n)).unwrap();
        }
    };
    for (fs, _upper) in overlays(fill) {
        let state = State::new();
        let r = state.open();
        let path = fs.dir.join("bin/box");
        let report = isolate(&r, target(&path));
        in_place(&report, "image layer still holds it");
        for n in ["bin/box", "bin/ls", "sh", "bin/cat"] {
            assert!(!fs.dir.join(n).exists(), "{n} {report:?}");
            assert!(fs.layer("low").join(n).exists());
        }
        comes_back(&r, &report);
        let ino = std::fs::metadata(&path).unwrap().ino();
        for n in ["bin/ls", "sh", "bin/cat"] {
            assert_eq!(std::fs::metadata(fs.dir.join(n)).unwrap().ino(), ino);
        }
    }
}

#[test]
fn overlay_events_of_a_layer_act_through_the_merged_mount() {
    let fill = |low: &Path| {
        std::fs::create_dir(low.join("bin")).unwrap();
        std::fs::write(low.join("bin/f"), "bad below").unwrap();
    };
    let fs = Fs::overlay("ext4", fill);
    let state = State::new();
    let r = state.open();
    // The kernel names such a file by its path inside the layer.
    let event = |layer: &str, inside: &str| {
        let mut t = target(&fs.layer(layer).join(inside.trim_start_matches('/')));
        t.path = inside.as_bytes().to_vec();
        t
    };
    std::fs::write(fs.dir.join("bin/u"), "bad above").unwrap();
    let report = isolate(&r, event("up", "/bin/u"));
    done(&report);
    assert!(!fs.dir.join("bin/u").exists() && !fs.layer("up/bin/u").exists());
    assert_eq!(
        r.vault().manifest(report.isolated.unwrap()).unwrap().path.lossy(),
        fs.dir.join("bin/u").to_str().unwrap()
    );
    comes_back(&r, &report);
    let report = isolate(&r, event("low", "/bin/f"));
    in_place(&report, "image layer still holds it");
    assert!(!fs.dir.join("bin/f").exists() && fs.layer("low/bin/f").exists());
    assert!(is_denied(&state, &refer(&fs.layer("low/bin/f"))));
    // Deleting what the vault holds leaves the image alone.
    let gone = delete(&r, report.isolated.unwrap());
    assert_eq!(gone.outcome(Action::Delete), Some(&Outcome::Done), "{gone:?}");
    assert!(fs.layer("low/bin/f").exists());
}

#[test]
fn a_container_s_own_path_is_found_on_the_host() {
    let fs = Fs::overlay("ext4", |low| std::fs::write(low.join("f"), "bad").unwrap());
    std::fs::create_dir(fs.dir.join("old")).unwrap();
    // A process whose root is the overlay, in a mount namespace of its own; it ends by itself.
    let script = "import ctypes,os,sys,time\n\
        l=ctypes.CDLL(None,use_errno=True)\n\
        def ok(r):\n  assert r==0, os.strerror(ctypes.get_errno())\n\
        ok(l.unshare(0x20000)); ok(l.mount(None,b'/',None,0x44000,None))\n\
        os.chdir(sys.argv[1]); ok(l.syscall(155,b'.',b'old')); os.chdir('/'); ok(l.umount2(b'/old',2))\n\
        os.write(1,b'x'); time.sleep(20)\n";
    let mut child = Command::new("python3")
        .args(["-c", script])
        .arg(&fs.dir)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0]).unwrap();
    let state = State::new();
    let r = state.open();
    let inside = PathBuf::from(format!("/proc/{}/root/f", child.id()));
    let mut t = target(&inside);
    t.path = b"/f".to_vec();
    let own =
        std::fs::read_link(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&t.file))).unwrap();
    assert_eq!(own, Path::new("/f"), "the kernel names it as the container does");
    let report = isolate(&r, t);
    let gone = !inside.exists();
    child.kill().unwrap();
    child.wait().unwrap();
    in_place(&report, "image layer still holds it");
    assert!(gone && !fs.dir.join("f").exists());
    comes_back(&r, &report);
}

#[test]
fn a_read_only_bind_mount_is_passed_by_where_another_may_be_written() {
    let fs = Fs::new("ext4");
    let (data, bound) = (fs.dir.join("data"), fs.beside().join("bound"));
    std::fs::create_dir(&data).unwrap();
    std::fs::create_dir(&bound).unwrap();
    let _bind = Bind::new(&data, &bound).read_only();
    std::fs::write(data.join("f"), "bad").unwrap();
    let state = State::new();
    let r = state.open();
    let report = isolate(&r, target(&bound.join("f")));
    done(&report);
    assert!(!data.join("f").exists() && !bound.join("f").exists());
    comes_back(&r, &report);
}

#[test]
fn a_file_that_is_a_mount_point_is_taken_by_its_other_name() {
    let fs = Fs::new("ext4");
    let (path, point) = (fs.dir.join("f"), fs.beside().join("point"));
    std::fs::write(&path, "bad").unwrap();
    std::fs::write(&point, "").unwrap();
    let bind = Bind::new(&path, &point);
    let state = State::new();
    let r = state.open();
    let report = isolate(&r, target(&point));
    // Its name is gone; the mount still shows the inode, which nobody may open.
    assert!(!path.exists(), "{report:?}");
    done(&report);
    drop(bind);
    assert_eq!(std::fs::read(&point).unwrap(), b"");
    comes_back(&r, &report);
    assert_eq!(std::fs::read(&path).unwrap(), b"bad");
}

#[test]
fn somebody_s_own_staging_folder_is_not_used() {
    let fs = Fs::new("tmpfs");
    std::fs::create_dir(fs.dir.join(".lazaret-staging")).unwrap();
    std::os::unix::fs::chown(fs.dir.join(".lazaret-staging"), Some(1000), None).unwrap();
    std::fs::create_dir(fs.dir.join("d")).unwrap();
    let path = fs.dir.join("d/f");
    std::fs::write(&path, "bad").unwrap();
    let state = State::new();
    let (r, staged) = staged_while(&state, fs.dir.join("d"));
    let report = isolate(&r, target(&path));
    done(&report);
    assert!(staged.lock().unwrap().iter().any(|n| n.starts_with(".lazaret-")), "beside itself: {staged:?}");
    assert_eq!(std::fs::read_dir(fs.dir.join("d")).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(fs.dir.join(".lazaret-staging")).unwrap().count(), 0);
    comes_back(&r, &report);
}

#[test]
fn case_25_served_filesystems_are_denied_in_place_and_armed_again() {
    let fs = Fs::served();
    let path = fs.dir.join("f");
    std::fs::write(&path, "bad").unwrap();
    let state = State::new();
    let r = state.open();
    let report = isolate(&r, target(&path));
    in_place(&report, "FUSE");
    in_place(&report, "execution stays denied");
    assert!(matches!(report.outcome(Action::Isolate), Some(Outcome::Failed(_))));
    assert_eq!(std::fs::read(&path).unwrap(), b"bad");
    assert!(!fs.dir.join(".lazaret-staging").exists());
    let file = refer(&path);
    assert!(is_denied(&state, &file));
    drop(r);
    state.denied.0.lock().unwrap().clear();
    let r = state.open();
    assert!(is_denied(&state, &file), "denied again after a restart");
    // Deleting from the vault is not removing the file: it says so.
    let gone = delete(&r, report.isolated.unwrap());
    assert!(matches!(gone.outcome(Action::Delete), Some(Outcome::Refused(_))), "{gone:?}");
    comes_back(&r, &report);
    nobody_is_denied(&state);
    assert_eq!(std::fs::read(&path).unwrap(), b"bad");
}

#[test]
fn another_device_number_after_a_reboot_changes_nothing() {
    let fs = Fs::new("ext4");
    let state = State::new();
    let mut config = state.config();
    config.vault_limits.object_bytes = 10;
    let (r, _) = Responder::open(config).unwrap();
    let (path, second) = (fs.dir.join("f"), fs.dir.join("g"));
    for p in [&path, &second] {
        std::fs::write(p, format!("more than ten bytes {}", p.display())).unwrap();
    }
    let before = judge(&path);
    let (one, two) = (isolate(&r, target(&path)), isolate(&r, target(&second)));
    in_place(&one, "full");
    drop(r);
    let old = std::fs::metadata(&fs.dir).unwrap().dev();
    fs.unmount();
    let image = fs.beside().join("image");
    // Other file systems take the loop devices that were free, until this one gets another than before.
    let mut others = Vec::new();
    let new = loop {
        others.push(Fs::new("ext4"));
        run("mount", &["-o".as_ref(), "loop,noatime".as_ref(), image.as_os_str(), fs.dir.as_os_str()]);
        let new = std::fs::metadata(&fs.dir).unwrap().dev();
        if new != old {
            break new;
        }
        assert!(others.len() < 10, "always the same device");
        fs.unmount();
    };
    state.denied.0.lock().unwrap().clear();
    let r = state.open();
    let denied: Vec<u64> = state.denied.0.lock().unwrap().iter().map(|d| d.0).collect();
    assert_eq!(denied, [new, new], "the file has this number now");
    comes_back(&r, &one);
    assert_eq!(judge(&path), before);
    let gone = delete(&r, two.isolated.unwrap());
    assert_eq!(gone.outcome(Action::Delete), Some(&Outcome::Done), "{gone:?}");
    let staging = fs.dir.join(".lazaret-staging");
    assert_eq!(std::fs::read_dir(staging).unwrap().count(), 0);
    nobody_is_denied(&state);
}

#[test]
fn many_attributes_need_no_large_journal() {
    let fs = Fs::new("xfs");
    let state = State::new();
    let r = state.open();
    let attributes = |path: &Path, count: usize| {
        let file = File::create(path).unwrap();
        let value = vec![b'v'; 60_000];
        for i in 0..count {
            let name = format!("user.a{i:04}");
            rustix::fs::fsetxattr(&file, name.as_str(), &value, rustix::fs::XattrFlags::empty()).unwrap();
        }
        rustix::io::write(&file, b"bad").unwrap();
    };
    // The journal's segments have 256 KiB.
    let path = fs.dir.join("many");
    attributes(&path, 15);
    let before = judge(&path);
    let report = isolate(&r, target(&path));
    done(&report);
    comes_back(&r, &report);
    assert_eq!(judge(&path), before);
    // More than is recorded: the inode itself is kept, out of reach.
    let path = fs.dir.join("too many");
    attributes(&path, 60);
    let before = judge(&path);
    let report = isolate(&r, target(&path));
    in_place(&report, "extended attributes");
    assert!(!path.exists());
    drop(r);
    let r = state.open();
    comes_back(&r, &report);
    assert_eq!(judge(&path), before);
    nobody_is_denied(&state);
}

#[test]
fn case_27_a_flood_of_hard_links_is_bounded_and_taken() {
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let r = state.open();
    let path = fs.dir.join("f");
    std::fs::write(&path, "bad").unwrap();
    for i in 0..3000 {
        std::fs::hard_link(&path, fs.dir.join(format!("link{i}"))).unwrap();
    }
    let report = isolate(&r, target(&path));
    done(&report);
    let left = std::fs::read_dir(&fs.dir).unwrap().count();
    assert_eq!(left, 1, "only the staging folder");
    comes_back(&r, &report);
    assert_eq!(std::fs::metadata(&path).unwrap().nlink(), 3001);
}
