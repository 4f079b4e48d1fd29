// SPDX-License-Identifier: Apache-2.0
//! The vault's lines of `status`.

use super::{count, size};
use crate::output::{Look, Paint};
use lazaret_proto::v1;

/// Usage with limits, who has used up his quota, what is old.
pub(super) fn vault(look: Look, v: &v1::VaultStatus) -> String {
    let mut out = format!(
        "{} in {}, {} of {}; {} free on its filesystem",
        count(v.objects, "file"),
        count(v.blobs, "blob"),
        size(v.bytes),
        size(v.total_limit),
        size(v.free)
    );
    if v.user_objects_limit > 0 || v.user_bytes_limit > 0 {
        let bytes = (v.user_bytes_limit > 0).then(|| size(v.user_bytes_limit));
        let objects = (v.user_objects_limit > 0).then(|| count(v.user_objects_limit, "file"));
        let quota: Vec<String> = [objects, bytes].into_iter().flatten().collect();
        out.push_str(&format!("\neach user but root may take {}", quota.join(" and ")));
    }
    for o in &v.owners {
        let over = |have: u64, limit: u64| limit > 0 && have >= limit / 20 * 19;
        if over(o.objects, o.objects_limit) || over(o.bytes, o.bytes_limit) {
            let text = format!(
                "uid {} has {}, {}: its quota is used up",
                o.uid,
                count(o.objects, "file"),
                size(o.bytes)
            );
            out.push_str(&format!("\n{}", look.paint(Paint::Yellow, &text)));
        }
    }
    if v.refused > 0 {
        let text =
            format!("{} did not fit since the start and stayed denied in place", count(v.refused, "file"));
        out.push_str(&format!("\n{}", look.paint(Paint::Yellow, &text)));
    }
    if v.age_days > 0 && v.aged > 0 {
        let then = if v.remove_aged { "they are being removed" } else { "restore or delete them" };
        let text = format!("{} {} days old or older: {then}", count(v.aged, "file"), v.age_days);
        out.push_str(&format!("\n{}", look.paint(Paint::Yellow, &text)));
    }
    out
}
