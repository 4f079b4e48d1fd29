// SPDX-License-Identifier: Apache-2.0
//! Whether events are what the published OCSF schema says.

use crate::python;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// How many of these lines are valid events; all, or it says which are not and why.
///
/// # Errors
/// What the schema does not allow.
///
/// # Panics
/// Without Python.
pub fn validate(lines: &str) -> Result<usize, String> {
    let mut child = Command::new(python::interpreter())
        .args(["-c", include_str!("ocsf_check.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python");
    let mut input = child.stdin.take().expect("piped");
    let text = lines.to_owned();
    let writer = std::thread::spawn(move || {
        let _ = input.write_all(text.as_bytes());
    });
    let out = child.wait_with_output().expect("python");
    let _ = writer.join();
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    if !out.status.success() {
        return Err(format!("{said}{}", String::from_utf8_lossy(&out.stderr)));
    }
    said.lines().last().and_then(|l| l.parse().ok()).ok_or(said)
}
