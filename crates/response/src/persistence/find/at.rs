// SPDX-License-Identifier: Apache-2.0
//! Jobs of `at` and `batch`: shell scripts that wait for their time.

use super::{Hunt, Lines, SEARCH};
use lazaret_model::PersistenceKind;

pub(super) fn search(hunt: &mut Hunt<'_>) {
    let system = hunt.tree.system();
    let shown = "`atrm` removes it for good: at has no way to hold a job back";
    let lines = Lines { user: true, only_shown: shown, ..Lines::shown(PersistenceKind::AtJob) };
    for folder in [&b"var/spool/cron/atjobs"[..], b"var/spool/at", b"var/spool/atjobs"] {
        hunt.folder(&system, folder, |name| name != b".SEQ", lines.with_search(&SEARCH));
    }
}
