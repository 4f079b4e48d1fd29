// SPDX-License-Identifier: Apache-2.0
//! The deep scan of samples: jobs, the jail, what other scanners say, and what comes of it (docs/adr/0016).
//!
//! A [`DeepScan`] leases jobs, opens each sample into memory, and has it scanned by `lazaret-scanner` in the same
//! jail as on hosts, with the deep content, higher limits and a longer deadline. Connectors ask others. Each gives a
//! vote; [`weigh`] makes of the engine's report and the votes what the file turns out to be. Any number of processes
//! and machines do so at the same time: a lease that is not renewed runs out, and another one takes the job.

#![forbid(unsafe_code)]

pub mod connectors;
mod jail;
mod job;
mod named;
mod queue;
mod run;
mod settings;
mod vote;
pub mod weigh;

pub use connectors::{Connector, ConnectorKind, ConnectorSettings, Sample};
pub use run::{DeepScan, Hooks, SetAside, Told};
pub use settings::Settings;
pub use vote::{Opinion, Vote, to_json};
pub use weigh::{Standing, Weighed, weigh};
