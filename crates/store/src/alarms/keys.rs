// SPDX-License-Identifier: Apache-2.0
//! The places of one page, newest first, by the way that was found.

use super::filter::{Asked, Part, json};
use super::way::{Plan, Way};
use crate::db::conn::Pools;
use crate::db::sql::{Filter, Sql, sql};
use crate::error::Result;
use std::collections::BTreeMap;

/// More values than that are not merged.
const BRANCHES: usize = 1000;

/// At most `limit` places before the first and not before the second of `within`, newest first; and, for who
/// `counts`, how many there are within, where finding the first of them found all.
pub(super) async fn places(
    pools: &Pools,
    asked: &Asked,
    plan: Plan,
    within: (Option<i64>, Option<i64>),
    limit: usize,
    counts: bool,
) -> Result<(Vec<i64>, Option<u64>)> {
    let way = plan.way;
    match way {
        Way::Merge(part) if matches!(part, Part::Kinds | Part::Hosts) && asked.branches(part) <= BRANCHES => {
            Ok((merged(pools, asked, part, within, limit).await?, None))
        }
        Way::Merge(part) if asked.needle(part).is_some() => {
            let mut all = by_text(asked, part, within, "pos");
            if plan.bounded && counts {
                return counted(pools, all, limit).await;
            }
            all.push(" ORDER BY found.rowid DESC LIMIT ");
            all.arg(i64::try_from(limit).unwrap_or(i64::MAX));
            Ok((read(pools, all).await?, None))
        }
        Way::Whole(part) => {
            let mut w = asked.filter(Some(part));
            asked.answer(part, &mut w);
            bound(&mut w, "pos", within);
            counted(pools, w.select("pos", asked.from(Some(part))), limit).await
        }
        Way::Merge(_) | Way::Dense(_) | Way::Time => {
            let part = if way == Way::Merge(Part::File) { Some(Part::File) } else { None };
            let mut w = asked.filter(part);
            bound(&mut w, "pos", within);
            let mut all = w.select("pos", asked.from(part));
            if plan.bounded && counts {
                return counted(pools, all, limit).await;
            }
            if asked.postgres && part.is_none() {
                all = in_order(asked, within);
            }
            last(&mut all, limit);
            Ok((read(pools, all).await?, None))
        }
    }
}

/// PostgreSQL takes what it cannot estimate for rare, and would rather sort a whole table than meet what is common
/// in the list's order: it is given that order.
fn in_order(asked: &Asked, within: (Option<i64>, Option<i64>)) -> Sql {
    let mut w = asked.window();
    bound(&mut w, "pos", within);
    let mut inner = w.select("*", "alarms");
    inner.push(" ORDER BY pos DESC OFFSET 0");
    let mut all = Sql::built(format!("SELECT pos FROM ({}) AS newest WHERE ", inner.text));
    all.args = inner.args;
    asked.filter(None).append_to(&mut all);
    all
}

/// The newest of what is read to its end, and how many that was.
async fn counted(pools: &Pools, inner: Sql, limit: usize) -> Result<(Vec<i64>, Option<u64>)> {
    // PostgreSQL would rather walk the list in its order until a page is full.
    let fence = if pools.is_postgres() { " OFFSET 0" } else { "" };
    let mut all = Sql::built(format!("SELECT pos, count(*) OVER () FROM ({}{fence}) AS found", inner.text));
    all.args = inner.args;
    last(&mut all, limit);
    let (mut keys, mut total) = (Vec::new(), 0);
    for row in pools.all(all).await? {
        let mut f = row.fields();
        keys.push(f.int()?);
        total = f.count()?;
    }
    Ok((keys, Some(total)))
}

fn bound(w: &mut Filter, column: &str, (before, end): (Option<i64>, Option<i64>)) {
    if let Some(pos) = before {
        w.value(&format!("{column} <"), pos);
    }
    if let Some(pos) = end {
        w.value(&format!("{column} >="), pos);
    }
}

fn last(sql: &mut Sql, limit: usize) {
    sql.push(" ORDER BY pos DESC LIMIT ");
    sql.arg(i64::try_from(limit).unwrap_or(i64::MAX));
}

async fn read(pools: &Pools, sql: Sql) -> Result<Vec<i64>> {
    pools.all(sql).await?.iter().map(|r| r.fields().int()).collect()
}

/// SQLite: the index of a text gives the newest first by itself, and none that is not asked for.
pub(super) fn by_text(asked: &Asked, part: Part, within: (Option<i64>, Option<i64>), columns: &str) -> Sql {
    let (table, grams) =
        asked.needle(part).map_or(("alarm_texts", ""), |n| (n.table, n.grams.as_deref().unwrap_or_default()));
    let mut all = Sql::built(format!(
        "SELECT {columns} FROM {table} AS found CROSS JOIN alarms ON pos = found.rowid WHERE found.{table} MATCH "
    ));
    all.arg(grams);
    let mut places = Filter::new();
    bound(&mut places, "found.rowid", within);
    asked.places(&mut places, "found.rowid");
    all.push(" AND ");
    places.append_to(&mut all);
    all.push(" AND ");
    asked.filter(Some(part)).append_to(&mut all);
    all
}

/// From each value the newest; more of those that gave all they were asked for, until none can have one
/// that belongs on the page.
async fn merged(
    pools: &Pools,
    asked: &Asked,
    part: Part,
    within: (Option<i64>, Option<i64>),
    limit: usize,
) -> Result<Vec<i64>> {
    let branches = asked.branches(part);
    if branches == 0 {
        return Ok(Vec::new());
    }
    let mut each = limit.min((4 * limit / branches + 8).max(8));
    loop {
        let mut found: BTreeMap<i64, i64> = BTreeMap::new();
        let mut of: BTreeMap<i64, (usize, i64)> = BTreeMap::new();
        for row in pools.all(lateral(asked, part, within, each)).await? {
            let mut f = row.fields();
            let (branch, pos) = (f.int()?, f.int()?);
            found.insert(pos, branch);
            let (n, least) = of.entry(branch).or_insert((0, i64::MAX));
            (*n, *least) = (*n + 1, (*least).min(pos));
        }
        let keys: Vec<i64> = found.keys().rev().take(limit).copied().collect();
        let end = if keys.len() < limit { i64::MIN } else { keys.last().copied().unwrap_or(i64::MIN) };
        if each >= limit || !of.values().any(|(n, least)| *n >= each && *least > end) {
            return Ok(keys);
        }
        each = limit.min(each * 4);
    }
}

/// Number of the value, and the places that it has.
fn lateral(asked: &Asked, part: Part, within: (Option<i64>, Option<i64>), each: usize) -> Sql {
    let mut w = asked.filter(Some(part));
    bound(&mut w, "pos", within);
    let column = if part == Part::Kinds { "kind" } else { "host" };
    let kinds = asked.kinds.as_deref().unwrap_or_default();
    let hosts = asked.hosts.as_ref().and_then(|h| h.ids.as_deref()).unwrap_or_default();
    let list = if part == Part::Kinds {
        crate::db::value::Value::from(format!(
            "[{}]",
            kinds.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
        ))
    } else {
        json(hosts)
    };
    let each = i64::try_from(each).unwrap_or(i64::MAX);
    let mut all = if asked.postgres {
        let value = if part == Part::Kinds { "CAST(v.value AS BIGINT)" } else { "v.value" };
        let mut all = sql("SELECT v.n, t.pos FROM json_array_elements_text(CAST($1 AS JSON)) \
             WITH ORDINALITY AS v (value, n) CROSS JOIN LATERAL (SELECT pos FROM alarms WHERE ")
        .bind(list);
        all.push(&format!("{column} = {value} AND "));
        all
    } else {
        let mut all = sql("SELECT v.key, a.pos FROM json_each($1) AS v CROSS JOIN alarms AS a \
             WHERE a.pos IN (SELECT pos FROM ")
        .bind(list);
        all.push(&format!("{} WHERE {column} = v.value AND ", asked.from(Some(part))));
        all
    };
    w.append_to(&mut all);
    all.push(" ORDER BY pos DESC LIMIT ");
    all.arg(each);
    all.push(if asked.postgres { ") AS t" } else { ")" });
    all
}
