// SPDX-License-Identifier: Apache-2.0
//! Overlays are not marked where the file systems of their layers are.
//!
//! To hand us the descriptor of an event on an overlay the kernel opens the layer's file beneath it.
//! Where that is marked too, this asks us again, inside our own read, and nobody is left to answer:
//! seen on Linux 6.18, the reading thread waits for itself. The mark on the layers' file system covers
//! what runs through the overlay as well.

use lazaret_sys::mounts::Mount;
use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
use std::collections::HashSet;
use std::path::Path;

/// How an overlay is covered without a mark of its own: what is in force, and why. `None`: it can be
/// marked. `marked` holds the devices, as the mount table has them, of what is marked.
pub(crate) fn covered(
    mount: &Mount,
    all: &[Mount],
    marked: &HashSet<u64>,
) -> Option<(&'static str, &'static str)> {
    if mount.fs_type != "overlay" {
        return None;
    }
    let Some(layers) = mount.layers() else {
        return Some(("none", "the layers of this overlay are not known; protect their file systems"));
    };
    let devices: Vec<Option<u64>> =
        layers.upper.iter().chain(&layers.lower).map(|layer| device(layer, all)).collect();
    let in_force = |d: &Option<u64>| d.is_some_and(|d| marked.contains(&d));
    if devices.iter().all(in_force) {
        return Some(("exec+open+write", "by the file systems of its layers"));
    }
    if devices.iter().all(|d| d.is_some() && !in_force(d)) {
        return None;
    }
    Some(("none", "not all of its layers are on protected file systems; protect those as well"))
}

/// The device, as the mount table has it, of the mount that a layer is on: what `stat` says differs
/// inside a btrfs subvolume. Without asking a server for news.
fn device(layer: &Path, all: &[Mount]) -> Option<u64> {
    if !layer.is_absolute() {
        return None;
    }
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
    let at = statx(CWD, layer, flags, StatxFlags::MNT_ID).ok()?;
    if StatxFlags::from_bits_retain(at.stx_mask).contains(StatxFlags::MNT_ID) {
        return all.iter().find(|m| m.id == at.stx_mnt_id).map(|m| m.dev);
    }
    // Before Linux 5.8. Of several mounts at one point the last is on top.
    let real = std::fs::canonicalize(layer).ok()?;
    let on = all.iter().filter(|m| real.starts_with(&m.point));
    on.max_by_key(|m| m.point.as_os_str().len()).map(|m| m.dev)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lazaret_sys::mounts::mounts;

    fn overlay(options: String) -> Mount {
        Mount { fs_type: "overlay".into(), options: options.into_bytes(), ..mounts().unwrap().remove(0) }
    }

    #[test]
    fn an_overlay_is_marked_only_where_no_layer_is() {
        // Two file systems that every machine has.
        let (a, b) = (Path::new("/proc"), Path::new("/dev"));
        let all = mounts().unwrap();
        let [on_a, on_b] = [a, b].map(|p| device(p, &all).unwrap());
        assert_ne!(on_a, on_b);
        let stacked = overlay(format!("rw,lowerdir={},upperdir={}", a.display(), b.display()));
        let by = |marked: &[u64]| covered(&stacked, &all, &marked.iter().copied().collect()).map(|c| c.0);
        assert_eq!(by(&[]), None);
        assert_eq!(by(&[on_a, on_b]), Some("exec+open+write"));
        assert_eq!(by(&[on_a]), Some("none"));
        assert_eq!(by(&[on_b]), Some("none"));
        let plain = Mount { fs_type: "ext4".into(), ..overlay(String::new()) };
        assert_eq!(covered(&plain, &all, &HashSet::from([on_a])), None);
        for unknown in ["rw,lowerdir=l/A:l/B", "rw"] {
            let strange = overlay(unknown.into());
            assert_eq!(covered(&strange, &all, &HashSet::new()).map(|c| c.0), Some("none"));
        }
    }
}
