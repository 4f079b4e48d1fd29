// SPDX-License-Identifier: Apache-2.0
//! Quotas: how many hosts may have which edition, and who has it.

mod cancel;
mod detail;
mod numbers;
pub(crate) mod pools;
mod resources;

pub(crate) use cancel::cancel_hosts_quota;
pub(crate) use detail::list_quotas_detail;
pub(crate) use resources::show_resource_quotas;
