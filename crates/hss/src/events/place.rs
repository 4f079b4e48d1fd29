// SPDX-License-Identifier: Apache-2.0
//! Where events were: the host by id, name or address, the container, and by the same means the event's name.

use super::filter::Wanted;
use crate::address::Addresses;
use crate::ask::{Ask, LONGEST};
use crate::call::Call;
use crate::error::HssError;
use crate::words::{LONGEST_PART, beginning};
use std::collections::BTreeSet;
use std::net::IpAddr;
use uuid::Uuid;

/// What is asked of the place.
#[derive(Debug)]
pub(super) struct Place<'a> {
    host_id: Option<&'a str>,
    host_name: Option<&'a str>,
    private_ip: Option<&'a str>,
    public_ip: Option<&'a str>,
    container_name: Option<&'a str>,
    event_name: Option<&'a str>,
}

/// Characters of `host_id`, `host_name`, `private_ip`, `public_ip`, `container_name`, `event_name`.
fn lengths(operation: &str) -> [usize; 6] {
    match operation {
        "list_security_events" => [64, 256, 256, 256, 512, 128],
        "list_event_att_ck" => [256, 256, 256, 256, 512, 128],
        "show_event_attack_tag" => [256, 256, 128, 128, 512, 128],
        "export_event_request" => [256, 64, 128, 128, 512, 128],
        _ => [LONGEST; 6],
    }
}

impl<'a> Place<'a> {
    pub(super) fn of(ask: &'a Ask) -> Result<Self, HssError> {
        let [host_id, host_name, private_ip, public_ip, container_name, event_name] =
            lengths(&ask.operation.name);
        Ok(Self {
            host_id: ask.short("host_id", host_id)?,
            host_name: ask.short("host_name", host_name)?,
            private_ip: ask.short("private_ip", private_ip)?,
            public_ip: ask.short("public_ip", public_ip)?,
            container_name: ask.short("container_name", container_name)?,
            event_name: ask.short("event_name", event_name)?,
        })
    }

    /// Writes it into the query, and beside it what the query cannot say; false: nothing is there.
    pub(super) async fn narrow(&self, call: &Call, wanted: &mut Wanted) -> Result<bool, HssError> {
        let host = match self.host_id.map(Uuid::try_parse) {
            None => None,
            Some(Ok(id)) => Some(id.to_string()),
            Some(Err(_)) => return Ok(false),
        };
        let addresses = [(self.private_ip, Some(true)), (self.public_ip, Some(false))];
        let Some(addresses) = Addresses::asked(addresses) else { return Ok(false) };
        let hosts = match (host, addresses.hosts(call).await?) {
            (Some(id), Some(there)) => Some(there.into_iter().filter(|h| *h == id).collect()),
            (host, there) => host.map(|id| BTreeSet::from([id])).or(there),
        };
        if !narrow_to(hosts, addresses.first(), wanted) {
            return Ok(false);
        }
        if let Some(name) = self.host_name {
            wanted.query.push(("host_name", beginning(name)));
            wanted.beside.host_name = (name.chars().count() > LONGEST_PART).then(|| name.to_lowercase());
        }
        // Of short texts the API's total counts the newest alone; and its text is in paths too.
        if let Some(name) = self.container_name {
            wanted.query.push(("container", beginning(name)));
            wanted.beside.container = Some(name.to_lowercase());
        }
        if let Some(name) = self.event_name {
            wanted.query.push(("text", beginning(name)));
            wanted.beside.event_name = Some(name.to_lowercase());
        }
        Ok(true)
    }
}

/// One host the API takes; of several it takes what they have in common.
fn narrow_to(hosts: Option<BTreeSet<String>>, address: Option<IpAddr>, wanted: &mut Wanted) -> bool {
    let Some(hosts) = hosts else { return true };
    match hosts.first() {
        None => return false,
        Some(only) if hosts.len() == 1 => wanted.query.push(("host", only.clone())),
        Some(_) => {
            wanted.query.extend(address.map(|a| ("address", a.to_string())));
            wanted.beside.hosts = Some(hosts);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(ids: &[&str]) -> Option<BTreeSet<String>> {
        Some(ids.iter().map(|id| (*id).to_owned()).collect())
    }

    #[test]
    fn one_host_several_or_none() {
        let address = Some(IpAddr::from([10, 0, 0, 1]));
        let mut wanted = Wanted::default();
        assert!(narrow_to(None, None, &mut wanted) && wanted.query.is_empty());
        assert!(!narrow_to(hosts(&[]), address, &mut wanted));
        assert!(narrow_to(hosts(&["a"]), address, &mut wanted) && wanted.is_plain());
        assert_eq!(wanted.query, [("host", "a".to_owned())]);
        let mut wanted = Wanted::default();
        assert!(narrow_to(hosts(&["a", "b"]), address, &mut wanted) && !wanted.is_plain());
        assert_eq!(wanted.query, [("address", "10.0.0.1".to_owned())]);
    }
}
