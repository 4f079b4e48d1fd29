// SPDX-License-Identifier: Apache-2.0
//! Who a jailed process is: an own numeric uid where possible, no group, no capability.

use super::{JailError, at};
use rustix::process::{Gid, Signal, Uid, geteuid, getppid, set_parent_process_death_signal};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_thread_groups, set_thread_res_gid,
    set_thread_res_uid,
};
use std::io;

/// Becomes `uid_gid` and gives up every capability, checked afterwards.
pub(super) fn drop_all(uid_gid: Option<(u32, u32)>, gaps: &mut Vec<String>) -> Result<(), JailError> {
    let root = geteuid().is_root();
    if root {
        drop_bounding_set()?;
    }
    match uid_gid {
        Some((uid, gid)) => become_other(uid, gid)?,
        None if root => gaps.push("runs as root, without an own uid".into()),
        None => {}
    }
    if let Err(e) = rustix::thread::clear_ambient_capability_set() {
        gaps.push(format!("ambient capabilities could not be cleared: {e}"));
    }
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, none).map_err(at("capabilities"))?;
    let left = capabilities(None).map_err(at("capabilities"))?;
    if left != none {
        return Err(at("capabilities")(io::Error::other("some are left after they were given up")));
    }
    Ok(())
}

fn drop_bounding_set() -> Result<(), JailError> {
    for capability in 0..64 {
        // SAFETY: a plain prctl without pointers.
        if unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) } != 0 {
            let e = io::Error::last_os_error();
            return match e.raw_os_error() {
                // Past the last capability that this kernel knows.
                Some(libc::EINVAL) if capability > 0 => Ok(()),
                // In a container that was not given CAP_SETPCAP; the sets themselves are emptied below.
                Some(libc::EPERM) => Ok(()),
                _ => Err(at("capability bounding set")(e)),
            };
        }
    }
    Ok(())
}

fn become_other(uid: u32, gid: u32) -> Result<(), JailError> {
    if uid == 0 || gid == 0 || uid == u32::MAX || gid == u32::MAX {
        return Err(at("uid")(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{uid}:{gid} is no uid and gid for a jail"),
        )));
    }
    let (u, g) = (Uid::from_raw(uid), Gid::from_raw(gid));
    // The raw calls change this thread, which is the only one.
    set_thread_groups(&[]).map_err(at("supplementary groups"))?;
    set_thread_res_gid(g, g, g).map_err(at("gid"))?;
    set_thread_res_uid(u, u, u).map_err(at("uid"))?;
    let (mut real, mut effective, mut saved) = (0, 0, 0);
    // SAFETY: three valid places for three numbers.
    let rc = unsafe { libc::getresuid(&raw mut real, &raw mut effective, &raw mut saved) };
    if rc != 0 || [real, effective, saved] != [uid; 3] {
        return Err(at("uid")(io::Error::other("it is not what it was set to")));
    }
    // SAFETY: as above.
    let rc = unsafe { libc::getresgid(&raw mut real, &raw mut effective, &raw mut saved) };
    if rc != 0 || [real, effective, saved] != [gid; 3] {
        return Err(at("gid")(io::Error::other("it is not what it was set to")));
    }
    let root = Uid::ROOT;
    if set_thread_res_uid(root, root, root).is_ok() {
        return Err(at("uid")(io::Error::other("root could be had back")));
    }
    Ok(())
}

/// Ends with `parent`, cannot be looked into, and gains no privilege by an exec. After the change
/// of uid, which clears the first two.
pub(super) fn tie_to(parent: i32) -> Result<(), JailError> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(at("tie to the parent"))?;
    if getppid().map(|p| p.as_raw_nonzero().get()) != Some(parent) {
        return Err(at("tie to the parent")(io::Error::other("the parent is gone")));
    }
    // SAFETY: plain prctls without pointers.
    unsafe {
        if libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 {
            return Err(at("not dumpable")(io::Error::last_os_error()));
        }
        if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 {
            return Err(at("no new privileges")(io::Error::last_os_error()));
        }
    }
    Ok(())
}
