// SPDX-License-Identifier: Apache-2.0
//! What goes out: mails and web hooks to people, OCSF and CEF to other systems (docs/notifications.md,
//! docs/export.md). Everything that it sends to was named by a person who may be wrong or hostile, and
//! everything that it tells came from hosts that may be lost already: neither is trusted.

#![forbid(unsafe_code)]

mod alert;
mod backoff;
mod cef;
mod dial;
mod digest;
mod email;
mod export;
mod failure;
mod file;
mod flood;
mod gather;
mod guard;
mod html;
mod http;
mod message;
mod notice;
mod notice_action;
mod ocsf;
mod outbound;
mod probe;
mod secrets;
mod settings;
mod settings_check;
mod syslog;
mod text;
mod tls;
mod webhook;
mod worker;

pub use failure::Failure;
pub use guard::Guard;
pub use message::{Item, Message};
pub use outbound::{Limits, Outbound};
pub use probe::{retry, test};
pub use secrets::{Seal, Secrets};
pub use settings::{
    Delivery, Email, Filter, Format, HttpExport, Kind, Mode, Notice, Security, Settings, Severity, Syslog,
    ToFile, Webhook,
};
pub use worker::{Log, run};
