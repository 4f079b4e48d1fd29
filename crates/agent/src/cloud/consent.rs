// SPDX-License-Identifier: Apache-2.0
//! What leaves this host: the project's consent, as the desired state brings it, less what this host keeps
//! back. Pure: the same input gives the same answer. Nothing leaves without a consent.

use crate::config::Cloud;
use crate::core::is_under;
use crate::log::printable;
use crate::uplink::plain_folder;
use lazaret_model::FileType;
use lazaret_proto::v1;
use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;

/// A sample is copied before it leaves, so that it is what was asked for: larger ones are nobody's.
const MOST: u64 = 256 << 20;
/// Folders that a project can leave out.
const MAX_FOLDERS: usize = 1_000;
/// Reasons that are told.
const MAX_REASONS: usize = 16;
const NO_CONSENT: &str = "no project has consented to Malware Cloud Scan: nothing leaves this host";

/// What a program is, for the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Executable,
    Script,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Executable, Self::Script];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Executable => "executable",
            Self::Script => "script",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.word() == word)
    }

    /// What a scanned file counts as; `None` for data. Text counts where somebody has made it executable.
    pub(crate) fn of(file_type: FileType, executable: bool) -> Option<Self> {
        match file_type {
            FileType::Elf | FileType::Pe => Some(Self::Executable),
            FileType::Script | FileType::Php | FileType::Jsp => Some(Self::Script),
            FileType::Text if executable => Some(Self::Script),
            FileType::Other if executable => Some(Self::Executable),
            _ => None,
        }
    }
}

/// What is in force. Nothing by default.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Consent {
    /// Hashes, sizes, kinds and paths of programs are told, and asked about.
    pub(crate) hashes: bool,
    /// Unknown programs are sent when the server wants them.
    pub(crate) samples: bool,
    max_sample_bytes: u64,
    exclude: Vec<Vec<u8>>,
    kinds: Vec<Kind>,
    /// An execution waits so long for an answer, at most.
    pub(crate) wait: Duration,
    /// No answer in time: refuse the execution of what no package owns.
    pub(crate) fail_closed: bool,
    /// Of samples; 0: no bound.
    pub(crate) bytes_per_second: u64,
    /// Why less leaves than could, for people.
    limits: Vec<String>,
    /// What the project says.
    of_project: (bool, bool),
    local: Cloud,
    deadline: Duration,
}

impl Consent {
    /// Without a consent. `deadline`: the host's own, for every question of the kernel.
    pub(crate) fn none(local: &Cloud, deadline: Duration) -> Self {
        Self {
            hashes: false,
            samples: false,
            max_sample_bytes: 0,
            exclude: Vec::new(),
            kinds: Vec::new(),
            wait: Duration::ZERO,
            fail_closed: false,
            bytes_per_second: 0,
            limits: vec![NO_CONSENT.to_owned()],
            of_project: (false, false),
            local: local.clone(),
            deadline,
        }
    }

    /// With what the desired state says; beside it what of that this host does not take, with the reasons.
    #[must_use]
    pub(crate) fn with(self, policy: &v1::HostPolicy) -> (Self, Vec<String>) {
        let mut out = Self::none(&self.local, self.deadline);
        let mut refused = Vec::new();
        out.limits.clear();
        let Some(p) = policy.cloud.as_ref().filter(|_| policy.malware_cloud_scan == Some(true)) else {
            let of_edition = policy.edition_limits.iter().find(|l| l.contains("malware cloud scan"));
            out.limits.push(match of_edition {
                Some(limit) => printable(limit.as_bytes()),
                None if policy.cloud.is_none() => NO_CONSENT.to_owned(),
                None => {
                    "Malware Cloud Scan is switched off for this host's project: nothing leaves".to_owned()
                }
            });
            return (out, refused);
        };
        out.of_project = (p.hashes, p.hashes && p.samples);
        out.hashes = p.hashes && out.local.hashes;
        out.samples = out.hashes && p.samples && out.local.samples;
        out.wait = Duration::from_millis(p.wait_ms.into()).min(out.deadline);
        out.fail_closed = p.fail_closed && out.hashes;
        out.set_bounds(p);
        out.set_folders(p, &mut refused);
        for word in &p.kinds {
            match Kind::from_word(word) {
                Some(kind) if !out.kinds.contains(&kind) => out.kinds.push(kind),
                Some(_) => {}
                None => {
                    let word: String = word.chars().take(64).collect();
                    refused.push(format!(
                        "cloud.kinds: {}: no kind of file is called that here",
                        printable(word.as_bytes())
                    ));
                }
            }
        }
        refused.truncate(MAX_REASONS);
        out.say_limits(p);
        (out, refused)
    }

    fn set_bounds(&mut self, p: &v1::CloudPolicy) {
        // 0 is no bound.
        self.bytes_per_second = match (p.bytes_per_second, self.local.bytes_per_second) {
            (n, 0) | (0, n) => n,
            (of_project, local) => of_project.min(local),
        };
        self.max_sample_bytes = match self.local.max_sample_bytes {
            0 => p.max_sample_bytes.min(MOST),
            local => p.max_sample_bytes.min(local).min(MOST),
        };
    }

    /// A folder that is not understood may be the one that matters: without it no sample leaves.
    fn set_folders(&mut self, p: &v1::CloudPolicy, refused: &mut Vec<String>) {
        self.exclude = self.local.exclude.iter().map(|f| f.as_os_str().as_bytes().to_vec()).collect();
        let mut understood = p.exclude.len() <= MAX_FOLDERS;
        if !understood {
            refused
                .push(format!("cloud.exclude: more than {MAX_FOLDERS} folders: no samples leave this host"));
        }
        for folder in p.exclude.iter().take(MAX_FOLDERS) {
            match plain_folder(folder, &[]) {
                Ok(folder) => self.exclude.push(folder),
                Err(why) => {
                    understood = false;
                    let folder = printable(folder.get(..256).unwrap_or(folder));
                    refused.push(format!("cloud.exclude: {folder}: {why}: no samples leave this host"));
                }
            }
        }
        if !understood {
            self.samples = false;
            self.limits
                .push("an excluded folder of the consent is not understood here: no samples leave".into());
        }
    }

    fn say_limits(&mut self, p: &v1::CloudPolicy) {
        let mut say = |text: String| self.limits.push(text);
        if !p.hashes {
            say("the project has not consented to telling hashes: nothing leaves".into());
        } else if !self.local.hashes {
            say("[cloud] hashes = false in lazaretd.toml: nothing leaves this host".into());
        } else if !p.samples {
            say("the project has not consented to samples: hashes only".into());
        } else if !self.local.samples {
            say("[cloud] samples = false in lazaretd.toml: hashes only".into());
        }
        if !self.samples {
            return;
        }
        let local = &self.local;
        if local.max_sample_bytes > 0 && local.max_sample_bytes < p.max_sample_bytes {
            say(format!("[cloud] max_sample_bytes = {} in lazaretd.toml", local.max_sample_bytes));
        }
        if local.bytes_per_second > 0 && self.bytes_per_second != p.bytes_per_second {
            say(format!("[cloud] bytes_per_second = {} in lazaretd.toml", local.bytes_per_second));
        }
        for folder in &local.exclude {
            say(format!(
                "[cloud] exclude in lazaretd.toml: no samples from {}",
                printable(folder.as_os_str().as_bytes())
            ));
        }
    }

    /// Whether a content may leave the host.
    pub(crate) fn can_send(&self, kind: Kind, size: u64, path: &[u8]) -> bool {
        self.may_send(Some(kind), size, path).is_ok()
    }

    /// The same; says why not.
    pub(crate) fn may_send(&self, kind: Option<Kind>, size: u64, path: &[u8]) -> Result<(), String> {
        if !self.samples {
            return Err(self
                .limits
                .first()
                .cloned()
                .unwrap_or_else(|| "samples are not consented to".into()));
        }
        if !kind.is_some_and(|k| self.kinds.contains(&k)) {
            return Err("files of its kind are not sent".into());
        }
        if size == 0 || size > self.max_sample_bytes {
            return Err(format!("it has {size} bytes, and {} may be sent", self.max_sample_bytes));
        }
        // A path that is not known, or of no folder, is excluded by nothing and so by everything.
        if !path.starts_with(b"/") {
            return Err("where it is is not known".into());
        }
        match self.exclude.iter().find(|f| is_under(path, f)) {
            Some(folder) => Err(format!("nothing of {} is sent", printable(folder))),
            None => Ok(()),
        }
    }

    /// For the log; empty where nothing leaves.
    pub(crate) const fn in_words(&self) -> &'static str {
        match (self.hashes, self.samples) {
            (false, _) => "",
            (true, false) => "cloud scan is told hashes, ",
            (true, true) => "cloud scan is told hashes and given samples, ",
        }
    }

    /// For `status`: the part of it that the consent knows.
    pub(crate) fn status(&self) -> v1::CloudStatus {
        v1::CloudStatus {
            hashes: self.hashes,
            samples: self.samples,
            max_sample_bytes: self.max_sample_bytes,
            exclude: self.exclude.clone(),
            kinds: self.kinds.iter().map(|k| k.word().to_owned()).collect(),
            wait_ms: u32::try_from(self.wait.as_millis()).unwrap_or(u32::MAX),
            fail_closed: self.fail_closed,
            bytes_per_second: self.bytes_per_second,
            limits: self.limits.clone(),
            consent_hashes: self.of_project.0,
            consent_samples: self.of_project.1,
            ..v1::CloudStatus::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(cloud: v1::CloudPolicy) -> v1::HostPolicy {
        v1::HostPolicy { malware_cloud_scan: Some(true), cloud: Some(cloud), ..v1::HostPolicy::default() }
    }

    fn all() -> v1::CloudPolicy {
        v1::CloudPolicy {
            hashes: true,
            samples: true,
            max_sample_bytes: 1_000,
            exclude: vec![b"/home//".to_vec()],
            kinds: vec!["executable".into(), "script".into(), "script".into()],
            wait_ms: 300,
            fail_closed: true,
            bytes_per_second: 5_000,
        }
    }

    fn of(local: Cloud, cloud: v1::CloudPolicy) -> (Consent, Vec<String>) {
        Consent::none(&local, Duration::from_secs(5)).with(&policy(cloud))
    }

    #[test]
    fn nothing_leaves_without_a_consent() {
        let none = Consent::none(&Cloud::default(), Duration::from_secs(5));
        for policy in [
            v1::HostPolicy::default(),
            v1::HostPolicy { malware_cloud_scan: Some(true), ..v1::HostPolicy::default() },
            v1::HostPolicy { cloud: Some(all()), ..v1::HostPolicy::default() },
            v1::HostPolicy {
                cloud: Some(all()),
                malware_cloud_scan: Some(false),
                ..v1::HostPolicy::default()
            },
        ] {
            let (c, refused) = none.clone().with(&policy);
            assert!(!c.hashes && !c.samples && !c.fail_closed && refused.is_empty());
            assert!(c.may_send(Some(Kind::Script), 1, b"/x").is_err() && c.status().limits.len() == 1);
        }
        let (c, _) = of(Cloud::default(), v1::CloudPolicy { hashes: false, ..all() });
        assert!(!c.hashes && !c.samples && !c.fail_closed, "samples need hashes");
        let edition = v1::HostPolicy {
            malware_cloud_scan: Some(false),
            edition_limits: vec!["basic is without malware cloud scan".into()],
            ..policy(all())
        };
        assert!(none.with(&edition).0.status().limits[0].contains("basic"));
    }

    #[test]
    fn size_kind_and_folder_decide() {
        let (c, refused) = of(Cloud::default(), all());
        assert!(refused.is_empty() && c.status().limits.is_empty() && c.fail_closed);
        assert_eq!(c.status().kinds, ["executable", "script"]);
        assert_eq!(c.may_send(Some(Kind::Executable), 1_000, b"/usr/x"), Ok(()));
        assert_eq!(c.may_send(Some(Kind::Script), 1, b"/homes/x"), Ok(()), "another folder");
        for (path, size, kind, word) in [
            (&b"/usr/x"[..], 1_001, "script", "1001 bytes"),
            (b"/usr/x", 0, "script", "0 bytes"),
            (b"/usr/x", 1, "document", "kind"),
            (b"/usr/x", 1, "", "kind"),
            (b"/home/ann/\xff", 1, "script", "/home"),
            (b"", 1, "script", "not known"),
            (b"relative", 1, "script", "not known"),
        ] {
            let kind = Kind::from_word(kind);
            assert!(kind.is_none_or(|k| !c.can_send(k, size, path)));
            let why = c.may_send(kind, size, path).unwrap_err();
            assert!(why.contains(word), "{why}");
        }
        let (c, _) = of(Cloud::default(), v1::CloudPolicy { exclude: vec![b"/".to_vec()], ..all() });
        assert!(c.may_send(Some(Kind::Script), 1, b"/usr/x").is_err(), "everything is excluded");
        let (c, _) = of(Cloud::default(), v1::CloudPolicy { kinds: Vec::new(), ..all() });
        assert!(c.may_send(Some(Kind::Script), 1, b"/usr/x").is_err());
    }

    #[test]
    fn kinds_by_type() {
        assert_eq!(Kind::of(FileType::Elf, false), Some(Kind::Executable));
        assert_eq!(Kind::of(FileType::Script, false), Some(Kind::Script));
        assert_eq!(Kind::of(FileType::Text, false), None);
        assert_eq!(Kind::of(FileType::Text, true), Some(Kind::Script));
        assert_eq!(Kind::of(FileType::Zip, true), None);
        for kind in Kind::ALL {
            assert_eq!(Kind::from_word(kind.word()), Some(kind));
        }
        assert_eq!(Kind::from_word("document"), None);
    }

    #[test]
    fn a_host_gives_less_and_says_so() {
        let local = Cloud { samples: false, ..Cloud::default() };
        let (c, _) = of(local, all());
        assert!(c.hashes && !c.samples && c.status().consent_samples);
        assert!(c.status().limits[0].contains("samples = false"), "{:?}", c.status().limits);
        assert!(c.may_send(Some(Kind::Script), 1, b"/x").unwrap_err().contains("samples = false"));
        let (c, _) = of(Cloud { hashes: false, ..Cloud::default() }, all());
        assert!(!c.hashes && !c.samples && !c.fail_closed);
        let local = Cloud {
            exclude: vec!["/srv/secret/".into()],
            max_sample_bytes: 10,
            bytes_per_second: 2_000,
            ..Cloud::default()
        };
        let (c, _) = of(local, all());
        assert!(c.may_send(Some(Kind::Script), 1, b"/srv/secret/x").is_err());
        assert!(
            c.may_send(Some(Kind::Script), 11, b"/srv/x").is_err()
                && c.may_send(Some(Kind::Script), 10, b"/srv/x").is_ok()
        );
        assert_eq!((c.bytes_per_second, c.status().limits.len()), (2_000, 3));
        // It can take nothing back from the server's word.
        let more = Cloud { max_sample_bytes: 1 << 40, bytes_per_second: 1 << 40, ..Cloud::default() };
        let (c, _) = of(more, all());
        assert_eq!((c.status().max_sample_bytes, c.bytes_per_second), (1_000, 5_000));
    }

    #[test]
    fn nonsense_of_a_server_sends_less_never_more() {
        for bad in [&b"home"[..], b"/a/../b", b"", b"/\0"] {
            let (c, refused) = of(Cloud::default(), v1::CloudPolicy { exclude: vec![bad.to_vec()], ..all() });
            assert!(c.hashes && !c.samples && refused.len() == 1, "{bad:?}");
            assert!(!c.status().limits.is_empty() && refused[0].contains("no samples"));
        }
        let many = vec![b"/x".to_vec(); MAX_FOLDERS + 1];
        assert!(!of(Cloud::default(), v1::CloudPolicy { exclude: many, ..all() }).0.samples);
        let wide = v1::CloudPolicy { max_sample_bytes: u64::MAX, wait_ms: u32::MAX, ..all() };
        let (c, _) = of(Cloud::default(), wide);
        assert_eq!((c.status().max_sample_bytes, c.wait), (MOST, Duration::from_secs(5)));
        let words = vec!["\u{1b}[2Jx".repeat(99); 99];
        let (c, refused) = of(Cloud::default(), v1::CloudPolicy { kinds: words, ..all() });
        assert!(c.may_send(Some(Kind::Script), 1, b"/x").is_err());
        assert!(refused.len() <= 16 && refused.iter().all(|r| !r.contains('\u{1b}') && r.len() < 800));
    }
}
