// SPDX-License-Identifier: Apache-2.0
//! What alarms have in common: a facet, with a number of its own. With the two bits that change (dealt
//! with, suppressed) it is an alarm's kind. There are few facets, so that a list's conditions become a few
//! kinds, of which each has its alarms in order.

use super::place::Places;
use crate::db::conn::Tx;
use crate::db::sql::{Filter, sql};
use crate::error::{Result, StoreError};
use crate::{AlarmFilter, AlarmRow, Scope, Store};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

/// More facets than that are not kept in memory: a host that makes up projects cannot exist.
const KEPT: usize = 100_000;

const COLUMNS: &str =
    "project, severity, class, rating, auto_block, test, attack_tag, attack_phase, technique, in_container";
/// Those that the alarms have under the same names.
const SHARED: &str = "severity, class, rating, auto_block, test, attack_tag, attack_phase, technique";
/// What the last one follows from. So "of a container or not" is answered exactly and by the index of the kinds,
/// whichever of the two is the rare one.
const IN_CONTAINER: &str = "alarms.container <> ''";

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Facet {
    project: String,
    severity: i64,
    class: String,
    rating: String,
    auto_block: bool,
    test: bool,
    attack_tag: String,
    attack_phase: String,
    technique: String,
    in_container: bool,
}

impl Facet {
    pub(super) fn of(a: &AlarmRow, project: &str) -> Self {
        Self {
            project: project.to_owned(),
            severity: a.severity,
            class: a.class.clone(),
            rating: a.rating.clone(),
            auto_block: a.auto_block,
            test: a.test,
            attack_tag: a.attack_tag.clone(),
            attack_phase: a.attack_phase.clone(),
            technique: a.technique.clone(),
            in_container: !a.container.is_empty(),
        }
    }

    fn values(&self) -> [crate::db::value::Value; 10] {
        [
            (&self.project).into(),
            self.severity.into(),
            (&self.class).into(),
            (&self.rating).into(),
            self.auto_block.into(),
            self.test.into(),
            (&self.attack_tag).into(),
            (&self.attack_phase).into(),
            (&self.technique).into(),
            self.in_container.into(),
        ]
    }
}

/// Numbers that were learned in a transaction; known once it is committed.
pub(crate) type Learned = Vec<(Facet, i64)>;

/// What writing alarms needs besides the database.
#[derive(Debug)]
pub(crate) struct Marks {
    pub(super) places: Places,
    known: Mutex<HashMap<Facet, i64>>,
}

impl Marks {
    pub(crate) fn new() -> Self {
        Self { places: Places::new(), known: Mutex::default() }
    }

    /// After the commit.
    pub(crate) fn remember(&self, learned: Learned) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < KEPT {
            known.extend(learned);
        }
    }

    /// The numbers of these, and those that are new to this process.
    pub(super) async fn numbers(
        &self,
        tx: &mut Tx,
        asked: BTreeSet<Facet>,
    ) -> Result<(HashMap<Facet, i64>, Learned)> {
        let mut numbers = HashMap::new();
        let mut missing = Vec::new();
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            for facet in asked {
                match known.get(&facet) {
                    Some(n) => drop(numbers.insert(facet, *n)),
                    None => missing.push(facet),
                }
            }
        }
        let mut learned = Learned::new();
        // In order: two gateways that meet the same ones do not wait for each other in a circle.
        for facet in missing {
            let mut select = sql("");
            select.push(&format!("SELECT id FROM alarm_facets WHERE ({COLUMNS}) = "));
            select.list(facet.values());
            let mut found = tx.one(select.clone()).await?;
            if found.is_none() {
                let mut insert = sql("");
                insert.push(&format!("INSERT INTO alarm_facets ({COLUMNS}) VALUES "));
                insert.list(facet.values());
                insert.push(" ON CONFLICT DO NOTHING");
                tx.run(insert).await?;
                found = tx.one(select).await?;
            }
            let row = found.ok_or_else(|| {
                StoreError::Unavailable("another server writes the same kind of alarm: ask again".into())
            })?;
            let n = row.fields().int()?;
            learned.push((facet.clone(), n));
            numbers.insert(facet, n);
        }
        Ok((numbers, learned))
    }
}

/// Alarms of these hosts go to another project, and so do their facets.
pub(crate) async fn change_project(tx: &mut Tx, hosts: &[String], project: &str) -> Result<()> {
    let mut insert = sql("");
    insert.push(&format!("INSERT INTO alarm_facets ({COLUMNS}) SELECT DISTINCT CAST("));
    insert.arg(project);
    insert.push(&format!(" AS TEXT), {SHARED}, {IN_CONTAINER} FROM alarms WHERE project <> "));
    insert.arg(project);
    insert.push(" AND host IN ");
    insert.list(hosts);
    insert.push(&format!(" ORDER BY {SHARED}, {IN_CONTAINER} ON CONFLICT DO NOTHING"));
    tx.run(insert).await?;
    let mut same: Vec<_> = SHARED.split(", ").map(|c| format!("f.{c} = alarms.{c}")).collect();
    same.push(format!("f.in_container = ({IN_CONTAINER})"));
    let mut update = sql("UPDATE alarms SET project = $1, facet = (SELECT f.id FROM alarm_facets AS f \
         WHERE f.project = $1 AND ")
    .bind(project);
    update.push(&format!("{}) WHERE project <> $1 AND host IN ", same.join(" AND ")));
    update.list(hosts);
    tx.run(update).await?;
    Ok(())
}

/// Whether a filter says something about the facet or its two bits, beyond "not suppressed".
fn concerns(scope: &Scope, a: &AlarmFilter) -> bool {
    *scope != Scope::All
        || a.suppressed
        || a.handled.is_some()
        || a.auto_block.is_some()
        || a.test.is_some()
        || a.in_container.is_some()
        || !(a.severities.is_empty() && a.classes.is_empty() && a.ratings.is_empty())
        || !(a.attack_tag.is_empty() && a.attack_phase.is_empty() && a.technique.is_empty())
}

impl Store {
    /// The kinds that a filter lets through; `None`: all that are not suppressed.
    pub(super) async fn kinds(&self, scope: &Scope, a: &AlarmFilter) -> Result<Option<Vec<i64>>> {
        let mut a = Cow::Borrowed(a);
        if !a.container.is_empty() && a.in_container.is_some() {
            // A part of a container's name says it already, or nothing can be meant. Without it the list of a common
            // part has no condition beside it, and need not be looked through.
            if a.in_container == Some(false) {
                return Ok(Some(Vec::new()));
            }
            a.to_mut().in_container = None;
        }
        if !concerns(scope, &a) {
            return Ok(None);
        }
        let mut w = Filter::new();
        w.scope("project", scope);
        w.any("severity", a.severities.iter().copied());
        w.any("class", a.classes.iter());
        w.any("rating", a.ratings.iter());
        w.exact("attack_tag", &a.attack_tag);
        w.exact("attack_phase", &a.attack_phase);
        let flags = [("auto_block", a.auto_block), ("test", a.test), ("in_container", a.in_container)];
        for (column, wanted) in flags {
            match wanted {
                Some(true) => w.and(column),
                Some(false) => w.and(&format!("NOT {column}")),
                None => {}
            }
        }
        if !a.technique.is_empty() {
            // A technique with those below it: T1059 and T1059.004.
            let upper = a.technique.to_ascii_uppercase();
            w.and("(technique =");
            w.value_here(upper.as_str());
            w.or("technique >=", format!("{upper}."));
            w.value("technique <", format!("{upper}/"));
            w.close();
        }
        let mut select = w.select("id", "alarm_facets");
        select.push(" ORDER BY id");
        let mut kinds = Vec::new();
        for row in self.pools.all(select).await? {
            let base = row.fields().int()? * 4 + i64::from(a.suppressed);
            if a.handled != Some(true) {
                kinds.push(base);
            }
            if a.handled != Some(false) {
                kinds.push(base + 2);
            }
        }
        Ok(Some(kinds))
    }
}
