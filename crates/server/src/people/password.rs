// SPDX-License-Identifier: Apache-2.0
//! Passwords: argon2id, away from the threads that answer, and only so many at a time, or a crowd of
//! sign-ins would eat the memory of the machine.

use super::PeopleError;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// 19 MiB, two passes, one lane: what OWASP names as the least for argon2id.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
/// Computations at the same time.
const AT_ONCE: usize = 4;
/// Sign-ins that may wait for one of those.
const WAITING: usize = 256;

/// Bounds of a password, in characters.
pub(crate) const LENGTH: std::ops::RangeInclusive<usize> = 8..=256;

/// The one place where passwords are hashed.
#[derive(Debug, Clone)]
pub(crate) struct Passwords {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// Of nobody's password: an unknown name costs as much time as a known one.
    nobody: Arc<str>,
}

impl Passwords {
    pub(crate) fn new() -> Result<Self, PeopleError> {
        let nobody = hash(&super::secret::random()?)?;
        Ok(Self {
            running: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::new(Semaphore::new(WAITING)),
            nobody: nobody.into(),
        })
    }

    /// The PHC string of a new password.
    pub(crate) async fn hash(&self, password: String) -> Result<String, PeopleError> {
        self.run(move || hash(&password)).await
    }

    /// Whether the password is the one. `known` is absent for an unknown user: the answer is then no,
    /// after the same work.
    pub(crate) async fn verify(&self, password: String, known: Option<&str>) -> Result<bool, PeopleError> {
        let phc: Arc<str> = known.map_or_else(|| Arc::clone(&self.nobody), Into::into);
        let same =
            self.run(move || Ok(hasher()?.verify_password(password.as_bytes(), &*phc).is_ok())).await?;
        Ok(same && known.is_some())
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PeopleError> + Send + 'static,
    ) -> Result<T, PeopleError> {
        let _place = self.waiting.try_acquire().map_err(|_| PeopleError::Busy)?;
        let permit = Arc::clone(&self.running).acquire_owned().await.map_err(|_| PeopleError::Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        done.await.map_err(|e| PeopleError::Failed(format!("hashing a password: {e}")))?
    }
}

fn hasher() -> Result<Argon2<'static>, PeopleError> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None)
        .map_err(|e| PeopleError::Failed(format!("parameters of argon2: {e}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The PHC string of a password, on this thread.
pub(crate) fn hash(password: &str) -> Result<String, PeopleError> {
    hasher()?
        .hash_password(password.as_bytes())
        .map(|h| h.to_string())
        .map_err(|e| PeopleError::Failed(format!("hashing a password: {e}")))
}

/// Why a password is not taken.
pub(crate) fn weakness(password: &str, user: &str) -> Option<String> {
    let length = password.chars().count();
    if !LENGTH.contains(&length) {
        return Some(format!(
            "a password has {} to {} characters, not {length}",
            LENGTH.start(),
            LENGTH.end()
        ));
    }
    if holds(&password.to_lowercase(), &user.to_lowercase()) {
        return Some("a password must not hold the name of its user".to_owned());
    }
    let mut kinds: Vec<char> = password.chars().collect();
    kinds.sort_unstable();
    kinds.dedup();
    (kinds.len() < 5).then(|| "a password has at least 5 different characters".to_owned())
}

/// Whether the name stands in it; a short one only as a word of its own: `seven` holds no `eve`.
fn holds(password: &str, user: &str) -> bool {
    let mut found = password.match_indices(user);
    let alone = |(at, name): (usize, &str)| {
        let outside = |c: Option<char>| c.is_none_or(|c| !c.is_alphabetic());
        outside(password[..at].chars().next_back()) && outside(password[at + name.len()..].chars().next())
    };
    if user.chars().count() < 4 { found.any(alone) } else { found.next().is_some() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_right_password_and_no_other() {
        let p = Passwords::new().unwrap();
        let phc = p.hash("correct horse battery".to_owned()).await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(p.verify("correct horse battery".to_owned(), Some(&phc)).await.unwrap());
        assert!(!p.verify("correct horse batterz".to_owned(), Some(&phc)).await.unwrap());
        assert!(!p.verify("correct horse battery".to_owned(), None).await.unwrap(), "nobody has none");
        assert!(!p.verify("x".to_owned(), Some("not a phc string")).await.unwrap());
    }

    #[test]
    fn weak_ones_are_named() {
        assert!(weakness("short", "eve").unwrap().contains("8 to"));
        assert!(weakness("eve-and-more-text", "Eve").unwrap().contains("name"));
        assert!(weakness("aaaaaaaaaaaa", "eve").unwrap().contains("different"));
        assert_eq!(weakness("correct horse battery", "eve"), None);
    }
}
