//! Dates in words, as a reader is shown them: as written, with the zone as written, and with any doubt said.

use daylight_model::{Date, DateDoubt, DateSource, Precision};

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

/// A day of the proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: u8,
    pub(crate) day: u8,
}

impl Civil {
    /// The day in UTC on which this second lies.
    pub(crate) fn of(seconds: i64) -> Self {
        // Howard Hinnant's days-to-civil: years begin in March, so that a leap day is the last of its year.
        let days = seconds.div_euclid(86_400) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: u8::try_from(month).unwrap_or(1),
            day: u8::try_from(day_of_year - (153 * shifted + 2) / 5 + 1).unwrap_or(1),
        }
    }

    /// `April`.
    pub(crate) fn month_name(self) -> &'static str {
        month_name(self.month)
    }

    /// `14 April 2014`.
    pub(crate) fn words(self) -> String {
        format!("{} {} {}", self.day, self.month_name(), self.year)
    }
}

/// The name of a month, from 1.
pub(crate) fn month_name(month: u8) -> &'static str {
    MONTHS.get(usize::from(month).wrapping_sub(1)).copied().unwrap_or("")
}

/// The second as its zone saw it.
fn local(date: &Date) -> i64 {
    date.seconds.saturating_add(i64::from(date.offset_minutes.unwrap_or(0)) * 60)
}

/// `14 April 2014`, or less where less was written.
pub(crate) fn short(date: &Date) -> String {
    let civil = Civil::of(local(date));
    match date.precision {
        Precision::Year => civil.year.to_string(),
        Precision::Month => format!("{} {}", civil.month_name(), civil.year),
        _ => civil.words(),
    }
}

/// `Monday 14 April 2014, 09:12:33 +02:00`, or less where less was written.
pub(crate) fn long(date: &Date) -> String {
    if matches!(date.precision, Precision::Year | Precision::Month) {
        return short(date);
    }
    let local = local(date);
    let day = DAYS[usize::try_from(local.div_euclid(86_400).rem_euclid(7)).unwrap_or(0)];
    let day = format!("{day} {}", Civil::of(local).words());
    let second = local.rem_euclid(86_400);
    match date.precision {
        Precision::Minute => format!("{day}, {:02}:{:02} {}", second / 3600, second / 60 % 60, zone(date)),
        Precision::Second => format!("{day}, {:02}:{:02}:{:02} {}", second / 3600, second / 60 % 60, second % 60, zone(date)),
        _ => day,
    }
}

fn zone(date: &Date) -> String {
    match date.offset_minutes {
        None => "UTC (no zone was written)".to_owned(),
        Some(minutes) => {
            let sign = if minutes < 0 { '−' } else { '+' };
            format!("{sign}{:02}:{:02}", minutes.unsigned_abs() / 60, minutes.unsigned_abs() % 60)
        }
    }
}

/// What HTML's `datetime` and JSON take (RFC 3339, UTC), where the year has four digits.
pub(crate) fn machine(date: &Date) -> Option<String> {
    let civil = Civil::of(date.seconds);
    if !(1..=9999).contains(&civil.year) {
        return None;
    }
    let Civil { year, month, day } = civil;
    let second = date.seconds.rem_euclid(86_400);
    Some(match date.precision {
        Precision::Year => format!("{year:04}"),
        Precision::Month => format!("{year:04}-{month:02}"),
        Precision::Day => format!("{year:04}-{month:02}-{day:02}"),
        _ => format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60),
    })
}

/// Why a date should not be taken at its word.
pub(crate) fn doubt(doubt: DateDoubt) -> &'static str {
    match doubt {
        DateDoubt::Absurd => "this cannot be right: the clock was never set, or the date was made up",
        DateDoubt::FarFromReceived => "more than two days away from when the message was received",
        DateDoubt::ZoneUnknown => "the time zone is missing or unknown, UTC was assumed",
        DateDoubt::Malformed => "not written as a date should be, so this is a guess",
    }
}

/// Where a date was read, as it continues the words "according to".
pub(crate) fn source(source: DateSource) -> &'static str {
    match source {
        DateSource::DateHeader => "its sender",
        DateSource::ReceivedHeader => "the server that received it",
        DateSource::MailboxLine => "the mailbox it was kept in",
        DateSource::Properties => "the file's properties",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(seconds: i64, offset_minutes: Option<i16>, precision: Precision) -> Date {
        Date { seconds, offset_minutes, precision, source: DateSource::DateHeader, doubt: None }
    }

    #[test]
    fn dates_are_shown_as_written_with_their_zone_and_no_more_than_was_written() {
        assert_eq!(long(&date(1_397_459_553, Some(120), Precision::Second)), "Monday 14 April 2014, 09:12:33 +02:00");
        assert_eq!(long(&date(1_397_459_553, None, Precision::Minute)), "Monday 14 April 2014, 07:12 UTC (no zone was written)");
        assert_eq!(long(&date(0, Some(-30), Precision::Minute)), "Wednesday 31 December 1969, 23:30 −00:30");
        assert_eq!(short(&date(951_782_400, None, Precision::Day)), "29 February 2000");
        assert_eq!(short(&date(951_782_400, None, Precision::Month)), "February 2000");
        assert_eq!(machine(&date(-1, None, Precision::Second)).as_deref(), Some("1969-12-31T23:59:59Z"));
        for seconds in [i64::MIN, i64::MAX] {
            assert!(!long(&date(seconds, Some(i16::MAX), Precision::Second)).is_empty());
            assert_eq!(machine(&date(seconds, None, Precision::Second)), None);
        }
    }
}
