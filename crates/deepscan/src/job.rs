// SPDX-License-Identifier: Apache-2.0
//! One job: the sample opened, scanned, asked about, weighed.

use crate::connectors::{Connector, Sample};
use crate::jail::Jail;
use crate::queue::Lease;
use crate::settings::Settings;
use crate::vote::Vote;
use crate::weigh::{Weighed, weigh};
use lazaret_model::{ScanError, ScanReport};
use lazaret_samples::Samples;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// A job is begun so often for what others may still say, then it ends without them.
pub(crate) const TRIES: u32 = 3;
/// Nobody makes a job wait longer.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// What a worker has for all of its jobs.
pub(crate) struct Desk {
    pub(crate) samples: Samples,
    pub(crate) settings: Settings,
    pub(crate) connectors: Vec<Arc<Connector>>,
}

/// What came of a job.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is done.
    Judged {
        /// Of the engine; `None` where that could not judge it.
        report: Option<Box<ScanReport>>,
        votes: Vec<Vote>,
        weighed: Box<Weighed>,
        /// What stood in the way, for people; empty: nothing.
        remark: String,
    },
    /// It is to be tried again, not before that.
    Again { why: String, after: Duration },
    /// The scanner did not survive it.
    Crashed { why: String },
}

/// Does one job. Nothing is written: who calls this gives it back or ends it.
pub(crate) async fn run(desk: &Desk, jail: &Jail, job: &Lease) -> Outcome {
    let wait = desk.settings.wait(job.tries).min(LONGEST_WAIT);
    let file = match desk.samples.open_sample(&job.project, &job.sha256.0).await {
        Ok(file) => file,
        Err(e) if e.is_retryable() => {
            return Outcome::Again { why: format!("the sample cannot be opened: {e}"), after: wait };
        }
        Err(e) => return unreadable(job, format!("the sample cannot be opened: {e}")),
    };
    let size = match file.metadata() {
        Ok(m) => m.len(),
        Err(e) => return Outcome::Again { why: format!("the sample cannot be read: {e}"), after: wait },
    };
    let scanned = scan(desk, jail, &file, size, job).await;
    let (report, remark) = match scanned {
        Ok(report) if report.verdict.sha256 != job.sha256 => {
            return unreadable(job, format!("what is stored is {}", report.verdict.sha256));
        }
        Ok(report) => (Some(Box::new(report)), String::new()),
        Err(e @ (ScanError::Crashed(_) | ScanError::Deadline(_) | ScanError::BadAnswer(_))) => {
            return Outcome::Crashed { why: e.to_string() };
        }
        Err(e @ ScanError::Unavailable(_)) => return Outcome::Again { why: e.to_string(), after: wait },
        // The same the next time; others may know it all the same.
        Err(e) => (None, e.to_string()),
    };
    let sample = Sample { sha256: job.sha256, size, file: Arc::new(file) };
    let votes = ask(&desk.connectors, &sample).await;
    let weighed = weigh(report.as_deref(), (job.sha256, size), &votes);
    let open: Vec<&Vote> = votes.iter().filter(|v| v.is_open()).collect();
    // What is high already does not wait for those who could only agree.
    if !open.is_empty() && !weighed.is_high() && job.tries < TRIES {
        let names: Vec<String> = open.iter().map(|v| format!("{}: {}", v.connector, v.detail)).collect();
        let asked = open.iter().filter_map(|v| v.again_ms).max().map_or(wait, Duration::from_millis);
        return Outcome::Again { why: names.join("; "), after: asked.max(wait).min(LONGEST_WAIT) };
    }
    Outcome::Judged { report, votes, weighed: Box::new(weighed), remark }
}

async fn scan(
    desk: &Desk,
    jail: &Jail,
    file: &File,
    size: u64,
    job: &Lease,
) -> Result<ScanReport, ScanError> {
    if size > desk.settings.largest {
        return Err(ScanError::TooLarge { size, limit: desk.settings.largest });
    }
    let file = file.try_clone().map_err(|e| ScanError::Unreadable(e.to_string()))?;
    let begun = std::time::Instant::now();
    // Its name stays on the host: rules know it by its content.
    let result = jail.scan(file.into(), job.sha256.to_string().into_bytes()).await;
    metrics::histogram!("lazaret_deep_scan_seconds").record(begun.elapsed().as_secs_f64());
    metrics::counter!("lazaret_deep_scan_bytes_total").increment(size);
    result
}

/// All at once: each has its own time-out.
async fn ask(connectors: &[Arc<Connector>], sample: &Sample) -> Vec<Vote> {
    let mut asked = JoinSet::new();
    for (place, connector) in connectors.iter().enumerate() {
        let (connector, sample) = (Arc::clone(connector), sample.clone());
        asked.spawn(async move { (place, connector.ask(&sample).await) });
    }
    let mut votes = Vec::with_capacity(connectors.len());
    while let Some(vote) = asked.join_next().await {
        // One that panicked has no vote.
        votes.extend(vote);
    }
    votes.sort_by_key(|(place, _)| *place);
    votes.into_iter().map(|(_, vote)| vote).collect()
}

/// A sample that is not there, or not what it should be: that is no word about the file, and others are not asked.
fn unreadable(job: &Lease, remark: String) -> Outcome {
    let weighed = Box::new(weigh(None, (job.sha256, 0), &[]));
    Outcome::Judged { report: None, votes: Vec::new(), weighed, remark }
}
