// SPDX-License-Identifier: Apache-2.0
//! The fleet's recovery key: hosts seal what they isolate for it too, so that the vault of a host that is
//! gone can still be opened.

use super::extract::Json;
use super::gate::Access;
use super::permission::Permission;
use super::problem::Problem;
use super::record::Record;
use super::route::{Routes, get, put};
use super::state::Api;
use crate::gateway::desired::RECOVERY_RECIPIENT;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whom hosts seal for besides their own keys.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RecoveryKey {
    /// An age X25519 recipient, `age1...`; null: none. The server never has the secret half.
    #[schema(max_length = 128)]
    recipient: Option<String>,
}

pub(crate) fn routes(r: &mut Routes) {
    r.add(
        Permission::View,
        get("/recovery-key", "getRecoveryKey", "The fleet's recovery key, public half")
            .answers::<RecoveryKey>(200),
        show,
    );
    r.add(
        Permission::AdministerAll,
        put("/recovery-key", "setRecoveryKey", "Set the fleet's recovery key")
            .describe(
                "Whoever has its secret half can read what hosts isolate from now on. What is isolated already stays \
                 as it was sealed. Hosts always keep their own keys, and can refuse this one (`[local] pin = \
                 [\"vault.recovery\"]`).",
            )
            .body::<RecoveryKey>()
            .answers::<RecoveryKey>(200),
        set,
    );
}

async fn kept(api: &Api) -> Result<RecoveryKey, Problem> {
    let recipient = api.store.setting(RECOVERY_RECIPIENT).await?.filter(|r| !r.is_empty());
    Ok(RecoveryKey { recipient })
}

async fn show(State(api): State<Api>) -> Result<Json<RecoveryKey>, Problem> {
    Ok(Json(kept(&api).await?))
}

async fn set(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<RecoveryKey>,
) -> Result<Json<RecoveryKey>, Problem> {
    let recipient = ask.recipient.map(|text| check(&text)).transpose()?;
    let before = kept(&api).await?;
    let after = RecoveryKey { recipient };
    let record = Record::new(&access, "", "recovery_key.set", "recovery key").before(&before).after(&after);
    let value = after.recipient.clone().unwrap_or_default();
    api.store.set_for_all(RECOVERY_RECIPIENT, &value, &record.row()).await?;
    Ok(Json(after))
}

/// As hosts take it.
fn check(text: &str) -> Result<String, Problem> {
    let parsed: Result<age::x25519::Recipient, &str> = text.trim().parse();
    parsed.map(|r| r.to_string()).map_err(|e| {
        Problem::invalid(format!(
            "recipient: \"{}\" is no age X25519 recipient (age1..., as age-keygen -y prints it): {e}",
            super::problem::shown(text)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn only_the_public_half_of_an_x25519_key() {
        let good = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
        assert_eq!(check(&format!(" {good}\n")).ok().as_deref(), Some(good));
        let secret = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
        for bad in ["", "age1", &good[..61], "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB", secret] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
