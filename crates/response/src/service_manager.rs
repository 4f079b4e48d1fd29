// SPDX-License-Identifier: Apache-2.0
//! Starting a service again through the host's service manager: a program call with an argument
//! vector, never a shell.

use lazaret_model::Outcome;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The longest unit name that systemd takes.
const MAX_UNIT: usize = 255;

/// Of what the program says on standard error, this many bytes are kept.
const MAX_SAID: u64 = 1024;

/// How to reach the service manager.
#[derive(Debug, Clone)]
pub struct ServiceManager {
    /// `systemctl`, or what takes its arguments.
    pub program: PathBuf,
    /// Exists while it runs (`sd_booted(3)`).
    pub booted: PathBuf,
    /// How long a start may take.
    pub limit: Duration,
}

impl Default for ServiceManager {
    fn default() -> Self {
        Self {
            program: "/usr/bin/systemctl".into(),
            booted: "/run/systemd/system".into(),
            limit: Duration::from_secs(30),
        }
    }
}

impl ServiceManager {
    /// Whether there is one here.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.booted.is_dir()
    }

    /// Starts a service and looks whether it stays up.
    #[must_use]
    pub fn start(&self, unit: &str) -> Outcome {
        if !is_service(unit) {
            return Outcome::Refused(format!("\"{}\" is not the name of a service", unit.escape_debug()));
        }
        if !self.is_there() {
            return Outcome::Refused(format!(
                "no service manager runs here ({} does not exist); start it by hand",
                self.booted.display()
            ));
        }
        let until = Instant::now() + self.limit;
        // It may have been started too often while its program was gone; that counts no longer.
        let _ = self.run("reset-failed", unit, until);
        match self.run("start", unit, until) {
            Err(why) => Outcome::Failed(why),
            Ok(Some((true, _))) => match self.run("is-failed", unit, until) {
                Ok(Some((true, _))) => {
                    Outcome::Failed(format!("it started and failed at once; see journalctl -u {unit}"))
                }
                _ => Outcome::Done,
            },
            Ok(Some((false, said))) => Outcome::Failed(said),
            Ok(None) => {
                let limit = self.limit.as_secs();
                Outcome::Partial(format!("not up after {limit} s; see systemctl status {unit}"))
            }
        }
    }

    /// Whether it succeeded, and what it said; `None` when it took too long.
    fn run(&self, verb: &str, unit: &str, until: Instant) -> Result<Option<(bool, String)>, String> {
        let failed = |e: std::io::Error| format!("{}: {e}", self.program.display());
        let mut child = Command::new(&self.program)
            .args(["--no-ask-password", "--no-pager", "--quiet", verb, "--", unit])
            .env_clear()
            .env("LC_ALL", "C")
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .current_dir(Path::new("/"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let status = loop {
            if let Some(status) = child.try_wait().map_err(failed)? {
                break status;
            }
            if Instant::now() >= until {
                let _ = child.kill();
                let _ = child.wait();
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let mut said = Vec::new();
        if let Some(errors) = child.stderr.take() {
            let _ = errors.take(MAX_SAID).read_to_end(&mut said);
        }
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        let said =
            if said.is_empty() { format!("{} {verb}: {status}", self.program.display()) } else { said };
        Ok(Some((status.success(), said)))
    }
}

/// The characters that systemd allows, and no option.
fn is_service(unit: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b":-_.\\@".contains(&b);
    unit.strip_suffix(".service").is_some_and(|name| !name.is_empty() && !name.starts_with(['-', '.']))
        && unit.len() <= MAX_UNIT
        && unit.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn names_of_services_and_nothing_else() {
        for unit in ["nginx.service", "getty@tty1.service", "a\\x2db.service"] {
            assert!(is_service(unit), "{unit}");
        }
        for unit in [
            "",
            ".service",
            "-h.service",
            "a b.service",
            "a;b.service",
            "../a.service",
            "a.socket",
            "é.service",
            "a\n.service",
        ] {
            assert!(!is_service(unit), "{unit:?}");
            assert!(matches!(ServiceManager::default().start(unit), Outcome::Refused(_)), "{unit:?}");
        }
    }

    /// A program that takes systemctl's arguments, in a folder that says that it runs.
    fn stand_in(dir: &Path, text: &str) -> ServiceManager {
        let program = dir.join("systemctl");
        std::fs::write(&program, format!("#!/bin/sh\necho \"$@\" >>{}/said\n{text}", dir.display())).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        ServiceManager { program, booted: dir.to_owned(), limit: Duration::from_secs(5) }
    }

    #[test]
    fn says_what_came_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let up = stand_in(dir.path(), "case \"$*\" in *is-failed*) exit 1;; esac\n");
        assert_eq!(up.start("web.service"), Outcome::Done);
        let said = std::fs::read_to_string(dir.path().join("said")).unwrap();
        assert!(said.contains("start -- web.service"), "{said}");
        let down = stand_in(dir.path(), "case \"$*\" in *start*) echo no such unit >&2; exit 5;; esac\n");
        assert_eq!(down.start("web.service"), Outcome::Failed("no such unit".into()));
        let dies = stand_in(dir.path(), "exit 0\n");
        assert!(matches!(dies.start("web.service"), Outcome::Failed(w) if w.contains("failed at once")));
        let slow = stand_in(dir.path(), "case \"$*\" in *start*) exec sleep 20;; esac\n");
        let slow = ServiceManager { limit: Duration::from_millis(300), ..slow };
        assert!(matches!(slow.start("web.service"), Outcome::Partial(_)));
        let nowhere = ServiceManager { booted: dir.path().join("absent"), ..slow };
        assert!(
            matches!(nowhere.start("web.service"), Outcome::Refused(w) if w.contains("no service manager"))
        );
        let absent = ServiceManager { program: dir.path().join("absent"), ..up };
        assert!(matches!(absent.start("web.service"), Outcome::Failed(_)));
    }
}
