// SPDX-License-Identifier: Apache-2.0
//! Orders to the stage, each to its answer.

use super::ask::Ask;
use super::course::Stage;
use super::hosts::{self, Host};
use super::{people, programs};
use crate::hook::Hook;
use crate::pki::Authority;
use crate::{Swarm, eventually};
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// For what comes from several hosts and the server.
const SOON: Duration = Duration::from_secs(60);
/// Seconds that an order may ask to wait.
const LONGEST: u64 = 120;
/// Hosts with daemons.
const MOST_HOSTS: usize = 16;

impl Stage {
    /// Does one order; what is in its answer.
    pub(super) fn order(&mut self, ask: Ask) -> Result<Value> {
        match ask {
            Ask::Drop(wanted) => {
                let files = programs::drop_on(self.host(wanted.host)?.volume.path(), &wanted)?;
                Ok(json!({"files": files}))
            }
            Ask::Run(wanted) => {
                let path = programs::inside(self.host(wanted.host)?.volume.path(), &wanted.path)?;
                let (answer, running) = programs::run(&path, &wanted)?;
                self.running.extend(running);
                Ok(answer)
            }
            Ask::File { host, path } => {
                programs::look(&programs::inside(self.host(host)?.volume.path(), &path)?)
            }
            Ask::Remove { host, path } => {
                let path = programs::inside(self.host(host)?.volume.path(), &path)?;
                std::fs::remove_file(&path).with_context(|| format!("{}", path.display()))?;
                Ok(json!({}))
            }
            Ask::WaitFor { list, fits, seconds } => {
                Ok(json!({"found": self.wait_for(&list, &fits, seconds)?}))
            }
            Ask::WaitAlarm { host, path, seconds } => {
                let host = self.host(host)?;
                let path = programs::inside(host.volume.path(), &path)?;
                let fits = [("/host/id", json!(host.id)), ("path", json!(path.to_string_lossy()))];
                let fits = fits.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
                let list = format!("/alarms?host={}&limit=1000", host.id);
                Ok(json!({"alarm": self.wait_for(&list, &fits, seconds)?}))
            }
            Ask::Seed { hosts, alarms } => self.seed(hosts, alarms),
            Ask::Host { name, project, token } => self.add_host(name, &project, token),
            Ask::StopHost { host } => {
                self.host_mut(host)?.stop()?;
                self.seen_as(host, "offline")
            }
            Ask::StartHost { host } => {
                self.host_mut(host)?.start()?;
                self.seen_as(host, "online")
            }
            Ask::CutHost { host } => {
                self.host(host)?.cut();
                Ok(json!({}))
            }
            Ask::HealHost { host } => {
                self.host(host)?.heal();
                Ok(json!({}))
            }
            Ask::HostStatus { host } => Ok(json!({"status": self.host(host)?.daemon()?.status()})),
            Ask::User { name, role, project, one_time } => {
                self.users += 1;
                let name = name.unwrap_or_else(|| format!("{role}-{}", self.users));
                people::user(&self.server, &name, &role, &project, one_time)
            }
            Ask::OneTime { user } => Ok(json!({"password": people::one_time(&self.server, &user)?})),
            Ask::EndSessions { user } => {
                let id = people::id(&self.server, &user)?;
                self.call("DELETE", &format!("/users/{id}/sessions"), None)?;
                Ok(json!({}))
            }
            Ask::Token { project, uses } => {
                let ask = json!({"project": project, "uses": uses, "note": "stage"});
                let made = self.call("POST", "/enrolment-tokens", Some(&ask))?;
                let (agents, authority) = (&self.server.agents, &self.server.authority);
                Ok(json!({"token": made["token"], "agents": agents, "authority": authority}))
            }
            Ask::Switch { switch, on, project } => {
                let ask = json!({"project": project, "on": on});
                self.call("PUT", &format!("/switches/{switch}"), Some(&ask))?;
                self.settled()
            }
            Ask::Consent { project, change } => {
                let after = self.server.change(&format!("/projects/{project}/cloud-scan"), |before| {
                    let mut consent = before["consent"].clone();
                    change.into_iter().for_each(|(key, value)| consent[key] = value);
                    consent
                });
                Ok(json!({"consent": after["consent"]}))
            }
            Ask::Quota { edition, total, automatic, hosts, project } => {
                let ask =
                    json!({"project": project, "edition": edition, "total": total, "automatic": automatic});
                let made = self.call("POST", "/quotas", Some(&ask))?;
                if !hosts.is_empty() {
                    let ids: Result<Vec<&str>> =
                        hosts.iter().map(|h| Ok(self.host(*h)?.id.as_str())).collect();
                    let bind = json!({"quota": made["id"], "hosts": ids?});
                    self.call("POST", "/quotas/bind", Some(&bind))?;
                }
                Ok(json!({"quota": made["id"]}))
            }
            Ask::Project { name } => {
                let made = self.call("POST", "/projects", Some(&json!({"name": name})))?;
                Ok(json!({"project": made["id"]}))
            }
            Ask::Hook {} => {
                let authority = Authority::new();
                let hook = self.hook.insert(Hook::start(Some(&authority.identity())));
                Ok(json!({"url": hook.url(), "ca": authority.pem}))
            }
            Ask::HookSeen {} => {
                let hook = self.hook.as_ref().context("there is no receiver: hook")?;
                let all: Vec<Value> = hook
                    .seen()
                    .into_iter()
                    .map(|r| json!({"path": r.path, "headers": r.headers, "body": r.body}))
                    .collect();
                Ok(json!({"requests": all}))
            }
            Ask::Call { method, path, body } => {
                ensure!(path.starts_with('/'), "path {}: begins behind /api/v1", path.escape_debug());
                let (status, body) = self.server.call(&method, &path, body.as_ref());
                Ok(json!({"status": status, "body": body}))
            }
            Ask::Log {} => {
                let of = |h: &Host| h.daemon().map_or_else(|_| String::new(), crate::Daemon::log);
                let hosts: Vec<String> = self.hosts.iter().map(of).collect();
                Ok(json!({"server": self.server.log(), "hosts": hosts}))
            }
            Ask::Quit {} => Ok(json!({})),
        }
    }

    fn host(&self, number: usize) -> Result<&Host> {
        self.hosts.get(number).with_context(|| format!("there is no host {number}"))
    }

    fn host_mut(&mut self, number: usize) -> Result<&mut Host> {
        self.hosts.get_mut(number).with_context(|| format!("there is no host {number}"))
    }

    /// A request that must work.
    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let (status, answer) = self.server.call(method, path, body);
        ensure!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        Ok(answer)
    }

    fn wait_for(&self, list: &str, fits: &Map<String, Value>, seconds: u64) -> Result<Value> {
        ensure!(seconds <= LONGEST, "seconds: {LONGEST} at most");
        ensure!(list.starts_with('/'), "list {}: begins behind /api/v1", list.escape_debug());
        let has = |item: &Value, key: &str| match key.strip_prefix('/') {
            Some(_) => item.pointer(key).cloned().unwrap_or_default(),
            None => item[key].clone(),
        };
        let (mut found, mut last) = (None, Value::Null);
        eventually(Duration::from_secs(seconds), || {
            last = self.server.get(list);
            let one = || vec![last.clone()];
            let items = last["items"].as_array().cloned().unwrap_or_else(one);
            found = items.into_iter().find(|i| fits.iter().all(|(k, v)| has(i, k) == *v));
            if found.is_none() {
                std::thread::sleep(Duration::from_millis(50));
            }
            found.is_some()
        });
        let Some(found) = found else { bail!("not in {list} within {seconds} s; it has {last}") };
        Ok(found)
    }

    fn seed(&mut self, hosts: u32, alarms: u64) -> Result<Value> {
        ensure!((1..=1000).contains(&hosts), "hosts: 1 to 1000");
        ensure!((1..=200_000).contains(&alarms), "alarms: 1 to 200000");
        let seed = (self.swarms.len() + 1).to_string();
        let (hosts_word, alarms_word) = (hosts.to_string(), alarms.to_string());
        let mut options = vec!["--hosts", &hosts_word, "--mode", "alarms", "--alarms", &alarms_word];
        options.extend(["--rate", "2000", "--seconds", "100", "--threads", "1", "--seed", &seed]);
        let mut swarm = Swarm::start(&self.server, &options);
        swarm.event("ready", SOON);
        let produced = swarm.event("produced", Duration::from_secs(LONGEST));
        self.swarms.push(swarm);
        Ok(json!({"hosts": hosts, "alarms": produced["alarms_acked"]}))
    }

    fn add_host(&mut self, name: Option<String>, project: &str, token: Option<String>) -> Result<Value> {
        ensure!(self.hosts.len() < MOST_HOSTS, "{MOST_HOSTS} hosts are enough");
        let number = self.hosts.len();
        let name = name.unwrap_or_else(|| hosts::name_of(number));
        let token = token.unwrap_or_else(|| self.server.enrolment_token_of(project));
        let host = Host::new(&self.server, &name, project, &token)?;
        let told = host.told(number);
        self.hosts.push(host);
        Ok(told)
    }

    /// Waits until the server sees it that way.
    fn seen_as(&self, number: usize, status: &str) -> Result<Value> {
        let host = self.host(number)?;
        self.server.eventually(&format!("/hosts/{}", host.id), status, |h| h["host"]["status"] == status);
        Ok(host.told(number))
    }

    /// Waits until the hosts that run have what the server wants.
    fn settled(&self) -> Result<Value> {
        for host in self.hosts.iter().filter(|h| h.runs()) {
            self.server.eventually(&format!("/hosts/{}", host.id), "the generation in force", |h| {
                h["host"]["generation"] == h["host"]["generation_applied"]
            });
        }
        Ok(json!({}))
    }
}
