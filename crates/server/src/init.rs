// SPDX-License-Identifier: Apache-2.0
//! What a new server needs once: folders, authority, database, the first administrator; and the way back
//! in for who is root on the machine.

use crate::api::permission::{ALL_PROJECTS, Role};
use crate::authority::{Authority, AuthorityError, CERTIFICATE_FILE};
use crate::config::Config;
use crate::content::ContentKey;
use crate::people::seal::Seal;
use crate::people::{password, secret};
use crate::time;
use anyhow::{Context as _, bail};
use lazaret_store::{Migrated, NewAudit, Store, StoreError, TokenRow, UserRow};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The first administrator's name.
pub const FIRST_USER: &str = "admin";

/// What `init` made.
#[derive(Debug, Clone)]
pub struct Made {
    /// SHA-256 of the authority's certificate.
    pub fingerprint: String,
    /// Version of the schema.
    pub schema: i64,
    /// Of [`FIRST_USER`], to be changed at the first sign-in; `None`: there were users already.
    pub one_time_password: Option<String>,
}

/// Where the authority lies.
#[must_use]
pub fn authority_folder(config: &Config) -> PathBuf {
    config.server.data.join("authority")
}

/// Makes what is missing. What is there stays: it may run again after it broke off.
///
/// # Errors
/// Names the folder, the authority or the database, and the cause.
pub async fn init(config: &Config) -> anyhow::Result<Made> {
    let now_ms = time::now_ms();
    make_folder(&config.server.data)?;
    let folder = authority_folder(config);
    let authority = if folder.join(CERTIFICATE_FILE).exists() {
        Authority::load(&folder)
    } else {
        match Authority::create(&folder, "Lazaret authority", now_ms) {
            // Its key without a certificate: an earlier run broke off before anybody trusted it.
            Err(AuthorityError::Exists(key)) => {
                std::fs::remove_file(&key).with_context(|| format!("cannot remove {}", key.display()))?;
                Authority::create(&folder, "Lazaret authority", now_ms)
            }
            other => other,
        }
    }?;
    // Before several processes start, which share the folder and may not be able to write to it.
    Seal::open(&folder)?;
    ContentKey::load_or_make(&folder)?;
    lazaret_samples::make_key(&folder)?;
    let store = Store::open(&config.database()).await.context("cannot open the database")?;
    let migrated = store.migrate().await.context("cannot bring the database up to date")?;
    if migrated.from == 0 {
        store.bump_incarnation().await?;
    }
    let one_time_password = if store.users().await?.is_empty() {
        let password = secret::one_time_password()?;
        store.create_user(&first_user(&password, now_ms)?).await?;
        store.append_audit(&by_root("user.create", &format!("user {FIRST_USER}"), now_ms)).await?;
        Some(password)
    } else {
        None
    };
    store.close().await;
    Ok(Made { fingerprint: authority.fingerprint(), schema: migrated.to, one_time_password })
}

fn make_folder(path: &Path) -> anyhow::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot make {}", path.display()))
}

fn first_user(one_time: &str, now_ms: i64) -> anyhow::Result<UserRow> {
    Ok(UserRow {
        id: Uuid::now_v7().to_string(),
        name: FIRST_USER.to_owned(),
        password: password::hash(one_time)?,
        must_change: true,
        disabled: false,
        failures: 0,
        locked_until_ms: 0,
        created_ms: now_ms,
        last_ms: 0,
        grants: vec![(ALL_PROJECTS.to_owned(), Role::Administrator.word().to_owned())],
    })
}

pub(crate) fn by_root(action: &str, target: &str, now_ms: i64) -> NewAudit {
    NewAudit {
        at_ms: now_ms,
        who: "root on the server".to_owned(),
        action: action.to_owned(),
        target: target.to_owned(),
        outcome: "done".to_owned(),
        ..NewAudit::default()
    }
}

/// Hours that a token is valid at most.
pub const MOST_TOKEN_HOURS: i64 = 24 * 90;

/// A right to enrol, for whoever is root on the server's machine.
#[derive(Debug, Clone)]
pub struct Token {
    /// The secret.
    pub token: String,
    /// SHA-256 of the authority's certificate.
    pub fingerprint: String,
    /// For a shell of root on the new host.
    pub install: String,
}

/// Makes a token with which hosts enrol into the default project.
///
/// # Errors
/// There is no authority yet, or the database is gone.
pub async fn token(config: &Config, hours: i64, uses: i64) -> anyhow::Result<Token> {
    let authority =
        Authority::load(&authority_folder(config)).context("no authority; run lazaret-server init")?;
    let store = Store::open(&config.database()).await.context("cannot open the database")?;
    let now_ms = time::now_ms();
    let token = secret::enrolment_token()?;
    let row = TokenRow {
        id: Uuid::now_v7().to_string(),
        hash: secret::digest(&token),
        project: lazaret_store::DEFAULT_PROJECT.to_owned(),
        group: None,
        expires_ms: now_ms + hours.clamp(1, MOST_TOKEN_HOURS) * 3_600_000,
        uses_left: uses,
        who: "root on the server".to_owned(),
        created_ms: now_ms,
        note: "lazaret-server token".to_owned(),
    };
    store.create_token(&row).await?;
    store
        .append_audit(&by_root("enrolment_token.create", &format!("enrolment_token {}", row.id), now_ms))
        .await?;
    store.close().await;
    let fingerprint = authority.fingerprint();
    let install = crate::api::install::line(config, &fingerprint, &token);
    Ok(Token { token, fingerprint, install })
}

/// Brings the database up to date.
///
/// # Errors
/// The database is gone, or newer than this program.
pub async fn migrate(config: &Config) -> anyhow::Result<Migrated> {
    let store = Store::open(&config.database()).await.context("cannot open the database")?;
    let migrated = store.migrate().await?;
    store.close().await;
    Ok(migrated)
}

/// Makes the server read-only, or no longer; its processes follow within a second.
///
/// # Errors
/// The database is gone.
pub async fn read_only(config: &Config, on: bool, reason: &str) -> anyhow::Result<()> {
    let reason: String = reason.chars().filter(|c| !c.is_control()).take(200).collect();
    let store = Store::open(&config.database()).await.context("cannot open the database")?;
    let value = if !on {
        ""
    } else if reason.is_empty() {
        "ordered by root"
    } else {
        &reason
    };
    store.set_setting(crate::read_only::SETTING, value).await?;
    let mut audit =
        by_root(if on { "server.read_only" } else { "server.read_write" }, "server", time::now_ms());
    audit.after = serde_json::json!({ "reason": value }).to_string();
    store.append_audit(&audit).await?;
    store.close().await;
    Ok(())
}

/// Gives a user a new one-time password, ends their sign-ins, unlocks and enables them.
///
/// # Errors
/// There is no such user, or the database is gone.
pub async fn reset_password(config: &Config, name: &str) -> anyhow::Result<String> {
    let store = Store::open(&config.database()).await.context("cannot open the database")?;
    let mut user = match store.user_by_name(&name.to_lowercase()).await {
        Err(StoreError::NotFound(_)) => bail!("there is no user \"{}\"", name.escape_default()),
        other => other?,
    };
    if user.password.is_empty() {
        bail!("{name} comes in through a provider and has no password; for a way in: user break-glass NAME");
    }
    let one_time = secret::one_time_password()?;
    user.password = password::hash(&one_time)?;
    user.must_change = true;
    user.disabled = false;
    user.failures = 0;
    user.locked_until_ms = 0;
    store.update_user(&user).await?;
    store.revoke_credentials(&user.id).await?;
    store.append_audit(&by_root("user.reset_password", &format!("user {}", user.id), time::now_ms())).await?;
    store.close().await;
    Ok(one_time)
}
