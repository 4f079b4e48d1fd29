// SPDX-License-Identifier: Apache-2.0
//! Malware Cloud Scan: what a project consented to, what its hosts have, what is known of it and decided
//! about it. A SHA-256 is 32 bytes everywhere; other lengths are a `BadRequest`.

use crate::Cursor;

/// What may leave the hosts of a project, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudConsent {
    /// Whose.
    pub project: String,
    /// Hashes, sizes, kinds and paths of programs leave the hosts.
    pub hashes: bool,
    /// Unknown programs themselves leave the hosts.
    pub samples: bool,
    /// Larger ones do not, bytes.
    pub max_sample_bytes: i64,
    /// Folders from which no sample leaves; raw bytes, without NUL.
    pub exclude: Vec<Vec<u8>>,
    /// `executable`, `script`: samples of these kinds only.
    pub kinds: Vec<String>,
    /// An execution waits so long for an answer, at most.
    pub wait_ms: i64,
    /// Without an answer in time the execution of what no package owns is refused.
    pub fail_closed: bool,
    /// Of samples, for each host; 0: no bound.
    pub bytes_per_second: i64,
    /// Isolate and kill follow on other hosts than canaries after this; -1: only when a person says so.
    pub ring_seconds: i64,
    /// Host groups (ids) whose hosts are canaries.
    pub canary_groups: Vec<String>,
    /// Samples are kept for so many days; 0: until somebody deletes them.
    pub sample_days: i64,
    /// Counts up with each change; 0: nobody ever set it.
    pub revision: i64,
    /// Last change.
    pub updated_ms: i64,
    /// By whom.
    pub updated_by: String,
}

impl CloudConsent {
    /// What holds before anybody consented: nothing leaves.
    #[must_use]
    pub fn unset(project: &str) -> Self {
        Self {
            project: project.to_owned(),
            hashes: false,
            samples: false,
            max_sample_bytes: 32 << 20,
            exclude: Vec::new(),
            kinds: vec!["executable".to_owned(), "script".to_owned()],
            wait_ms: 300,
            fail_closed: false,
            bytes_per_second: 1 << 20,
            ring_seconds: 60,
            canary_groups: Vec::new(),
            sample_days: 30,
            revision: 0,
            updated_ms: 0,
            updated_by: String::new(),
        }
    }
}

/// A program that a host has, or had: a row of its inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFileRow {
    /// Raw bytes.
    pub path: Vec<u8>,
    /// 32 bytes.
    pub sha256: Vec<u8>,
    /// Bytes.
    pub size: i64,
    /// `executable`, `script`.
    pub kind: String,
    /// Of a package of the host, and as the package says.
    pub packaged: bool,
    /// The host saw it first. Not believed when it lies in the future.
    pub first_ms: i64,
    /// And last.
    pub last_ms: i64,
    /// Not there any more, or with another content by now.
    pub gone: bool,
    /// Of the host's list; a row replaces that of the same path unless that has a higher one.
    pub version: i64,
}

/// A file that a host asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// 32 bytes.
    pub sha256: Vec<u8>,
    /// Bytes.
    pub size: i64,
    /// As text, or empty.
    pub tlsh: String,
    /// `executable`, `script`.
    pub kind: String,
}

/// A file of a content list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    /// 32 bytes.
    pub sha256: Vec<u8>,
    /// Bad, or known good.
    pub bad: bool,
    /// The list; [`crate::Store::remove_known`] takes it away as a whole.
    pub source: String,
    /// Of the malware, or of the product; may be empty.
    pub name: String,
}

/// What a project knows of a hash, the answer to a question.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// As asked.
    pub sha256: Vec<u8>,
    /// `unknown`, `pending`, `clean`, `known_good`, `bad`. `bad` without a verdict: a content list says so
    /// (`known`), and nobody has put a verdict for this project yet.
    pub standing: String,
    /// Of `bad`.
    pub verdict: Option<VerdictRow>,
    /// What content lists say.
    pub known: Option<KnownFile>,
    /// The project has a row of it; else it is to be noted ([`crate::Store::note_questions`]).
    pub noted: bool,
    /// A person said so.
    pub settled: bool,
    /// Hosts of the project that have it.
    pub hosts: i64,
    /// On how many of them a package owns it.
    pub packaged_hosts: i64,
    /// The project knows of it since; 0: it does not.
    pub first_ms: i64,
    /// State of its sample in this project; empty: none.
    pub sample: String,
}

/// What a project knows of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// Whose.
    pub project: String,
    /// 32 bytes.
    pub sha256: Vec<u8>,
    /// Bytes.
    pub size: i64,
    /// `executable`, `script`; empty when no host said.
    pub kind: String,
    /// As text, or empty.
    pub tlsh: String,
    /// Known of since.
    pub first_ms: i64,
    /// Last told of, or asked about.
    pub last_ms: i64,
    /// The host that had it first; empty: a person named it.
    pub first_host: String,
    /// Hosts that have it now.
    pub hosts: i64,
    /// On how many of them a package owns it.
    pub packaged_hosts: i64,
    /// `unknown`, `pending`, `clean`, `bad`; what content lists say is not in it.
    pub standing: String,
    /// Since when.
    pub standing_ms: i64,
    /// A person said so: no scan changes it.
    pub settled: bool,
}

/// Which files; empty fields do not filter.
#[derive(Debug, Clone, Default)]
pub struct FilesQuery {
    /// Of this project, always.
    pub project: String,
    /// Any of these words.
    pub standings: Vec<String>,
    /// Exact.
    pub kind: String,
    /// Any of these, 32 bytes each.
    pub sha256: Vec<Vec<u8>>,
    /// Only what this host has now.
    pub host: String,
    /// Only what a verdict in force says is of this class.
    pub class: String,
    /// Only what some host has now under a path with this in it, byte for byte.
    pub path: String,
    /// Hexadecimal digits that the hash begins with.
    pub prefix: String,
    /// Known of since then, or later.
    pub since_ms: Option<i64>,
    /// Before.
    pub until_ms: Option<i64>,
    /// Only what some host has, or (false) what none has any more.
    pub present: Option<bool>,
    /// Newest first.
    pub page: Cursor,
}

/// Where a file is, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceRow {
    /// Which host.
    pub host: String,
    /// Its name.
    pub host_name: String,
    /// The row of its inventory.
    pub file: HostFileRow,
}

/// A verdict to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewVerdict {
    /// Whose.
    pub project: String,
    /// 32 bytes.
    pub sha256: Vec<u8>,
    /// Lazaret's word.
    pub class: String,
    /// For people.
    pub family: String,
    /// 0 to 100.
    pub confidence: i64,
    /// `high`, `medium`, `low`.
    pub rating: String,
    /// Encoded `Verdict`.
    pub verdict: Vec<u8>,
    /// `deep_scan`, `person`, `content`. Only a person changes what a person withdrew.
    pub origin: String,
    /// Who, of a person.
    pub who: String,
    /// For people.
    pub why: String,
    /// Every host isolates and kills at once; else canaries do.
    pub act_all: bool,
    /// Then all do; 0: only when a person says so.
    pub release_ms: i64,
    /// Now.
    pub now_ms: i64,
}

/// The verdict on a file in a project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerdictRow {
    /// Whose.
    pub project: String,
    /// 32 bytes.
    pub sha256: Vec<u8>,
    /// In the project's feed; each change of the row takes a new one.
    pub number: i64,
    /// Lazaret's word.
    pub class: String,
    /// For people.
    pub family: String,
    /// 0 to 100.
    pub confidence: i64,
    /// `high`, `medium`, `low`.
    pub rating: String,
    /// Encoded `Verdict`.
    pub verdict: Vec<u8>,
    /// `deep_scan`, `person`, `content`.
    pub origin: String,
    /// Who, of a person.
    pub who: String,
    /// For people.
    pub why: String,
    /// When it was put.
    pub at_ms: i64,
    /// `canary`, `all`: where it is isolated and killed.
    pub act: String,
    /// When `canary` becomes `all`; 0: when a person says so.
    pub release_ms: i64,
    /// Who did; empty: time did, or nobody yet.
    pub released_by: String,
    /// When.
    pub released_ms: i64,
    /// It does not hold any more.
    pub withdrawn: bool,
    /// Who withdrew it; empty: no person.
    pub withdrawn_by: String,
    /// Why.
    pub withdrawn_why: String,
    /// When.
    pub withdrawn_ms: i64,
}

/// A verdict that is to be withdrawn by a person, together with something else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Withdrawal {
    /// Whose.
    pub project: String,
    /// 32 bytes.
    pub sha256: Vec<u8>,
    /// By whom; never empty.
    pub who: String,
    /// Why.
    pub why: String,
    /// Now.
    pub now_ms: i64,
}

/// A part of a project's verdicts, by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictFeed {
    /// Names the numbering: another name means that numbers of before say nothing.
    pub feed: String,
    /// The rows are all behind the number asked for up to this one.
    pub to: i64,
    /// There is more behind `to`.
    pub more: bool,
    /// In order; of each file the last one.
    pub rows: Vec<VerdictRow>,
}
