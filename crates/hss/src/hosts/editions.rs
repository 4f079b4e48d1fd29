// SPDX-License-Identifier: Apache-2.0
//! Editions under the names that HSS gives them, and how HSS has them paid.

/// HSS's versions and our editions, lesser ones first.
pub(crate) const VERSIONS: [(&str, &str); 7] = [
    ("hss.version.null", "none"),
    ("hss.version.basic", "basic"),
    ("hss.version.advanced", "professional"),
    ("hss.version.enterprise", "enterprise"),
    ("hss.version.premium", "premium"),
    ("hss.version.wtp", "wtp"),
    ("hss.version.container.enterprise", "container"),
];

/// Without an edition.
pub(crate) const NONE: &str = "none";

/// How HSS is paid. Lazaret bills nobody: a quota without a limit is as one that is paid by use, and one with a
/// limit as one that was bought for a time.
pub(crate) const CHARGING_MODES: [(&str, &str); 2] =
    [("packet_cycle", "packet_cycle"), ("on_demand", "on_demand")];

/// HSS's name of an edition.
pub(crate) fn version(edition: &str) -> Option<&'static str> {
    VERSIONS.iter().find(|(_, ours)| *ours == edition).map(|(version, _)| *version)
}

/// An edition and all that are more than it.
pub(crate) fn from(edition: &str) -> Vec<&'static str> {
    VERSIONS.iter().map(|(_, ours)| *ours).skip_while(|ours| *ours != edition).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        assert_eq!(version("professional"), Some("hss.version.advanced"));
        assert_eq!(version("none"), Some("hss.version.null"));
        assert_eq!(version("gold"), None);
        assert_eq!(from("premium"), ["premium", "wtp", "container"]);
    }
}
