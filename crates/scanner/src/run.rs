// SPDX-License-Identifier: Apache-2.0
//! The program: loads, says so, forks workers; or is a worker.

use crate::arguments::{Arguments, USAGE};
use crate::judge::Content;
use crate::spawner::{Spawner, Turn};
use crate::worker;
use lazaret_proto::{Message, v1};
use lazaret_sys::{fd_passing, jail, spawn};
use std::ffi::OsString;
use std::process::ExitCode;

/// Exit status for a command line or descriptor 3 that is not the pool's.
const USAGE_STATUS: u8 = 64;
/// Exit status for content that did not load; the pool was told why.
const CONTENT_STATUS: u8 = 65;
/// Exit status for what the system refused.
const SYSTEM_STATUS: u8 = 71;

/// Longest hello, bytes: one datagram.
const MAX_HELLO: usize = 128 * 1024;

/// Runs the spawner until its socket closes; in a forked worker, runs that.
pub fn run<C: Content>(
    arguments: impl IntoIterator<Item = OsString>,
    load: impl FnOnce(&Arguments) -> Result<C, String>,
) -> ExitCode {
    let (arguments, socket) = match begin(arguments) {
        Ok(begun) => begun,
        Err(why) => {
            complain(&format!("{why}\n{USAGE}"));
            return ExitCode::from(USAGE_STATUS);
        }
    };
    jail::set_name(c"lazaret-scan");
    jail::offer_to_oom_killer();
    // A terminal's Ctrl-C is for the program that started this one, which then closes the socket.
    let _ = rustix::process::setsid();
    let content = match load(&arguments) {
        Ok(content) => content,
        Err(fatal) => {
            let hello = v1::SpawnerHello { content: None, fatal: shortened(fatal) };
            let _ = fd_passing::send_bytes(&socket, &hello.encode_to_vec());
            return ExitCode::from(CONTENT_STATUS);
        }
    };
    let mut gaps = Vec::new();
    if rustix::process::geteuid().is_root() {
        gaps = jail::leave_namespaces();
    }
    if fd_passing::send_bytes(&socket, &hello(&content)).is_err() {
        return ExitCode::SUCCESS;
    }
    let mut spawner = Spawner::new(socket, arguments.uid_gid, gaps);
    loop {
        match spawner.turn() {
            Ok(Turn::Again) => {}
            Ok(Turn::End) => {
                spawner.end();
                return ExitCode::SUCCESS;
            }
            Ok(Turn::Worker(birth)) => {
                // What the spawner owned is closed in this process, and must not be closed again.
                std::mem::forget(spawner);
                return worker::live(birth, &content, arguments.memory);
            }
            Err(e) => {
                spawner.end();
                complain(&format!("the spawner cannot go on: {e}"));
                return ExitCode::from(SYSTEM_STATUS);
            }
        }
    }
}

fn begin(arguments: impl IntoIterator<Item = OsString>) -> Result<(Arguments, std::os::fd::OwnedFd), String> {
    let arguments = Arguments::parse(arguments)?;
    let socket = fd_passing::inherited(3).map_err(|e| format!("descriptor 3: {e}"))?;
    // Nothing that a careless parent left open may reach the workers.
    let [socket] = spawn::keep_only([socket]).map_err(|e| e.to_string())?;
    Ok((arguments, socket))
}

/// The hello, with as many problems as fit.
fn hello(content: &impl Content) -> Vec<u8> {
    let mut info: v1::ContentInfo = (&content.info()).into();
    for problem in &mut info.problems {
        problem.message = shortened(std::mem::take(&mut problem.message));
    }
    let mut hello = v1::SpawnerHello { content: Some(info), fatal: String::new() };
    while hello.encoded_len() > MAX_HELLO {
        let Some(problems) = hello.content.as_mut().map(|c| &mut c.problems) else { break };
        let left_out = problems.len() - problems.len() / 2;
        problems.truncate(problems.len() / 2);
        problems.push(v1::ContentProblem {
            message: format!("{left_out} or more further problems are not listed"),
            ..Default::default()
        });
    }
    hello.encode_to_vec()
}

/// At most 4 KiB, cut between characters.
fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(4096));
    text
}

#[allow(clippy::print_stderr, reason = "standard error is the service's log; nothing else is open yet")]
fn complain(text: &str) {
    eprintln!("lazaret-scanner: {text}");
}
