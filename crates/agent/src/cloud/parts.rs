// SPDX-License-Identifier: Apache-2.0
//! The inventory on its way to the server: rows in the order of their versions, one part at a time, from
//! behind what the server has acknowledged.

use super::lock;
use crate::core::Core;
use crate::log::log;
use lazaret_model::Sha256;
use lazaret_proto::v1;
use lazaret_state::{Database, ProgramRow};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Rows of one part.
const ROWS: u32 = 1_000;
/// Bytes of one part, about: half of what a frame may have.
const BYTES: usize = 512 << 10;
/// A part that is not acknowledged by then goes again.
const AGAIN: Duration = Duration::from_secs(60);
/// The setting that holds how far the server is; [`Database::forget_cloud`] knows it too.
const SETTING: &str = "cloud_inventory";

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Place {
    /// The server has all rows up to this version.
    acked: u64,
    /// What else the server knows of this host does not hold.
    anew: bool,
    /// Of the server that has acknowledged.
    incarnation: String,
}

impl Place {
    fn text(&self) -> String {
        format!("{} {} {}", self.acked, u8::from(self.anew), self.incarnation)
    }

    /// Without one nothing was ever told.
    fn parse(text: &str) -> Self {
        let mut words = text.splitn(3, ' ');
        let acked = words.next().and_then(|w| w.parse().ok());
        let anew = words.next().map(|w| w != "0");
        Self {
            acked: acked.unwrap_or(0),
            anew: anew.unwrap_or(true),
            incarnation: words.next().unwrap_or_default().to_owned(),
        }
    }
}

#[derive(Default)]
struct State {
    place: Place,
    /// The part that is on its way: its version, and since when.
    flying: Option<(u64, Instant)>,
    /// There may be rows that were not told.
    changed: bool,
}

pub(crate) struct Parts {
    state: Mutex<State>,
}

impl Parts {
    pub(super) fn load(database: &Database) -> Self {
        let text = database.setting(SETTING).unwrap_or_else(|e| {
            log!("{e}");
            None
        });
        let place = Place::parse(&text.unwrap_or_default());
        Self { state: Mutex::new(State { place, flying: None, changed: true }) }
    }

    /// Some rows have a new version.
    pub(super) fn changed(&self) {
        lock(&self.state).changed = true;
    }

    pub(super) fn acked_version(&self) -> u64 {
        lock(&self.state).place.acked
    }

    /// Rows that the server has not acknowledged.
    pub(super) fn unsent(&self, core: &Core) -> u64 {
        core.database.count_programs_after(self.acked_version()).unwrap_or(0)
    }

    pub(super) fn begin_session(&self, core: &Core, incarnation: &str) {
        let mut state = lock(&self.state);
        state.flying = None;
        state.changed = true;
        if state.place.incarnation != incarnation {
            // Restored, or another one: it has rows of long ago, or none.
            state.place = Place { acked: 0, anew: true, incarnation: incarnation.to_owned() };
            keep(&core.database, &state.place);
        }
    }

    /// This host's state went back to an older one: the server may know rows that it does not.
    pub(crate) fn start_anew(&self, core: &Core) {
        let mut state = lock(&self.state);
        (state.place.acked, state.place.anew) = (0, true);
        (state.flying, state.changed) = (None, true);
        keep(&core.database, &state.place);
    }

    pub(super) fn forget(&self) {
        *lock(&self.state) =
            State { place: Place { anew: true, ..Place::default() }, flying: None, changed: true };
    }

    /// The next part; `None` when there is nothing to tell, or one is on its way.
    pub(crate) fn next(&self, core: &Core) -> Option<v1::InventoryPart> {
        if !core.cloud.is_on() || !core.cloud.is_connected() {
            return None;
        }
        let mut state = lock(&self.state);
        if state.flying.is_some_and(|(_, since)| since.elapsed() < AGAIN) {
            return None;
        }
        if !state.changed && state.flying.is_none() {
            return None;
        }
        let rows = match core.database.programs_after(state.place.acked, ROWS) {
            Ok(rows) => rows,
            Err(e) => {
                log!("{e}");
                return None;
            }
        };
        if rows.is_empty() && !state.place.anew {
            (state.changed, state.flying) = (false, None);
            return None;
        }
        let part = part(rows, state.place.acked, state.place.anew);
        let told = part.rows.iter().filter(|r| !r.gone);
        let leaves = told.filter_map(|r| Some((r.path.as_slice(), Sha256::from_slice(&r.sha256)?)));
        if !core.cloud.note_hashes(core, leaves) {
            return None;
        }
        state.flying = Some((part.version, Instant::now()));
        Some(part)
    }

    /// The server has committed everything up to the version.
    pub(crate) fn acked(&self, core: &Core, version: u64) {
        let mut state = lock(&self.state);
        if state.flying.is_none_or(|(flying, _)| flying != version) {
            return;
        }
        state.flying = None;
        (state.place.acked, state.place.anew) = (version, false);
        keep(&core.database, &state.place);
    }
}

fn keep(database: &Database, place: &Place) {
    if let Err(e) = database.set_setting(SETTING, &place.text()) {
        log!("{e}");
    }
}

fn part(rows: Vec<ProgramRow>, acked: u64, anew: bool) -> v1::InventoryPart {
    let mut room = BYTES;
    let mut out = v1::InventoryPart { rows: Vec::with_capacity(rows.len()), version: acked, anew };
    for row in rows {
        let size = row.path.len() + 128;
        if size > room && !out.rows.is_empty() {
            break;
        }
        room = room.saturating_sub(size);
        out.version = row.version;
        out.rows.push(message(row));
    }
    out
}

fn message(row: ProgramRow) -> v1::InventoryRow {
    v1::InventoryRow {
        path: row.path,
        sha256: row.sha256.0.to_vec(),
        size: row.file.size,
        kind: row.kind,
        packaged: row.packaged,
        first_ms: row.first_ms,
        last_ms: row.last_ms,
        gone: row.gone,
        version: row.version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lazaret_model::{FileRef, FileTime};

    fn row(version: u64, path: usize) -> ProgramRow {
        ProgramRow {
            path: vec![b'x'; path],
            sha256: Sha256([3; 32]),
            kind: "executable".into(),
            packaged: true,
            file: FileRef { dev: 1, ino: 2, ctime: FileTime::default(), size: 9 },
            first_ms: 4,
            last_ms: 5,
            gone: false,
            version,
        }
    }

    #[test]
    fn a_place_comes_back() {
        let place = Place { acked: 7, anew: false, incarnation: "a b".into() };
        assert_eq!(Place::parse(&place.text()), place);
        let never = Place::parse("");
        assert!(never.anew && never.acked == 0, "what was never told begins anew");
    }

    #[test]
    fn parts_are_bounded_and_say_how_far_they_go() {
        let all = part((1..=5).map(|v| row(v, 10)).collect(), 0, true);
        assert_eq!((all.rows.len(), all.version, all.anew), (5, 5, true));
        let some = part((1..=500).map(|v| row(v, 4_000)).collect(), 0, false);
        assert!(some.rows.len() < 200, "{}", some.rows.len());
        assert_eq!(some.version, some.rows.len() as u64);
        let one = part(vec![row(8, BYTES + 1)], 7, false);
        assert_eq!((one.rows.len(), one.version), (1, 8), "a long one goes alone");
        let none = part(Vec::new(), 7, true);
        assert_eq!((none.rows.len(), none.version), (0, 7));
    }
}
