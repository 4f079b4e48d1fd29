// SPDX-License-Identifier: Apache-2.0
//! Where an alarm stands in an attack: ATT&CK tactic and technique by class, phase of the kill chain,
//! and the tag that HSS users know.

use lazaret_model::MalwareClass as C;

/// ATT&CK tactic, technique (Enterprise matrix), phase of the kill chain.
pub(crate) const fn place(class: C) -> (&'static str, &'static str, &'static str) {
    match class {
        C::Unclassified | C::Trojan => ("Execution", "T1204.002", "installation"),
        C::Virus => ("Persistence", "T1554", "installation"),
        C::Worm => ("Execution", "T1204.002", "delivery"),
        C::Botnet => ("Command and Control", "T1071", "command_and_control"),
        C::Backdoor => ("Persistence", "T1543", "installation"),
        C::Rootkit => ("Defense Evasion", "T1014", "installation"),
        C::Ransomware => ("Impact", "T1486", "actions"),
        C::HackTool => ("Privilege Escalation", "T1068", "exploit"),
        C::WebShell => ("Persistence", "T1505.003", "installation"),
        C::Miner => ("Impact", "T1496.001", "actions"),
        C::ReverseShell => ("Command and Control", "T1059.004", "command_and_control"),
    }
}

/// `attack_blocked`: refused or isolated; `attack_success`: it ran and was not; `attack_attempt`: it was
/// there and did not run. For an alarm without a verdict: `abnormal_behavior`.
pub(crate) fn tag(class: Option<C>, decision: &str, isolated: bool, ran: bool) -> &'static str {
    if class.is_none() {
        return "abnormal_behavior";
    }
    match decision {
        "deny" | "isolate_and_kill" => "attack_blocked",
        _ if isolated => "attack_blocked",
        _ if ran => "attack_success",
        _ => "attack_attempt",
    }
}

/// What an alarm's row keeps of this, to be asked by.
pub(crate) struct Attack {
    pub(crate) tag: &'static str,
    /// Empty without a verdict, as the technique.
    pub(crate) phase: &'static str,
    pub(crate) technique: &'static str,
}

/// From the columns of an alarm: its class's word, decision, whether a file of it was isolated, and origin.
pub(crate) fn of(class: &str, decision: &str, isolated: bool, origin: &str) -> Attack {
    let class: Option<C> = class.parse().ok();
    let (_, technique, phase) = class.map_or(("", "", ""), place);
    Attack { tag: tag(class, decision, isolated, ran(origin)), phase, technique }
}

/// Whether something of this origin ran.
pub(crate) fn ran(origin: &str) -> bool {
    matches!(origin, "exec" | "process" | "mapped")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_a_place() {
        for class in C::all() {
            let (tactic, technique, phase) = place(class);
            assert!(technique.starts_with('T') && !tactic.is_empty() && !phase.is_empty(), "{class}");
        }
    }

    #[test]
    fn what_was_stopped_is_no_success() {
        assert_eq!(tag(Some(C::Miner), "isolate_and_kill", true, true), "attack_blocked");
        assert_eq!(tag(Some(C::Miner), "alarm", true, true), "attack_blocked");
        assert_eq!(tag(Some(C::Miner), "alarm", false, true), "attack_success");
        assert_eq!(tag(Some(C::Miner), "alarm", false, false), "attack_attempt");
        assert_eq!(tag(None, "alarm", false, false), "abnormal_behavior");
    }

    #[test]
    fn a_row_says_the_same() {
        let a = of("miner", "alarm", false, "exec");
        assert_eq!((a.tag, a.phase, a.technique), ("attack_success", "actions", "T1496.001"));
        let own = of("", "alarm", false, "daemon");
        assert_eq!((own.tag, own.phase, own.technique), ("abnormal_behavior", "", ""));
    }
}
