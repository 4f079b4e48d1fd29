// SPDX-License-Identifier: Apache-2.0
//! Who a provider's people are here, and which sign-ins came from it.

use crate::Store;
use crate::db::sql::sql;
use crate::error::Result;

impl Store {
    /// The user that a provider's subject is.
    ///
    /// # Errors
    /// Of the database.
    pub async fn identity(&self, provider: &str, subject: &str) -> Result<Option<String>> {
        let select = sql("SELECT user_id FROM identities WHERE provider = $1 AND subject = $2")
            .bind(provider)
            .bind(subject);
        self.pools.one(select).await?.map(|row| row.fields().text()).transpose()
    }

    /// A provider's subject is this user from now on.
    ///
    /// # Errors
    /// `Conflict` when it is another already, or the user does not exist.
    pub async fn add_identity(&self, provider: &str, subject: &str, user: &str) -> Result<()> {
        let insert = sql("INSERT INTO identities (provider, subject, user_id) VALUES ($1, $2, $3)")
            .bind(provider)
            .bind(subject)
            .bind(user);
        self.write(insert).await?;
        Ok(())
    }

    /// The providers through which a user comes in.
    ///
    /// # Errors
    /// Of the database.
    pub async fn identities(&self, user: &str) -> Result<Vec<String>> {
        let select = sql("SELECT provider FROM identities WHERE user_id = $1 ORDER BY provider").bind(user);
        self.pools.all(select).await?.iter().map(|row| row.fields().text()).collect()
    }

    /// A sign-in came from a provider; the token is shown to it when the person signs out.
    ///
    /// # Errors
    /// `Conflict` when the sign-in does not exist.
    pub async fn note_provider_session(
        &self,
        credential: &str,
        provider: &str,
        id_token: &str,
    ) -> Result<()> {
        let insert =
            sql("INSERT INTO provider_sessions (credential, provider, id_token) VALUES ($1, $2, $3)")
                .bind(credential)
                .bind(provider)
                .bind(id_token);
        self.write(insert).await?;
        Ok(())
    }

    /// Provider and token of a sign-in; `None`: it was one with a password.
    ///
    /// # Errors
    /// Of the database.
    pub async fn provider_session(&self, credential: &str) -> Result<Option<(String, String)>> {
        let select =
            sql("SELECT provider, id_token FROM provider_sessions WHERE credential = $1").bind(credential);
        let row = self.pools.one(select).await?;
        row.map(|row| {
            let mut f = row.fields();
            Ok((f.text()?, f.text()?))
        })
        .transpose()
    }

    /// Another kind for a credential: `enrolling` becomes `session` with the second factor.
    ///
    /// # Errors
    /// Of the database.
    pub async fn set_credential_kind(&self, id: &str, kind: &str) -> Result<()> {
        let update = sql("UPDATE credentials SET kind = $2 WHERE id = $1").bind(id).bind(kind);
        self.write(update).await?;
        Ok(())
    }
}
