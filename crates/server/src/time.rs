// SPDX-License-Identifier: Apache-2.0
//! Times: milliseconds UTC inside, RFC 3339 outside.

use jiff::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// A day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// Milliseconds since the epoch, now.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// First and last second that RFC 3339 can write: 0000-01-01 and the end of 9999.
const RANGE: std::ops::RangeInclusive<i64> = -62_167_219_200..=253_402_300_799;

/// `2026-11-23T03:51:00.123Z`; what cannot be written becomes the nearest that can.
pub(crate) fn rfc3339(ms: i64) -> String {
    let sec = ms.div_euclid(1000);
    if !RANGE.contains(&sec) {
        return format!("{}.{}Z", date_time(sec), if sec < 0 { "000" } else { "999" });
    }
    format!("{}.{:03}Z", date_time(sec), ms.rem_euclid(1000))
}

/// Absent for 0.
pub(crate) fn some_rfc3339(ms: i64) -> Option<String> {
    (ms != 0).then(|| rfc3339(ms))
}

/// `2026-11-23T03:51:00.123456789Z` of a file time.
pub(crate) fn rfc3339_nanos(sec: i64, nsec: u32) -> String {
    format!("{}.{:09}Z", date_time(sec), nsec.min(999_999_999))
}

fn date_time(sec: i64) -> String {
    let sec = sec.clamp(*RANGE.start(), *RANGE.end());
    let (year, month, day) = civil(sec.div_euclid(86_400));
    let of_day = sec.rem_euclid(86_400);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// 1 to 31, of a day number since the epoch.
pub(crate) fn day_of_month(days: i64) -> i64 {
    civil(days).2
}

/// Year, month and day of a day number since the epoch in the proleptic Gregorian calendar
/// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`). A library's
/// calendar ends a day before the last that RFC 3339 can write, and hosts may send any number.
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

/// Milliseconds of an RFC 3339 time.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let at: Timestamp = text.parse().ok()?;
    Some(at.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(1_709_210_096_789), "2024-02-29T12:34:56.789Z");
        assert_eq!(rfc3339_nanos(1, 5), "1970-01-01T00:00:01.000000005Z");
        assert_eq!(parse("2024-02-29T12:34:56.789Z"), Some(1_709_210_096_789));
        assert_eq!(parse("2024-02-29T13:34:56.789+01:00"), Some(1_709_210_096_789));
        assert_eq!(parse("yesterday"), None);
    }

    #[test]
    fn what_cannot_be_written_becomes_the_nearest() {
        assert_eq!(rfc3339(i64::MAX), "9999-12-31T23:59:59.999Z");
        assert_eq!(rfc3339(i64::MIN), "0000-01-01T00:00:00.000Z");
        assert_eq!(rfc3339_nanos(i64::MAX, u32::MAX), "9999-12-31T23:59:59.999999999Z");
    }
}
