// SPDX-License-Identifier: Apache-2.0
//! The process's metrics: one recorder, whoever starts first, and the numbers that several parts count.

use axum::http::StatusCode;
use lazaret_store::StoreError;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tokio::sync::watch;

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Seconds: from a look into memory to a database that is stuck.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Samples wait for this in memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// What renders them.
pub(crate) fn handle() -> PrometheusHandle {
    let make = || {
        // Histograms, which can be summed over processes, where the buckets are understood.
        let builder = PrometheusBuilder::new();
        let builder = builder.set_buckets(&BUCKETS).unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        // Another recorder of this process has the numbers then; ours stays empty.
        let _ = metrics::set_global_recorder(recorder);
        handle
    };
    RECORDER.get_or_init(make).clone()
}

/// Folds samples together until told to stop: without it they would pile up where nobody reads them.
pub(crate) async fn keep(handle: PrometheusHandle, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(UPKEEP) => handle.run_upkeep(),
            _ = stop.wait_for(|s| *s) => return,
        }
    }
}

/// A request to a route was answered.
pub(crate) fn answered(operation: &'static str, status: StatusCode, since: Instant) {
    let status = status.as_u16().to_string();
    metrics::counter!("lazaret_api_requests_total", "operation" => operation, "status" => status)
        .increment(1);
    metrics::histogram!("lazaret_api_request_seconds", "operation" => operation)
        .record(since.elapsed().as_secs_f64());
}

/// A request that no route takes.
pub(crate) fn unrouted(why: &'static str) {
    metrics::counter!("lazaret_api_requests_unrouted_total", "why" => why).increment(1);
}

/// The database failed; what is only not there, or not possible, is no failure.
pub(crate) fn database(e: &StoreError) {
    let kind = match e {
        StoreError::NotFound(_) | StoreError::Conflict(_) | StoreError::BadRequest(_) => return,
        StoreError::Unavailable(_) => "unavailable",
        _ => "failed",
    };
    metrics::counter!("lazaret_database_errors_total", "kind" => kind).increment(1);
}

/// One more of something as long as this lives: a queue, or what is open.
pub(crate) struct One(metrics::Gauge);

impl One {
    pub(crate) fn of(gauge: metrics::Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for One {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
