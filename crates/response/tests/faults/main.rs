// SPDX-License-Identifier: Apache-2.0
//! The fault matrix: a driver that links response and vault is killed before the system calls of isolate,
//! restore, delete and replay, and each call fails in turn. The content is never lost, never live unreported.

#![forbid(unsafe_code)]

mod apart;
mod calls;
mod judge;
mod matrix;
mod power;
mod scene;

use apart::apart;
use matrix::{Case, Faults, matrix};

#[test]
fn case_26_isolate_is_killed_before_every_call_ext4() {
    apart(|| {
        matrix(Case::Isolate, "ext4", false, Faults::Kills);
    });
}

#[test]
fn case_26_isolate_is_killed_before_every_call_immutable() {
    apart(|| {
        matrix(Case::Isolate, "ext4", true, Faults::Kills);
    });
}

#[test]
fn case_26_isolate_is_killed_before_every_call_tmpfs() {
    apart(|| {
        matrix(Case::Isolate, "tmpfs", false, Faults::Kills);
    });
}

#[test]
fn case_26_restore_is_killed_before_every_call_ext4() {
    apart(|| {
        matrix(Case::Restore, "ext4", false, Faults::Kills);
    });
}

#[test]
fn case_26_restore_is_killed_before_every_call_immutable() {
    apart(|| {
        matrix(Case::Restore, "ext4", true, Faults::Kills);
    });
}

#[test]
fn case_26_restore_is_killed_before_every_call_tmpfs() {
    apart(|| {
        matrix(Case::Restore, "tmpfs", false, Faults::Kills);
    });
}

#[test]
fn case_26_giving_back_is_killed_before_every_call() {
    apart(|| {
        matrix(Case::GiveBack, "ext4", true, Faults::Kills);
        if matrix::full() {
            matrix(Case::GiveBack, "tmpfs", false, Faults::Kills);
        }
    });
}

#[test]
fn case_26_delete_is_killed_before_every_call() {
    apart(|| {
        matrix(Case::Delete, "ext4", false, Faults::Kills);
        if matrix::full() {
            matrix(Case::Delete, "tmpfs", false, Faults::Kills);
        }
    });
}

#[test]
fn case_26_replay_is_killed_before_every_call() {
    apart(|| {
        matrix(Case::Replay("NameGone"), "ext4", false, Faults::Kills);
        matrix(Case::Replay("Sealed"), "ext4", false, Faults::Kills);
        matrix(Case::Replay("Unlinked"), "ext4", false, Faults::Kills);
    });
}

#[test]
fn case_26_every_call_of_isolate_fails_ext4() {
    apart(|| {
        matrix(Case::Isolate, "ext4", false, Faults::Errors);
    });
}

#[test]
fn case_26_every_call_of_isolate_fails_immutable() {
    apart(|| {
        matrix(Case::Isolate, "ext4", true, Faults::Errors);
    });
}

#[test]
fn case_26_every_call_of_isolate_fails_tmpfs() {
    apart(|| {
        matrix(Case::Isolate, "tmpfs", false, Faults::Errors);
    });
}

#[test]
fn case_26_every_call_of_restore_fails_ext4() {
    apart(|| {
        matrix(Case::Restore, "ext4", false, Faults::Errors);
    });
}

#[test]
fn case_26_every_call_of_restore_fails_immutable() {
    apart(|| {
        matrix(Case::Restore, "ext4", true, Faults::Errors);
    });
}

#[test]
fn case_26_every_call_of_restore_fails_tmpfs() {
    apart(|| {
        matrix(Case::Restore, "tmpfs", false, Faults::Errors);
    });
}

#[test]
fn case_26_every_call_of_giving_back_fails() {
    apart(|| {
        matrix(Case::GiveBack, "ext4", true, Faults::Errors);
        if matrix::full() {
            matrix(Case::GiveBack, "tmpfs", false, Faults::Errors);
        }
    });
}

#[test]
fn case_26_every_call_of_delete_fails() {
    apart(|| {
        matrix(Case::Delete, "ext4", false, Faults::Errors);
        if matrix::full() {
            matrix(Case::Delete, "tmpfs", false, Faults::Errors);
        }
    });
}

#[test]
fn case_26_every_call_of_replay_fails() {
    apart(|| {
        matrix(Case::Replay("NameGone"), "ext4", false, Faults::Errors);
        if matrix::full() {
            matrix(Case::Replay("Sealed"), "ext4", false, Faults::Errors);
            matrix(Case::Replay("Unlinked"), "ext4", false, Faults::Errors);
        }
    });
}

#[test]
fn case_26_calls_of_isolate_fail_for_good_ext4() {
    apart(|| {
        matrix(Case::Isolate, "ext4", false, Faults::Lasting);
    });
}

#[test]
fn case_26_calls_of_isolate_fail_for_good_immutable() {
    apart(|| {
        matrix(Case::Isolate, "ext4", true, Faults::Lasting);
    });
}

#[test]
fn case_26_calls_of_restore_fail_for_good_ext4() {
    apart(|| {
        matrix(Case::Restore, "ext4", false, Faults::Lasting);
    });
}

#[test]
fn case_26_calls_of_giving_back_fail_for_good() {
    apart(|| {
        matrix(Case::GiveBack, "ext4", true, Faults::Lasting);
        if matrix::full() {
            matrix(Case::GiveBack, "tmpfs", false, Faults::Lasting);
        }
    });
}

#[test]
fn case_26_calls_of_delete_fail_for_good() {
    apart(|| {
        matrix(Case::Delete, "ext4", false, Faults::Lasting);
        if matrix::full() {
            matrix(Case::Delete, "tmpfs", false, Faults::Lasting);
        }
    });
}

#[test]
fn case_26_calls_of_replay_fail_for_good() {
    apart(|| {
        matrix(Case::Replay("NameGone"), "ext4", false, Faults::Lasting);
        if matrix::full() {
            matrix(Case::Replay("Sealed"), "ext4", false, Faults::Lasting);
            matrix(Case::Replay("Unlinked"), "ext4", false, Faults::Lasting);
        }
    });
}

#[test]
fn case_26_power_cuts_at_every_step_ext4() {
    apart(|| {
        for case in [Case::Isolate, Case::Restore, Case::GiveBack, Case::Delete, Case::Replay("NameGone")] {
            power::at_steps(case, "ext4", None, false);
        }
    });
}

#[test]
fn case_26_power_cuts_at_every_step_immutable() {
    apart(|| {
        for case in [Case::Isolate, Case::Restore, Case::GiveBack, Case::Replay("Sealed")] {
            power::at_steps(case, "ext4", None, true);
        }
    });
}

#[test]
fn case_26_power_cuts_at_every_step_xfs() {
    apart(|| {
        for case in [Case::Isolate, Case::Restore, Case::Delete] {
            power::at_steps(case, "xfs", None, false);
        }
    });
}

#[test]
fn case_26_power_cuts_with_the_vault_on_another_disk() {
    apart(|| {
        for case in [Case::Isolate, Case::Restore, Case::GiveBack] {
            power::at_steps(case, "ext4", Some("ext4"), false);
        }
    });
}

#[test]
fn case_26_power_cuts_before_every_call_of_isolate() {
    apart(|| {
        power::at_calls(Case::Isolate, "ext4", false);
        power::at_calls(Case::Isolate, "ext4", true);
    });
}

#[test]
fn case_26_power_cuts_before_every_call_of_restore_and_delete() {
    apart(|| {
        power::at_calls(Case::Restore, "ext4", false);
        power::at_calls(Case::Delete, "ext4", false);
    });
}
