// SPDX-License-Identifier: Apache-2.0
//! Folders that wait to be read, shared by the threads of a walk: the newest first, which keeps few
//! folders open.

use super::folder::Folder;
use std::ffi::CString;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// A folder to read.
pub(super) struct Task {
    pub(super) parent: Arc<Folder>,
    pub(super) name: CString,
}

#[derive(Default)]
struct State {
    tasks: Vec<Task>,
    /// Threads that read a folder now and may find more.
    active: usize,
}

#[derive(Default)]
pub(super) struct Tasks {
    state: Mutex<State>,
    changed: Condvar,
}

impl Tasks {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, tasks: impl Iterator<Item = Task>) {
        self.lock().tasks.extend(tasks);
        self.changed.notify_all();
    }

    /// Before a thread begins: it counts as active until it asks for a task.
    pub(super) fn enter(&self) {
        self.lock().active += 1;
    }

    /// The next task without waiting; the thread stays active.
    pub(super) fn try_next(&self) -> Option<Task> {
        self.lock().tasks.pop()
    }

    /// The next task; `None` when nothing is left and nobody can find more.
    pub(super) fn next(&self) -> Option<Task> {
        let mut state = self.lock();
        state.active -= 1;
        loop {
            if let Some(task) = state.tasks.pop() {
                state.active += 1;
                return Some(task);
            }
            if state.active == 0 {
                self.changed.notify_all();
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
