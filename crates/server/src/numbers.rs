// SPDX-License-Identifier: Apache-2.0
//! The process's metrics: one recorder, whoever starts first.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// What renders them.
pub(crate) fn handle() -> PrometheusHandle {
    let make = || {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        // Another recorder of this process has the numbers then; ours stays empty.
        let _ = metrics::set_global_recorder(recorder);
        handle
    };
    RECORDER.get_or_init(make).clone()
}
