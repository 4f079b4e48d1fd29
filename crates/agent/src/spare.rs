// SPDX-License-Identifier: Apache-2.0
//! Programs of intact packages that have to do with a bad file without being bad: they have it loaded
//! as a library, or start it because they were told to.

use lazaret_model::ProcessFacts;
use lazaret_packages::{PackageDb, Standing};
use lazaret_policy::{CriticalPrograms, CriticalRole};
use lazaret_response::SpareProcess;
use lazaret_sys::procfs;
use std::fs::File;
use std::sync::{Arc, PoisonError, RwLock};

pub(crate) struct Spare {
    pub(crate) packages: Arc<RwLock<Arc<PackageDb>>>,
    pub(crate) critical: Arc<CriticalPrograms>,
}

impl Spare {
    /// `name version` of the package that ships the process's program as it is. The path is only
    /// where to look: the open program itself has to have the package's digest.
    fn package(&self, process: &ProcessFacts) -> Option<String> {
        let program = File::from(procfs::exe_file(process.process.pid).ok()?);
        let path = process.exe.strip_suffix(b" (deleted)").unwrap_or(&process.exe);
        let packages = Arc::clone(&self.packages.read().unwrap_or_else(PoisonError::into_inner));
        match packages.standing(path, &program) {
            Standing::Owned { package, intact: true, .. } => Some(package),
            _ => None,
        }
    }
}

impl SpareProcess for Spare {
    fn as_library_host(&self, process: &ProcessFacts) -> Option<String> {
        self.package(process).map(|p| format!("its program belongs to the package {p}"))
    }

    fn as_supervisor(&self, process: &ProcessFacts) -> Option<String> {
        let name = process.exe.rsplit(|b| *b == b'/').next().unwrap_or_default();
        // An interpreter starts what its script says: the script is the watchdog.
        if self.critical.role(&process.exe) == Some(CriticalRole::Shell)
            || crate::runners::is_interpreter_name(name)
        {
            return None;
        }
        self.package(process).map(|p| format!("its program belongs to the package {p}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn packaged_programs_and_no_others() {
        let spare = Spare {
            packages: Arc::new(RwLock::new(Arc::new(PackageDb::open(std::path::Path::new("/"))))),
            critical: Arc::new(CriticalPrograms::new()),
        };
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("sleep");
        std::fs::copy("/bin/sleep", &own).unwrap();
        let mut judged = Vec::new();
        for program in [std::path::Path::new("/bin/sleep"), &own] {
            let mut child = Command::new(program).arg("20").spawn().unwrap();
            let facts = procfs::facts(child.id().cast_signed()).unwrap();
            judged.push((spare.as_library_host(&facts), spare.as_supervisor(&facts)));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        // A host without a package database knows no packaged programs.
        if std::path::Path::new("/var/lib/dpkg/status").exists() {
            assert!(judged[0].0.as_ref().is_some_and(|w| w.contains("coreutils")), "{judged:?}");
            assert!(judged[0].1.is_some(), "{judged:?}");
        }
        assert_eq!(judged[1], (None, None));
        let mut shell = Command::new("/bin/sh")
            .args(["-c", "read x"])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let facts = procfs::facts(shell.id().cast_signed()).unwrap();
        assert_eq!(spare.as_supervisor(&facts), None);
        drop(shell.stdin.take());
        shell.wait().unwrap();
    }
}
