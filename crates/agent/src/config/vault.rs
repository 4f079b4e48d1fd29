// SPDX-License-Identifier: Apache-2.0
//! `[vault]`: what it may hold, for whom, and for how long.

use super::ConfigError;
use lazaret_response::AgeLimit;
use lazaret_vault::{Limits, Quota};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Bytes that all isolated files may take unless the configuration says otherwise.
const TOTAL: u64 = 4 << 30;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Vault {
    /// Bytes that all isolated files may take, equal ones counted once; default 4 GiB.
    total_bytes: Option<u64>,
    /// Bytes of one file.
    object_bytes: u64,
    /// Bytes that stay free on the vault's filesystem.
    keep_free_bytes: u64,
    /// Bytes for the files of one user other than root; 0 is no limit.
    user_bytes: u64,
    /// The same in files.
    user_objects: u64,
    /// Single users that have other quotas; root has none unless it stands here.
    user_quotas: Vec<UserQuota>,
    /// Isolated files of this many days are told; 0 is never.
    age_days: u32,
    /// They are also destroyed.
    remove_aged: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserQuota {
    uid: u32,
    #[serde(default)]
    bytes: u64,
    #[serde(default)]
    objects: u64,
}

impl Default for Vault {
    fn default() -> Self {
        Self {
            total_bytes: None,
            object_bytes: 4 << 30,
            keep_free_bytes: 16 << 20,
            user_bytes: 1 << 30,
            user_objects: 10_000,
            user_quotas: Vec::new(),
            age_days: 0,
            remove_aged: false,
        }
    }
}

fn some(limit: u64) -> Option<u64> {
    (limit > 0).then_some(limit)
}

impl Vault {
    /// `earlier` is what `[budget] vault_bytes` says.
    pub(super) fn check(&self, earlier: Option<u64>) -> Result<(), ConfigError> {
        let bad = |text: String| Err(ConfigError(text));
        if let (Some(new), Some(old)) = (self.total_bytes, earlier)
            && new != old
        {
            return bad(format!(
                "[vault] total_bytes = {new} and [budget] vault_bytes = {old} say the same and differ: remove the latter"
            ));
        }
        for (key, value) in [("total_bytes", self.total_bytes), ("object_bytes", Some(self.object_bytes))] {
            if value == Some(0) {
                return bad(format!("[vault] {key} = 0: nothing could be isolated; give bytes, at least 1"));
            }
        }
        if self.age_days > 36_500 {
            return bad(format!("[vault] age_days = {}: must be 0 (never) to 36500", self.age_days));
        }
        if self.remove_aged && self.age_days == 0 {
            return bad("[vault] remove_aged = true: say after how many days in age_days".to_owned());
        }
        let mut seen = BTreeMap::new();
        for q in &self.user_quotas {
            if seen.insert(q.uid, ()).is_some() {
                return bad(format!("[vault] user_quotas: uid {} stands there twice", q.uid));
            }
        }
        Ok(())
    }

    pub(crate) fn limits(&self, earlier: Option<u64>) -> Limits {
        let users = self
            .user_quotas
            .iter()
            .map(|q| (q.uid, Quota { bytes: some(q.bytes), objects: some(q.objects) }))
            .collect();
        Limits {
            total_bytes: self.total_bytes.or(earlier).unwrap_or(TOTAL),
            object_bytes: self.object_bytes,
            keep_free: self.keep_free_bytes,
            user: Quota { bytes: some(self.user_bytes), objects: some(self.user_objects) },
            users,
        }
    }

    /// `None` where nothing ever is old.
    pub(crate) fn age_limit(&self) -> Option<AgeLimit> {
        (self.age_days > 0).then_some(AgeLimit { days: self.age_days, remove: self.remove_aged })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn limits(text: &str) -> Limits {
        let c = Config::parse(text).unwrap();
        c.vault.limits(c.budget.vault_bytes)
    }

    fn refused(text: &str) -> String {
        Config::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn the_default_limits_users_and_not_root() {
        let l = limits("");
        assert_eq!((l.total_bytes, l.object_bytes, l.keep_free), (4 << 30, 4 << 30, 16 << 20));
        assert_eq!(l.quota(1000), Quota { bytes: Some(1 << 30), objects: Some(10_000) });
        assert_eq!(l.quota(0), Quota::default());
        assert_eq!(Config::parse("").unwrap().vault.age_limit(), None, "nothing is ever removed by itself");
    }

    #[test]
    fn the_earlier_key_still_works() {
        assert_eq!(limits("[budget]\nvault_bytes = 1000").total_bytes, 1000);
        assert_eq!(limits("[vault]\ntotal_bytes = 1000").total_bytes, 1000);
        assert_eq!(limits("[budget]\nvault_bytes = 7\n[vault]\ntotal_bytes = 7").total_bytes, 7);
        let e = refused("[budget]\nvault_bytes = 7\n[vault]\ntotal_bytes = 8");
        assert!(e.contains("remove the latter"), "{e}");
    }

    #[test]
    fn quotas_of_single_users() {
        let text =
            "[vault]\nuser_objects = 0\nuser_quotas = [{ uid = 33, bytes = 5 }, { uid = 0, objects = 9 }]";
        let l = limits(text);
        assert_eq!(l.quota(33), Quota { bytes: Some(5), objects: None });
        assert_eq!(l.quota(0), Quota { bytes: None, objects: Some(9) });
        assert_eq!(l.quota(1), Quota { bytes: Some(1 << 30), objects: None });
        assert!(refused("[vault]\nuser_quotas = [{ uid = 1 }, { uid = 1 }]").contains("twice"));
        assert!(refused("[vault]\nuser_quotas = [{ user = 1 }]").contains("line 2"));
    }

    #[test]
    fn removal_is_said_explicitly() {
        let limit = |text: &str| Config::parse(text).unwrap().vault.age_limit();
        assert_eq!(limit("[vault]\nage_days = 90"), Some(AgeLimit { days: 90, remove: false }));
        assert_eq!(
            limit("[vault]\nage_days = 90\nremove_aged = true"),
            Some(AgeLimit { days: 90, remove: true })
        );
        assert!(refused("[vault]\nremove_aged = true").contains("age_days"));
        assert!(refused("[vault]\nage_days = 40000").contains("36500"));
        assert!(refused("[vault]\nobject_bytes = 0").contains("at least 1"));
    }
}
