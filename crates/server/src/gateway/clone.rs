// SPDX-License-Identifier: Apache-2.0
//! Two machines with one identity: the later one gets a token and becomes a host of its own.

use super::live::Machine;
use super::{Inner, alarms, millis, now_ms};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lazaret_proto::v1;
use lazaret_session::{Trouble, goodbye};
use lazaret_store::{HostRow, TokenRow};
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};
use v1::goodbye::Kind as Bye;

/// How long the token is good: the agent uses it at once.
const TOKEN_LASTS_MS: i64 = 15 * 60_000;

/// Begins the note of such a token; the host's id follows.
const NOTE: &str = "copy of ";

/// What is kept of a token.
pub(super) fn digest(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Whether another machine holds a session with this identity and still lives. It is asked, and must
/// answer: a machine that lost its power or its connection and comes back must not count as its own copy.
///
/// Machine id, boot id and `run` do not tell copies of a running machine apart, memory and all. What does
/// is that the first answers after the second has said hello: an agent gives its connection up before it
/// makes another, so one machine never has two that live.
pub(super) async fn first_lives(inner: &Inner, host: &HostRow, machine: &Machine) -> bool {
    let Some(first) = inner.lives.get(&host.id) else { return elsewhere(inner, host, machine).await };
    let before = first.answers();
    first.ask_for_life();
    let until = Instant::now() + inner.settings.probe;
    loop {
        let changed = first.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        if first.answers() > before {
            return true;
        }
        if inner.lives.get(&host.id).is_none_or(|l| l.key != first.key) {
            return false;
        }
        if timeout_at(until, changed).await.is_err() {
            return false;
        }
    }
}

/// The same for a session on another gateway: its times of hearing come by the database. They do not say
/// whether it lived after it was asked, so that only what has ids of its own counts as another machine; a
/// copy of a running machine is found when both come to one gateway.
async fn elsewhere(inner: &Inner, host: &HostRow, machine: &Machine) -> bool {
    if host.gateway.is_empty() || host.gateway == inner.settings.instance || host.run.is_empty() {
        return false;
    }
    let first = Machine {
        run: run_of(&host.run).to_owned(),
        machine_id: host.machine_id.clone(),
        boot_id: host.boot_id.clone(),
    };
    if !machine.is_other_than(&first) {
        return false;
    }
    let limits = &inner.settings.limits;
    // A keep-alive, and the other gateway's next note of it; the agent must not lose its patience.
    let wait = (limits.keep_alive + Duration::from_secs(3)).min(limits.patience * 9 / 10);
    let until = now_ms() + millis(wait);
    let asked = now_ms();
    while now_ms() < until {
        sleep(Duration::from_millis(500)).await;
        match inner.store.host(&host.id).await {
            Ok(row) if row.run != host.run => return false,
            Ok(row) if row.seen_ms > asked => return true,
            _ => {}
        }
    }
    false
}

/// The `run` in what the store knows a session by.
pub(super) fn run_of(key: &str) -> &str {
    key.rsplit_once('#').map_or(key, |(run, _)| run)
}

/// Raises the alarm and makes the goodbye with a token.
pub(super) async fn refuse(inner: &Inner, host: &HostRow, machine: &Machine) -> Trouble {
    metrics::counter!("lazaret_gateway_clones_total").increment(1);
    let now = now_ms();
    let mut secret = [0; 32];
    if aws_lc_rs::rand::fill(&mut secret).is_err() {
        return Trouble::Own("the system gave no random numbers".to_owned());
    }
    let token = URL_SAFE_NO_PAD.encode(secret);
    let row = TokenRow {
        id: uuid::Uuid::now_v7().to_string(),
        hash: digest(&token),
        project: host.project.clone(),
        group: host.group.clone(),
        expires_ms: now + TOKEN_LASTS_MS,
        uses_left: 1,
        who: "server".to_owned(),
        created_ms: now,
        note: format!("{NOTE}{}", host.id),
    };
    let id = alarms::named_id(&["clone", &host.id, &machine.machine_id, &machine.boot_id]);
    let title = format!("Another machine speaks as {}", host.name);
    let reasons = vec![
        format!("host {} is connected and answers", host.id),
        format!("another one came with the same certificate: machine id {}", machine.machine_id),
        if machine.machine_id == host.machine_id && machine.boot_id == host.boot_id {
            "both are the same boot of the same machine: a copy of a running one, its memory included"
                .to_owned()
        } else {
            "it is another machine, or another boot".to_owned()
        },
        "it was told to enrol as a host of its own; whoever copied the disk copied its secrets too"
            .to_owned(),
    ];
    let alarm = alarms::about(host, id, title, reasons, now);
    let done = async {
        inner.store.create_token(&row).await?;
        inner.store.put_alarms(vec![alarm]).await
    };
    match done.await {
        Ok(()) => {
            let why = "another machine is connected with this identity: enrol as a host of its own";
            Trouble::Goodbye(v1::Goodbye { token, ..goodbye(Bye::Clone, why) })
        }
        Err(e) => Trouble::Own(e.to_string()),
    }
}

/// When a copy has become a host: an alarm about that one, which names the first.
pub(super) async fn enrolled(inner: &Inner, token: &TokenRow, host: &HostRow) {
    let Some(first) = token.note.strip_prefix(NOTE).filter(|_| token.who == "server") else { return };
    let id = alarms::named_id(&["copy", first, &host.id]);
    let title = format!("{} is a copy of another host", host.name);
    let reasons = vec![
        format!("it came with the certificate of host {first} while that was connected"),
        format!("it is host {} now", host.id),
    ];
    let alarm = alarms::about(host, id, title, reasons, now_ms());
    if let Err(e) = inner.store.put_alarms(vec![alarm]).await {
        inner.log(&format!("the alarm about the copy {} cannot be written: {e}", host.id));
    }
}
