// SPDX-License-Identifier: Apache-2.0
//! What no verdict overrides: critical programs with their library closure, intact packages, and
//! processes that are never ended.

use crate::gate::Exempt;
use crate::log::log;
use crate::spare::Spare;
use lazaret_model::{Guard, PersistenceEntry, PersistenceKind};
use lazaret_packages::{PackageDb, Standing};
use lazaret_policy::{CriticalPrograms, CriticalRole, KillContext, PackageStanding, SEED_PROGRAMS, may_kill};
use lazaret_pool::{Job, Pool, Priority};
use lazaret_response::persistence::MayDisable;
use lazaret_response::{MayKill, SpareProcess};
use lazaret_sys::procfs;
use rustix::fs::Stat;
use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// Where the dynamic linker looks when a program says nothing else.
const LIBRARY_FOLDERS: [&str; 8] = [
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/usr/lib/systemd",
    "/usr/lib/x86_64-linux-gnu/systemd",
];

/// More libraries than this are no closure of login and boot programs.
const MAX_CLOSURE: usize = 2000;

pub(crate) struct Guards {
    packages: Arc<RwLock<Arc<PackageDb>>>,
    critical: Arc<CriticalPrograms>,
    never_kill: Arc<[Vec<u8>]>,
    /// Programs of Lazaret that run here.
    own: Vec<(u64, u64)>,
}

impl Guards {
    /// Reads the package databases and asks the jailed scanners which libraries the critical
    /// programs need: their bytes are not parsed by a process with privileges.
    pub(crate) fn load(pool: &Pool, root: &Path, never_kill: &[PathBuf], scanner: Option<&Path>) -> Self {
        let packages = PackageDb::open(root);
        let critical = closure(pool);
        log!("guards: {} libraries of critical programs", critical.added());
        Self {
            packages: Arc::new(RwLock::new(Arc::new(packages))),
            critical: Arc::new(critical),
            own: [Some(Path::new("/proc/self/exe")), scanner]
                .into_iter()
                .flatten()
                .filter_map(|p| std::fs::metadata(p).ok())
                .map(|m| (m.dev(), m.ino()))
                .collect(),
            never_kill: never_kill.iter().map(|p| p.as_os_str().as_bytes().to_vec()).collect(),
        }
    }

    pub(crate) fn standing(&self, path: &[u8], file: &File) -> PackageStanding {
        match self.packages().standing(path, file) {
            Standing::Unowned => PackageStanding::Unowned,
            Standing::Owned { package, intact, trusted, .. } => {
                PackageStanding::Owned { package, intact, trusted }
            }
            Standing::Unknown(why) => PackageStanding::Unknown(why),
        }
    }

    pub(crate) fn critical(&self, path: &[u8]) -> Option<&str> {
        self.critical.why(path)
    }

    /// Whether the file is a program of Lazaret that runs now: whoever says that it is bad, a host does not
    /// disarm itself.
    pub(crate) fn own(&self, stat: &Stat) -> Option<&'static str> {
        self.own
            .contains(&(stat.st_dev, stat.st_ino))
            .then_some("a program of Lazaret that protects this host")
    }

    pub(crate) fn trust_gap(&self) -> Option<String> {
        self.packages().trust_available().err()
    }

    fn packages(&self) -> Arc<PackageDb> {
        Arc::clone(&self.packages.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the package databases again when a package manager has changed them; takes about a
    /// second then, so never on the way to an answer.
    pub(crate) fn follow_packages(&self) {
        if let Some(fresh) = self.packages().refreshed() {
            *self.packages.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        }
    }

    /// The check that `response` makes for every process it is about to end.
    pub(crate) fn kill_guard(&self, own: &Exempt) -> MayKill {
        let ancestors: Vec<i32> =
            procfs::chain(std::process::id().cast_signed(), 64).iter().map(|p| p.process.pid).collect();
        let own: Vec<i32> = own.all();
        let (critical, never) = (Arc::clone(&self.critical), Arc::clone(&self.never_kill));
        Arc::new(move |process| {
            let exe = Path::new("/proc").join(process.process.pid.to_string()).join("exe");
            let exe_owner = std::fs::metadata(exe).ok().map(|m| m.uid());
            let context = KillContext {
                own: &own,
                ancestors: &ancestors,
                critical: &critical,
                never: &never,
                exe_owner,
            };
            may_kill(process, &context)
        })
    }

    /// Who is innocent although it has to do with a bad file.
    pub(crate) fn spare(&self) -> Arc<dyn SpareProcess> {
        Arc::new(Spare { packages: Arc::clone(&self.packages), critical: Arc::clone(&self.critical) })
    }
}

impl Guards {
    /// The check that `response` makes before it takes an entry out of force that brings a program
    /// back. What an intact package of trusted origin brought is only shown; policy by itself also
    /// leaves alone what any package owns, where the file as a whole would be disabled.
    pub(crate) fn disable_guard(&self, root: &Path, entry: &PersistenceEntry, automatic: bool) -> MayDisable {
        let packages = (root == Path::new("/")).then(|| self.packages());
        // A crontab loses one line; a unit, or a script that cron runs, goes as a whole.
        let whole =
            entry.kind != PersistenceKind::Cron || lazaret_response::persistence::is_script(&entry.file);
        Arc::new(move |path, file| {
            let Some(packages) = &packages else { return Ok(()) };
            match packages.standing(path, file) {
                Standing::Unowned => Ok(()),
                Standing::Owned { package, intact: true, trusted, .. } if trusted || automatic => {
                    Err(Guard::IntactPackage(package))
                }
                Standing::Owned { package, .. } if automatic && whole => Err(Guard::Untouchable(format!(
                    "a file of the package {package} is not disabled as a whole without a person"
                ))),
                Standing::Unknown(why) if automatic => Err(Guard::Untouchable(format!(
                    "it is not known whether a package owns the file ({why}): a person decides"
                ))),
                Standing::Owned { .. } | Standing::Unknown(_) => Ok(()),
            }
        })
    }
}

/// Follows `DT_NEEDED` from every critical program that exists here.
fn closure(pool: &Pool) -> CriticalPrograms {
    let mut critical = CriticalPrograms::new();
    let mut seen: HashSet<PathBuf> = HashSet::new();
    let mut queue: VecDeque<(PathBuf, CriticalRole, String)> = SEED_PROGRAMS
        .iter()
        .flat_map(|s| s.names.iter().map(move |n| (Path::new(s.directory).join(n), s.role)))
        .filter_map(|(seed, role)| {
            let path = std::fs::canonicalize(&seed).ok()?;
            path.is_file().then(|| (path, role, seed.display().to_string()))
        })
        .collect();
    if let Ok(init) = std::fs::read_link("/proc/1/exe") {
        critical.add(init.as_os_str().as_bytes(), CriticalRole::Init, "the program of pid 1");
        queue.push_back((init.clone(), CriticalRole::Init, init.display().to_string()));
    }
    while let Some((path, role, root)) = queue.pop_front() {
        if seen.len() > MAX_CLOSURE || !seen.insert(path.clone()) {
            continue;
        }
        let Ok(file) = File::open(&path) else { continue };
        let job = Job { file: file.into(), name: path.as_os_str().as_bytes().to_vec(), members: false };
        let Ok(report) = pool.scan(job, Priority::Event) else { continue };
        let Some(elf) = report.elf else { continue };
        let runpath = elf.runpath.unwrap_or_default();
        let folders: Vec<PathBuf> = runpath
            .split(':')
            .filter(|p| p.starts_with('/'))
            .chain(LIBRARY_FOLDERS)
            .map(PathBuf::from)
            .collect();
        for library in elf.needed.iter().chain(&elf.interpreter) {
            let Some(found) = resolve(library, &folders) else { continue };
            critical.add(found.as_os_str().as_bytes(), CriticalRole::Library, format!("library of {root}"));
            queue.push_back((found, role, root.clone()));
        }
    }
    critical
}

fn resolve(library: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    if library.starts_with('/') {
        return std::fs::canonicalize(library).ok();
    }
    folders.iter().find_map(|f| std::fs::canonicalize(f.join(library)).ok())
}
