// SPDX-License-Identifier: Apache-2.0
//! What a list of alarms is asked for, part by part: each can be the index that is read, or a condition on
//! what another index gives.

use super::place;
use super::texts::{self, Needle};
use crate::db::sql::{Filter, Sql};
use crate::db::value::Value;
use crate::error::Result;
use crate::{AlarmFilter, COUNT_CAP, Scope, Store};

/// So many hosts are read one after the other; more are only compared.
pub(super) const HOSTS: usize = 1000;
/// So many values stand in a statement themselves.
const FEW: usize = 16;

/// A part of what is asked, as an index answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Ids,
    File,
    Hosts,
    Kinds,
    Text,
    Container,
}

/// Hosts by what they are.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    scope: Scope,
    host: String,
    group: String,
    name: String,
    importance: String,
    address: String,
    /// Not more than [`HOSTS`].
    pub(super) ids: Option<Vec<String>>,
}

impl Hosts {
    fn conditions(&self, h: &mut Filter) {
        h.scope("project", &self.scope);
        h.exact("id", &self.host);
        h.exact("host_group", &self.group);
        h.contains("name_search", &self.name);
        h.exact("importance", &self.importance);
        h.contains_word("addresses", &self.address);
    }
}

/// All parts.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) postgres: bool,
    /// `None`: all that are not suppressed.
    pub(super) kinds: Option<Vec<i64>>,
    pub(super) hosts: Option<Hosts>,
    pub(super) sha256: Vec<u8>,
    pub(super) ids: Vec<String>,
    pub(super) text: Option<Needle>,
    pub(super) container: Option<Needle>,
    since_ms: Option<i64>,
    until_ms: Option<i64>,
}

impl Store {
    pub(super) async fn asked(&self, scope: &Scope, a: &AlarmFilter) -> Result<Asked> {
        let postgres = self.pools.is_postgres();
        let (mut text, mut container) =
            (Needle::text(&a.text, postgres), Needle::container(&a.container, postgres));
        for needle in [&mut text, &mut container].into_iter().flatten() {
            texts::rarest(&self.pools, needle).await?;
        }
        Ok(Asked {
            postgres,
            kinds: self.kinds(scope, a).await?,
            hosts: self.hosts_like(scope, a).await?,
            sha256: a.sha256.clone(),
            ids: a.ids.clone(),
            text,
            container,
            since_ms: a.since_ms,
            until_ms: a.until_ms,
        })
    }

    async fn hosts_like(&self, scope: &Scope, a: &AlarmFilter) -> Result<Option<Hosts>> {
        let looked_up = !(a.group.is_empty()
            && a.host_name.is_empty()
            && a.importance.is_empty()
            && a.address.is_empty());
        if !looked_up && a.host.is_empty() {
            return Ok(None);
        }
        let mut hosts = Hosts {
            scope: scope.clone(),
            host: a.host.clone(),
            group: a.group.clone(),
            name: a.host_name.clone(),
            importance: a.importance.clone(),
            address: a.address.clone(),
            ids: None,
        };
        if looked_up {
            let mut like = Filter::new();
            hosts.conditions(&mut like);
            let mut select = like.select("id", "hosts");
            select.push(" LIMIT ");
            select.arg(HOSTS as i64 + 1);
            let rows = self.pools.all(select).await?;
            if rows.len() <= HOSTS {
                hosts.ids = Some(rows.iter().map(|r| r.fields().text()).collect::<Result<_>>()?);
            }
        } else {
            // Also one whose row is gone.
            hosts.ids = Some(vec![a.host.clone()]);
        }
        Ok(Some(hosts))
    }
}

impl Asked {
    /// All as conditions, but those that the index `by` answers already. What is compared stands as an
    /// expression, so that no planner takes its index instead.
    pub(super) fn filter(&self, by: Option<Part>) -> Filter {
        let answered = |part| !self.postgres || by == Some(part);
        self.conditions(by, [Part::Text, Part::Container].map(|p| if answered(p) { "" } else { " || ''" }))
    }

    fn conditions(&self, by: Option<Part>, behind: [&str; 2]) -> Filter {
        let mut w = Filter::new();
        if by != Some(Part::Kinds) {
            match &self.kinds {
                None => w.and("(kind & 1) = 0"),
                Some(kinds) => w.numbers(self.postgres, "(kind + 0)", kinds),
            }
        }
        if by != Some(Part::Hosts)
            && let Some(hosts) = &self.hosts
        {
            match &hosts.ids {
                Some(ids) if ids.is_empty() => w.and("FALSE"),
                Some(ids) if ids.len() <= FEW => w.any("host || ''", ids.iter()),
                _ => w.host_where("host || ''", |h| hosts.conditions(h)),
            }
        }
        if !self.sha256.is_empty() {
            w.and("length(sha256) > 0");
            w.value(if by == Some(Part::File) { "sha256 =" } else { "sha256 || '' =" }, &self.sha256);
        }
        w.any("id", self.ids.iter());
        for (needle, behind) in [&self.text, &self.container].into_iter().zip(behind) {
            if let Some(needle) = needle {
                needle.condition(&mut w, behind);
            }
        }
        self.in_window(&mut w);
        w
    }

    /// The window of time alone.
    pub(super) fn window(&self) -> Filter {
        let mut w = Filter::new();
        self.in_window(&mut w);
        w
    }

    /// The same for the places in an index of texts.
    pub(super) fn places(&self, w: &mut Filter, column: &str) {
        for (ms, than) in [(self.since_ms, ">="), (self.until_ms, "<")] {
            if let Some(ms) = ms.filter(|ms| place::tells(*ms)) {
                w.value(&format!("{column} {than}"), place::begin_of(ms));
            }
        }
    }

    fn in_window(&self, w: &mut Filter) {
        if let Some(ms) = self.since_ms {
            w.value("pos >=", place::begin_of(ms));
            if !place::tells(ms) {
                w.value("last_ms >=", ms);
            }
        }
        if let Some(ms) = self.until_ms {
            if place::tells(ms) {
                w.value("pos <", place::begin_of(ms));
            } else {
                w.value("last_ms <", ms);
            }
        }
    }

    /// All as conditions, for what is not a page.
    pub(super) fn whole(&self) -> Filter {
        let one_host = self.hosts.as_ref().and_then(|h| h.ids.as_deref()).filter(|ids| ids.len() <= FEW);
        let by = if self.sha256.is_empty() && self.ids.is_empty() {
            one_host.map(|_| Part::Hosts)
        } else {
            Some(Part::File)
        };
        // PostgreSQL knows by its statistics whether the texts' index pays.
        let mut w = self.conditions(by, [""; 2]);
        match one_host {
            Some(ids) if by == Some(Part::Hosts) && !ids.is_empty() => w.any("host", ids.iter()),
            Some(_) if by == Some(Part::Hosts) => w.and("FALSE"),
            _ => {}
        }
        if !self.postgres {
            for needle in [&self.text, &self.container].into_iter().flatten() {
                let_index(&mut w, needle);
            }
        }
        w
    }

    /// The part's values, each of which has its alarms in order.
    pub(super) fn branches(&self, part: Part) -> usize {
        match part {
            Part::Kinds => self.kinds.as_ref().map_or(usize::MAX, Vec::len),
            Part::Hosts => self.hosts.as_ref().and_then(|h| h.ids.as_ref()).map_or(usize::MAX, Vec::len),
            _ => 1,
        }
    }

    /// Those parts that have an index, the narrowest first as far as anybody knows.
    pub(super) fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        if !self.ids.is_empty() {
            return vec![Part::Ids];
        }
        if !self.sha256.is_empty() {
            parts.push(Part::File);
        }
        if self.branches(Part::Hosts) <= HOSTS {
            parts.push(Part::Hosts);
        }
        for (part, needle) in [(Part::Container, &self.container), (Part::Text, &self.text)] {
            if needle.as_ref().is_some_and(|n| n.grams.is_some()) {
                parts.push(part);
            }
        }
        if self.kinds.is_some() {
            parts.push(Part::Kinds);
        }
        parts
    }

    /// Nothing but kinds and a window of time.
    pub(super) fn only_kinds(&self) -> bool {
        self.hosts.is_none() && self.no_content()
    }

    /// Nothing but hosts and a window of time.
    pub(super) fn only_hosts(&self) -> bool {
        self.kinds.is_none() && self.no_content()
    }

    fn no_content(&self) -> bool {
        self.sha256.is_empty() && self.ids.is_empty() && self.text.is_none() && self.container.is_none()
    }

    /// Those of the kinds, for a count. PostgreSQL takes the newest of each: it looks at the rows themselves, and
    /// those are the ones that lie in memory.
    pub(super) fn of_kinds(&self) -> Sql {
        let mut window = self.window();
        if !self.postgres {
            self.answer(Part::Kinds, &mut window);
            return window.select("1", self.from(Some(Part::Kinds)));
        }
        let kinds: Vec<String> = self.kinds.iter().flatten().map(i64::to_string).collect();
        let mut all = Sql::built(format!(
            "SELECT 1 FROM unnest('{{{}}}'::BIGINT[]) AS v (kind) CROSS JOIN LATERAL (SELECT 1 FROM alarms AS a WHERE \
             a.kind = v.kind AND ",
            kinds.join(",")
        ));
        window.append_to(&mut all);
        all.push(&format!(" ORDER BY a.pos DESC LIMIT {COUNT_CAP}) AS t"));
        all
    }

    /// A text that is common, or that no index knows, beside other conditions: how far one must look for
    /// both nobody knows, so only so many are looked through for a page.
    pub(super) fn looks_through(&self) -> bool {
        let texts = usize::from(self.text.is_some()) + usize::from(self.container.is_some());
        let others = !self.sha256.is_empty() || self.hosts.is_some() || self.kinds.is_some();
        self.unindexed() || texts == 2 || (texts == 1 && others)
    }

    /// A text for which there is no index.
    pub(super) fn unindexed(&self) -> bool {
        [&self.text, &self.container].into_iter().flatten().any(|n| n.grams.is_none())
    }

    pub(super) fn needle(&self, part: Part) -> Option<&Needle> {
        match part {
            Part::Text => self.text.as_ref(),
            Part::Container => self.container.as_ref(),
            _ => None,
        }
    }

    /// The condition that an index answers, with the columns as they are.
    pub(super) fn answer(&self, part: Part, w: &mut Filter) {
        match part {
            Part::Kinds => w.numbers(self.postgres, "kind", self.kinds.as_deref().unwrap_or_default()),
            Part::Hosts => {
                let ids = self.hosts.as_ref().and_then(|h| h.ids.as_deref()).unwrap_or_default();
                if self.postgres {
                    w.value("host = ANY(ARRAY(SELECT json_array_elements_text(CAST(", json(ids));
                    w.append(" AS JSON))))");
                } else {
                    w.value("host IN (SELECT value FROM json_each(", json(ids));
                    w.append("))");
                }
            }
            Part::Text | Part::Container if !self.postgres => {
                if let Some(needle) = self.needle(part) {
                    let_index(w, needle);
                }
            }
            // Their conditions stand in the filter as they are.
            Part::Ids | Part::File | Part::Text | Part::Container => {}
        }
    }

    /// SQLite has no statistics to find the index by: it is told.
    pub(super) fn from(&self, part: Option<Part>) -> &'static str {
        match part {
            Some(Part::Kinds) if !self.postgres => "alarms INDEXED BY alarms_by_kind",
            Some(Part::Hosts) if !self.postgres => "alarms INDEXED BY alarms_of_host",
            Some(Part::File) if !self.postgres => "alarms INDEXED BY alarms_by_file",
            _ => "alarms",
        }
    }
}

/// Words, as a list that goes into a statement as one parameter.
pub(super) fn json(words: &[String]) -> Value {
    Value::from(serde_json::Value::from(words).to_string())
}

fn let_index(w: &mut Filter, needle: &Needle) {
    if let Some(grams) = &needle.grams {
        w.value(
            &format!("pos IN (SELECT rowid FROM {table} WHERE {table} MATCH", table = needle.table),
            grams.as_str(),
        );
        w.append(")");
    }
}
