// SPDX-License-Identifier: Apache-2.0
//! Brings one sample after another to the server. The server names where to go on, so that a sample goes on
//! after a broken session or a restart of either side; nothing is sent that was not asked for.

use super::copy::{Copy, NoCopy};
use super::place::{Asked, Place};
use crate::cloud::consent::{Consent, Kind};
use crate::log::{log, printable};
use lazaret_model::Sha256;
use lazaret_proto::v1;
use lazaret_state::{Database, SampleRow, SampleStanding, Sending, SentRetention, SentWhat, StateError};
use lazaret_vault::Reader;
use std::path::Path;
use std::time::{Duration, Instant};

/// Bytes of one part.
pub(super) const PART: usize = 256 << 10;
/// A server that says nothing about a part for this long is asked later.
const SILENT: Duration = Duration::from_secs(120);
/// Places of a content that are tried.
const PLACES: u32 = 16;
/// Parts that brought the server no further, one after the other, before it is left for later.
const STALLS: u32 = 8;
/// Put off by more than this, a sample lets others go first.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest pause that a server can ask for.
const MAX_PAUSE: Duration = Duration::from_secs(3_600);
/// Between two tries of a sample, by how often it was tried.
const AGAIN: [Duration; 5] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(600),
    Duration::from_secs(3_600),
];
/// Characters of what a server says about it.
const MAX_REASON: usize = 256;

/// What it works with, at one moment.
pub(super) struct Moment<'a> {
    pub(super) database: &'a Database,
    pub(super) consent: &'a Consent,
    /// Address of the server.
    pub(super) server: &'a str,
    /// Counts the sessions.
    pub(super) session: u64,
    /// Where copies are made.
    pub(super) folder: &'a Path,
    /// What people asked for, and where that is.
    pub(super) asked: &'a Asked,
    /// Of isolated files.
    pub(super) vault: Option<&'a Reader>,
    pub(super) now: Instant,
    pub(super) now_ms: i64,
}

/// What happened that people may want to hear of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    Stored { path: Vec<u8>, sha256: Sha256, size: u64 },
    Refused { path: Vec<u8>, sha256: Sha256, why: String },
}

/// The sample that is under way.
struct Current {
    sha256: Sha256,
    /// The one it is taken from; others that have the same content follow.
    places: Vec<Place>,
    tries: u32,
    copy: Option<Copy>,
    /// What the server has; `None`: it was not asked in this session.
    have: Option<u64>,
    /// A part is on its way since.
    asked: Option<Instant>,
    /// Not before.
    at: Instant,
    stalls: u32,
}

impl Current {
    fn size(&self) -> u64 {
        self.places.first().map_or(0, |p| p.size)
    }

    fn path(&self) -> &[u8] {
        self.places.first().map_or(&[], |p| &p.path)
    }
}

#[derive(Default)]
pub(super) struct Courier {
    current: Option<Current>,
    session: u64,
    pub(super) news: Vec<News>,
}

impl Courier {
    /// For `status`.
    pub(super) fn view(&self) -> Option<v1::CloudSample> {
        self.current.as_ref().map(|c| v1::CloudSample {
            sha256: c.sha256.0.to_vec(),
            path: c.path().to_vec(),
            size: c.size(),
            have: c.have.unwrap_or(0),
        })
    }

    /// Takes what the server said, and gives the next part when one is due.
    pub(super) fn step(
        &mut self,
        m: &Moment<'_>,
        heard: Vec<v1::SampleState>,
    ) -> Result<Option<v1::SamplePart>, StateError> {
        if self.session != m.session {
            self.session = m.session;
            if let Some(c) = &mut self.current {
                (c.have, c.asked, c.at) = (None, None, m.now);
            }
        }
        for state in heard {
            self.hear(m, &state)?;
        }
        if let Some(c) = &self.current
            && let Err(why) = self.still_allowed(m.consent)
        {
            let sha256 = c.sha256;
            self.current = None;
            m.database.sample_ended(&sha256, SampleStanding::Kept, &why, m.now_ms)?;
        }
        if self.current.is_none() {
            self.begin(m)?;
        }
        self.part(m)
    }

    fn still_allowed(&self, consent: &Consent) -> Result<(), String> {
        let Some(place) = self.current.as_ref().and_then(|c| c.places.first()) else { return Ok(()) };
        consent.may_send(Kind::from_word(&place.kind), place.size, &place.path)
    }

    /// The next one that may leave and that is here.
    fn begin(&mut self, m: &Moment<'_>) -> Result<(), StateError> {
        // Without consent the queue stays as it is: it may be given again.
        if !m.consent.samples {
            return Ok(());
        }
        while let Some(row) = m.database.next_sample(m.now_ms)? {
            match places(m, &row)? {
                Ok(places) => {
                    self.current = Some(Current {
                        sha256: row.sha256,
                        places,
                        tries: row.tries,
                        copy: None,
                        have: None,
                        asked: None,
                        at: m.now,
                        stalls: 0,
                    });
                    return Ok(());
                }
                Err(why) => {
                    m.database.sample_ended(&row.sha256, SampleStanding::Kept, &why, m.now_ms)?;
                }
            }
        }
        Ok(())
    }

    fn part(&mut self, m: &Moment<'_>) -> Result<Option<v1::SamplePart>, StateError> {
        let Some(c) = &mut self.current else { return Ok(None) };
        if let Some(asked) = c.asked {
            if m.now.saturating_duration_since(asked) > SILENT {
                self.later(m, "the server does not answer", Duration::ZERO)?;
            }
            return Ok(None);
        }
        if m.now < c.at {
            return Ok(None);
        }
        let Some(have) = c.have else {
            // Nothing of it leaves before the server has said where to go on.
            c.asked = Some(m.now);
            return Ok(Some(message(c, 0, Vec::new())));
        };
        if c.copy.is_none() && !self.copy(m)? {
            return Ok(None);
        }
        let Some(c) = &mut self.current else { return Ok(None) };
        let Some(copy) = &c.copy else { return Ok(None) };
        let data = match copy.part(have, part_size(m.consent.bytes_per_second)) {
            Ok(data) => data,
            Err(e) => {
                self.later(m, &format!("its copy cannot be read: {e}"), Duration::ZERO)?;
                return Ok(None);
            }
        };
        // Before it leaves: what cannot be noted does not.
        let sending = Sending {
            what: SentWhat::Sample,
            path: c.path().to_vec(),
            sha256: c.sha256,
            bytes: data.len() as u64,
        };
        if !data.is_empty() {
            m.database.note_sent(m.server, &[sending], m.now_ms, SentRetention::default())?;
        }
        c.asked = Some(m.now);
        c.at = m.now + pace(data.len(), m.consent.bytes_per_second);
        Ok(Some(message(c, have, data)))
    }

    /// Makes the copy; false when there is none to be had now.
    fn copy(&mut self, m: &Moment<'_>) -> Result<bool, StateError> {
        let Some(c) = &mut self.current else { return Ok(false) };
        let Some(place) = c.places.first() else { return Ok(false) };
        match place.copy(c.sha256, m.folder, m.vault) {
            Ok(copy) => {
                c.copy = Some(copy);
                Ok(true)
            }
            Err(NoCopy::Other(why)) => {
                let path = printable(c.path());
                c.places.remove(0);
                if c.places.is_empty() {
                    let sha256 = c.sha256;
                    self.current = None;
                    let why = format!("{path}: {why}");
                    m.database.sample_ended(&sha256, SampleStanding::Kept, &why, m.now_ms)?;
                }
                Ok(false)
            }
            Err(NoCopy::Trouble(why)) => {
                log!("a sample waits: {why}");
                self.later(m, &why, Duration::ZERO)?;
                Ok(false)
            }
        }
    }

    fn hear(&mut self, m: &Moment<'_>, state: &v1::SampleState) -> Result<(), StateError> {
        let Some(sha256) = Sha256::from_slice(&state.sha256) else { return Ok(()) };
        let of_current = self.current.as_ref().is_some_and(|c| c.sha256 == sha256);
        match state.state.as_str() {
            "stored" | "refused" => {
                let stored = state.state == "stored";
                let why = text(&state.reason);
                let ended = if of_current { self.current.take() } else { None };
                let path = ended.map(|c| (c.path().to_vec(), c.size()));
                // Of one that nobody waits for it is no news.
                let known = m.database.sample(&sha256)?;
                if known.is_none_or(|row| row.standing != SampleStanding::Wanted) {
                    return Ok(());
                }
                let standing = if stored { SampleStanding::Stored } else { SampleStanding::Refused };
                m.database.sample_ended(&sha256, standing, &why, m.now_ms)?;
                let (path, size) = path.unwrap_or_default();
                self.news.push(if stored {
                    News::Stored { path, sha256, size }
                } else {
                    News::Refused { path, sha256, why }
                });
            }
            "wanted" if of_current => self.go_on(m, state)?,
            // Of one that is not under way, or a word of a later version: the next question of ours tells.
            _ => {}
        }
        Ok(())
    }

    fn go_on(&mut self, m: &Moment<'_>, state: &v1::SampleState) -> Result<(), StateError> {
        let Some(c) = &mut self.current else { return Ok(()) };
        // An answer that nobody waits for, of an earlier part, say.
        if c.asked.take().is_none() {
            return Ok(());
        }
        let pause = Duration::from_millis(state.retry_after_ms.into()).min(MAX_PAUSE);
        if state.have > c.size() {
            return self.later(m, "the server says that it has more of it than there is", pause);
        }
        let further = c.have.is_none_or(|before| state.have > before);
        c.stalls = if further { 0 } else { c.stalls + 1 };
        c.have = Some(state.have);
        c.at = c.at.max(m.now + pause);
        if c.stalls >= STALLS || pause > PATIENCE {
            let why = text(&state.reason);
            let why = if why.is_empty() { "the server takes it later".to_owned() } else { why };
            return self.later(m, &why, pause);
        }
        if !further && pause.is_zero() {
            // Whole, and not yet put away, say: not at the speed of the line.
            c.at = c.at.max(m.now + Duration::from_millis(500));
        }
        Ok(())
    }

    fn later(&mut self, m: &Moment<'_>, why: &str, pause: Duration) -> Result<(), StateError> {
        let Some(c) = self.current.take() else { return Ok(()) };
        let again = AGAIN[usize::try_from(c.tries).unwrap_or(usize::MAX).min(AGAIN.len() - 1)].max(pause);
        let not_before = m.now_ms.saturating_add(i64::try_from(again.as_millis()).unwrap_or(i64::MAX));
        m.database.sample_later(&c.sha256, why, not_before)
    }
}

/// Where a content is, as far as it may be sent from there; why not, where it may not.
fn places(m: &Moment<'_>, row: &SampleRow) -> Result<Result<Vec<Place>, String>, StateError> {
    let mut why = "it is not here any more".to_owned();
    let mut out = Vec::new();
    let known = m.database.program_places(row.sha256, PLACES)?.into_iter().map(Place::from);
    for place in known.chain(m.asked.get(&row.sha256)) {
        match m.consent.may_send(Kind::from_word(&place.kind), place.size, &place.path) {
            Ok(()) => out.push(place),
            Err(not) => why = not,
        }
    }
    Ok(if out.is_empty() { Err(why) } else { Ok(out) })
}

fn message(c: &Current, offset: u64, data: Vec<u8>) -> v1::SamplePart {
    v1::SamplePart {
        sha256: c.sha256.0.to_vec(),
        size: c.size(),
        offset,
        data,
        kind: c.places.first().map(|p| p.kind.clone()).unwrap_or_default(),
    }
}

/// What takes about a second at most.
fn part_size(bytes_per_second: u64) -> usize {
    match usize::try_from(bytes_per_second) {
        Ok(0) | Err(_) => PART,
        Ok(n) => n.clamp(4 << 10, PART),
    }
}

/// How long so many bytes take.
fn pace(bytes: usize, bytes_per_second: u64) -> Duration {
    let micros = (bytes as u64).saturating_mul(1_000_000).checked_div(bytes_per_second);
    micros.map_or(Duration::ZERO, Duration::from_micros)
}

fn text(of_server: &str) -> String {
    printable(of_server.chars().take(MAX_REASON).collect::<String>().as_bytes())
}

#[cfg(test)]
mod tests;
