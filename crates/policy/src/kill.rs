// SPDX-License-Identifier: Apache-2.0
//! Which processes are never killed, whoever asks.

use crate::{CriticalPrograms, CriticalRole};
use lazaret_model::{Guard, ProcessFacts};

/// What [`may_kill`] needs to know beside the process.
#[derive(Debug, Clone, Copy)]
pub struct KillContext<'a> {
    /// Every pid of ours: daemon, watchdog, spawner, scanners.
    pub own: &'a [i32],
    /// Pids of our ancestors, up to pid 1.
    pub ancestors: &'a [i32],
    /// Critical files of this host.
    pub critical: &'a CriticalPrograms,
    /// Programs that the administrator has named; a folder ends with `/`. They add to the floor
    /// and take nothing from it.
    pub never: &'a [Vec<u8>],
    /// Owner of the executable (fstat of `/proc/PID/exe`), `None` when it could not be read.
    pub exe_owner: Option<u32>,
}

/// Container runtimes by the name of the executable. A name that ends in `*` is a beginning.
const RUNTIMES: &[&str] = &[
    "containerd",
    "containerd-shim*",
    "dockerd",
    "docker-init",
    "docker-proxy",
    "runc",
    "crun",
    "youki",
    "kata-runtime",
    "runsc",
    "crio",
    "crio-conmon*",
    "conmon",
    "conmonrs",
    "podman",
    "buildkitd",
    "kubelet",
    "k3s*",
    "lxc-start",
    "lxc-monitord",
    "lxcfs",
    "lxd",
    "incusd",
    "systemd-nspawn",
];

/// Where a runtime may live; elsewhere the name says nothing.
const RUNTIME_FOLDERS: &[&[u8]] = &[
    b"/usr/",
    b"/bin/",
    b"/sbin/",
    b"/opt/",
    b"/snap/",
    b"/var/lib/rancher/",
    b"/var/lib/k0s/",
    b"/var/lib/snapd/",
];

/// Whether policy lets this process be killed.
///
/// A process inside a container has its own root: its executable's path names nothing of the host,
/// so the guards that go by path do not hold for it.
///
/// # Errors
/// The guard that protects it: pid 1, a kernel thread, Lazaret and its ancestors, what the
/// administrator has named, a container runtime, a critical program (but not a shell or interpreter, which runs whatever it is given).
pub fn may_kill(process: &ProcessFacts, context: &KillContext<'_>) -> Result<(), Guard> {
    let pid = process.process.pid;
    let untouchable = |why: &str| Err(Guard::Untouchable(format!("pid {pid} is {why}")));
    if pid <= 0 {
        return untouchable("no process");
    }
    if pid == 1 {
        return untouchable("the init process");
    }
    if pid == 2 && process.ppid == 0 || process.ppid == 2 && process.exe.is_empty() {
        return untouchable("a kernel thread");
    }
    if context.own.contains(&pid) {
        return untouchable("Lazaret itself");
    }
    if context.ancestors.contains(&pid) {
        return untouchable("an ancestor of Lazaret");
    }
    if process.container.is_some() {
        return Ok(());
    }
    let exe = process.exe.strip_suffix(b" (deleted)").unwrap_or(&process.exe);
    if context.never.iter().any(|n| names(n, exe)) {
        return untouchable(&format!("named under [response] never_kill: {}", String::from_utf8_lossy(exe)));
    }
    // Only root can have put a root-owned file there; an unreadable owner counts for the guard
    // when the process is root's.
    let owned_by_root = context.exe_owner.map_or(process.euid == 0, |uid| uid == 0);
    if !owned_by_root {
        return Ok(());
    }
    if RUNTIME_FOLDERS.iter().any(|f| exe.starts_with(f)) && is_runtime(exe) {
        return Err(Guard::ContainerRuntime(format!("pid {pid} {}", String::from_utf8_lossy(exe))));
    }
    match context.critical.role(exe) {
        Some(CriticalRole::Shell | CriticalRole::Library) | None => Ok(()),
        Some(role) => {
            Err(Guard::CriticalProgram(format!("pid {pid} runs {}: {role}", String::from_utf8_lossy(exe))))
        }
    }
}

/// Whole paths, or everything below a folder. Without dots that would lead elsewhere: `/proc` gives
/// none.
fn names(entry: &[u8], exe: &[u8]) -> bool {
    !entry.is_empty() && (entry == exe || (entry.ends_with(b"/") && exe.starts_with(entry)))
}

fn is_runtime(exe: &[u8]) -> bool {
    let name = exe.rsplit(|b| *b == b'/').next().unwrap_or_default();
    RUNTIMES.iter().any(|r| match r.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning.as_bytes()),
        None => name == r.as_bytes(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lazaret_model::ProcessRef;

    fn process(pid: i32, ppid: i32, exe: &str) -> ProcessFacts {
        ProcessFacts {
            process: ProcessRef { pid, start_time: 1, boot_id: [0; 16] },
            ppid,
            exe: exe.into(),
            cmdline: Vec::new(),
            uid: 0,
            euid: 0,
            gid: 0,
            started_ms: 0,
            sha256: None,
            container: None,
            unit: None,
        }
    }

    fn judge(p: &ProcessFacts, exe_owner: Option<u32>) -> Result<(), Guard> {
        let critical = CriticalPrograms::new();
        let never = [b"/opt/db/bin/server".to_vec(), b"/srv/keep/".to_vec()];
        let context = KillContext {
            own: &[50, 51],
            ancestors: &[40, 41],
            critical: &critical,
            never: &never,
            exe_owner,
        };
        may_kill(p, &context)
    }

    #[test]
    fn what_the_administrator_has_named() {
        for exe in ["/opt/db/bin/server", "/opt/db/bin/server (deleted)", "/srv/keep/a/b"] {
            assert!(matches!(judge(&process(9, 1, exe), Some(1000)), Err(Guard::Untouchable(_))), "{exe}");
        }
        for exe in ["/opt/db/bin/server2", "/opt/db/bin", "/srv/keepers/x", "/srv/keep"] {
            assert_eq!(judge(&process(9, 1, exe), Some(0)), Ok(()), "{exe}");
        }
        // It adds to the floor: what is protected stays so.
        assert!(judge(&process(1, 0, "/tmp/x"), Some(0)).is_err());
        // The path inside a container names nothing of the host.
        let mut inside = process(9, 1, "/opt/db/bin/server");
        inside.container = Some("0123456789ab".into());
        assert_eq!(judge(&inside, Some(0)), Ok(()));
    }

    #[test]
    fn untouchables() {
        for p in [
            process(1, 0, "/usr/lib/systemd/systemd"),
            process(2, 0, ""),
            process(77, 2, ""),
            process(50, 40, "/usr/sbin/lazaretd"),
            process(41, 1, "/bin/bash"),
            process(0, 0, "/tmp/x"),
            process(-5, 0, "/tmp/x"),
        ] {
            assert!(matches!(judge(&p, Some(0)), Err(Guard::Untouchable(_))), "{p:?}");
        }
    }

    #[test]
    fn runtimes_only_where_root_put_them() {
        for exe in ["/usr/bin/containerd-shim-runc-v2", "/usr/bin/runc", "/usr/bin/dockerd (deleted)"] {
            assert!(matches!(judge(&process(9, 1, exe), Some(0)), Err(Guard::ContainerRuntime(_))), "{exe}");
            assert_eq!(judge(&process(9, 1, exe), Some(1000)), Ok(()), "{exe}");
        }
        assert_eq!(judge(&process(9, 1, "/tmp/runc"), Some(0)), Ok(()));
        let mut inside = process(9, 1, "/usr/bin/runc");
        inside.container = Some("0123456789ab".into());
        assert_eq!(judge(&inside, Some(0)), Ok(()));
    }

    #[test]
    fn critical_programs_but_not_interpreters() {
        assert!(matches!(judge(&process(9, 1, "/usr/sbin/sshd"), Some(0)), Err(Guard::CriticalProgram(_))));
        assert!(matches!(judge(&process(9, 1, "/usr/sbin/sshd"), None), Err(Guard::CriticalProgram(_))));
        assert_eq!(judge(&process(9, 1, "/bin/bash"), Some(0)), Ok(()));
        assert_eq!(judge(&process(9, 1, "/usr/bin/python3.11"), Some(0)), Ok(()));
        assert_eq!(judge(&process(9, 1, "/tmp/miner"), Some(0)), Ok(()));
        assert_eq!(judge(&process(9, 2, "/tmp/fake-kernel-thread"), Some(0)), Ok(()));
    }
}
