// SPDX-License-Identifier: Apache-2.0
//! Verdicts on files: put, released to all hosts, withdrawn. What a person said, only a person changes.

use super::verdict_feed::next_number;
use super::{check_hash, missing, standing};
use crate::db::conn::Tx;
use crate::db::page::hex;
use crate::db::sql::{Sql, sql};
use crate::db::value::Fields;
use crate::error::{Result, StoreError};
use crate::{ChangeKind, NewVerdict, Store, VerdictRow};

/// As `read_verdict` reads them, of a table named `t`.
pub(super) const VERDICT: &str = "t.project, t.sha256, t.number, t.class, t.family, t.confidence, t.rating, t.verdict, \
     t.origin, t.who, t.why, t.at_ms, t.act, t.release_ms, t.released_by, t.released_ms, t.withdrawn, t.withdrawn_by, \
     t.withdrawn_why, t.withdrawn_ms";

pub(super) fn read_verdict(f: &mut Fields<'_>) -> Result<VerdictRow> {
    Ok(VerdictRow {
        project: f.text()?,
        sha256: f.bytes()?,
        number: f.int()?,
        class: f.text()?,
        family: f.text()?,
        confidence: f.int()?,
        rating: f.text()?,
        verdict: f.bytes()?,
        origin: f.text()?,
        who: f.text()?,
        why: f.text()?,
        at_ms: f.int()?,
        act: f.text()?,
        release_ms: f.int()?,
        released_by: f.text()?,
        released_ms: f.int()?,
        withdrawn: f.flag()?,
        withdrawn_by: f.text()?,
        withdrawn_why: f.text()?,
        withdrawn_ms: f.int()?,
    })
}

async fn of(tx: &mut Tx, project: &str, sha256: &[u8]) -> Result<Option<VerdictRow>> {
    let mut select = Sql::built(format!("SELECT {VERDICT} FROM file_verdicts AS t WHERE t.project = "));
    select.arg(project);
    select.push(" AND t.sha256 = ");
    select.arg(sha256);
    let row = tx.one(select).await?;
    row.map(|r| read_verdict(&mut r.fields())).transpose()
}

async fn write(tx: &mut Tx, v: &VerdictRow) -> Result<()> {
    let put = sql("INSERT INTO file_verdicts (project, sha256, number, class, family, confidence, rating, verdict, \
         origin, who, why, at_ms, act, release_ms, released_by, released_ms, withdrawn, withdrawn_by, withdrawn_why, \
         withdrawn_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
         $20) ON CONFLICT (project, sha256) DO UPDATE SET number = excluded.number, class = excluded.class, \
         family = excluded.family, confidence = excluded.confidence, rating = excluded.rating, \
         verdict = excluded.verdict, origin = excluded.origin, who = excluded.who, why = excluded.why, \
         at_ms = excluded.at_ms, act = excluded.act, release_ms = excluded.release_ms, \
         released_by = excluded.released_by, released_ms = excluded.released_ms, withdrawn = excluded.withdrawn, \
         withdrawn_by = excluded.withdrawn_by, withdrawn_why = excluded.withdrawn_why, \
         withdrawn_ms = excluded.withdrawn_ms")
    .bind(&v.project)
    .bind(&v.sha256)
    .bind(v.number)
    .bind(&v.class)
    .bind(&v.family)
    .bind(v.confidence)
    .bind(&v.rating)
    .bind(&v.verdict)
    .bind(&v.origin)
    .bind(&v.who)
    .bind(&v.why)
    .bind(v.at_ms)
    .bind(&v.act)
    .bind(v.release_ms)
    .bind(&v.released_by)
    .bind(v.released_ms)
    .bind(v.withdrawn)
    .bind(&v.withdrawn_by)
    .bind(&v.withdrawn_why)
    .bind(v.withdrawn_ms);
    tx.run(put).await?;
    Ok(())
}

/// A person put it, or withdrew it: see `files.settled`.
pub(super) fn settled(v: &VerdictRow) -> bool {
    if v.withdrawn { !v.withdrawn_by.is_empty() } else { v.origin == "person" }
}

/// Puts a verdict; what is there when a person said that, and this is none's. True: it is new.
///
/// Whoever writes a verdict takes its number first: so they take turns.
pub(crate) async fn put(tx: &mut Tx, v: &NewVerdict) -> Result<(VerdictRow, bool)> {
    let number = next_number(tx, &v.project).await?;
    let old = of(tx, &v.project, &v.sha256).await?;
    let person = v.origin == "person";
    if let Some(old) = &old
        && settled(old)
        && !person
    {
        return Ok((old.clone(), false));
    }
    // Where all act already, they are not called back.
    let all = v.act_all || old.is_some_and(|o| !o.withdrawn && o.act == "all");
    let row = VerdictRow {
        project: v.project.clone(),
        sha256: v.sha256.clone(),
        number,
        class: v.class.clone(),
        family: v.family.clone(),
        confidence: v.confidence,
        rating: v.rating.clone(),
        verdict: v.verdict.clone(),
        origin: v.origin.clone(),
        who: v.who.clone(),
        why: v.why.clone(),
        at_ms: v.now_ms,
        act: if all { "all" } else { "canary" }.to_owned(),
        release_ms: v.release_ms,
        ..VerdictRow::default()
    };
    write(tx, &row).await?;
    let file = (v.project.as_str(), v.sha256.as_slice());
    standing::ensure(tx, file, (0, "", ""), v.now_ms).await?;
    if person {
        standing::by_person(tx, file, "bad", v.now_ms).await?;
    } else {
        standing::by_machine(tx, file, "bad", v.now_ms).await?;
    }
    Ok((row, true))
}

/// Withdraws the verdict that a machine put, if that holds still: a later scan says otherwise.
pub(super) async fn withdraw_machine(
    tx: &mut Tx,
    (project, sha256): (&str, &[u8]),
    why: &str,
    now_ms: i64,
) -> Result<Option<VerdictRow>> {
    match of(tx, project, sha256).await? {
        Some(v) if !v.withdrawn && v.origin == "deep_scan" => {}
        _ => return Ok(None),
    }
    let number = next_number(tx, project).await?;
    let Some(old) = of(tx, project, sha256).await? else { return Ok(None) };
    if old.withdrawn || old.origin != "deep_scan" {
        return Ok(None);
    }
    let row = VerdictRow {
        number,
        withdrawn: true,
        withdrawn_by: String::new(),
        withdrawn_why: why.to_owned(),
        withdrawn_ms: now_ms,
        ..old
    };
    write(tx, &row).await?;
    Ok(Some(row))
}

/// Withdraws a verdict: see [`Store::withdraw_verdict`]. False: it stays as it is.
pub(crate) async fn withdraw(
    tx: &mut Tx,
    (project, sha256): (&str, &[u8]),
    (who, why): (&str, &str),
    now_ms: i64,
) -> Result<(VerdictRow, bool)> {
    let number = next_number(tx, project).await?;
    let old = of(tx, project, sha256).await?.ok_or_else(|| missing("verdict", sha256))?;
    let person = !who.is_empty();
    if (settled(&old) && !person) || (old.withdrawn && (settled(&old) || !person)) {
        return Ok((old, false));
    }
    let row = VerdictRow {
        number,
        withdrawn: true,
        withdrawn_by: who.to_owned(),
        withdrawn_why: why.to_owned(),
        withdrawn_ms: now_ms,
        ..old
    };
    write(tx, &row).await?;
    if person {
        standing::by_person(tx, (project, sha256), "clean", now_ms).await?;
    } else {
        standing::by_machine(tx, (project, sha256), "unknown", now_ms).await?;
    }
    Ok((row, true))
}

/// All hosts act: see [`Store::release_verdict`]. False: they do already.
pub(crate) async fn release(
    tx: &mut Tx,
    (project, sha256): (&str, &[u8]),
    who: &str,
    now_ms: i64,
) -> Result<(VerdictRow, bool)> {
    let number = next_number(tx, project).await?;
    let old = of(tx, project, sha256).await?.ok_or_else(|| missing("verdict", sha256))?;
    if old.withdrawn {
        return Err(StoreError::Conflict(format!(
            "the verdict on {} is withdrawn: put a new one",
            hex(sha256)
        )));
    }
    if old.act == "all" {
        return Ok((old, false));
    }
    let row =
        VerdictRow { number, act: "all".to_owned(), released_by: who.to_owned(), released_ms: now_ms, ..old };
    write(tx, &row).await?;
    Ok((row, true))
}

/// Whether a verdict holds.
pub(super) async fn holds(tx: &mut Tx, project: &str, sha256: &[u8]) -> Result<bool> {
    Ok(of(tx, project, sha256).await?.is_some_and(|v| !v.withdrawn))
}

impl Store {
    /// Puts a verdict on a file of a project: hosts refuse it, and isolate it as far as `act` goes. What a
    /// person said stays as it is when this is none's: then the row that is there is given.
    ///
    /// # Errors
    /// `Conflict` when the project does not exist; `BadRequest` for a hash that is none.
    pub async fn put_verdict(&self, v: &NewVerdict) -> Result<VerdictRow> {
        check_hash(&v.sha256)?;
        let mut tx = self.begin().await?;
        let (row, new) = put(&mut tx, v).await?;
        if new {
            self.commit(tx).await?;
            self.note_verdict(&v.project, &v.sha256);
        }
        Ok(row)
    }

    /// The verdict on a file of a project, also a withdrawn one.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn verdict(&self, project: &str, sha256: &[u8]) -> Result<VerdictRow> {
        check_hash(sha256)?;
        let mut select = Sql::built(format!("SELECT {VERDICT} FROM file_verdicts AS t WHERE t.project = "));
        select.arg(project);
        select.push(" AND t.sha256 = ");
        select.arg(sha256);
        let row = self.pools.one(select).await?.ok_or_else(|| missing("verdict", sha256))?;
        read_verdict(&mut row.fields())
    }

    /// Withdraws a verdict: hosts stop refusing the file. `who` is empty when no person does it; only a person
    /// withdraws what a person put. One that is withdrawn already stays as it is, but a person who does it again
    /// makes it final.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn withdraw_verdict(
        &self,
        project: &str,
        sha256: &[u8],
        who: &str,
        why: &str,
        now_ms: i64,
    ) -> Result<VerdictRow> {
        check_hash(sha256)?;
        let mut tx = self.begin().await?;
        let (row, new) = withdraw(&mut tx, (project, sha256), (who, why), now_ms).await?;
        if new {
            self.commit(tx).await?;
            self.note_verdict(project, sha256);
        }
        Ok(row)
    }

    /// All hosts isolate and kill from now on, since a person says so.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when it is withdrawn.
    pub async fn release_verdict(
        &self,
        project: &str,
        sha256: &[u8],
        who: &str,
        now_ms: i64,
    ) -> Result<VerdictRow> {
        check_hash(sha256)?;
        let mut tx = self.begin().await?;
        let (row, new) = release(&mut tx, (project, sha256), who, now_ms).await?;
        if new {
            self.commit(tx).await?;
            self.note_verdict(project, sha256);
        }
        Ok(row)
    }

    /// Releases the verdicts whose time has come, at most 1000 with one call; project and file of each.
    ///
    /// # Errors
    /// Of the database.
    pub async fn release_due(&self, now_ms: i64) -> Result<Vec<(String, Vec<u8>)>> {
        let select = sql("SELECT project, sha256 FROM file_verdicts WHERE act = 'canary' AND NOT withdrawn \
             AND release_ms > 0 AND release_ms <= $1 ORDER BY release_ms, project, sha256 LIMIT 1000")
        .bind(now_ms);
        let mut out = Vec::new();
        for row in self.pools.all(select).await? {
            let mut f = row.fields();
            let (project, sha256) = (f.text()?, f.bytes()?);
            let mut tx = self.begin().await?;
            let number = next_number(&mut tx, &project).await?;
            let update = sql("UPDATE file_verdicts SET act = 'all', number = $3, released_ms = $4 \
                 WHERE project = $1 AND sha256 = $2 AND act = 'canary' AND NOT withdrawn \
                 AND release_ms > 0 AND release_ms <= $4")
            .bind(&project)
            .bind(&sha256)
            .bind(number)
            .bind(now_ms);
            // Another worker may have been first.
            if tx.run(update).await? > 0 {
                self.commit(tx).await?;
                self.note_verdict(&project, &sha256);
                out.push((project, sha256));
            }
        }
        Ok(out)
    }

    pub(crate) fn note_verdict(&self, project: &str, sha256: &[u8]) {
        let id = hex(sha256);
        self.note_change(project, ChangeKind::Verdict, &id);
        self.note_change(project, ChangeKind::File, &id);
    }

    pub(super) fn note_file(&self, project: &str, sha256: &[u8]) {
        self.note_change(project, ChangeKind::File, &hex(sha256));
    }
}
