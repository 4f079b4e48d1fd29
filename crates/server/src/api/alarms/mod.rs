// SPDX-License-Identifier: Apache-2.0
//! Alarms of the fleet.

mod export;
mod false_positive;
pub(super) mod filter;
pub(super) mod handle;
mod look;
pub(super) mod view;

use super::gate::Access;
use super::problem::Problem;
use super::route::Routes;
use super::state::Api;
use lazaret_store::{AlarmRow, HostFilter, HostRow};
use std::collections::HashMap;

pub(crate) fn routes(r: &mut Routes) {
    look::routes(r);
    handle::routes(r);
    export::routes(r);
    false_positive::routes(r);
}

/// An alarm within what the caller may.
async fn within(api: &Api, access: &Access, id: &str) -> Result<AlarmRow, Problem> {
    access.check(api.store.alarm(id).await, |a| &a.project, "alarm", id)
}

/// The hosts of these ids, removed ones too.
pub(crate) async fn hosts_of<'a>(
    api: &Api,
    access: &Access,
    ids: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, HostRow>, Problem> {
    let mut ids: Vec<String> = ids.map(str::to_owned).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut hosts = HashMap::new();
    for part in ids.chunks(500) {
        let filter = HostFilter { ids: part.to_vec(), removed: true, ..HostFilter::default() };
        let cursor = lazaret_store::Cursor { after: None, limit: 1000 };
        let page = api.store.hosts_page(&access.scope, &filter, &cursor).await?;
        hosts.extend(page.items.into_iter().map(|h| (h.id.clone(), h)));
    }
    Ok(hosts)
}
