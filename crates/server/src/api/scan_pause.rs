// SPDX-License-Identifier: Apache-2.0
//! Scans that stop where they are, and go on.

use super::alarms::hosts_of;
use super::extract::{Accepted, Json, Path};
use super::gate::Access;
use super::orders::{self, Order, Ordered};
use super::permission::Permission;
use super::problem::Problem;
use super::route::{Routes, post};
use super::scans::task_within;
use super::state::Api;
use axum::extract::State;
use lazaret_proto::v1::{self, command};

pub(crate) fn routes(r: &mut Routes) {
    let operate = Permission::Operate;
    r.add(
        operate,
        post("/scan-tasks/{id}/pause", "pauseScanTask", "Pause a scan")
            .describe(
                "Hosts that have begun stop where they are, also over restarts; those that wait for their turn wait on.",
            )
            .answers::<Ordered>(202)
            .orders(),
        pause,
    );
    r.add(
        operate,
        post("/scan-tasks/{id}/resume", "resumeScanTask", "Let a paused scan go on")
            .describe("Each host goes on from the last folder that it finished.")
            .answers::<Ordered>(202)
            .orders(),
        resume,
    );
}

async fn pause(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Accepted<Json<Ordered>>, Problem> {
    halt(&api, &access, &id, true).await
}

async fn resume(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Accepted<Json<Ordered>>, Problem> {
    halt(&api, &access, &id, false).await
}

/// Hosts that have begun are told; those that wait for their turn wait on.
async fn halt(
    api: &Api,
    access: &Access,
    id: &str,
    paused: bool,
) -> Result<Accepted<Json<Ordered>>, Problem> {
    task_within(api, access, id).await?;
    let begun = api.store.pause_scan_task(id, paused).await?;
    let known = hosts_of(api, access, begun.iter().map(|h| h.host.as_str())).await?;
    let (verb, action) = if paused { ("scan_pause", "scan.pause") } else { ("scan_resume", "scan.resume") };
    let mut order = Order::new(access, verb, action);
    order.target = format!("scan {id}");
    for row in &begun {
        let what = v1::ScanPause { task: id.to_owned(), resume: !paused };
        match known.get(&row.host) {
            Some(host) => order.to(host, "", command::Verb::Pause(what)),
            None => order.refuse(&row.host, "this host is not there any more"),
        }
    }
    orders::give(api, order).await.map(|o| Accepted(Json(o)))
}
