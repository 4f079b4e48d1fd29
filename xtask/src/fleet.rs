// SPDX-License-Identifier: Apache-2.0
//! The server that `up` starts beside the agent, and this machine's way into it.

use crate::build::Built;
use crate::run::{self, Error};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

const DATA: &str = "/var/lib/lazaret-server";
/// Loopback only: a server for others is configured by hand (docs/operations.md).
const PEOPLE: &str = "127.0.0.1:7080";
const AGENTS: &str = "127.0.0.1:7443";

/// A server that runs as long as this process, whatever it becomes.
pub(crate) struct Fleet {
    /// The daemon's `[server]` section.
    pub(crate) section: String,
    /// What people are told.
    pub(crate) words: String,
}

/// Makes the server's data when there is none, starts it, and makes a token for this machine.
///
/// # Errors
/// It does not start: a port is taken, or its data is of a newer version.
pub(crate) fn start(built: &Built, run_folder: &Path) -> Result<Fleet, Error> {
    let program = built.path("lazaret-server");
    let config = run_folder.join("up-server.toml");
    let text = format!(
        "# Written by `cargo xtask up`, again at every start.\n\n[server]\ndata = \"{DATA}\"\n\n[api]\nlisten = \
         \"{PEOPLE}\"\n\n[gateway]\nlisten = \"{AGENTS}\"\nnames = [\"127.0.0.1\", \"localhost\"]\n\n[install]\nprograms = {}\n",
        crate::config::quoted(&built.path(""))?
    );
    std::fs::write(&config, text).map_err(|e| Error::failed(format!("{}: {e}", config.display())))?;
    let made = run::output(Command::new(&program).args(["init", "--config"]).arg(&config))?;
    let once = made.lines().find_map(|l| l.split_once("one-time password ")).map(|(_, password)| password);
    let mut server = Command::new("setpriv");
    // The daemon that this process becomes is its parent: it ends with it.
    server.args(["--pdeathsig", "TERM", "--"]).arg(&program).arg("--config").arg(&config);
    server.current_dir("/").stdin(Stdio::null()).stdout(Stdio::piped());
    run::say(&server);
    let mut child = server.spawn().map_err(|e| Error::failed(format!("setpriv, of util-linux: {e}")))?;
    let out = child.stdout.take().ok_or_else(|| Error::failed("the server's output is not to be had"))?;
    if !BufReader::new(out).lines().map_while(Result::ok).any(|line| line == "ready") {
        let _ = child.kill();
        let _ = child.wait();
        return Err(Error::failed(format!(
            "lazaret-server did not start (see above). Is another one running on {PEOPLE} or {AGENTS}? Without a \
             server: cargo xtask up --no-server"
        )));
    }
    let token = |more: &[&str]| {
        run::output(Command::new(&program).arg("token").args(more).arg("--config").arg(&config))
    };
    let own = token(&["--hours", "1", "--uses", "1"])?;
    let authority = word(&own, "authority ")?;
    let secret = run_folder.join("up-token");
    private(&secret, &word(&own, "token ")?)?;
    let install = word(&token(&["--hours", "24"])?, "install ")?;
    let section = format!(
        "\n[server]\nurl = \"https://{AGENTS}\"\ntoken_file = \"{}\"\nca_fingerprint = \"{authority}\"\n",
        secret.display()
    );
    Ok(Fleet { section, words: words(&authority, once, &install) })
}

/// What stands behind a key in the answer of `lazaret-server token`.
fn word(answer: &str, key: &str) -> Result<String, Error> {
    let found = answer.lines().find_map(|l| l.strip_prefix(key)).map(|w| w.trim().to_owned());
    found.ok_or_else(|| Error::failed(format!("lazaret-server token gave no {key}")))
}

fn words(authority: &str, once: Option<&str>, install: &str) -> String {
    let mut text = format!(
        "\nThe fleet's server: https://{PEOPLE} (data: {DATA}), authority\n  {authority}\n\
                 The web console: https://{PEOPLE}/ui/\n"
    );
    if let Some(once) = once {
        let _ = writeln!(text, "First administrator: admin, one-time password {once}   (shown this once)");
    }
    let _ = write!(
        text,
        "  lazaret --server https://{PEOPLE} login --ca-fingerprint {authority} --new-password
  lazaret hosts list
  lazaret alarms list --project 0            # of the fleet; without --project, --host or --server: of this host
  lazaret switch isolate-and-kill on --project 0
What makes a machine a host, for 24 hours, from whatever reaches https://{PEOPLE} (this machine and its network
namespaces; for others [api] and [gateway] listen must be an address of the network, docs/server.md):
  {install}
"
    );
    text
}

/// Leaves the words where only root reads them, for [`crate::announce`].
///
/// # Errors
/// The file cannot be written.
pub(crate) fn leave(words: &str, run_folder: &Path) -> Result<std::path::PathBuf, Error> {
    let path = run_folder.join("up-words");
    private(&path, words)?;
    Ok(path)
}

fn private(path: &Path, text: &str) -> Result<(), Error> {
    let _ = std::fs::remove_file(path);
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|e| Error::failed(format!("{}: {e}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_shown_only_when_there_is_one() {
        assert!(words("ab", Some("secret"), "line").contains("one-time password secret"));
        let again = words("ab", None, "line");
        assert!(!again.contains("password secret") && again.contains("--ca-fingerprint ab"), "{again}");
    }

    #[test]
    fn only_root_reads_the_words() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let path = leave("words", folder.path()).unwrap();
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
