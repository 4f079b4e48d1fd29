// SPDX-License-Identifier: Apache-2.0
//! The gate of literals in front of the pattern engine (docs/adr/0006-a-gate-of-literals.md).
//!
//! Nearly every file is clean, and a rule can match only where certain literals are. They are derived from
//! the rule itself ([`condition`]) and looked for in one fast pass ([`sample`]). Only where one of them is,
//! and nothing else is missing that the same rule needs, the rules are run. The gate may open in vain; it
//! never stays shut where a rule would match. A rule that nothing can be derived from keeps its set's gate
//! open.

mod clause;
mod condition;
mod hex;
mod literal;
mod regexp;
mod rule_gate;
mod sample;
mod set_gate;
#[cfg(test)]
mod tests;

pub(crate) use rule_gate::RuleGate;
pub(crate) use set_gate::SetGate;
