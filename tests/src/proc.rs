// SPDX-License-Identifier: Apache-2.0
//! Processes of a story: ended with it, by their own handle.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

/// A child that is ended when dropped.
pub struct Running(Child);

impl Running {
    /// Starts a program.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("start"))
    }

    /// The same, with a file for what it says on standard error.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start_with(command: &mut Command, errors: std::fs::File) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).spawn().expect("start"))
    }

    /// Asks it to end, and ends it when it does not.
    pub fn terminate(&mut self, limit: Duration) {
        if let Ok(process) = lazaret_sys::process::ProcessHandle::open(self.pid()) {
            let _ = process.signal(lazaret_sys::process::Signal::TERM);
        }
        if !self.ends_within(limit) {
            let _ = self.0.kill();
        }
    }

    /// Its pid.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.0.id().cast_signed()
    }

    /// How it ended, when it has.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().expect("wait")
    }

    /// Waits for its end.
    pub fn ends_within(&mut self, limit: Duration) -> bool {
        crate::eventually(limit, || self.ended().is_some())
    }
}

impl From<Child> for Running {
    fn from(child: Child) -> Self {
        Self(child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Writes a file, closes it, makes it executable before that.
///
/// # Panics
/// When it cannot be written.
pub fn write_executable(path: &Path, bytes: &[u8]) {
    use std::io::Write;
    let mut file = std::fs::File::create(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    file.set_permissions(std::fs::Permissions::from_mode(0o755)).expect("mode");
    file.write_all(bytes).expect("write");
}

/// Runs a program to its end; the error is that of the exec itself.
///
/// # Errors
/// `EPERM` when the daemon refused it.
pub fn run(program: &Path) -> std::io::Result<Output> {
    Command::new(program).stdin(Stdio::null()).output()
}

/// Whether an exec was refused by permission.
#[must_use]
pub fn is_refused(result: &std::io::Result<Output>) -> bool {
    matches!(result, Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied)
}
