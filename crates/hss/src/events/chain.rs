// SPDX-License-Identifier: Apache-2.0
//! Processes of an alarm, as HSS's forensics have them.

use crate::words::{at, ms, said, text};
use serde_json::{Value, json};

/// The last part of a path; null without one.
pub(super) fn file_name(path: &str) -> Value {
    path.rsplit('/').next().filter(|n| !n.is_empty()).map_or(Value::Null, Value::from)
}

fn cmdline(process: &Value) -> Value {
    let arguments: Vec<&str> =
        at(process, "cmdline").as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if arguments.is_empty() { Value::Null } else { arguments.join(" ").into() }
}

/// The process that acted, then its parent, and so on.
pub(super) fn chain(processes: &[Value]) -> Vec<Value> {
    let parent_of = |n: usize| {
        let (child, parent) = (processes.get(n)?, processes.get(n + 1)?);
        (at(child, "ppid") == at(parent, "pid")).then_some(parent)
    };
    let one = |(n, process): (usize, &Value)| {
        let none = Value::Null;
        let parent = parent_of(n);
        let grandparent = parent.and_then(|_| parent_of(n + 1)).unwrap_or(&none);
        json!({
            "process_name": file_name(text(process, "exe")),
            "process_path": said(at(process, "exe")),
            "process_pid": at(process, "pid"),
            "process_uid": at(process, "uid"),
            "process_gid": at(process, "gid"),
            "process_euid": at(process, "euid"),
            "process_cmdline": cmdline(process),
            "process_start_time": ms(at(process, "started_at")),
            "process_file_hash": at(process, "sha256"),
            "ancestor_process_pid": parent.map(|p| at(p, "ppid")),
            "ancestor_process_path": said(at(grandparent, "exe")),
            "ancestor_process_cmdline": cmdline(grandparent),
            "type": "0",
            "lazaret_parent_pid": at(process, "ppid"),
            "lazaret_container": at(process, "container"),
            "lazaret_unit": at(process, "unit"),
        })
    };
    processes.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ancestors_are_those_of_the_chain() {
        let process = |pid: i32, ppid: i32, exe: &str| {
            json!({ "pid": pid, "ppid": ppid, "exe": exe, "cmdline": [exe, "-x"], "uid": 0, "euid": 0, "gid": 0,
                "started_at": "2026-01-01T00:00:00.000Z", "sha256": null, "container": null, "unit": null })
        };
        let all = chain(&[process(30, 20, "/bin/a"), process(20, 10, "/bin/b"), process(10, 1, "/bin/c")]);
        assert_eq!(text(&all[0], "process_name"), "a");
        assert_eq!(text(&all[0], "process_cmdline"), "/bin/a -x");
        assert_eq!(
            (at(&all[0], "ancestor_process_pid"), text(&all[0], "ancestor_process_path")),
            (&json!(10), "/bin/c")
        );
        assert_eq!(at(&all[1], "ancestor_process_pid"), &json!(1));
        assert!(
            at(&all[1], "ancestor_process_path").is_null() && at(&all[2], "ancestor_process_pid").is_null()
        );
        // One between them was not seen: nothing is said of it.
        let gap = chain(&[process(30, 20, "/bin/a"), process(19, 10, "/bin/b")]);
        assert!(at(&gap[0], "ancestor_process_pid").is_null());
    }

    #[test]
    fn names_of_files() {
        assert_eq!(file_name("/tmp/x"), "x");
        assert_eq!(file_name(""), Value::Null);
    }
}
