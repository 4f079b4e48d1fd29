// SPDX-License-Identifier: Apache-2.0
//! Which index a list is read by. Neither planner can know: SQLite has no statistics, and PostgreSQL's say
//! nothing about what came an hour ago or about two conditions at once. So what each index would give is
//! counted, up to a bound that costs a few milliseconds.

use super::filter::{Asked, HOSTS, Part};
use super::texts::Needle;
use crate::COUNT_CAP;
use crate::db::conn::Pools;
use crate::db::sql::{Filter, Sql};
use crate::error::Result;

/// What an index gives is counted up to here; less is read whole.
pub(super) const SMALL: u64 = 20_000;
/// With so few nothing narrower is looked for.
const ENOUGH: u64 = 2_000;
/// The newest alarms tell how common a text is, where an index cannot be asked, and how common all is together.
const SAMPLE: u64 = 5_000;
/// From each of so many values the newest cost less than anything else that could be found out.
const FEW: usize = 64;

/// How a list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// All that this index gives, then sorted.
    Whole(Part),
    /// In the order of the list, from each value of this part.
    Merge(Part),
    /// In the order of the list, everything: much of it is asked for. How many there are this index says.
    Dense(Part),
    /// In the order of the list, everything.
    Time,
}

/// What was found out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) way: Way,
    /// How many its index gives, up to [`SMALL`].
    pub(super) size: u64,
    /// How far one must look nobody knows, so only so many are looked through for a page.
    pub(super) bounded: bool,
}

/// The way for what is asked.
pub(super) async fn find(pools: &Pools, asked: &Asked) -> Result<Plan> {
    let (way, size) = cheapest(pools, asked).await?;
    // Common words are not yet a common text.
    let bounded =
        asked.looks_through() || (asked.postgres && way == Way::Time && is_rare(pools, asked).await?);
    Ok(Plan { way, size, bounded })
}

/// A text that PostgreSQL's index is no help with, and that is rare all the same.
async fn is_rare(pools: &Pools, asked: &Asked) -> Result<bool> {
    for needle in [&asked.text, &asked.container].into_iter().flatten() {
        let mut w = Filter::new();
        needle.condition(&mut w, "");
        if newest(pools, &w).await? < SAMPLE / 10 {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn cheapest(pools: &Pools, asked: &Asked) -> Result<(Way, u64)> {
    if asked.only_hosts()
        && (FEW + 1..=HOSTS).contains(&asked.branches(Part::Hosts))
        && dense(pools, asked).await?
    {
        // To count what hosts of half a fleet have would take longer than the page.
        return Ok((Way::Dense(Part::Hosts), SMALL));
    }
    let mut best: Option<(Part, u64)> = None;
    let mut common = Vec::new();
    for part in asked.parts() {
        let n = size(pools, asked, part).await?;
        if n >= SMALL {
            common.push(part);
        } else if best.is_none_or(|(_, least)| n < least) {
            best = Some((part, n));
        }
        if best.is_some_and(|(_, n)| n <= ENOUGH) {
            break;
        }
    }
    if let Some((part, n)) = best {
        return Ok((Way::Whole(part), n));
    }
    let ordered = |p: &Part| match p {
        // PostgreSQL's has no order.
        Part::Text | Part::Container => !asked.postgres,
        _ => true,
    };
    if asked.postgres && common.iter().any(|p| !ordered(p)) {
        return Ok((Way::Time, SMALL));
    }
    common.retain(ordered);
    // A text's index gives what the text itself need only be compared with; then the fewest values.
    common.sort_by_key(|p| (asked.needle(*p).is_none(), asked.branches(*p)));
    let Some(part) = common.first().copied() else {
        return Ok((Way::Time, SMALL));
    };
    if asked.needle(part).is_none() && asked.branches(part) > FEW && dense(pools, asked).await? {
        return Ok((Way::Dense(part), SMALL));
    }
    Ok((Way::Merge(part), SMALL))
}

/// One in ten of the newest is asked for: a page of them is found among the newest few hundred.
async fn dense(pools: &Pools, asked: &Asked) -> Result<bool> {
    let mut sql = Sql::built(
        "SELECT 1 FROM (SELECT id, pos, last_ms, kind, host, sha256, search, container_search FROM alarms WHERE "
            .to_owned(),
    );
    asked.window().append_to(&mut sql);
    sql.push(&format!(" ORDER BY pos DESC LIMIT {SAMPLE}) AS newest WHERE "));
    asked.filter(None).append_to(&mut sql);
    Ok(counted(pools, sql, SAMPLE / 10).await? >= SAMPLE / 10)
}

async fn size(pools: &Pools, asked: &Asked, part: Part) -> Result<u64> {
    let inner = match asked.needle(part) {
        None if part == Part::Kinds && asked.only_kinds() => {
            // Nobody asks for a larger number, and the page comes from the values' own order.
            let n = counted(pools, asked.of_kinds(), COUNT_CAP).await?;
            return Ok(if n >= COUNT_CAP { SMALL } else { n });
        }
        None => {
            let mut w = asked.window();
            if part == Part::Ids {
                return Ok(0);
            }
            if part == Part::File {
                w.and("length(sha256) > 0");
                w.value("sha256 =", &asked.sha256);
            }
            asked.answer(part, &mut w);
            w.select("1", asked.from(Some(part)))
        }
        Some(needle) if asked.postgres => return sampled(pools, needle).await,
        Some(needle) => {
            let mut w = Filter::new();
            w.value(&format!("{} MATCH", needle.table), needle.grams.as_deref().unwrap_or_default());
            asked.places(&mut w, "rowid");
            w.select("1", needle.table)
        }
    };
    counted(pools, inner, SMALL).await
}

/// PostgreSQL's index over texts must be read to its end to say anything, and knows words, not how they stand
/// together: words that one in ten of the newest has are common, and what is rarer is read by the index.
async fn sampled(pools: &Pools, needle: &Needle) -> Result<u64> {
    let mut w = Filter::new();
    needle.words(&mut w);
    let n = newest(pools, &w).await?;
    Ok(if n >= SAMPLE / 10 { SMALL } else { (n * 100).clamp(ENOUGH + 1, SMALL - 1) })
}

/// How many of the newest are so, up to one in ten of them.
async fn newest(pools: &Pools, texts: &Filter) -> Result<u64> {
    let sql = texts.select(
        "1",
        &format!("(SELECT search, container_search FROM alarms ORDER BY pos DESC LIMIT {SAMPLE}) AS newest"),
    );
    counted(pools, sql, SAMPLE / 10).await
}

/// How many rows, up to `cap`.
pub(super) async fn counted(pools: &Pools, inner: Sql, cap: u64) -> Result<u64> {
    let mut sql = Sql::built(format!("SELECT count(*) FROM ({} LIMIT {cap}) AS counted", inner.text));
    sql.args = inner.args;
    match pools.one(sql).await? {
        Some(row) => row.fields().count(),
        None => Ok(0),
    }
}
