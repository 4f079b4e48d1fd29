// SPDX-License-Identifier: Apache-2.0
//! Enrolment: a token and a certificate request in, an identity out.
//!
//! A machine that enrols again gets a new host id. When its token belongs to the same project, exactly
//! one host with this machine id is known there and that one is not online, it takes that one's place:
//! it inherits group and importance, and the old one is removed and its certificate revoked (its alarms
//! and isolated files stay). An audit row says so. Else both stand side by side.

use super::facts;
use super::{Inner, clone, now_ms};
use crate::authority::Authority;
use lazaret_proto::v1;
use lazaret_session::Channel;
use lazaret_store::{HostRow, NewAudit, Position, StoreError, TokenRow};
use std::net::IpAddr;
use tokio::io::{AsyncRead, AsyncWrite};

/// Why a host is not enrolled, for its administrator.
enum Refused {
    /// What was sent is wrong: counts against the address.
    Request(String),
    /// The server's own trouble; the details are for its log.
    Own(String),
}

impl From<StoreError> for Refused {
    fn from(e: StoreError) -> Self {
        Self::Own(e.to_string())
    }
}

/// Answers one request.
pub(super) async fn answer<S>(inner: &Inner, mut channel: Channel<S>, peer: IpAddr)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut answer = v1::EnrollAnswer::default();
    let word = if inner.failures.blocked(peer) {
        "too many failed enrolments from this address: wait a minute".clone_into(&mut answer.error);
        "blocked"
    } else {
        let done = match channel.receive::<v1::EnrollRequest>().await {
            Ok(request) => enroll(inner, request, peer).await,
            Err(e) => Err(Refused::Request(format!("no request: {e}"))),
        };
        match done {
            Ok(done) => {
                answer = done;
                "done"
            }
            Err(Refused::Request(why)) => {
                inner.failures.failed(peer);
                inner.log(&format!("enrolment from {peer} refused: {why}"));
                answer.error = why;
                "refused"
            }
            Err(Refused::Own(why)) => {
                inner.log(&format!("enrolment from {peer} failed: {why}"));
                "the server cannot enrol hosts now: try again in a minute".clone_into(&mut answer.error);
                "failed"
            }
        }
    };
    metrics::counter!("lazaret_gateway_enrolments_total", "outcome" => word).increment(1);
    channel.farewell(Some(&answer)).await;
}

async fn enroll(
    inner: &Inner,
    request: v1::EnrollRequest,
    peer: IpAddr,
) -> Result<v1::EnrollAnswer, Refused> {
    if let Some(why) = inner.settings.read_only.why() {
        return Err(Refused::Own(format!("the server is read-only: {why}")));
    }
    if request.token.is_empty() || request.token.len() > 256 {
        return Err(Refused::Request("no token, or one that is longer than any".to_owned()));
    }
    let machine_id = request.machine_id.as_str();
    if machine_id.is_empty() || machine_id.len() > 128 || machine_id.chars().any(char::is_control) {
        return Err(Refused::Request("no machine id, or one that is none".to_owned()));
    }
    // Before the token is taken: a use of it must not be lost to a request that is none.
    Authority::check(&request.csr).map_err(|e| Refused::Request(e.to_string()))?;
    let now = now_ms();
    let token = match inner.store.take_token(&clone::digest(&request.token), now).await {
        Ok(token) => token,
        Err(StoreError::NotFound(_)) => {
            return Err(Refused::Request("this token is not known: make a new one".to_owned()));
        }
        Err(StoreError::Conflict(why)) => {
            return Err(Refused::Request(format!("this token is no longer good: {why}")));
        }
        Err(e) => return Err(e.into()),
    };
    let old = replaced(inner, &token, machine_id).await?;
    let id = uuid::Uuid::now_v7().to_string();
    let issued = inner.authority.host(&request.csr, &id, now).map_err(|e| Refused::Own(e.to_string()))?;
    let row = row(&request, &token, old.as_ref(), &id, &issued, now);
    inner.store.insert_host(&row).await?;
    clone::enrolled(inner, &token, &row).await;
    if let Some(old) = old {
        take_place(inner, &old, &row, peer).await;
    }
    inner.log(&format!("{} enrolled from {peer} as {id}", row.name));
    Ok(v1::EnrollAnswer {
        host: id,
        chain: issued.chain,
        authority: inner.authority.der().to_vec(),
        error: String::new(),
        content_key: inner.settings.content_key.clone(),
    })
}

/// The host whose place a machine takes.
async fn replaced(inner: &Inner, token: &TokenRow, machine_id: &str) -> Result<Option<HostRow>, Refused> {
    let mut known = inner.store.host_by_machine(machine_id).await?;
    known.retain(|h| !h.removed && h.project == token.project);
    let Some(old) = known.pop().filter(|_| known.is_empty()) else { return Ok(None) };
    let here = inner.lives.get(&old.id).is_some();
    Ok((!here && old.status != "online").then_some(old))
}

async fn take_place(inner: &Inner, old: &HostRow, new: &HostRow, peer: IpAddr) {
    let now = now_ms();
    let done = async {
        let quota = inner.store.host_quotas(std::slice::from_ref(&old.id)).await?.remove(&old.id);
        inner.store.revoke_host(&old.id).await?;
        inner.store.remove_host(&old.id, now).await?;
        if let Some(quota) = quota {
            // What is not in force any more cannot be taken over: then it has what it took when it enrolled.
            match inner.store.bind_quota(&quota.pool, std::slice::from_ref(&new.id), "server", now).await {
                Ok(()) | Err(StoreError::Conflict(_)) => {}
                Err(e) => return Err(e),
            }
        }
        inner
            .store
            .append_audit(&NewAudit {
                at_ms: now,
                who: "server".to_owned(),
                address: peer.to_string(),
                project: old.project.clone(),
                action: "host.replace".to_owned(),
                target: format!("host {}", old.id),
                before: String::new(),
                after: serde_json::json!({ "replaced_by": new.id }).to_string(),
                outcome: "done".to_owned(),
            })
            .await
    };
    if let Err(e) = done.await {
        inner.log(&format!("host {} is replaced by {} and could not be removed: {e}", old.id, new.id));
    }
}

fn row(
    request: &v1::EnrollRequest,
    token: &TokenRow,
    old: Option<&HostRow>,
    id: &str,
    issued: &crate::authority::Issued,
    now: i64,
) -> HostRow {
    let facts = facts::host(&request.report.clone().unwrap_or_default(), &request.machine_id, "");
    let name = if facts.name.is_empty() { id.to_owned() } else { facts.name };
    HostRow {
        id: id.to_owned(),
        project: token.project.clone(),
        group: token.group.clone().or_else(|| old.and_then(|o| o.group.clone())),
        name,
        status: "installed".to_owned(),
        importance: old.map_or_else(|| "common".to_owned(), |o| o.importance.clone()),
        version: facts.version,
        os: facts.os,
        kernel: facts.kernel,
        arch: facts.arch,
        addresses: facts.addresses,
        content_version: facts.content_version,
        protection: facts.protection,
        protection_reason: facts.protection_reason,
        enrolled_ms: now,
        seen_ms: now,
        status_ms: now,
        stopped: false,
        revoked: false,
        removed: false,
        generation: 1,
        generation_applied: 0,
        refused: String::new(),
        acked: Position::default(),
        run: String::new(),
        gateway: String::new(),
        machine_id: facts.machine_id,
        boot_id: String::new(),
        serial: issued.serial.clone(),
        certificate_until_ms: issued.until_ms,
        report: facts.report,
    }
}
