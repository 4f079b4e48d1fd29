// SPDX-License-Identifier: Apache-2.0
//! The one table that maps a malware class to every word and number others use for it.

use std::fmt;
use std::str::FromStr;

/// What kind of malicious program something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MalwareClass {
    /// Malicious, but of no known kind.
    Unclassified,
    /// Infects other files.
    Virus,
    /// Spreads to other hosts by itself.
    Worm,
    /// Pretends to be something else.
    Trojan,
    /// Takes part in a remotely steered network of hosts.
    Botnet,
    /// Keeps a way in open.
    Backdoor,
    /// Hides itself or others from the system's own tools.
    Rootkit,
    /// Encrypts or destroys data for ransom.
    Ransomware,
    /// A tool of intruders that harms nothing by lying there.
    HackTool,
    /// A script on a web server that runs what a visitor sends.
    WebShell,
    /// Mines cryptocurrency on other people's machines.
    Miner,
    /// Connects a shell to a remote listener.
    ReverseShell,
}

/// One row of [`CLASSES`].
#[derive(Debug, Clone, Copy)]
pub struct ClassRow {
    /// The class.
    pub class: MalwareClass,
    /// Lazaret's word: in the test program marker, in JSON, in rules, on the command line.
    pub word: &'static str,
    /// The name people read.
    pub title: &'static str,
    /// HSS `event_type` (public SDK, `EventManagementResponseInfo`).
    pub hss_event_type: u32,
    /// HSS `event_class_id` (same source).
    pub hss_event_class_id: &'static str,
    /// OCSF 1.8 `malware.classification_ids` member; 99 is "other".
    pub ocsf_classification: u32,
    /// Whether isolate and kill acts by itself on this class in the default policy.
    pub automatic_by_default: bool,
}

/// Every class exactly once, in the order of [`MalwareClass`].
pub const CLASSES: [ClassRow; 12] = [
    row(MalwareClass::Unclassified, "malware", "Unclassified malware", 1001, "malware_1001", 99, true),
    row(MalwareClass::Virus, "virus", "Virus", 1002, "av_1002", 19, true),
    row(MalwareClass::Worm, "worm", "Worm", 1003, "av_1003", 22, true),
    row(MalwareClass::Trojan, "trojan", "Trojan", 1004, "av_1004", 18, true),
    row(MalwareClass::Botnet, "botnet", "Botnet", 1005, "av_1005", 3, true),
    row(MalwareClass::Backdoor, "backdoor", "Backdoor", 1006, "av_1006", 2, false),
    row(MalwareClass::Rootkit, "rootkit", "Rootkit", 1010, "av_1010", 15, false),
    row(MalwareClass::Ransomware, "ransomware", "Ransomware", 1011, "av_1011", 10, true),
    row(MalwareClass::HackTool, "hacktool", "Hacker tool", 1012, "av_1012", 99, false),
    row(MalwareClass::WebShell, "webshell", "Web shell", 1015, "av_1015", 20, true),
    row(MalwareClass::Miner, "miner", "Miner", 1016, "av_1016", 13, true),
    row(MalwareClass::ReverseShell, "reverseshell", "Reverse shell", 1017, "malware_0002", 11, false),
];

const fn row(
    class: MalwareClass,
    word: &'static str,
    title: &'static str,
    hss_event_type: u32,
    hss_event_class_id: &'static str,
    ocsf_classification: u32,
    automatic_by_default: bool,
) -> ClassRow {
    ClassRow {
        class,
        word,
        title,
        hss_event_type,
        hss_event_class_id,
        ocsf_classification,
        automatic_by_default,
    }
}

impl MalwareClass {
    /// Every class, in table order.
    pub fn all() -> impl Iterator<Item = Self> {
        CLASSES.iter().map(|r| r.class)
    }

    /// The row of this class.
    #[must_use]
    pub fn row(self) -> &'static ClassRow {
        // The order of the table is the order of the enum; a test holds the two together.
        &CLASSES[self as usize]
    }

    /// Lazaret's word for the class, lower case, without spaces.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.row().word
    }
}

impl fmt::Display for MalwareClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that names no malware class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownClass(pub String);

impl fmt::Display for UnknownClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown malware class \"{}\"; known: ", self.0)?;
        for (i, r) in CLASSES.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            f.write_str(r.word)?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownClass {}

impl FromStr for MalwareClass {
    type Err = UnknownClass;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        CLASSES.iter().find(|r| r.word == s).map(|r| r.class).ok_or_else(|| UnknownClass(s.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_follows_the_enum() {
        for (i, r) in CLASSES.iter().enumerate() {
            assert_eq!(r.class as usize, i);
            assert_eq!(r.word.parse::<MalwareClass>(), Ok(r.class));
        }
    }

    #[test]
    fn unknown_word_names_the_known_ones() {
        let e = "spam".parse::<MalwareClass>().unwrap_err().to_string();
        assert!(e.contains("spam") && e.contains("webshell"), "{e}");
    }
}
