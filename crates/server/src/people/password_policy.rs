// SPDX-License-Identifier: Apache-2.0
//! What a new password must be, by NIST SP 800-63B: long, not one that everybody tries, none of the last
//! ones. Nothing is said about kinds of characters, and none grows old unless the configuration says so.

use super::password::{self, Passwords};
use super::{PeopleError, known_passwords};
use crate::config::SignOn;
use crate::time::DAY_MS;
use lazaret_store::{Store, UserRow};
use std::collections::HashSet;

/// Further passwords that are read at most.
const MOST: u64 = 64 << 20;

/// The rules in force.
#[derive(Debug)]
pub(crate) struct PasswordPolicy {
    least: usize,
    history: u32,
    days: u32,
    refused: HashSet<String>,
}

impl PasswordPolicy {
    /// By the configuration.
    pub(crate) fn load(settings: &SignOn) -> Result<Self, PeopleError> {
        let mut refused = HashSet::new();
        if let Some(path) = &settings.refused_passwords {
            let failed = |e: &dyn std::fmt::Display| {
                PeopleError::Failed(format!("[sign_on] refused_passwords {}: {e}", path.display()))
            };
            let size = std::fs::metadata(path).map_err(|e| failed(&e))?.len();
            if size > MOST {
                return Err(failed(&format!("{size} bytes, at most {MOST}: keep the commonest")));
            }
            let text = std::fs::read(path).map_err(|e| failed(&e))?;
            refused.extend(String::from_utf8_lossy(&text).lines().map(|l| l.trim().to_lowercase()));
        }
        Ok(Self {
            least: usize::try_from(settings.password_length).unwrap_or(12),
            history: settings.password_history,
            days: settings.password_days,
            refused,
        })
    }

    /// Why a password is not taken, for anybody of that name.
    pub(crate) fn weakness(&self, password: &str, user: &str) -> Option<String> {
        if password.chars().count() < self.least {
            return Some(format!("a password has {} characters at least", self.least));
        }
        if let Some(why) = password::weakness(password, user) {
            return Some(why);
        }
        let known = known_passwords::known(password) || self.refused.contains(&password.to_lowercase());
        known.then(|| {
            "this password is one that everybody tries; take some words that nobody would put together"
                .to_owned()
        })
    }

    /// Whether the user had it before: the newest of the remembered ones are tried.
    pub(crate) async fn used_before(
        &self,
        store: &Store,
        passwords: &Passwords,
        user: &str,
        password: &str,
    ) -> Result<bool, PeopleError> {
        let old = store.old_passwords(user).await?;
        for (_, phc) in old.iter().take(usize::try_from(self.history).unwrap_or(0)) {
            if passwords.verify(password.to_owned(), Some(phc)).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Remembers the new password.
    pub(crate) async fn note(&self, store: &Store, user: &UserRow, now_ms: i64) -> Result<(), PeopleError> {
        Ok(store.note_password(&user.id, &user.password, now_ms, self.history).await?)
    }

    /// Whether it must be changed by now. One whose beginning nobody wrote down began with its user.
    pub(crate) async fn is_old(
        &self,
        store: &Store,
        user: &UserRow,
        now_ms: i64,
    ) -> Result<bool, PeopleError> {
        if self.days == 0 {
            return Ok(false);
        }
        let began = store.old_passwords(&user.id).await?.first().map_or(user.created_ms, |(at, _)| *at);
        Ok(now_ms - began > i64::from(self.days) * DAY_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_not_known() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list");
        std::fs::write(&list, "Our Old Slogan Of 1999\n").unwrap();
        let settings = SignOn { password_length: 14, refused_passwords: Some(list), ..SignOn::default() };
        let p = PasswordPolicy::load(&settings).unwrap();
        assert!(p.weakness("thirteen char", "eve").unwrap().contains("14"));
        assert!(p.weakness("Password123456", "eve").unwrap().contains("everybody"));
        assert!(p.weakness("our old slogan of 1999", "eve").unwrap().contains("everybody"));
        assert!(p.weakness("eve and her cousins", "eve").unwrap().contains("name"));
        assert_eq!(p.weakness("seven tired boats", "eve"), None, "no kinds of characters are asked for");
        let gone = SignOn { refused_passwords: Some("/none/here".into()), ..SignOn::default() };
        assert!(PasswordPolicy::load(&gone).unwrap_err().to_string().contains("/none/here"));
    }

    #[tokio::test]
    async fn it_grows_old_only_where_somebody_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s.db").to_str().unwrap()).await.unwrap();
        store.migrate().await.unwrap();
        let user = UserRow {
            id: "u".to_owned(),
            name: "eve".to_owned(),
            password: "x".to_owned(),
            must_change: false,
            disabled: false,
            failures: 0,
            locked_until_ms: 0,
            created_ms: 0,
            last_ms: 0,
            grants: Vec::new(),
        };
        store.create_user(&user).await.unwrap();
        let never = PasswordPolicy::load(&SignOn::default()).unwrap();
        let monthly = PasswordPolicy::load(&SignOn { password_days: 30, ..SignOn::default() }).unwrap();
        let day = |n: i64| n * DAY_MS;
        assert!(!never.is_old(&store, &user, day(9_999)).await.unwrap());
        assert!(!monthly.is_old(&store, &user, day(30)).await.unwrap());
        assert!(monthly.is_old(&store, &user, day(31)).await.unwrap());
        monthly.note(&store, &user, day(31)).await.unwrap();
        assert!(!monthly.is_old(&store, &user, day(61)).await.unwrap());
        assert!(monthly.is_old(&store, &user, day(62)).await.unwrap());
        store.close().await;
    }
}
