// SPDX-License-Identifier: Apache-2.0
//! One descriptor for each session: the soft limit, 1,024 as a rule, is raised to the hard one.

use crate::log;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Says so when not all sessions will find a place.
pub(crate) fn raise(max_sessions: usize) {
    let now = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: now.maximum, maximum: now.maximum });
    let limit = if raised.is_ok() { now.maximum } else { now.current };
    let wanted = u64::try_from(max_sessions).unwrap_or(u64::MAX);
    if let Some(limit) = limit.filter(|l| *l < wanted) {
        log::line(&format!(
            "[gateway] max_sessions = {max_sessions}, but this process may have {limit} descriptors: raise \
             LimitNOFILE= of its unit (or ulimit -Hn), or hosts beyond that cannot connect"
        ));
    }
}
