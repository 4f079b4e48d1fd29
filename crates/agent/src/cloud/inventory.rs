// SPDX-License-Identifier: Apache-2.0
//! The inventory: which programs and scripts this host has, by what its sensors have scanned. Sensors hand
//! over what they saw through a bounded queue and go on; one thread keeps it, asks about what nobody has
//! answered yet, and notices what is gone.

use super::sweep::Sweep;
use super::{Cloud, Kind, Program};
use crate::core::Core;
use crate::log::log;
use crate::look::{file_ref, leads_to, now_ms};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use lazaret_model::{FileRef, Origin, ScanReport};
use lazaret_policy::PackageStanding;
use lazaret_state::{ProgramRow, ProgramSeen};
use rustix::fs::{Mode, OFlags, Stat};
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// Programs that wait to be kept; each a path and a few numbers.
const QUEUE: usize = 16_384;
/// Programs of one transaction.
const BATCH: usize = 512;
/// Between two looks at whether something is gone.
const SWEEP: Duration = Duration::from_secs(2);
/// Between two times that old rows are forgotten.
const TRIM: Duration = Duration::from_secs(3600);
/// A scan that nobody waits for waits so long for room in the queue.
const PATIENCE: Duration = Duration::from_secs(2);
/// A row of what is gone is kept so long, milliseconds.
const GONE_MS: i64 = 7 * 24 * 3600 * 1000;
/// Bytes of a path that a server takes; the kernel gives none that is longer.
const MAX_PATH: usize = 4_096;
/// Programs of one host.
const MAX_PROGRAMS: u32 = 200_000;
/// Whether a package is still content with a file is asked again after this long, milliseconds.
const PACKAGED_MS: i64 = 24 * 3600 * 1000;

/// What a sensor saw.
struct Item {
    program: Program,
    file: FileRef,
    at_ms: i64,
    /// A verdict of the server was laid over its report: what follows of it is under way.
    judged: bool,
}

pub(crate) struct Inventory {
    queue: Sender<Item>,
    items: Receiver<Item>,
    /// Since when something did not fit into the queue, milliseconds; 0: everything did.
    lost_since: AtomicI64,
    /// Something was looked at that has no row: a file of another mount namespace, or one that did not fit.
    beyond: AtomicBool,
}

impl Inventory {
    pub(super) fn new() -> Self {
        let (queue, items) = bounded(QUEUE);
        Self { queue, items, lost_since: AtomicI64::new(0), beyond: AtomicBool::new(false) }
    }

    /// Whether something may be remembered as allowed that no row names; asked once.
    pub(super) fn take_beyond(&self) -> bool {
        self.beyond.swap(false, Ordering::AcqRel)
    }

    fn put(&self, item: Item, patient: bool) {
        let sent = if patient {
            self.queue.send_timeout(item, PATIENCE).is_ok()
        } else {
            self.queue.try_send(item).is_ok()
        };
        if !sent {
            self.beyond.store(true, Ordering::Release);
            // The first one counts: from then on files are walked again.
            let _ = self.lost_since.compare_exchange(0, now_ms(), Ordering::AcqRel, Ordering::Relaxed);
        }
    }
}

impl Cloud {
    /// A look has scanned a file. Never waits where somebody waits for the look. Gives the program back for
    /// who has to settle whether it runs; `None` for data, and without consent.
    pub(crate) fn saw(
        &self,
        report: &ScanReport,
        path: &[u8],
        stat: &Stat,
        origin: Origin,
        judged: bool,
    ) -> Option<Box<Program>> {
        if !self.is_on() {
            return None;
        }
        let verdict = &report.verdict;
        let kind = Kind::of(verdict.file_type, stat.st_mode & 0o111 != 0)?;
        let ours = leads_to(path, stat) && stat.st_nlink > 0 && (1..=MAX_PATH).contains(&path.len());
        let (path, tlsh) = (path.to_vec(), report.tlsh.clone());
        let program = Program { sha256: verdict.sha256, size: verdict.size, kind, path, tlsh, ours };
        if ours {
            let item = Item { program: program.clone(), file: file_ref(stat), at_ms: now_ms(), judged };
            self.inventory.put(item, origin == Origin::Scan);
        } else {
            self.inventory.beyond.store(true, Ordering::Release);
        }
        Some(Box::new(program))
    }
}

/// Keeps the inventory until the daemon stops.
pub(super) fn run(core: &Arc<Core>) {
    let inventory = &core.cloud.inventory;
    let mut sweep = Sweep::default();
    let (mut swept, mut trimmed) = (Instant::now(), Instant::now());
    while !core.is_stopping() {
        match inventory.items.recv_timeout(SWEEP) {
            Ok(first) => {
                let mut batch = vec![first];
                batch.extend(inventory.items.try_iter().take(BATCH - 1));
                keep(core, batch);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if !core.cloud.is_on() {
            continue;
        }
        if inventory.items.is_empty() {
            make_up(core);
        }
        if swept.elapsed() >= SWEEP {
            sweep.step(core);
            swept = Instant::now();
        }
        if trimmed.elapsed() >= TRIM {
            trim(core);
            trimmed = Instant::now();
        }
    }
}

fn keep(core: &Core, batch: Vec<Item>) {
    let now = now_ms();
    let mut seen = Vec::with_capacity(batch.len());
    for item in batch {
        let known = core.database.program(&item.program.path).unwrap_or_else(|e| {
            log!("{e}");
            None
        });
        let packaged = match known.filter(|k| is_same(k, &item) && now < k.last_ms + PACKAGED_MS) {
            Some(known) => known.packaged,
            None => is_packaged(core, &item),
        };
        core.cloud.ask(&item.program, packaged);
        if !item.judged && core.cloud.verdicts.bad(&item.program.sha256).is_some() {
            // The verdict came between its scan and its row.
            core.cloud.verdicts.act_again(item.program.sha256);
        }
        seen.push(ProgramSeen {
            path: item.program.path,
            sha256: item.program.sha256,
            kind: item.program.kind.word().to_owned(),
            packaged,
            file: item.file,
            at_ms: item.at_ms,
        });
    }
    match core.database.put_programs(&seen) {
        Ok(0) => {}
        Ok(_) => {
            core.cloud.parts.changed();
            core.uplink.ring();
        }
        Err(e) => log!("{e}"),
    }
    // After the rows: who acts looks there.
    core.cloud.verdicts.ring();
    core.cloud.questions.keep(core);
}

fn is_same(known: &ProgramRow, item: &Item) -> bool {
    !known.gone && known.sha256 == item.program.sha256 && known.file == item.file
}

/// Whether a package of this host owns the very file, and it is as the package says.
fn is_packaged(core: &Core, item: &Item) -> bool {
    let Some((file, stat)) = open(&item.program.path) else { return false };
    let standing = core.guards.standing(&item.program.path, &file);
    file_ref(&stat) == item.file && matches!(standing, PackageStanding::Owned { intact: true, .. })
}

/// Opens a regular file by its path, never through a link in the last part.
pub(super) fn open(path: &[u8]) -> Option<(File, Stat)> {
    open_or_why(path).ok().flatten()
}

/// `Ok(None)`: what is there is no regular file.
pub(super) fn open_or_why(path: &[u8]) -> rustix::io::Result<Option<(File, Stat)>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOATIME;
    let file = rustix::fs::open(path, flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&file)?;
    Ok(crate::gate::is_regular(&stat).then(|| (File::from(file), stat)))
}

/// What did not fit is found by a walk over what changed since.
fn make_up(core: &Arc<Core>) {
    let since = core.cloud.inventory.lost_since.swap(0, Ordering::AcqRel);
    if since == 0 {
        return;
    }
    log!("more programs were seen at once than the inventory could take: what changed since is walked again");
    let (asked, after) = (Arc::clone(core), since.saturating_sub(1_000));
    // In a thread of its own: it fills the queue that this one empties.
    let walk = move || {
        for root in asked.protection.roots() {
            crate::sensor::rescan::scan_changed(&asked, &root, after);
        }
    };
    if let Err(e) = std::thread::Builder::new().name("make up".into()).spawn(walk) {
        log!("that walk could not be started: {e}");
        core.cloud.inventory.lost_since.store(since, Ordering::Release);
    }
}

fn trim(core: &Core) {
    let now = now_ms();
    let acked = core.cloud.parts.acked_version();
    match core.database.trim_programs(acked, now - GONE_MS, MAX_PROGRAMS, now) {
        Ok(0) => {}
        Ok(_) => core.cloud.parts.changed(),
        Err(e) => log!("{e}"),
    }
}
