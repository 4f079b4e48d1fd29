// SPDX-License-Identifier: Apache-2.0
//! Waiting for what the daemon does: alarms, isolated files, vanished names, ended processes.

use crate::client::{Client, Patience};
use crate::commands::isolated;
use crate::error::CliError;
use lazaret_model::MalwareClass;
use lazaret_proto::v1;
use lazaret_proto::v1::request::Verb;
use lazaret_proto::v1::response::Answer;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What the steps work with.
pub(super) struct Bench {
    pub(super) client: Client,
    /// Private, on a protected mount.
    pub(super) folder: PathBuf,
    /// Ctrl-C was pressed.
    pub(super) stop: Arc<AtomicBool>,
    /// A class that is isolated without asking; `None` while nothing is.
    pub(super) class: Option<MalwareClass>,
    /// Longest wait for anything that should take milliseconds.
    pub(super) limit: Duration,
}

impl Bench {
    /// Asks until there is an answer; `None` after the limit.
    ///
    /// # Errors
    /// Ctrl-C, or what the probe says.
    pub(super) fn until<T>(
        &self,
        probe: impl FnMut() -> Result<Option<T>, CliError>,
    ) -> Result<Option<T>, CliError> {
        self.until_within(self.limit, probe)
    }

    /// The same with another limit.
    ///
    /// # Errors
    /// As [`Self::until`].
    pub(super) fn until_within<T>(
        &self,
        limit: Duration,
        mut probe: impl FnMut() -> Result<Option<T>, CliError>,
    ) -> Result<Option<T>, CliError> {
        let began = Instant::now();
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(CliError::Interrupted);
            }
            if let Some(answer) = probe()? {
                return Ok(Some(answer));
            }
            if began.elapsed() > limit {
                return Ok(None);
            }
            // Fine at first, since it is a time that is shown; coarser for what takes long.
            std::thread::sleep(if began.elapsed() < Duration::from_millis(100) {
                Duration::from_micros(500)
            } else {
                Duration::from_millis(10)
            });
        }
    }

    /// The newest alarm about the file.
    ///
    /// # Errors
    /// Ctrl-C, or the daemon.
    pub(super) fn alarm(&self, path: &Path) -> Result<Option<v1::Alarm>, CliError> {
        self.until(|| {
            let wanted = path.as_os_str().as_bytes();
            Ok(self.alarms(100)?.into_iter().find(|a| a.file.as_ref().is_some_and(|f| f.path == wanted)))
        })
    }

    /// The newest alarms.
    ///
    /// # Errors
    /// The daemon's.
    pub(super) fn alarms(&self, limit: u32) -> Result<Vec<v1::Alarm>, CliError> {
        let verb = Verb::AlarmsList(v1::AlarmsList { limit, ..Default::default() });
        let answers = self.client.collect(verb, Patience::Short)?;
        Ok(answers
            .into_iter()
            .filter_map(|a| if let Answer::Alarm(a) = a { Some(a) } else { None })
            .collect())
    }

    /// The isolated file that lay at the path, once it is in the vault and its name is gone.
    ///
    /// # Errors
    /// Ctrl-C, or the daemon.
    pub(super) fn isolated(&self, path: &Path) -> Result<Option<v1::Isolated>, CliError> {
        if self.until(|| Ok(is_gone(path).then_some(())))?.is_none() {
            return Ok(None);
        }
        self.until(|| {
            let wanted = path.as_os_str().as_bytes();
            let settled = |i: &v1::Isolated| matches!(i.status.as_str(), "isolated" | "isolated_in_place");
            Ok(isolated::list(&self.client, "")?.into_iter().find(|i| i.path == wanted && settled(i)))
        })
    }

    /// How the process ended.
    ///
    /// # Errors
    /// Ctrl-C, or the kernel's.
    pub(super) fn ended(&self, child: &mut Child) -> Result<Option<ExitStatus>, CliError> {
        self.until(|| {
            child.try_wait().map_err(|e| CliError::Failed(format!("cannot wait for the test program: {e}")))
        })
    }
}

/// Whether the name is gone.
pub(super) fn is_gone(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound)
}
