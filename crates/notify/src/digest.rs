// SPDX-License-Identifier: Apache-2.0
//! When the daily message is due: at an hour of a zone, also on the days on which clocks change.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// Unless said otherwise.
const HOUR: u8 = 8;

/// A zone by its name, or by its distance from UTC.
///
/// # Errors
/// There is none of that name on this machine.
pub(crate) fn zone(name: Option<&str>) -> Result<TimeZone, String> {
    let name = match name {
        None | Some("UTC" | "Z") => return Ok(TimeZone::UTC),
        Some(name) => name,
    };
    if let Some(seconds) = distance(name) {
        let offset = Offset::from_seconds(seconds).map_err(|e| format!("delivery.zone: {e}"))?;
        return Ok(TimeZone::fixed(offset));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_+-".contains(c);
    if name.len() > 64 || !name.chars().all(plain) {
        return Err("delivery.zone: a name as Europe/Berlin, or a distance as +08:00".into());
    }
    TimeZone::get(name).map_err(|_| {
        format!(
            "delivery.zone: the server's machine knows no zone \"{name}\" (package tzdata): give a name as Europe/Berlin, or a distance as +08:00"
        )
    })
}

/// Seconds of `+08:00`.
fn distance(text: &str) -> Option<i32> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (h, m): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours.len() == 2 && minutes.len() == 2 && (0..=14).contains(&h) && (0..60).contains(&m))
        .then_some(sign * (h * 3600 + m * 60))
}

/// The next time behind `now_ms` at which it is that hour.
pub(crate) fn next(now_ms: i64, hour: Option<u8>, zone: &TimeZone) -> i64 {
    let hour = i8::try_from(hour.unwrap_or(HOUR).min(23)).unwrap_or(8);
    let day_later = now_ms.saturating_add(86_400_000);
    let Ok(now) = Timestamp::from_millisecond(now_ms) else { return day_later };
    let mut day = now.to_zoned_datetime(zone.clone()).date();
    for _ in 0..3 {
        // An hour that a day leaves out is the one after it.
        if let Ok(at) = day.at(hour, 0, 0, 0).to_zoned_datetime(zone.clone()) {
            let at = at.timestamp().as_millisecond();
            if at > now_ms {
                return at;
            }
        }
        match day.tomorrow() {
            Ok(next) => day = next,
            Err(_) => break,
        }
    }
    day_later
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::time;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn at_the_hour_of_the_zone() {
        let next = |now: &str, hour, name| time(super::next(ms(now), Some(hour), &zone(name).unwrap()));
        assert_eq!(next("2026-11-26T03:00:00Z", 8, None), "2026-11-26T08:00:00.000Z");
        assert_eq!(next("2026-11-26T08:00:00Z", 8, None), "2026-11-27T08:00:00.000Z");
        assert_eq!(next("2026-11-26T01:00:00Z", 8, Some("+08:00")), "2026-11-27T00:00:00.000Z");
        assert_eq!(next("2026-12-31T23:30:00Z", 0, Some("-03:30")), "2027-01-01T03:30:00.000Z");
    }

    #[test]
    fn zones_that_are_none() {
        for bad in ["Mars/Olympus", "+8", "+15:00", "+08:60", "../../etc/passwd", "", "+aa:bb"] {
            assert!(zone(Some(bad)).is_err(), "{bad}");
        }
        assert!(zone(Some("-00:30")).is_ok() && zone(Some("UTC")).is_ok());
    }
}
