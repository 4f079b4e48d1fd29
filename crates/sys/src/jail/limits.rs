// SPDX-License-Identifier: Apache-2.0
//! Resource limits of a jailed process.

use super::{JailError, at};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Sets the limits, soft and hard.
pub(super) fn set(memory: u64, descriptors: u64, gaps: &mut Vec<String>) -> Result<(), JailError> {
    for (resource, value, step) in [
        (Resource::Core, 0, "limit on core dumps"),
        (Resource::Fsize, 0, "limit on file size"),
        (Resource::Memlock, 0, "limit on locked memory"),
        (Resource::Data, memory, "limit on memory"),
        (Resource::Nofile, descriptors, "limit on descriptors"),
    ] {
        // A hard limit that is already lower stays: raising it needs a capability.
        let value = getrlimit(resource).maximum.map_or(value, |hard| hard.min(value));
        setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) }).map_err(at(step))?;
    }
    // The filter forbids new processes anyway.
    if let Err(e) = setrlimit(Resource::Nproc, Rlimit { current: Some(0), maximum: Some(0) }) {
        gaps.push(format!("no limit on processes: {e}"));
    }
    Ok(())
}
