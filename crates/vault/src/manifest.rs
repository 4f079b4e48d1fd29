// SPDX-License-Identifier: Apache-2.0
//! Everything about an isolated file that its bytes do not say.

use crate::encoding::{self, RawBytes, RawPath};
use crate::extents::Extent;
use crate::surroundings::Surroundings;
use lazaret_model::{
    AlarmId, Confidence, FileRef, FileTime, IsolatedId, IsolatedStatus, JournalId, KilledProcess,
    MalwareClass, Outcome, ProcessRef, Sha256,
};
use serde::{Deserialize, Serialize};

/// The value of `schema`. A reader refuses what it does not know.
pub const MANIFEST_SCHEMA: &str = "lazaret.isolated/1";

/// The value of `blob.format`: the specification that `age -d` and others implement.
pub const BLOB_FORMAT: &str = "age-encryption.org/v1";

/// A file time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stamp {
    /// Seconds since the epoch, may be negative.
    pub sec: i64,
    /// 0..1_000_000_000.
    pub nsec: u32,
}

impl From<FileTime> for Stamp {
    fn from(t: FileTime) -> Self {
        Self { sec: t.sec, nsec: t.nsec }
    }
}

impl From<Stamp> for FileTime {
    fn from(t: Stamp) -> Self {
        Self { sec: t.sec, nsec: t.nsec }
    }
}

/// One extended attribute, whatever its namespace: POSIX ACLs, capabilities and security labels
/// are extended attributes too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Xattr {
    /// Full name, as `user.comment`.
    pub name: RawPath,
    /// Value as the kernel gives it.
    pub value: RawBytes,
}

/// A process that was ended with the isolation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KilledRecord {
    /// Process id then.
    pub pid: i32,
    /// Clock ticks since boot.
    pub start_time: u64,
    /// The kernel's boot id, 16 bytes.
    pub boot_id: RawBytes,
    /// Executable.
    pub exe: RawPath,
    /// Arguments, NUL-separated.
    pub cmdline: RawPath,
    /// What came of it.
    #[serde(with = "encoding::outcome")]
    pub outcome: Outcome,
    /// Service that it belonged to, as `nginx.service`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Container that it was in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
}

impl From<&KilledProcess> for KilledRecord {
    fn from(k: &KilledProcess) -> Self {
        Self {
            pid: k.process.pid,
            start_time: k.process.start_time,
            boot_id: RawBytes(k.process.boot_id.to_vec()),
            exe: RawPath(k.exe.clone()),
            cmdline: RawPath(k.cmdline.clone()),
            outcome: k.outcome.clone(),
            unit: k.unit.clone(),
            container: k.container.clone(),
        }
    }
}

impl From<&KilledRecord> for KilledProcess {
    fn from(k: &KilledRecord) -> Self {
        Self {
            process: ProcessRef {
                pid: k.pid,
                start_time: k.start_time,
                boot_id: k.boot_id.0.as_slice().try_into().unwrap_or_default(),
            },
            exe: k.exe.0.clone(),
            cmdline: k.cmdline.0.clone(),
            outcome: k.outcome.clone(),
            unit: k.unit.clone(),
            container: k.container.clone(),
        }
    }
}

/// How the content is stored; part of a manifest as soon as it is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// File beside the manifest. Objects with the same content are hard links of one file.
    pub file: String,
    /// [`BLOB_FORMAT`].
    pub format: String,
    /// Length of that file.
    pub bytes: u64,
    /// Age recipients besides the vault's own keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<String>,
}

/// What is known about an isolated file (docs/vault-format.md). Fields that a later version adds
/// survive being rewritten by this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`MANIFEST_SCHEMA`].
    pub schema: String,
    /// The object.
    #[serde(with = "encoding::text")]
    pub id: IsolatedId,
    /// The alarm that led here, where there is one.
    #[serde(with = "encoding::optional_text", default)]
    pub alarm: Option<AlarmId>,
    /// The journal intent that led here.
    #[serde(with = "encoding::text")]
    pub journal: JournalId,
    /// Who asked: `policy`, `uid N` and so on.
    #[serde(default)]
    pub who: String,
    /// Where the file was.
    pub path: RawPath,
    /// Other names of the same inode that were taken off, to come back as hard links.
    #[serde(default)]
    pub links: Vec<RawPath>,
    /// Of the content.
    #[serde(with = "encoding::text")]
    pub sha256: Sha256,
    /// Bytes, holes included.
    pub size: u64,
    /// Where data is; everything else is a hole. Filled in when the object is sealed.
    #[serde(default)]
    pub extents: Vec<Extent>,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// `st_mode`: type, set-id and sticky bits, permissions.
    pub mode: u32,
    /// Names of the inode when it was isolated.
    pub nlink: u64,
    /// Access time.
    pub atime: Stamp,
    /// Modification time.
    pub mtime: Stamp,
    /// Change time; only a record, no interface sets it.
    pub ctime: Stamp,
    /// Birth time; only a record, where the filesystem has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub btime: Option<Stamp>,
    /// All that were readable.
    #[serde(default)]
    pub xattrs: Vec<Xattr>,
    /// `FS_IOC_GETFLAGS`; absent where the filesystem has none.
    #[serde(default)]
    pub flags: Option<u32>,
    /// Device, a record.
    pub dev: u64,
    /// Inode number, a record.
    pub ino: u64,
    /// From the verdict.
    #[serde(with = "encoding::text")]
    pub class: MalwareClass,
    /// From the verdict.
    pub family: String,
    /// From the verdict, 0 to 100.
    #[serde(with = "encoding::confidence")]
    pub confidence: Confidence,
    /// Version of the content that judged.
    pub content_version: String,
    /// A harmless test program.
    #[serde(default)]
    pub test: bool,
    /// Where the content is; absent while it is not sealed, and in manifests of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<Blob>,
    /// Where it stands.
    #[serde(with = "encoding::status")]
    pub status: IsolatedStatus,
    /// Why, for failures and for what could not be moved.
    #[serde(default)]
    pub reason: String,
    /// Milliseconds UTC.
    pub isolated_at_ms: i64,
    /// Where the inode itself still lies, when its content is not in the vault.
    #[serde(default)]
    pub staged: Option<RawPath>,
    /// Ended with it.
    #[serde(default)]
    pub killed: Vec<KilledRecord>,
    /// What was around it.
    #[serde(default)]
    pub around: Surroundings,
    /// Use or used it and were left alive; the outcome says why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_alone: Vec<KilledRecord>,
    /// Fields of a later version.
    #[serde(flatten)]
    pub later: serde_json::Map<String, serde_json::Value>,
}

impl Manifest {
    /// The inode as it was.
    #[must_use]
    pub fn file_ref(&self) -> FileRef {
        FileRef { dev: self.dev, ino: self.ino, ctime: self.ctime.into(), size: self.size }
    }

    /// From JSON.
    ///
    /// # Errors
    /// For people: what is wrong, with line and column where the JSON itself is.
    pub fn from_json(text: &[u8]) -> Result<Self, String> {
        let m: Self = serde_json::from_slice(text).map_err(|e| e.to_string())?;
        if m.schema == MANIFEST_SCHEMA {
            Ok(m)
        } else {
            Err(format!("schema \"{}\" is not known, only \"{MANIFEST_SCHEMA}\"", m.schema))
        }
    }

    /// As JSON, indented.
    ///
    /// # Errors
    /// Never for a value of this type; the JSON writer's error is handed on all the same.
    pub fn to_json(&self) -> Result<Vec<u8>, String> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|e| e.to_string())?;
        text.push(b'\n');
        Ok(text)
    }
}
