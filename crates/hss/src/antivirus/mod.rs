// SPDX-License-Identifier: Apache-2.0
//! Virus scans: plans, scans, what they found, and what was done about it.

mod act;
mod alarms;
mod candidates;
mod export;
mod fail;
mod found;
mod history;
mod pay_per_scan;
mod places;
mod plan;
mod policy_list;
mod policy_write;
mod result;
mod scan_of;
mod statistic;
mod task_list;
mod task_row;
mod task_write;

pub(crate) use act::handle_anti_virus_result;
pub(crate) use candidates::list_anti_virus_host;
pub(crate) use export::export_anti_virus_result;
pub(crate) use history::list_antivirus_handle_history;
pub(crate) use pay_per_scan::{
    change_antivirus_pay_per_scan_status, create_anti_virus_paid_task, list_anti_virus_paid_hosts,
    show_antivirus_free_quota, show_antivirus_pay_per_scan_status,
};
pub(crate) use policy_list::list_anti_virus_policy;
pub(crate) use policy_write::{change_antivirus_policy, create_anti_virus_policy, delete_antivirus_policy};
pub(crate) use result::list_anti_virus_result;
pub(crate) use statistic::show_antivirus_statistic;
pub(crate) use task_list::list_anti_virus_task;
pub(crate) use task_write::{create_anti_virus_task, switch_antivirus_task};
