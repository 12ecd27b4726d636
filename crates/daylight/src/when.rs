//! Dates in words and for machines, as they were written and no more precise than that.

use daylight_model::{Date, DateDoubt, Precision};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// RFC 3339 as far as the date goes: `2014-04-14T09:12:00+02:00`, or only `2014-04`. `Z` where no zone was written.
pub(crate) fn machine(date: &Date) -> String {
    let format = match date.precision {
        Precision::Year => "%Y",
        Precision::Month => "%Y-%m",
        Precision::Day => "%Y-%m-%d",
        Precision::Minute | Precision::Second if date.offset_minutes.is_none() => "%Y-%m-%dT%H:%M:%SZ",
        Precision::Minute | Precision::Second => "%Y-%m-%dT%H:%M:%S%:z",
    };
    formatted(date, format)
}

/// For people: `14 April 2014, 09:12 +02:00`, with the doubt if there is one.
pub(crate) fn words(date: &Date) -> String {
    let format = match date.precision {
        Precision::Year => "%Y",
        Precision::Month => "%B %Y",
        Precision::Day => "%-d %B %Y",
        Precision::Minute | Precision::Second if date.offset_minutes.is_none() => "%-d %B %Y, %H:%M (zone unknown)",
        Precision::Minute | Precision::Second => "%-d %B %Y, %H:%M %:z",
    };
    let doubt = match date.doubt {
        None => "",
        Some(DateDoubt::Absurd) => " (absurd)",
        Some(DateDoubt::FarFromReceived) => " (days away from when it was received)",
        Some(DateDoubt::ZoneUnknown) => " (zone unknown, UTC assumed)",
        Some(DateDoubt::Malformed) => " (malformed, read by guessing)",
    };
    formatted(date, format) + doubt
}

/// A moment in UTC, to the second: `2014-04-14T09:12:00Z`.
pub(crate) fn moment(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map_or_else(|| seconds.to_string(), |time| time.to_string())
}

fn formatted(date: &Date, format: &str) -> String {
    let offset = Offset::from_seconds(i32::from(date.offset_minutes.unwrap_or(0)) * 60).unwrap_or(Offset::UTC);
    match Timestamp::from_second(date.seconds) {
        Ok(moment) => moment.to_zoned(TimeZone::fixed(offset)).strftime(format).to_string(),
        // Beyond the years that can be written: the number itself, so that nothing is hidden.
        Err(_) => format!("@{}", date.seconds),
    }
}
