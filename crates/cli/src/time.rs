// SPDX-License-Identifier: Apache-2.0
//! Times as RFC 3339 in UTC, and durations for people.

use std::time::{SystemTime, UNIX_EPOCH};

/// First and last second that RFC 3339 can write: 0000-01-01 and the end of 9999.
const RANGE: std::ops::RangeInclusive<i64> = -62_167_219_200..=253_402_300_799;

/// Milliseconds since the epoch, now.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// `2026-11-23T03:51:00.123Z` of milliseconds since the epoch. Times that RFC 3339 cannot write
/// become the nearest it can.
pub(crate) fn rfc3339(ms: i64) -> String {
    let sec = ms.div_euclid(1000);
    if !RANGE.contains(&sec) {
        return format!("{}.{}Z", date_time(sec, 'T'), if sec < 0 { "000" } else { "999" });
    }
    format!("{}.{:03}Z", date_time(sec, 'T'), ms.rem_euclid(1000))
}

/// `2026-11-23T03:51:00.123456789Z` of a file time.
pub(crate) fn rfc3339_nanos(sec: i64, nsec: u32) -> String {
    format!("{}.{:09}Z", date_time(sec, 'T'), nsec.min(999_999_999))
}

/// `2026-11-23 03:51:00Z`, for tables.
pub(crate) fn short(ms: i64) -> String {
    format!("{}Z", date_time(ms.div_euclid(1000), ' '))
}

/// `03:51:00.123Z`, for timelines under a dated heading.
pub(crate) fn clock(ms: i64) -> String {
    rfc3339(ms).split('T').nth(1).unwrap_or_default().to_owned()
}

/// How long, by its two largest units.
pub(crate) fn duration(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

fn date_time(sec: i64, between: char) -> String {
    let sec = sec.clamp(*RANGE.start(), *RANGE.end());
    let (year, month, day) = civil(sec.div_euclid(86_400));
    let of_day = sec.rem_euclid(86_400);
    format!(
        "{year:04}-{month:02}-{day:02}{between}{:02}:{:02}:{:02}",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    )
}

/// Year, month and day of a day number since the epoch in the proleptic Gregorian calendar
/// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(1_709_210_096_789), "2024-02-29T12:34:56.789Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(rfc3339(4_107_542_399_000), "2100-02-28T23:59:59.000Z");
        assert_eq!(rfc3339(4_107_542_400_000), "2100-03-01T00:00:00.000Z");
        assert_eq!(rfc3339_nanos(1, 5), "1970-01-01T00:00:01.000000005Z");
        assert_eq!(short(1_709_210_096_789), "2024-02-29 12:34:56Z");
        assert_eq!(clock(1_709_210_096_789), "12:34:56.789Z");
    }

    #[test]
    fn what_cannot_be_written_becomes_the_nearest() {
        assert_eq!(rfc3339(i64::MAX), "9999-12-31T23:59:59.999Z");
        assert_eq!(rfc3339(i64::MIN), "0000-01-01T00:00:00.000Z");
        assert_eq!(rfc3339_nanos(i64::MAX, u32::MAX), "9999-12-31T23:59:59.999999999Z");
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let mut before = civil(-200_000);
        for day in -199_999..100_000 {
            let (y, m, d) = civil(day);
            let next = (y, m, d) == (before.0, before.1, before.2 + 1)
                || (y, m, d) == (before.0, before.1 + 1, 1)
                || (y, m, d) == (before.0 + 1, 1, 1);
            assert!(
                next && (1..=12).contains(&m) && (1..=31).contains(&d),
                "{before:?} then {:?}",
                (y, m, d)
            );
            before = (y, m, d);
        }
    }

    #[test]
    fn durations_have_two_units() {
        assert_eq!(duration(59_000), "59 s");
        assert_eq!(duration(61_000), "1 min 1 s");
        assert_eq!(duration(7_260_000), "2 h 1 min");
        assert_eq!(duration(90_000_000), "1 d 1 h");
        assert_eq!(duration(-5), "0 s");
    }
}
