// SPDX-License-Identifier: Apache-2.0
//! The way in for whoever is root on the server's machine when the provider is away, the second factor is
//! lost or nobody is left who administers: an administrator with a one-time password. It leaves a row in
//! the audit log and an alarm, so that nobody does it unseen.

use crate::api::permission::{ALL_PROJECTS, Role};
use crate::config::Config;
use crate::gateway::alarms;
use crate::people::sign_in::break_glass_key;
use crate::people::{password, secret};
use crate::{init, time};
use anyhow::{Context as _, bail};
use lazaret_store::{Store, StoreError, UserRow};
use uuid::Uuid;

/// How long the user may come in without provider and second factor.
pub const HOURS: i64 = 8;

/// Makes the administrator, or lets them in again.
///
/// # Errors
/// The name cannot be one, or the database is gone.
pub async fn break_glass(config: &Config, name: &str) -> anyhow::Result<String> {
    let name = name.to_lowercase();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        bail!("a name has 1 to 64 letters, digits and . _ @ -");
    }
    let store = Store::open(&config.database()).await.context("cannot open the database")?;
    let done = with(&store, &name).await;
    store.close().await;
    done
}

async fn with(store: &Store, name: &str) -> anyhow::Result<String> {
    let now_ms = time::now_ms();
    let one_time = secret::one_time_password()?;
    let grant = (ALL_PROJECTS.to_owned(), Role::Administrator.word().to_owned());
    let user = match store.user_by_name(name).await {
        Ok(mut user) => {
            if !store.identities(&user.id).await?.is_empty() {
                bail!("{name} comes in through a provider, which would change them back: take another name");
            }
            user.password = password::hash(&one_time)?;
            user.must_change = true;
            user.disabled = false;
            user.failures = 0;
            user.locked_until_ms = 0;
            if !user.grants.contains(&grant) {
                user.grants.push(grant);
            }
            store.update_user(&user).await?;
            user
        }
        Err(StoreError::NotFound(_)) => {
            let user = UserRow {
                id: Uuid::now_v7().to_string(),
                name: name.to_owned(),
                password: password::hash(&one_time)?,
                must_change: true,
                disabled: false,
                failures: 0,
                locked_until_ms: 0,
                created_ms: now_ms,
                last_ms: 0,
                grants: vec![grant],
            };
            store.create_user(&user).await?;
            user
        }
        Err(e) => return Err(e.into()),
    };
    store.remove_second_factor(&user.id).await?;
    store.revoke_credentials(&user.id).await?;
    let until = now_ms + HOURS * 3_600_000;
    store.set_setting(&break_glass_key(&user.id), &until.to_string()).await?;
    let mut row = init::by_root("user.break_glass", &format!("user {}", user.id), now_ms);
    row.after = serde_json::json!({ "name": user.name, "until": time::rfc3339(until) }).to_string();
    store.append_audit(&row).await?;
    let title = format!("Break-glass: {} was made administrator on the server's machine", user.name);
    let reasons = vec![
        format!("somebody who is root there ran lazaret-server user break-glass {}", user.name),
        format!("the user may come in without provider and second factor until {}", time::rfc3339(until)),
        "when nobody of you did that, the server's machine is not yours alone any more".to_owned(),
    ];
    let id = Uuid::now_v7().to_string();
    store
        .put_alarms(vec![alarms::of_server(lazaret_store::DEFAULT_PROJECT, id, title, reasons, now_ms)])
        .await?;
    Ok(one_time)
}
