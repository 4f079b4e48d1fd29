// SPDX-License-Identifier: Apache-2.0
//! `lazaret scan` beside `cat >/dev/null` on the same files.

use crate::corpus;
use crate::report::line;
use lazaret_kit::binaries;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

struct Result {
    seconds: f64,
    summary: Value,
}

fn lazaret(path: &Path, threads: &str, more: &[&str], home: &Path) -> Result {
    let began = Instant::now();
    let out = Command::new(binaries::path("lazaret"))
        .args(["--json", "scan", "--pack"])
        .arg(binaries::pack())
        .args(["--threads", threads])
        .args(more)
        .arg(path)
        .env("XDG_CACHE_HOME", home)
        .stderr(Stdio::null())
        .output()
        .expect("lazaret");
    let seconds = began.elapsed().as_secs_f64();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let summary = text.lines().last().and_then(|l| serde_json::from_str(l).ok()).unwrap_or(Value::Null);
    Result { seconds, summary }
}

fn row(what: &str, r: &Result) {
    let number = |k: &str| r.summary[k].as_f64().unwrap_or(0.0);
    line(&format!(
        "| {what} | {:.2} s | {:.0} | {:.0} | {} | {} | {} |",
        r.seconds,
        number("objects") / r.seconds,
        number("bytes") / 1e6 / r.seconds,
        r.summary["high"],
        r.summary["medium"],
        r.summary["low"],
    ));
}

fn cat(path: &Path) -> f64 {
    let began = Instant::now();
    let script = "find \"$1\" -type f -print0 | xargs -0 cat >/dev/null 2>&1";
    let _ = Command::new("sh").args(["-c", script, "sh"]).arg(path).status();
    began.elapsed().as_secs_f64()
}

pub(crate) fn measure() {
    let small = corpus::small_files();
    line("| what | wall | files/s | MB/s | high | medium | low |");
    line("|---|---|---|---|---|---|---|");
    let home = tempfile::tempdir().expect("folder");
    for (path, name) in [
        (small.path(), "50,000 small source files"),
        (Path::new("/usr/lib/x86_64-linux-gnu"), "/usr/lib/x86_64-linux-gnu"),
        (Path::new("/usr"), "/usr"),
    ] {
        let _ = cat(path);
        line(&format!("| {name}: cat >/dev/null | {:.2} s | | | | | |", cat(path)));
        for threads in ["1", "2"] {
            row(&format!("{name}: {threads} threads"), &lazaret(path, threads, &["--no-cache"], home.path()));
        }
        row(&format!("{name}: 2 threads, fills the cache"), &lazaret(path, "2", &[], home.path()));
        row(&format!("{name}: 2 threads, second scan"), &lazaret(path, "2", &[], home.path()));
    }
}
