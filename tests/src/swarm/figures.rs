// SPDX-License-Identifier: Apache-2.0
//! What is counted while the swarm runs, and how it is told. Bounded, whatever the load.

use super::cloud::Counted;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Steps of each power of two: a figure is exact to a thirty-second of itself.
const STEPS: u64 = 32;
/// Up to 2^40 microseconds, twelve days.
const BUCKETS: usize = (STEPS as usize) * 41;
/// Different reasons for ends that are kept apart.
const REASONS: usize = 24;

/// How times are spread, without keeping each of them.
pub(crate) struct Spread {
    buckets: Vec<AtomicU64>,
    most_us: AtomicU64,
}

impl Default for Spread {
    fn default() -> Self {
        Self { buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(), most_us: AtomicU64::new(0) }
    }
}

fn bucket(us: u64) -> usize {
    let power = us.max(1).ilog2();
    let index = if power < 5 {
        us
    } else {
        // The five bits behind the highest one.
        u64::from(power - 4) * STEPS + ((us >> (power - 5)) & (STEPS - 1))
    };
    usize::try_from(index).unwrap_or(usize::MAX).min(BUCKETS - 1)
}

/// Lower end of a bucket.
fn value(bucket: usize) -> u64 {
    let (row, step) = (bucket as u64 / STEPS, bucket as u64 % STEPS);
    if row == 0 { step } else { (STEPS + step) << (row - 1) }
}

impl Spread {
    pub(crate) fn note(&self, time: Duration) {
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.buckets[bucket(us)].fetch_add(1, Relaxed);
        self.most_us.fetch_max(us, Relaxed);
    }

    fn at(&self, part: f64) -> f64 {
        let counts: Vec<u64> = self.buckets.iter().map(|b| b.load(Relaxed)).collect();
        let all: u64 = counts.iter().sum();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank among counts"
        )]
        let rank = ((all as f64) * part).ceil() as u64;
        let mut seen = 0;
        for (i, n) in counts.iter().enumerate() {
            seen += n;
            if *n > 0 && seen >= rank {
                return ms(value(i));
            }
        }
        0.0
    }

    pub(crate) fn json(&self) -> Value {
        json!({"p50": self.at(0.5), "p99": self.at(0.99), "max": ms(self.most_us.load(Relaxed))})
    }
}

/// Milliseconds UTC of something that happens again and again.
pub(crate) type Clock = AtomicI64;

/// Milliseconds for people.
fn ms(us: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    let ms = us as f64 / 1000.0;
    ms
}

/// Everything that is counted.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) enrolled: AtomicU64,
    /// Enrolments that were tried again.
    pub(crate) enrol_retries: AtomicU64,
    /// Standing now.
    pub(crate) sessions: AtomicU64,
    /// At most at one time.
    pub(crate) most_sessions: AtomicU64,
    /// Sessions after a host's first.
    pub(crate) reconnects: AtomicU64,
    /// Attempts that the server answered with a goodbye.
    pub(crate) refused: AtomicU64,
    /// Attempts that came to nothing.
    pub(crate) failed: AtomicU64,
    pub(crate) made: AtomicU64,
    pub(crate) sent: AtomicU64,
    pub(crate) acked: AtomicU64,
    pub(crate) ack: Spread,
    /// Clock of the last acknowledgement, and of the first alarm, milliseconds UTC.
    pub(crate) last_ack_ms: Clock,
    pub(crate) first_made_ms: Clock,
    pub(crate) commands: AtomicU64,
    /// From `created_ms` to the delivery.
    pub(crate) delivery: Spread,
    /// Clock of the last delivery.
    pub(crate) last_command_ms: Clock,
    /// Of Malware Cloud Scan.
    pub(crate) cloud: Counted,
    ends: Mutex<BTreeMap<String, u64>>,
}

impl Figures {
    /// A session, or an attempt at one, ended like that.
    pub(crate) fn ended(&self, why: &str) {
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let room = ends.len() < REASONS || ends.contains_key(why);
        *ends.entry(if room { why } else { "others" }.to_owned()).or_default() += 1;
    }

    /// One line, as it stands now.
    pub(crate) fn line(&self, event: &str, begun: Instant, hosts: u32) -> Value {
        let n = |a: &AtomicU64| a.load(Relaxed);
        json!({
            "event": event,
            "at_ms": now_ms(),
            "seconds": (begun.elapsed().as_secs_f64() * 10.0).round() / 10.0,
            "hosts": hosts,
            "enrolled": n(&self.enrolled),
            "sessions": n(&self.sessions),
            "reconnects": n(&self.reconnects),
            "alarms_made": n(&self.made),
            "alarms_sent": n(&self.sent),
            "alarms_acked": n(&self.acked),
            "commands": n(&self.commands),
            "last_command_ms": self.last_command_ms.load(Relaxed),
            "cloud": self.cloud.json(),
        })
    }

    /// The last line.
    pub(crate) fn summary(&self, begun: Instant, hosts: u32) -> Value {
        let mut all = self.line("summary", begun, hosts);
        let n = |a: &AtomicU64| a.load(Relaxed);
        let (first, last) = (self.first_made_ms.load(Relaxed), self.last_ack_ms.load(Relaxed));
        #[allow(clippy::cast_precision_loss, reason = "figures for people")]
        let (seconds, acked) = ((last - first).max(1) as f64 / 1000.0, n(&self.acked) as f64);
        let more = json!({
            "sessions_most": n(&self.most_sessions),
            "enrol_retries": n(&self.enrol_retries),
            "refused": n(&self.refused),
            "failed": n(&self.failed),
            "alarm_seconds": if first == 0 { 0.0 } else { seconds },
            "alarms_a_second": if first == 0 { 0.0 } else { (acked / seconds * 10.0).round() / 10.0 },
            "ack_ms": self.ack.json(),
            "command_ms": self.delivery.json(),
            "ends": *self.ends.lock().unwrap_or_else(PoisonError::into_inner),
        });
        if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
            all.extend(more);
        }
        all
    }
}

/// Milliseconds UTC.
pub(crate) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_and_are_close() {
        let mut before = 0;
        for us in (0..200).chain((8..40).map(|p| (1_u64 << p) + 3)) {
            let i = bucket(us);
            assert!(i >= before, "{us}");
            before = i;
            assert!(value(i) <= us && us - value(i) <= us / 32, "{us} {}", value(i));
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn parts_of_a_spread() {
        let s = Spread::default();
        assert_eq!(s.json(), json!({"p50": 0.0, "p99": 0.0, "max": 0.0}));
        for i in 1..=1000 {
            s.note(Duration::from_millis(i));
        }
        assert!((s.at(0.5) - 500.0).abs() < 16.0 && (s.at(0.99) - 990.0).abs() < 32.0);
        assert_eq!(s.json()["max"], 1000.0);
    }

    #[test]
    fn reasons_are_bounded() {
        let f = Figures::default();
        for i in 0..100 {
            f.ended(&format!("r{i}"));
        }
        let told = f.summary(Instant::now(), 3);
        let ends = told["ends"].as_object().unwrap();
        assert_eq!((ends.len(), ends["others"].as_u64()), (REASONS + 1, Some(76)));
        assert_eq!((&told["hosts"], &told["alarms_a_second"]), (&json!(3), &json!(0.0)));
    }
}
