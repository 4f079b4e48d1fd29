// SPDX-License-Identifier: Apache-2.0
//! Makes a thread of another process spin for ever, as a bug would: without a hook in the program.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// `jmp` to itself.
#[cfg(target_arch = "x86_64")]
const LOOP: [u8; 2] = [0xeb, 0xfe];

/// Lets the thread called `name` of `pid` spin from where its system call returns to. The page it
/// changes is the process's own copy; nothing but its end stops it.
///
/// # Panics
/// When the thread is not found in a system call within a second.
#[cfg(target_arch = "x86_64")]
pub fn spin(pid: i32, name: &str) {
    let tasks = PathBuf::from(format!("/proc/{pid}/task"));
    let thread = std::fs::read_dir(&tasks)
        .unwrap()
        .map(|t| t.unwrap().path())
        .find(|t| std::fs::read_to_string(t.join("comm")).is_ok_and(|c| c.trim() == name))
        .unwrap_or_else(|| panic!("no thread {name} in {}", tasks.display()));
    // `number arguments sp pc` while it waits in the kernel, `running` otherwise.
    let waits = || {
        let line = std::fs::read_to_string(thread.join("syscall")).ok()?;
        let pc = line.split_whitespace().nth(8)?.strip_prefix("0x")?;
        u64::from_str_radix(pc, 16).ok()
    };
    let mut pc = None;
    crate::eventually(std::time::Duration::from_secs(1), || {
        pc = waits();
        pc.is_some()
    });
    let memory = OpenOptions::new().write(true).open(format!("/proc/{pid}/mem")).unwrap();
    memory.write_all_at(&LOOP, pc.expect("the thread waits in a system call")).unwrap();
}
