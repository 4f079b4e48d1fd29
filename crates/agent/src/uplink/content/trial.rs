// SPDX-License-Identifier: Apache-2.0
//! New content is tried in scanners of its own before anything is judged by it: it must load, it must find
//! the test program, and it must find nothing in our own programs and the shell.

use crate::core::Core;
use lazaret_model::{MalwareClass, ScanReport, TestRating, test_program_marker};
use lazaret_pool::{Job, PidChange, Pool, PoolConfig, Priority};
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Our own programs with debug information are large; nobody waits for this.
const DEADLINE: Duration = Duration::from_secs(30);
/// From this confidence on it is a hit.
const HIT: u8 = 60;

pub(super) fn run(core: &Arc<Core>, pack: &Path) -> Result<(), String> {
    let exempt = Arc::clone(&core.gate.exempt);
    let scanner = core.config.scanner().map_err(|e| e.to_string())?;
    let pool = Pool::start(PoolConfig {
        scanner: scanner.clone(),
        content: pack.to_owned(),
        rules: core.config.paths.rules.clone(),
        workers: 1,
        reserved: 0,
        deadline: DEADLINE,
        uid_gid: Some(crate::start::SCANNER),
        test_programs: true,
        deep: None,
        on_pid: Some(Arc::new(move |change| match change {
            PidChange::Started(pid) => {
                exempt.add(pid);
            }
            PidChange::Ended(pid) => exempt.remove(pid),
        })),
    })
    .map_err(|e| format!("it does not load: {e}"))?;
    if pool.content().rules == 0 && pool.content().known_bad == 0 {
        return Err("it holds nothing that could find anything".into());
    }
    finds_the_test_program(&pool, &core.config.paths.state)?;
    let own = std::env::current_exe().ok();
    for program in
        own.iter().map(std::path::PathBuf::as_path).chain([scanner.as_path(), Path::new("/bin/sh")])
    {
        let Ok(file) = File::open(program) else { continue };
        // An error is no verdict, and says nothing about the content.
        if let Ok(report) = pool.scan(job(file, program), Priority::Background)
            && let Some(why) = hit(&report)
        {
            return Err(format!("it takes {} for malicious ({why})", program.display()));
        }
    }
    Ok(())
}

fn job(file: File, path: &Path) -> Job {
    use std::os::unix::ffi::OsStrExt as _;
    let name = path.file_name().unwrap_or_default().as_bytes().to_vec();
    Job { file: OwnedFd::from(file), name, members: false }
}

fn hit(report: &ScanReport) -> Option<String> {
    let verdict = &report.verdict;
    (verdict.confidence.value() >= HIT).then(|| {
        let first = verdict.evidence.first().map(|e| e.id.clone()).unwrap_or_default();
        format!("{} of 100, {first}", verdict.confidence.value())
    })
}

/// In a file without a name: nobody else gets hold of it.
fn finds_the_test_program(pool: &Pool, state: &Path) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("the test program cannot be written: {e}");
    let path = state.join("content").join(format!("trial-{}", uuid::Uuid::now_v7()));
    let marker = test_program_marker(MalwareClass::Trojan, TestRating::Medium);
    fs::write(&path, format!("#!/bin/sh\n# {marker}\nexit 0\n")).map_err(failed)?;
    let opened = File::open(&path);
    fs::remove_file(&path).map_err(failed)?;
    match pool.scan(job(opened.map_err(failed)?, &path), Priority::Background) {
        Ok(report) if hit(&report).is_some() => Ok(()),
        Ok(_) => Err("it does not find the test program".into()),
        Err(e) => Err(format!("the test program could not be scanned with it: {e}")),
    }
}
