// SPDX-License-Identifier: Apache-2.0
//! What the stage puts on a host, looks at and runs there.

use super::ask::{Dropping, Running};
use super::names;
use crate::bad;
use crate::proc;
use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lazaret_model::{MalwareClass, TestRating};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::Permissions;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Files of one order.
const MOST: usize = 5_000;
/// For a program that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A path on a volume, and nowhere else.
pub(super) fn inside(volume: &Path, path: &str) -> Result<PathBuf> {
    let relative = Path::new(path);
    let plain = relative.components().all(|c| matches!(c, Component::Normal(_)));
    ensure!(
        plain && !path.is_empty(),
        "path {}: below the host's folder is wanted, as \"a/b\"",
        path.escape_debug()
    );
    Ok(volume.join(relative))
}

/// Writes what is wanted; what lies there now.
pub(super) fn drop_on(volume: &Path, wanted: &Dropping) -> Result<Vec<Value>> {
    ensure!((1..=MOST).contains(&wanted.count), "count: 1 to {MOST}");
    let mode = wanted.mode.as_deref().unwrap_or("0755");
    let mode =
        u32::from_str_radix(mode, 8).with_context(|| format!("mode {mode}: octal digits are wanted"))?;
    let mut files = Vec::new();
    if wanted.what == "hostile" {
        let folder = wanted.path.as_deref().map_or(Ok(volume.to_owned()), |p| inside(volume, p))?;
        for (n, name) in names::hostile().into_iter().enumerate() {
            let path = folder.join(OsString::from_vec(name));
            files.push(put(&path, &content(wanted, wanted.number + n + 1)?, mode)?);
        }
        return Ok(files);
    }
    let (stem, end) = match wanted.what.as_str() {
        "program" => ("sleeper", ""),
        "webshell" => ("shell", ".php"),
        "eicar" => ("eicar", ".com"),
        what => (what, ".sh"),
    };
    for n in 0..wanted.count {
        let path = match &wanted.path {
            Some(path) if wanted.count == 1 => inside(volume, path)?,
            Some(path) => numbered(&inside(volume, path)?, wanted.number + n),
            None => volume.join(format!("{stem}-{}{end}", wanted.number + n)),
        };
        files.push(put(&path, &content(wanted, wanted.number + n)?, mode)?);
    }
    Ok(files)
}

/// `a/b.sh` becomes `a/b-7.sh`.
fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{number}"));
    if let Some(end) = path.extension() {
        name.push(".");
        name.push(end);
    }
    path.with_file_name(name)
}

fn content(wanted: &Dropping, number: usize) -> Result<Vec<u8>> {
    let class: Option<MalwareClass> = wanted.class.as_deref().map(str::parse).transpose().context("class")?;
    let rating = |otherwise| match wanted.rating.as_deref() {
        None => Ok(otherwise),
        Some("high") => Ok(TestRating::High),
        Some("medium") => Ok(TestRating::Medium),
        Some("low") => Ok(TestRating::Low),
        Some(other) => bail!("rating {}: high, medium or low", other.escape_debug()),
    };
    let class_or = |otherwise| class.unwrap_or(otherwise);
    let mut bytes = match wanted.what.as_str() {
        "high" | "hostile" => bad::script(class_or(MalwareClass::Trojan), rating(TestRating::High)?),
        "medium" => bad::script(class_or(MalwareClass::Trojan), rating(TestRating::Medium)?),
        "low" => bad::script(class_or(MalwareClass::Trojan), rating(TestRating::Low)?),
        "program" => bad::program("/bin/sleep", class_or(MalwareClass::Miner), rating(TestRating::High)?),
        "webshell" => bad::script(class_or(MalwareClass::WebShell), rating(TestRating::High)?),
        "unclassified" => bad::script(MalwareClass::Unclassified, rating(TestRating::High)?),
        "cloud" => {
            return Ok(bad::cloud_script(class_or(MalwareClass::Botnet), u64::try_from(number)?));
        }
        "eicar" => return Ok(bad::eicar()),
        "clean" => b"#!/bin/sh\necho ran\n".to_vec(),
        other => bail!("what {}: see tests/src/stage/mod.rs", other.escape_debug()),
    };
    if number > 0 {
        bytes.extend(format!("# {number}\n").bytes());
    }
    Ok(bytes)
}

fn put(path: &Path, bytes: &[u8], mode: u32) -> Result<Value> {
    let failed = || format!("{}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(failed)?;
    }
    let mut to_write = std::fs::OpenOptions::new();
    let mut file =
        to_write.write(true).create(true).truncate(true).mode(mode).open(path).with_context(failed)?;
    file.set_permissions(Permissions::from_mode(mode)).with_context(failed)?;
    file.write_all(bytes).with_context(failed)?;
    Ok(told(path, bytes))
}

fn told(path: &Path, bytes: &[u8]) -> Value {
    json!({
        "path": path.to_string_lossy(),
        "path_b64": STANDARD.encode(path.as_os_str().as_bytes()),
        "name": path.file_name().unwrap_or_default().to_string_lossy(),
        "sha256": hex(&Sha256::digest(bytes)),
        "size": bytes.len(),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, b| {
        let _ = write!(text, "{b:02x}");
        text
    })
}

/// What lies at a path.
pub(super) fn look(path: &Path) -> Result<Value> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(json!({"exists": false})),
        Err(e) => return Err(e).with_context(|| format!("{}", path.display())),
    };
    let mut answer = told(path, &bytes);
    answer["exists"] = json!(true);
    let mode = std::fs::metadata(path).with_context(|| format!("{}", path.display()))?.permissions().mode();
    answer["mode"] = json!(format!("{:04o}", mode & 0o7777));
    Ok(answer)
}

/// Runs what lies at a path; one that is not waited for is handed over.
pub(super) fn run(path: &Path, wanted: &Running) -> Result<(Value, Option<proc::Running>)> {
    let mut command = Command::new(path);
    command.args(&wanted.args).stdin(Stdio::null()).stderr(Stdio::null());
    command.stdout(if wanted.wait { Stdio::piped() } else { Stdio::null() });
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
            return Ok((json!({"refused": true}), None));
        }
        Err(e) => return Err(e).with_context(|| format!("{}", path.display())),
    };
    let said = child.stdout.take();
    let mut running = proc::Running::from(child);
    if !wanted.wait {
        return Ok((json!({"refused": false, "pid": running.pid()}), Some(running)));
    }
    ensure!(running.ends_within(PATIENCE), "{} still runs after {PATIENCE:?}", path.display());
    let mut stdout = String::new();
    if let Some(mut said) = said {
        let _ = said.read_to_string(&mut stdout);
    }
    let status = running.ended().context("it has ended")?;
    Ok((json!({"refused": false, "status": status.code(), "stdout": stdout}), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_on_the_volume() {
        let volume = Path::new("/v");
        assert_eq!(inside(volume, "a/b").ok(), Some("/v/a/b".into()));
        for bad in ["", "/etc/passwd", "../x", "a/../../x", "./a"] {
            assert!(inside(volume, bad).is_err(), "{bad}");
        }
        assert_eq!(numbered(Path::new("/v/a.sh"), 7), Path::new("/v/a-7.sh"));
        assert_eq!(numbered(Path::new("/v/a"), 0), Path::new("/v/a-0"));
    }

    #[test]
    fn every_number_has_its_content() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut wanted = Dropping {
            host: 0,
            what: "low".into(),
            path: Some("a/b.sh".into()),
            class: Some("worm".into()),
            rating: None,
            count: 3,
            number: 0,
            mode: Some("0640".into()),
        };
        let files = drop_on(folder.path(), &wanted).expect("dropped");
        let sums: std::collections::BTreeSet<_> = files.iter().map(|f| f["sha256"].to_string()).collect();
        assert_eq!((files.len(), sums.len()), (3, 3), "{files:#?}");
        let seen = look(&folder.path().join("a/b-2.sh")).expect("there");
        assert_eq!((&seen["sha256"], &seen["mode"]), (&files[2]["sha256"], &json!("0640")));
        assert_eq!(look(&folder.path().join("none")).expect("not there"), json!({"exists": false}));
        wanted.what = "hostile".into();
        assert_eq!(drop_on(folder.path(), &wanted).expect("dropped").len(), names::hostile().len());
        for (what, class) in [("dance", "worm"), ("low", "ghost")] {
            wanted.what = what.into();
            wanted.class = Some(class.into());
            assert!(drop_on(folder.path(), &wanted).is_err(), "{what} {class}");
        }
    }
}
