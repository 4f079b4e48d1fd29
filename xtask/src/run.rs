// SPDX-License-Identifier: Apache-2.0
//! Runs other programs: says what it runs, and names the program and its end when that is bad.

use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

/// Why a verb ended badly.
#[derive(Debug)]
pub(crate) enum Error {
    /// The command line was wrong: exit status 64.
    Usage(String),
    /// Something that was tried did not work: exit status 1.
    Failed(String),
    /// Something failed and was said already: exit status 1.
    Reported,
}

impl Error {
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self::Failed(text.into())
    }

    pub(crate) const fn exit_status(&self) -> u8 {
        match self {
            Self::Usage(_) => 64,
            Self::Failed(_) | Self::Reported => 1,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Failed(text) => f.write_str(text),
            Self::Reported => f.write_str("something failed; see above"),
        }
    }
}

/// The command as a person would type it, for messages only.
pub(crate) fn shown(command: &Command) -> String {
    let mut text = command.get_program().display().to_string();
    for argument in command.get_args() {
        let plain = argument.to_str().is_some_and(|a| {
            !a.is_empty() && a.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./=:,+@%".contains(&b))
        });
        text.push(' ');
        text.push_str(&if plain { argument.display().to_string() } else { format!("{argument:?}") });
    }
    text
}

/// Says what is run, on stderr.
pub(crate) fn say(command: &Command) {
    eprintln!("+ {}", shown(command));
}

/// Runs to the end with our own input and output.
///
/// # Errors
/// The program cannot be started, or ends with another status than 0.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    say(command);
    let status = command.status().map_err(|e| not_started(command, &e))?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::failed(format!("`{}` ended with {status}", shown(command))))
    }
}

/// Runs to the end and returns what it wrote to stdout; stderr passes through.
///
/// # Errors
/// As [`run`], or the output is not UTF-8.
pub(crate) fn output(command: &mut Command) -> Result<String, Error> {
    let out = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let out = out.map_err(|e| not_started(command, &e))?;
    if !out.status.success() {
        return Err(Error::failed(format!("`{}` ended with {}", shown(command), out.status)));
    }
    String::from_utf8(out.stdout)
        .map_err(|_| Error::failed(format!("`{}` wrote something that is not UTF-8", shown(command))))
}

/// Runs to the end, passes each line of stdout on and shows it to `line` too. Whether it ended well.
///
/// # Errors
/// The program cannot be started or its output cannot be read.
pub(crate) fn tee(command: &mut Command, mut line: impl FnMut(&str)) -> Result<bool, Error> {
    say(command);
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|e| not_started(command, &e))?;
    if let Some(stdout) = child.stdout.take() {
        for text in BufReader::new(stdout).split(b'\n') {
            let text = text.map_err(|e| Error::failed(format!("reading `{}`: {e}", shown(command))))?;
            let mut out = std::io::stdout().lock();
            // A closed stdout must not end the run: its exit status still counts.
            let _ = out.write_all(&text).and_then(|()| out.write_all(b"\n"));
            line(&String::from_utf8_lossy(&text));
        }
    }
    let status = child.wait().map_err(|e| Error::failed(format!("waiting for `{}`: {e}", shown(command))))?;
    Ok(status.success())
}

/// Whether a program of that name is in PATH or in the folders of root's tools.
pub(crate) fn in_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let sbin = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"].into_iter().map(Into::into);
    std::env::split_paths(&path).chain(sbin).any(|folder| folder.join(program).is_file())
}

/// Whether we run as root, read from the kernel (std has no `geteuid`).
pub(crate) fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let uids = status.lines().find_map(|l| l.strip_prefix("Uid:")).unwrap_or_default();
    uids.split_whitespace().nth(1) == Some("0")
}

/// Sends SIGTERM; std can only send SIGKILL, and bash is part of every Debian.
///
/// # Errors
/// bash cannot be started or the process cannot be signalled.
pub(crate) fn terminate(pid: u32) -> Result<(), Error> {
    let mut bash = Command::new("bash");
    bash.args([OsStr::new("-c"), OsStr::new("kill -s TERM -- \"$1\""), OsStr::new("kill")])
        .arg(pid.to_string());
    let status = bash.status().map_err(|e| not_started(&bash, &e))?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::failed(format!("process {pid} could not be signalled")))
    }
}

fn not_started(command: &Command, error: &std::io::Error) -> Error {
    Error::failed(format!("`{}` could not be started: {error}", shown(command)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_failed() {
        let error = run(&mut Command::new("false")).unwrap_err().to_string();
        assert!(error.contains("`false` ended with exit status: 1"), "{error}");
        let error = run(Command::new("/nonexistent/program").arg("two words")).unwrap_err().to_string();
        assert!(error.contains("`/nonexistent/program \"two words\"` could not be started"), "{error}");
    }

    #[test]
    fn tee_passes_lines_on() {
        let mut seen = Vec::new();
        assert!(tee(Command::new("printf").arg("a\\nb\\n"), |l| seen.push(l.to_owned())).unwrap());
        assert_eq!(seen, ["a", "b"]);
    }

    #[test]
    fn terminates_by_sigterm() {
        use std::os::unix::process::ExitStatusExt as _;
        let mut child = Command::new("sleep").arg("15").spawn().unwrap();
        terminate(child.id()).unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(15));
    }
}
