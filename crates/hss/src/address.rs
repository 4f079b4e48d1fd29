// SPDX-License-Identifier: Apache-2.0
//! Addresses that are asked for, and the hosts that have them.

use crate::call::Call;
use crate::error::HssError;
use crate::page;
use crate::words::{at, is_private, text};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Hosts that are looked through for those with an address.
const MOST_HOSTS: u64 = 10_000;

/// Addresses of a host.
pub(crate) fn of(host: &Value) -> impl Iterator<Item = IpAddr> {
    at(host, "addresses").as_array().into_iter().flatten().filter_map(|a| a.as_str()?.parse().ok())
}

/// Addresses that a host must have all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Addresses(Vec<IpAddr>);

impl Addresses {
    /// What parameters ask for, each with whether the address must be private; `None`: no host can have that.
    pub(crate) fn asked<const N: usize>(texts: [(Option<&str>, Option<bool>); N]) -> Option<Self> {
        let one = |(text, private): (Option<&str>, Option<bool>)| {
            let fits = move |ip: &IpAddr| private.is_none_or(|p| p == is_private(ip));
            text.map(|t| t.parse().ok().filter(fits))
        };
        texts.into_iter().filter_map(one).collect::<Option<Vec<IpAddr>>>().map(Self)
    }

    /// One of them, for the API to look for.
    pub(crate) fn first(&self) -> Option<IpAddr> {
        self.0.first().copied()
    }

    /// Whether a host has all of them.
    pub(crate) fn fit(&self, host: &Value) -> bool {
        self.0.iter().all(|wanted| of(host).any(|a| a == *wanted))
    }

    /// The hosts that have them, removed ones too: what was found on them stays. `None`: nothing is asked for.
    pub(crate) async fn hosts(&self, call: &Call) -> Result<Option<BTreeSet<String>>, HssError> {
        let Some(ip) = self.first() else { return Ok(None) };
        let mut query = call.scoped();
        query.extend([("text", ip.to_string()), ("removed", "true".to_owned())]);
        let found = page::all(&call.rest, "/hosts", &query, MOST_HOSTS).await?;
        Ok(Some(found.iter().filter(|h| self.fit(h)).map(|h| text(h, "id").to_owned()).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn addresses_are_asked_for_by_kind() {
        let read = |private, public| Addresses::asked([(private, Some(true)), (public, Some(false))]);
        assert_eq!(read(None, None), Some(Addresses::default()));
        assert_eq!(read(Some("10.0.0.1"), None).and_then(|a| a.first()), "10.0.0.1".parse().ok());
        assert_eq!(read(Some("198.51.100.7"), None), None, "public, asked for as private");
        assert_eq!(read(Some("10.0.0.1"), Some("10.0.0.1")), None);
        assert_eq!(read(Some("db"), Some("198.51.100.7")), None);
        assert!(Addresses::asked([(Some("198.51.100.7"), None), (Some("10.0.0.1"), None)]).is_some());
        let host = json!({ "addresses": ["10.0.0.1", "198.51.100.7"] });
        let fits = |private, public| read(Some(private), Some(public)).unwrap().fit(&host);
        assert!(fits("10.0.0.1", "198.51.100.7") && !fits("10.0.0.1", "198.51.100.70"));
        assert!(Addresses::default().fit(&host));
    }
}
