// SPDX-License-Identifier: Apache-2.0
//! The stage: a real server and real enrolled hosts, steered by lines of JSON. `lazaret-stage` is the program.
//!
//! It prints one line when everything stands:
//! ```json
//! {"event":"ready","url":"https://127.0.0.1:40123","ca":"/var/tmp/.../ca.pem","authority":"<sha256>",
//!  "agents":"https://127.0.0.1:40124","database":"sqlite","oidc":{"issuer":"...","who":{"eve":"..."}},
//!  "admin":{"user":"admin","password":"...","one_time":false},
//!  "hosts":[{"host":0,"id":"...","name":"web-01","folder":"/var/tmp/.../mnt","project":"0"}]}
//! ```
//! Then each line of standard input is an order, and is answered by one line, in order:
//! `{"ok":true,"did":"drop",...}` or `{"ok":false,"did":"drop","error":"..."}`; an `"id"` in an order comes back in
//! its answer. `"host"` is the number of a host (0 unless given). Every order ends by itself, within two minutes.
//! The stage ends with `{"do":"quit"}`, with the end of standard input, or with SIGTERM, SIGINT or SIGHUP, and takes
//! everything down that it made. What it orders at the server it orders as the user `stage`.
//!
//! | order | answer beside `ok` |
//! |---|---|
//! | `{"do":"drop","what":W,"host":0,"path":"a/b","class":"trojan","rating":"high","count":1,"number":0,"mode":"0755"}` | `files`: `path`, `path_b64`, `name`, `sha256`, `size` of each |
//! | `{"do":"run","path":"a/b","args":[],"wait":true}` | `refused`, and with `wait` `status`, `stdout`; else `pid` |
//! | `{"do":"file","path":"a/b"}` | `exists`, and of what exists `path`, `sha256`, `size`, `mode` |
//! | `{"do":"remove","path":"a/b"}` | |
//! | `{"do":"wait-for","list":"/alarms","where":{"path":"..."},"seconds":30}` | `found`: the first item that fits; keys are names or JSON pointers |
//! | `{"do":"wait-alarm","path":"a/b","seconds":30}` | `alarm`: the host's alarm about that file |
//! | `{"do":"seed","hosts":5,"alarms":100}` | `hosts`, `alarms`: simulated ones, which stay connected |
//! | `{"do":"host","name":"db-01","project":"0","token":"..."}` | the new host, as in `hosts` above |
//! | `{"do":"stop-host"}`, `{"do":"start-host"}` | stopped in order; begun again with what it knew |
//! | `{"do":"cut-host"}`, `{"do":"heal-host"}` | its way to the server is cut; and back |
//! | `{"do":"host-status"}` | `status`: what the daemon says itself |
//! | `{"do":"user","name":"ann","role":"viewer","project":"*","one_time":false}` | `user`, `password`, `one_time`, `user_id` |
//! | `{"do":"one-time","user":"admin"}` | `password`: a new one-time password; ends the user's sessions |
//! | `{"do":"end-sessions","user":"ann"}` | |
//! | `{"do":"token","project":"0","uses":1}` | `token`, `agents`, `authority`: to enrol a host |
//! | `{"do":"switch","switch":"isolate_and_kill","on":true,"project":"0"}` | returns when the hosts that run have it |
//! | `{"do":"consent","project":"0","change":{"hashes":true,"samples":true}}` | `consent`: of Malware Cloud Scan |
//! | `{"do":"quota","edition":"premium","total":10,"automatic":false,"hosts":[0],"project":"0"}` | `quota`: its id |
//! | `{"do":"project","name":"Shop"}` | `project`: its id |
//! | `{"do":"hook"}` | `url`, `ca`: of a receiver for notifications (with `--outbound`) |
//! | `{"do":"hook-seen"}` | `requests`: what it got: `path`, `headers`, `body` |
//! | `{"do":"call","method":"GET","path":"/alarms","body":null}` | `status`, `body`: any request to `/api/v1`, as `stage` |
//! | `{"do":"log"}` | `server`, `hosts`: what they said on standard error |
//! | `{"do":"quit"}` | |
//!
//! What is dropped (`what`): `high` (default), `medium`, `low`: a script with the marker of test programs, of any
//! `class`; `program`: a copy of `/bin/sleep` with the marker, which runs for as many seconds as its argument says;
//! `webshell`: a test web shell with a name that ends in `.php`; `unclassified`: of no known class; `cloud`: a script
//! that only a deep scan condemns; `eicar`: the EICAR test file; `clean`: an ordinary script; `hostile`: test
//! programs with names made of markup, control, bidirectional and other awkward characters, and of no text at all.
//! `count` drops as many with different contents; `number` makes contents differ that would be the same.

mod ask;
mod course;
mod hosts;
mod names;
mod options;
mod orders;
mod people;
mod programs;

pub use course::run;
pub use options::{Options, USAGE, Wanted, parse};
