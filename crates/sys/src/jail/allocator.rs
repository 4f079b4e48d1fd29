// SPDX-License-Identifier: Apache-2.0
//! Memory that runs out ends the process with a status that says so.

use std::alloc::{GlobalAlloc, Layout, System};

/// Exit status of a process that ran into its memory limit.
pub const OUT_OF_MEMORY: i32 = 71;

/// The system's allocator, for a process with a memory limit: where it has no memory left, the
/// process ends with [`OUT_OF_MEMORY`]. Without it, running out looks like any other abort.
#[derive(Debug, Clone, Copy)]
pub struct ExitWhenExhausted;

fn checked(memory: *mut u8) -> *mut u8 {
    if memory.is_null() {
        // SAFETY: ends the process without running anything more in it.
        unsafe { libc::_exit(OUT_OF_MEMORY) };
    }
    memory
}

// SAFETY: every call goes to the system's allocator with the caller's own arguments, and its answers
// are passed on unchanged.
unsafe impl GlobalAlloc for ExitWhenExhausted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's own promise.
        checked(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's own promise.
        checked(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's own promise.
        checked(unsafe { System.realloc(memory, layout, size) })
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's own promise.
        unsafe { System.dealloc(memory, layout) }
    }
}
