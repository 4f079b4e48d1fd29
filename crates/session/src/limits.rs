// SPDX-License-Identifier: Apache-2.0
//! Bounds of a session in size and time.

use std::time::Duration;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// What one side of a session keeps to, and holds its peer to.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of one frame, either way.
    pub max_frame: usize,
    /// Records of one batch.
    pub max_records: usize,
    /// The agent sends something at least this often.
    pub keep_alive: Duration,
    /// A handshake, a hello and its answer, and a write that makes no progress take this long at most.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_frame: 1 << 20,
            max_records: 500,
            keep_alive: Duration::from_secs(15),
            patience: Duration::from_secs(20),
        }
    }
}

impl Limits {
    /// A peer that has been silent for so long is gone, whatever TCP says: two keep-alives may be late.
    #[must_use]
    pub fn dead_after(&self) -> Duration {
        self.keep_alive.saturating_mul(5) / 2
    }

    /// Small buffers: an idle session costs what it must, a large frame grows them for its time.
    pub(crate) fn web_socket(&self) -> WebSocketConfig {
        WebSocketConfig::default()
            .read_buffer_size(4096)
            .write_buffer_size(4096)
            .max_write_buffer_size(self.max_frame.saturating_mul(2).saturating_add(64 * 1024))
            .max_message_size(Some(self.max_frame))
            .max_frame_size(Some(self.max_frame))
    }
}
