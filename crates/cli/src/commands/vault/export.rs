// SPDX-License-Identifier: Apache-2.0
//! `lazaret vault export`.

use super::{Place, absolute, failed, find};
use crate::error::CliError;
use crate::output::Output;
use crate::{escape, json};
use clap::Args;
use lazaret_model::Sha256;
use lazaret_vault::{Listed, Reader, VaultError};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Write the content of an isolated file to a new file, with its manifest beside it
///
/// The new file belongs to the caller and has mode 0600, whatever the isolated one was; PATH.json
/// is the manifest and says what it was. The object stays in the vault. What is written is the
/// malicious program itself: handle it as such.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Its id, or the unique beginning or end of it
    id: String,
    /// The file to write; neither it nor PATH.json may exist
    #[arg(long, value_name = "PATH")]
    to: PathBuf,
}

/// # Errors
/// A daemon runs, no such object, its content is not in the vault or not whole, or a file exists.
pub(super) fn run(place: &Place, args: &ExportArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    place.ready("`lazaret isolated restore ID --to PATH`")?;
    let reader = place.reader()?;
    let object = find(&reader, &args.id)?;
    let to = absolute(&args.to)?;
    if !object.has_content {
        return Err(without_content(&object));
    }
    let mut name = OsString::from(&to);
    name.push(".json");
    let beside = PathBuf::from(name);
    let manifest = match &object.manifest {
        Ok(m) => Some(m.to_json().map_err(|e| CliError::Failed(format!("the manifest: {e}")))?),
        Err(e) => {
            out.warn(&format!(
                "{}; the content is written without a manifest and cannot be compared with one",
                escape::text(&e.to_string())
            ));
            None
        }
    };
    let content = New::create(&to)?;
    let beside_file = manifest.as_ref().map(|_| New::create(&beside)).transpose()?;
    let written = write(&reader, &object, &content.file)?;
    sync(&content)?;
    if let (Some(file), Some(text)) = (&beside_file, &manifest) {
        (&file.file).write_all(text).map_err(|e| CliError::file("write", &beside, &e))?;
        sync(file)?;
    }
    content.keep();
    if let Some(file) = beside_file {
        file.keep();
    }
    let id = object.id.to_string();
    let manifest = manifest.map(|_| beside.as_os_str().as_bytes());
    if out.json {
        out.json(&json::Export::new(
            &id,
            to.as_os_str().as_bytes(),
            manifest,
            (written.0.to_string(), written.1),
        ))?;
    } else {
        let and = manifest.map_or(String::new(), |m| format!(", its manifest to {}", escape::name(m)));
        out.text(&format!(
            "{id} written to {}{and}\n{} bytes, SHA-256 {}{}",
            escape::path(&to),
            written.1,
            written.0,
            if manifest.is_some() { ": as isolated" } else { "" }
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn without_content(object: &Listed) -> CliError {
    let why = match &object.manifest {
        Ok(m) => match &m.staged {
            Some(staged) => {
                format!("its content lies at {}: {}", escape::name(&staged.0), escape::text(&m.reason))
            }
            None => format!("it is {}", m.status.word()),
        },
        Err(e) => escape::text(&e.to_string()),
    };
    CliError::Failed(format!("the vault does not hold the content of {}: {why}", object.id))
}

fn write(reader: &Reader, object: &Listed, file: &File) -> Result<(Sha256, u64), CliError> {
    let mut sparse = Sparse { file, at: 0 };
    let content = match &object.manifest {
        Ok(m) => reader.take(object.id, &mut sparse).map(|()| (m.sha256, m.size)),
        Err(_) => reader.take_unchecked(object.id, &mut sparse),
    };
    let content = content.map_err(|e| match e {
        VaultError::Corrupt { .. } => CliError::Failed(format!(
            "{}. Nothing was written; is this the key it was sealed for? `lazaret vault verify` looks at all",
            escape::text(&e.to_string())
        )),
        e => failed(e),
    })?;
    file.set_len(content.1).map_err(|e| CliError::Failed(format!("cannot set the length: {e}")))?;
    Ok(content)
}

fn sync(new: &New) -> Result<(), CliError> {
    let folder = new.path.parent().unwrap_or(Path::new("/"));
    new.file
        .sync_all()
        .and_then(|()| File::open(folder)?.sync_all())
        .map_err(|e| CliError::file("make durable", &new.path, &e))
}

/// A file that did not exist, and does not remain unless it is kept.
struct New {
    file: File,
    path: PathBuf,
    kept: bool,
}

impl New {
    fn create(path: &Path) -> Result<Self, CliError> {
        let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => CliError::Failed(format!(
                "{} exists and is never overwritten; move it away or name another path (--to)",
                escape::path(path)
            )),
            _ => CliError::file("create", path, &e),
        })?;
        Ok(Self { file, path: path.to_owned(), kept: false })
    }

    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for New {
    fn drop(&mut self) {
        // Only what we made: the name may lead elsewhere by now.
        let ours = || {
            let (a, b) = (self.file.metadata().ok()?, std::fs::symlink_metadata(&self.path).ok()?);
            Some((a.dev(), a.ino()) == (b.dev(), b.ino()))
        };
        if !self.kept && ours() == Some(true) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Leaves holes where there are only zeros: a large sparse file must not fill the disk.
struct Sparse<'a> {
    file: &'a File,
    at: u64,
}

impl Write for Sparse<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if buf.iter().any(|b| *b != 0) {
            self.file.write_all_at(buf, self.at)?;
        }
        self.at += buf.len() as u64;
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
