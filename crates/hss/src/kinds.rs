// SPDX-License-Identifier: Apache-2.0
//! The kinds of events that HSS has: those that Lazaret finds are in `lazaret_model::CLASSES`, of the others it has none.

use crate::error::HssError;
use crate::words;

/// Every `event_type`.
const EVENT_TYPES: [i64; 42] = [
    1001, 1002, 1003, 1004, 1005, 1006, 1010, 1011, 1012, 1015, 1016, 1017, 2001, 2012, 2047, 2048, 2049,
    3002, 3003, 3004, 3005, 3007, 3015, 3018, 3026, 3027, 3029, 3030, 3031, 3036, 4002, 4004, 4006, 4014,
    4020, 6002, 6003, 11_001, 13_001, 13_002, 13_003, 13_004,
];

/// Every `event_class_id`.
#[rustfmt::skip]
const CLASS_IDS: [&str; 130] = [
    "av_1002", "av_1003", "av_1004", "av_1005", "av_1006", "av_1007", "av_1008", "av_1009", "av_1010",
    "av_1011", "av_1012", "av_1013", "av_1015", "av_1016", "blockexec_001", "container_1001",
    "container_1002", "container_1003", "container_1004", "containerescape_0001", "containerescape_0002",
    "containerescape_0003", "containerescape_0004", "crontab_0001", "crontab_0002", "crontab_1001",
    "dockerfile_001", "dockerfile_002", "dockerproc_001", "fileless_0001", "fileless_0002",
    "fileless_0003", "fileless_0004", "fileless_0005", "fileless_0006", "fileprotect_0001",
    "fileprotect_0002", "fileprotect_0003", "fileprotect_0004", "hips_0001", "hips_0002", "hips_0003",
    "hips_0004", "hips_0005", "hips_0006", "hips_0007", "hips_0008", "hips_0009", "hips_0010",
    "hips_0011", "hips_0012", "hips_0013", "hips_0014", "hips_0015", "hips_0016", "hips_0017",
    "hips_0018", "hips_0019", "hips_0020", "hips_0021", "honeypot_0001", "imgblock_0001",
    "imgblock_0002", "imgblock_0003", "imgblock_0004", "imgblock_0005", "imgblock_0006", "imgblock_0007",
    "imgblock_0008", "imgblock_0009", "imgblock_0010", "k8s_1001", "k8s_1002", "k8s_1003", "k8s_1004",
    "k8s_1005", "k8s_1006", "k8s_1007", "k8s_1008", "k8s_1009", "k8s_1010", "k8s_1011", "k8s_1012",
    "k8s_1013", "k8s_1014", "k8s_1015", "k8s_1016", "k8s_1017", "k8s_1018", "k8s_1019", "k8s_1020",
    "k8s_1021", "k8s_1022", "k8s_1023", "k8s_1024", "k8s_1025", "k8s_1026", "login_0001", "login_0002",
    "login_1001", "login_1002", "login_1003", "malware_0001", "malware_0002", "malware_1001",
    "network_1001", "network_1002", "network_1003", "network_1004", "portscan_0001", "portscan_0002",
    "procdet_0001", "procdet_0002", "procreport_0001", "ransomware_0001", "ransomware_0002",
    "ransomware_0003", "RASP_0004", "RASP_0018", "rootkit_0001", "rootkit_0002", "user_1001",
    "user_1002", "vmescape_0001", "vmescape_0002", "vmescape_0003", "vul_exploit_0001", "vul_exploit_0002",
    "vul_exploit_0003", "webshell_0001",
];

/// A number that HSS has for a kind of events.
pub(crate) fn event_type(name: &str, number: i64) -> Result<i64, HssError> {
    if EVENT_TYPES.contains(&number) {
        return Ok(number);
    }
    Err(HssError::invalid(format!(
        "{name}: {number} is no type of events; docs/hss-api.md has those that Lazaret finds"
    )))
}

/// A word that HSS has for a kind of events.
pub(crate) fn class_id<'a>(name: &str, word: &'a str) -> Result<&'a str, HssError> {
    if CLASS_IDS.contains(&word) {
        return Ok(word);
    }
    let shown = words::quoted(word, 80);
    Err(HssError::invalid(format!(
        "{name}: \"{shown}\" is no event_class_id; docs/hss-api.md has those that Lazaret finds"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lazaret_model::CLASSES;

    #[test]
    fn what_lazaret_finds_is_among_them() {
        for row in &CLASSES {
            assert!(event_type("event_type", row.hss_event_type.into()).is_ok(), "{}", row.word);
            assert!(class_id("event_class_ids", row.hss_event_class_id).is_ok(), "{}", row.word);
        }
        assert!(event_type("event_type", 4004).is_ok() && class_id("x", "login_0001").is_ok());
        assert!(event_type("event_type", 1).is_err());
        assert!(class_id("event_class_ids", "av_9").is_err_and(|e| e.message().contains("event_class_ids")));
    }
}
