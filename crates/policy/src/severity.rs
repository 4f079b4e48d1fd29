// SPDX-License-Identifier: Apache-2.0
//! How bad an alarm is.

use crate::Decided;
use lazaret_model::{Guard, MalwareClass, Rating, Severity, Verdict};

/// The alarm's severity: the rating's, and critical where high-rated malware destroys, spreads or
/// hides, or where a critical program is at least suspicious (nothing acts on it by itself, so a
/// person must). `verdict` is the one that led, see [`Decided::verdict`].
#[must_use]
pub fn severity(verdict: &Verdict, decided: &Decided) -> Severity {
    let critical_program = matches!(decided.guard, Some(Guard::CriticalProgram(_)));
    match decided.rating {
        Some(Rating::High | Rating::Medium) if critical_program => Severity::Critical,
        Some(Rating::High) => match verdict.class {
            MalwareClass::Ransomware | MalwareClass::Rootkit | MalwareClass::Worm | MalwareClass::Virus => {
                Severity::Critical
            }
            _ => Severity::High,
        },
        Some(Rating::Medium) => Severity::Medium,
        Some(Rating::Low) | None => Severity::Low,
    }
}
