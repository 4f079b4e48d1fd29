// SPDX-License-Identifier: Apache-2.0
//! Where a file cannot simply be taken away: image layers below an overlay, and file systems that a
//! program serves. It is refused all the same, also after a restart, and the alarm says so.

use lazaret_kit::fs::run;
use lazaret_kit::proc::write_executable;
use lazaret_kit::{Daemon, Setup, Volume, bad, eventually};
use lazaret_model::{MalwareClass, TestRating};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

/// Taken off when dropped.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        for arguments in [&[][..], &["-l"][..]] {
            let done = Command::new("umount").args(arguments).arg(&self.0).output();
            if done.is_ok_and(|o| o.status.success()) {
                return;
            }
        }
    }
}

fn program() -> Vec<u8> {
    bad::program("/bin/true", MalwareClass::Worm, TestRating::High)
}

fn runs(path: &Path) -> bool {
    lazaret_kit::proc::run(path).is_ok_and(|out| out.status.success())
}

fn is_refused(path: &Path) -> bool {
    lazaret_kit::proc::is_refused(&lazaret_kit::proc::run(path))
}

/// Waits for the file to be isolated in place, and gives it with its alarm's timeline.
fn in_place(daemon: &Daemon) -> (String, String) {
    let mut found = None;
    let seen = eventually(SOON, || {
        found = daemon.json(["isolated", "list"]).into_iter().find(|i| i["status"] == "isolated_in_place");
        found.is_some()
    });
    assert!(seen, "{}", daemon.log());
    let found = found.unwrap();
    let alarm = found["alarm"].as_str().map(str::to_owned).or_else(|| {
        let shown = daemon.json(["isolated", "show", found["id"].as_str().unwrap()]);
        shown[0]["alarm"].as_str().map(str::to_owned)
    });
    // The file is listed a moment before its alarm is raised.
    let told = || {
        let out = daemon.cli(["--json", "alarms", "show", alarm.as_deref().unwrap()]);
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    assert!(eventually(SOON, || told().contains("execution stays denied")), "{}\n{}", told(), daemon.log());
    (found["id"].as_str().unwrap().to_owned(), told())
}

/// The same state, the same mounts.
fn restarted(daemon: Daemon, mounts: &[PathBuf]) -> (Daemon, tempfile::TempDir) {
    let folder = daemon.stop();
    let state = Some(folder.path().join("state"));
    let setup = Setup { mounts: mounts.to_vec(), isolate_and_kill: true, state, ..Setup::default() };
    (Daemon::start(&setup), folder)
}

/// With the layers' file system protected beside the overlay, or the overlay alone, as its container sees
/// it: the kernel's questions come from one or the other.
fn image_layer(layers_too: bool) {
    let volume = Volume::ext4();
    for d in ["low", "up", "work", "low/bin"] {
        std::fs::create_dir(volume.join(d)).unwrap();
    }
    let (merged, low) = (volume.beside().join("merged"), volume.join("low/bin/tool"));
    std::fs::create_dir(&merged).unwrap();
    write_executable(&low, &program());
    let layer = |name: &str| volume.join(name).display().to_string();
    let options = format!("lowerdir={},upperdir={},workdir={}", layer("low"), layer("up"), layer("work"));
    run("mount", &["-t", "overlay", "overlay", "-o", &options, merged.to_str().unwrap()]);
    let _merged = Mounted(merged.clone());
    let mut mounts = vec![merged.clone()];
    mounts.extend(layers_too.then(|| volume.path().to_owned()));
    let setup = Setup { mounts: mounts.to_vec(), isolate_and_kill: true, ..Setup::default() };
    let daemon = Daemon::start(&setup);
    let path = merged.join("bin/tool");
    assert!(is_refused(&path), "{}", daemon.log());
    assert!(eventually(SOON, || !path.exists()), "the merged name is still there\n{}", daemon.log());
    let (id, told) = in_place(&daemon);
    assert!(told.contains("image layer"), "{told}");
    assert!(low.exists(), "the image was changed\n{}", daemon.log());
    if layers_too {
        assert!(is_refused(&low), "{}", daemon.log());
    }
    let objects = daemon.json(["isolated", "list"]);
    assert_eq!(objects.len(), 1, "one file, one object: {objects:?}");
    let (daemon, _folder) = restarted(daemon, &mounts);
    if layers_too {
        assert!(is_refused(&low), "not refused after a restart\n{}", daemon.log());
    }
    assert!(low.exists() && !path.exists());
    daemon.json(["isolated", "restore", &id]);
    assert!(runs(&path), "{}", daemon.log());
    assert_eq!(std::fs::read(&path).unwrap(), program());
}

#[test]
fn an_image_layer_is_left_alone_and_refused() {
    image_layer(true);
}

#[test]
fn an_overlay_protected_alone_hides_its_layer_s_file() {
    image_layer(false);
}

#[test]
fn a_served_file_system_is_refused_in_place() {
    let volume = Volume::ext4();
    let (source, served) = (volume.beside().join("source"), volume.beside().join("served"));
    for d in [&source, &served] {
        std::fs::create_dir(d).unwrap();
    }
    run("bindfs", &[source.to_str().unwrap(), served.to_str().unwrap()]);
    let _served = Mounted(served.clone());
    let mounts = [served.clone()];
    let setup = Setup { mounts: mounts.to_vec(), isolate_and_kill: true, ..Setup::default() };
    let daemon = Daemon::start(&setup);
    let path = served.join("tool");
    write_executable(&path, &program());
    let (id, told) = in_place(&daemon);
    assert!(told.contains("FUSE"), "{told}");
    assert!(path.exists() && is_refused(&path), "{}", daemon.log());
    let (daemon, _folder) = restarted(daemon, &mounts);
    assert!(is_refused(&path), "not refused after a restart\n{}", daemon.log());
    daemon.json(["isolated", "restore", &id]);
    assert!(runs(&path), "{}", daemon.log());
}

#[test]
fn a_restore_makes_missing_folders_when_told_to() {
    let volume = Volume::ext4();
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    let folder = volume.join("srv/app");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("tool.sh");
    std::fs::write(&path, bad::high_script()).unwrap();
    let isolated = daemon.isolated_path(&path);
    let id = isolated["id"].as_str().unwrap();
    std::fs::remove_dir_all(volume.join("srv")).unwrap();
    let refused = daemon.cli(["isolated", "restore", id]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--parents"), "{refused:?}");
    daemon.json(["isolated", "restore", id, "--parents"]);
    assert_eq!(std::fs::read(&path).unwrap(), bad::high_script());
    // The restored content is left alone from now on: reading it is not refused either.
    std::thread::sleep(Duration::from_millis(500));
    assert!(path.exists(), "isolated again\n{}", daemon.log());
}
