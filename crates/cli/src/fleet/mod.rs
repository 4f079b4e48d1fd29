// SPDX-License-Identifier: Apache-2.0
//! The same verbs over a fleet: with `--server`, `--host`, `--group` or `--project` a verb asks a
//! server instead of this host's daemon.

mod alarms;
mod approvals;
mod cloud_scan;
mod content;
mod events;
mod false_positive;
mod files;
mod hosts;
mod http;
mod isolated;
mod login;
mod orders;
mod quotas;
mod recovery_key;
mod rules;
mod samples;
mod scan;
mod scans;
mod switch;
mod targets;
mod tokens;
mod whitelist;

pub(crate) use approvals::ApprovalsArgs;
pub(crate) use cloud_scan::CloudScanArgs;
pub(crate) use false_positive::FalsePositiveArgs;
pub(crate) use files::FileArgs;
pub(crate) use hosts::HostsArgs;
pub(crate) use login::{LoginArgs, LogoutArgs};
pub(crate) use orders::TasksArgs;
pub(crate) use quotas::QuotasArgs;
pub(crate) use recovery_key::RecoveryKeyArgs;
pub(crate) use samples::SampleArgs;
pub(crate) use scans::ScansArgs;
pub(crate) use targets::TargetsArgs;
pub(crate) use tokens::TokensArgs;

use crate::cli::{Global, Verb};
use crate::error::CliError;
use crate::escape;
use crate::output::Output;
use http::Http;
use serde_json::Value;
use std::process::ExitCode;

/// A server, and which of its hosts are meant.
pub(super) struct Fleet<'a> {
    http: Http,
    global: &'a Global,
}

/// What a server is asked to do; `None`: the verb is for this host.
///
/// # Errors
/// What the server says, or that nobody is signed in.
pub(crate) fn run(verb: &Verb, global: &Global, out: &mut Output) -> Option<Result<ExitCode, CliError>> {
    if !verb.is_of_a_fleet() && !global.names_a_fleet() {
        return None;
    }
    Some(match verb {
        Verb::Login(args) => login::login(args, global, out),
        Verb::Logout(_) => login::logout(global, out),
        _ => Fleet::open(global).and_then(|fleet| fleet.run(verb, out)),
    })
}

impl<'a> Fleet<'a> {
    fn open(global: &'a Global) -> Result<Self, CliError> {
        Ok(Self { http: login::stored(global)?, global })
    }

    fn run(&self, verb: &Verb, out: &mut Output) -> Result<ExitCode, CliError> {
        match verb {
            Verb::Status(_) => hosts::statistics(self, out),
            Verb::Hosts(args) => hosts::run(self, args, out),
            Verb::Tokens(args) => tokens::run(self, args, out),
            Verb::Targets(args) => targets::run(self, args, out),
            Verb::Tasks(args) => orders::run(self, args, out),
            Verb::Quotas(args) => quotas::run(self, args, out),
            Verb::Approvals(args) => approvals::run(self, args, out),
            Verb::Scans(args) => scans::run(self, args, out),
            Verb::RecoveryKey(args) => recovery_key::run(self, args, out),
            Verb::Alarms(args) => alarms::run(self, args, out),
            Verb::Handle(args) => alarms::handle(self, args, out),
            Verb::File(args) => files::run(self, args, out),
            Verb::Sample(args) => samples::run(self, args, out),
            Verb::CloudScan(args) => cloud_scan::run(self, args, out),
            Verb::FalsePositive(args) => false_positive::run(self, args, out),
            Verb::Thaw(args) => alarms::thaw(self, args, out),
            Verb::Isolated(args) => isolated::run(self, args, out),
            Verb::Whitelist(args) => whitelist::run(self, args, out),
            Verb::Rules(args) => rules::run(self, args, out),
            Verb::Switch(args) => switch::run(self, args, out),
            Verb::Events(args) => events::run(self, args, out),
            Verb::Content(args) => content::run(self, args, out),
            Verb::Scan(args) => scan::run(self, args, out),
            Verb::SelfTest(_) => scan::self_test(self, out),
            _ => Err(CliError::Usage(
                "this verb is for one host only: run it there, without --server, --host, --group and --project"
                    .into(),
            )),
        }
    }

    /// The filters of `--host` and `--group`, as the server's lists take them.
    fn selection(&self) -> Result<Vec<(&'static str, String)>, CliError> {
        let mut out = Vec::new();
        if let Some(host) = &self.global.host {
            out.push(("host", self.host(host)?));
        }
        if let Some(group) = &self.global.group {
            out.push(("group", self.group(group)?));
        }
        Ok(out)
    }

    /// The same for a list that has only these filters: another one would not be looked at.
    fn only(&self, filters: &[&str]) -> Result<Vec<(&'static str, String)>, CliError> {
        let named = [("host", self.global.host.is_some()), ("group", self.global.group.is_some())];
        if let Some((name, _)) = named.iter().find(|(name, given)| *given && !filters.contains(name)) {
            return Err(CliError::Usage(format!("--{name} does not narrow this verb: leave it out")));
        }
        self.selection()
    }

    /// The id of a host by its id or its name.
    fn host(&self, word: &str) -> Result<String, CliError> {
        let found = self.http.all("/hosts", &[("text", word.to_owned())])?;
        one("host", word, &found)
    }

    fn group(&self, word: &str) -> Result<String, CliError> {
        let found = self.http.get("/host-groups", &[])?;
        one("host group", word, items(&found))
    }

    fn project(&self) -> String {
        self.global.project.clone().unwrap_or_else(|| "0".to_owned())
    }
}

/// The id of what has this id, this name, or an id that begins or ends like this.
fn one(kind: &str, word: &str, found: &[Value]) -> Result<String, CliError> {
    let exact: Vec<&Value> = found.iter().filter(|v| v["id"] == word || v["name"] == word).collect();
    let part = |v: &&Value| {
        word.len() >= 4 && v["id"].as_str().is_some_and(|id| id.starts_with(word) || id.ends_with(word))
    };
    let fitting = if exact.is_empty() { found.iter().filter(part).collect() } else { exact };
    match fitting.as_slice() {
        [one] => Ok(text(one, "id").to_owned()),
        [] => Err(CliError::Failed(format!("the server knows no {kind} \"{}\"", escape::text(word)))),
        many => Err(CliError::Failed(format!(
            "{} {kind}s are called \"{}\": use an id: {}",
            many.len(),
            escape::text(word),
            many.iter().map(|v| text(v, "id")).collect::<Vec<_>>().join(", ")
        ))),
    }
}

fn items(answer: &Value) -> &[Value] {
    answer["items"].as_array().map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// Shown: whatever a server says may have come from a host, and that from an attacker.
fn shown(value: &Value, key: &str) -> String {
    escape::text(text(value, key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_ids_and_parts_of_ids() {
        let hosts = [
            json!({"id": "0190-aaaa", "name": "web"}),
            json!({"id": "0190-bbbb", "name": "db"}),
            json!({"id": "0190-cccc", "name": "db"}),
        ];
        assert_eq!(one("host", "web", &hosts).unwrap(), "0190-aaaa");
        assert_eq!(one("host", "0190-bbbb", &hosts).unwrap(), "0190-bbbb");
        assert_eq!(one("host", "cccc", &hosts).unwrap(), "0190-cccc");
        assert!(one("host", "db", &hosts).unwrap_err().to_string().contains("0190-bbbb"));
        assert!(one("host", "0190", &hosts).is_err());
        assert!(one("host", "mail", &hosts).unwrap_err().to_string().contains("mail"));
    }
}
