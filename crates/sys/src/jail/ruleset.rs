// SPDX-License-Identifier: Apache-2.0
//! Landlock: every access that this kernel can deny is denied.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetStatus, Scope,
};

/// Denies what the kernel can; says what it cannot.
pub(super) fn restrict(gaps: &mut Vec<String>) {
    // The newest set that the oldest supported crate and kernel pairs agree on; older kernels get
    // their part of it.
    let abi = ABI::V6;
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))
        .and_then(|r| r.handle_access(AccessNet::from_all(abi)))
        .and_then(|r| r.scope(Scope::from_all(abi)))
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self);
    match status.map(|s| s.ruleset) {
        Ok(RulesetStatus::FullyEnforced) => {}
        Ok(RulesetStatus::PartiallyEnforced) => {
            gaps.push("Landlock is only partly in force (an older kernel)".into());
        }
        Ok(RulesetStatus::NotEnforced) => gaps.push("no Landlock (Linux 5.13, enabled at boot)".into()),
        Err(e) => gaps.push(format!("no Landlock: {e}")),
    }
}
