// SPDX-License-Identifier: Apache-2.0
//! Editions as data: what each includes, by the matrix of HSS (docs/editions.md), and what of a host's policy
//! that leaves in force. What a host finds is shown whatever its edition; giving a file back is never a
//! question of editions.

use crate::time;
use lazaret_proto::v1;
use lazaret_store::{HostQuotaRow, Store, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

/// What an edition includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Edition {
    /// `none`, `basic`, `professional`, `enterprise`, `premium`, `wtp`, `container`.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// As HSS calls it.
    pub(crate) hss_version: &'static str,
    /// Alarms about malicious programs.
    pub(crate) malware_alarms: bool,
    /// *Isolate and Kill Malicious Programs* by itself.
    pub(crate) automatic_isolation: bool,
    /// *Malware Cloud Scan*.
    pub(crate) cloud_scan: bool,
    /// Scans that people order or plan.
    pub(crate) scans: &'static [&'static str],
    /// Ransomware prevention as HSS has it: decoys. A file that is ransomware is a malicious program in
    /// every edition with those alarms.
    pub(crate) ransomware_prevention: bool,
    /// Containers and images.
    pub(crate) containers: bool,
    /// Web tamper protection.
    pub(crate) web_tamper_protection: bool,
}

const ALL_SCANS: &[&str] = &["quick", "full", "custom"];

const NONE: Edition = Edition {
    name: "none",
    title: "None",
    hss_version: "hss.version.null",
    malware_alarms: false,
    automatic_isolation: false,
    cloud_scan: false,
    scans: &["quick"],
    ransomware_prevention: false,
    containers: false,
    web_tamper_protection: false,
};

const ENTERPRISE: Edition = Edition {
    name: "enterprise",
    title: "Enterprise",
    hss_version: "hss.version.enterprise",
    malware_alarms: true,
    automatic_isolation: true,
    cloud_scan: true,
    scans: ALL_SCANS,
    ..NONE
};

const PREMIUM: Edition = Edition {
    name: "premium",
    title: "Premium",
    hss_version: "hss.version.premium",
    ransomware_prevention: true,
    ..ENTERPRISE
};

/// All of them, lesser ones first.
pub(crate) const EDITIONS: [Edition; 7] = [
    NONE,
    Edition { name: "basic", title: "Basic", hss_version: "hss.version.basic", ..NONE },
    Edition {
        name: "professional",
        title: "Professional",
        hss_version: "hss.version.advanced",
        malware_alarms: true,
        scans: ALL_SCANS,
        ..NONE
    },
    ENTERPRISE,
    PREMIUM,
    Edition {
        name: "wtp",
        title: "Web Tamper Protection",
        hss_version: "hss.version.wtp",
        web_tamper_protection: true,
        ..PREMIUM
    },
    Edition {
        name: "container",
        title: "Container",
        hss_version: "hss.version.container.enterprise",
        containers: true,
        ..PREMIUM
    },
];

/// Those that a pool can be of.
pub(crate) fn sold(name: &str) -> bool {
    name != NONE.name && EDITIONS.iter().any(|e| e.name == name)
}

/// What a host has, and why not more.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct HostEdition {
    /// What is in force.
    pub(crate) edition: &'static str,
    /// Of the quota: `normal`, `expired`, `freeze`; absent without one.
    quota_status: Option<String>,
    #[schema(format = Uuid)]
    quota: Option<String>,
    /// Why less is in force than the quota's edition.
    pub(crate) reason: Option<String>,
    /// What it does not include, each in words.
    pub(crate) not_included: Vec<String>,
    #[serde(skip)]
    #[schema(ignore)]
    pub(crate) is: Edition,
}

impl HostEdition {
    /// By what the host took from a pool.
    pub(crate) fn of(quota: Option<&HostQuotaRow>, now_ms: i64) -> Self {
        let (is, reason) = match quota {
            None => (NONE, Some("no quota is bound to the host".to_owned())),
            Some(q) => {
                let over = q.expires_ms > 0 && q.expires_ms <= now_ms;
                let named = EDITIONS.iter().find(|e| e.name == q.edition);
                match (q.status.as_str(), named) {
                    ("normal", Some(edition)) if !over => (*edition, None),
                    ("freeze", _) => (NONE, Some(format!("its quota ({}) is frozen", q.edition))),
                    ("normal" | "expired", Some(_)) => {
                        let at = time::rfc3339(q.expires_ms);
                        (NONE, Some(format!("its quota ({}) expired at {at}", q.edition)))
                    }
                    _ => (
                        NONE,
                        Some(format!("its quota is of no edition that this server knows: {}", q.edition)),
                    ),
                }
            }
        };
        let mut not_included = Vec::new();
        for (has, what) in [
            (is.malware_alarms, "alarms about malicious programs"),
            (is.automatic_isolation, "isolate and kill by itself"),
            (is.cloud_scan, "malware cloud scan"),
            (is.scans.len() == ALL_SCANS.len(), "full and custom scans"),
            (is.ransomware_prevention, "ransomware prevention"),
            (is.containers, "containers"),
            (is.web_tamper_protection, "web tamper protection"),
        ] {
            if !has {
                not_included.push(what.to_owned());
            }
        }
        Self {
            edition: is.name,
            quota_status: quota.map(|q| q.status.clone()),
            quota: quota.map(|q| q.pool.clone()),
            reason,
            not_included,
            is,
        }
    }

    /// What is missing, in a sentence.
    fn without(&self, what: &str) -> String {
        match &self.reason {
            Some(reason) => format!("{what} is off: {reason}"),
            None => format!("{what} is off: the edition {} does not include it", self.edition),
        }
    }

    /// Why a scan of this kind is not begun.
    pub(crate) fn no_scan(&self, kind: &str) -> Option<String> {
        (!self.is.scans.contains(&kind)).then(|| self.without(&format!("a {kind} scan")))
    }

    /// Why an alarm that is rated high was left to people; whether the edition has such alarms at all.
    pub(crate) fn about_alarm(&self, high_and_open: bool) -> Vec<String> {
        let mut out = Vec::new();
        if !self.is.malware_alarms {
            out.push(
                self.without("an alarm about malicious programs").replace(" is off:", " is not included:"),
            );
        }
        if high_and_open && !self.is.automatic_isolation {
            out.push(self.without("isolate and kill"));
        }
        out
    }

    /// Takes out of a policy what is not included, and says so in it.
    pub(crate) fn limit(&self, policy: &mut v1::HostPolicy) {
        self.edition.clone_into(&mut policy.edition);
        if !self.is.automatic_isolation && policy.isolate_and_kill != Some(false) {
            policy.isolate_and_kill = Some(false);
            policy.edition_limits.push(self.without("isolate and kill"));
        }
        if !self.is.cloud_scan && policy.malware_cloud_scan != Some(false) {
            policy.malware_cloud_scan = Some(false);
            policy.edition_limits.push(self.without("malware cloud scan"));
        }
    }
}

/// Of one host.
pub(crate) async fn of_host(store: &Store, host: &str) -> Result<HostEdition, StoreError> {
    let found = store.host_quotas(&[host.to_owned()]).await?;
    Ok(HostEdition::of(found.get(host), time::now_ms()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(edition: &str, status: &str, expires_ms: i64) -> HostQuotaRow {
        HostQuotaRow {
            host: "h".to_owned(),
            pool: "p".to_owned(),
            edition: edition.to_owned(),
            status: status.to_owned(),
            expires_ms,
            bound_ms: 0,
            bound_by: "server".to_owned(),
        }
    }

    #[test]
    fn isolation_by_itself_from_enterprise_up() {
        let with: Vec<&str> = EDITIONS.iter().filter(|e| e.automatic_isolation).map(|e| e.name).collect();
        assert_eq!(with, ["enterprise", "premium", "wtp", "container"]);
        assert!(sold("basic") && !sold("none") && !sold("gold"));
    }

    #[test]
    fn what_is_not_included_is_switched_off_and_said() {
        let wanted = || v1::HostPolicy {
            isolate_and_kill: Some(true),
            malware_cloud_scan: Some(true),
            ..v1::HostPolicy::default()
        };
        let mut policy = wanted();
        HostEdition::of(Some(&quota("enterprise", "normal", 0)), 5).limit(&mut policy);
        assert_eq!((policy.isolate_and_kill, policy.edition_limits.len()), (Some(true), 0));
        for (quota, part) in [
            (Some(quota("professional", "normal", 9)), "does not include"),
            (Some(quota("enterprise", "normal", 5)), "expired at 1970-01-01T00:00:00.005Z"),
            (Some(quota("enterprise", "expired", 5)), "expired"),
            (Some(quota("enterprise", "freeze", 0)), "frozen"),
            (Some(quota("gold", "normal", 0)), "no edition"),
            (None, "no quota"),
        ] {
            let mut policy = wanted();
            let edition = HostEdition::of(quota.as_ref(), 5);
            edition.limit(&mut policy);
            assert_eq!(policy.isolate_and_kill, Some(false), "{part}");
            assert!(policy.edition_limits[0].contains(part), "{:?}", policy.edition_limits);
            assert!(edition.about_alarm(true).iter().any(|t| t.contains("isolate and kill")));
        }
        let basic = HostEdition::of(Some(&quota("basic", "normal", 0)), 5);
        assert!(basic.no_scan("full").is_some() && basic.no_scan("quick").is_none());
        let mut off =
            v1::HostPolicy { isolate_and_kill: Some(false), malware_cloud_scan: Some(false), ..wanted() };
        basic.limit(&mut off);
        assert!(off.edition_limits.is_empty(), "what was off anyway is not the edition's doing");
    }
}
