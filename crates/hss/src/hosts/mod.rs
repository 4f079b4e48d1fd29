// SPDX-License-Identifier: Apache-2.0
//! Hosts, their agents and their groups, as HSS has servers.

mod agents;
mod assets;
mod chosen;
mod detect;
pub(crate) mod editions;
mod facts;
mod filter;
mod group_change;
mod groups;
mod list;
mod place;
mod protect;
mod risks;
mod row;
mod standing;
mod statistics;
mod wanted;

pub(crate) use agents::{list_agent_status, list_hosts_risk, uninstall_agents, upgrade_agents};
pub(crate) use assets::{associate_host_asset_value, batch_update_host_resource};
pub(crate) use detect::{set_manual_detect, show_scan_status};
pub(crate) use group_change::{
    add_hosts_group, associate_hosts_group, change_hosts_group, delete_hosts_group,
};
pub(crate) use groups::list_host_groups;
pub(crate) use list::list_host_status;
pub(crate) use protect::switch_hosts_protect_status;
pub(crate) use statistics::show_hosts_statistics;
