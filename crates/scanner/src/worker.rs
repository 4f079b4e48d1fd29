// SPDX-License-Identifier: Apache-2.0
//! A worker: seals itself, then judges what comes over its socket until that closes.

use crate::answer;
use crate::judge::{Content, Judge};
use crate::spawner::Birth;
use lazaret_proto::{Message, v1};
use lazaret_sys::{fd_passing, jail, spawn};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// Exit status after a message that the pool never sends.
const PROTOCOL_STATUS: u8 = 76;
/// Exit status after a panic of the judge.
const PANIC_STATUS: u8 = 70;
/// Exit status without a jail.
const JAIL_STATUS: u8 = 77;

/// 0 to 2, the socket, one batch, and some air for a file that is mapped or doubled.
const DESCRIPTORS: u64 = 4 + fd_passing::MAX_FDS as u64 + 28;
/// Longest batch, bytes: 64 names of 255 bytes take 18 KiB.
const MAX_BATCH: usize = 64 * 1024;

/// The life of a worker, from the fork on, in so much private memory (bytes).
pub(crate) fn live(birth: Birth, content: &impl Content, memory: u64) -> ExitCode {
    let Birth { socket, parent, uid_gid, report } = birth;
    // The judge would write a panic to standard error, which is nobody's log here.
    std::panic::set_hook(Box::new(|_| {}));
    // The spawner's socket, and all that it holds of other workers.
    let Ok([socket, report]) = spawn::keep_only([socket, report]) else {
        return ExitCode::from(JAIL_STATUS);
    };
    let mut judge = content.judge();
    let seal = || {
        spawn::mute().map_err(|e| e.to_string())?;
        jail::seal(&jail::Jail { uid_gid, parent, memory, descriptors: DESCRIPTORS })
            .map_err(|e| e.to_string())
    };
    let told = match seal() {
        Ok(jail_gaps) => v1::Spawned { pid: 1, jail_gaps, ..Default::default() },
        Err(error) => v1::Spawned { error, ..Default::default() },
    };
    let sent = fd_passing::send_bytes(&report, &told.encode_to_vec());
    drop(report);
    if !told.error.is_empty() || sent.is_err() {
        return ExitCode::from(JAIL_STATUS);
    }
    ExitCode::from(serve(&socket, &mut *judge))
}

/// Answers batches until the pool hangs up. Returns the exit status.
fn serve(socket: &OwnedFd, judge: &mut dyn Judge) -> u8 {
    let (mut buffer, mut message) = (vec![0; MAX_BATCH], Vec::new());
    let mut files = Vec::with_capacity(fd_passing::MAX_FDS);
    loop {
        let length = match fd_passing::receive(socket, &mut buffer, &mut files) {
            Ok(0) => return 0,
            Ok(length) => length,
            Err(_) => return PROTOCOL_STATUS,
        };
        let Ok(batch) = v1::ScanBatch::decode(buffer.get(..length).unwrap_or_default()) else {
            return PROTOCOL_STATUS;
        };
        if batch.items.len() != files.len() || files.is_empty() {
            return PROTOCOL_STATUS;
        }
        for (item, file) in batch.items.into_iter().zip(files.drain(..)) {
            let file = File::from(file);
            // A judge that panicked may be half changed, so the worker ends; the pool then knows
            // which file it was, because every earlier one is answered.
            let Ok(result) = catch_unwind(AssertUnwindSafe(|| judge.judge(&file, &item.name, item.members)))
            else {
                return PANIC_STATUS;
            };
            // Whoever hears the answer may expect that the file is not held open any more.
            drop(file);
            answer::encode(item.token, result, &mut message);
            if fd_passing::send_bytes(socket, &message).is_err() {
                return 0;
            }
        }
    }
}
