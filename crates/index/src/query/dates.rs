//! Days, months and years of the proleptic Gregorian calendar (ISO 8601), in UTC.

/// A stretch of time, from the first second to the one after the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Option<i64>,
    pub(crate) until: Option<i64>,
    /// It in words, as in "dated March 2015".
    pub(crate) words: String,
}

/// Which dates a field asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    On,
    After,
    Before,
}

/// Says what dates look like.
pub(super) const SHAPES: &str = "a date is a year, a month or a day, such as 2015, 2015-03 or 2015-03-02";

const DAY: i64 = 86_400;
const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/// Reads what follows `date:`, `after:` or `before:`; an error says what is wrong with it.
pub(super) fn span(text: &str, side: Side) -> Result<Span, String> {
    match side {
        Side::On => match text.split_once("..") {
            Some((first, last)) => range(first, last),
            None => period(text).map(|p| Span { words: format!("dated {}", p.words), from: Some(p.from), until: Some(p.until) }),
        },
        Side::After => period(text).map(|p| Span { from: Some(p.until), until: None, words: format!("dated after {}", p.words) }),
        Side::Before => period(text).map(|p| Span { from: None, until: Some(p.from), words: format!("dated before {}", p.words) }),
    }
}

fn range(first: &str, last: &str) -> Result<Span, String> {
    if first.is_empty() && last.is_empty() {
        return Err(format!("a range needs a date before or after its two full stops; {SHAPES}"));
    }
    let first = if first.is_empty() { None } else { Some(period(first)?) };
    let last = if last.is_empty() { None } else { Some(period(last)?) };
    let words = match (&first, &last) {
        (Some(first), Some(last)) if first.from >= last.until => return Err("this range ends before it begins".to_owned()),
        (Some(first), Some(last)) => format!("dated {} to {}", first.words, last.words),
        (Some(first), None) => format!("dated {} or later", first.words),
        (None, last) => format!("dated {} or earlier", last.as_ref().map_or("", |p| &p.words)),
    };
    Ok(Span { from: first.map(|p| p.from), until: last.map(|p| p.until), words })
}

struct Period {
    from: i64,
    until: i64,
    words: String,
}

fn period(text: &str) -> Result<Period, String> {
    let mut parts = text.split('-');
    let mut number = |digits: usize| match parts.next() {
        None => Ok(None),
        Some(part) if part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()) => Ok(part.parse::<i64>().ok()),
        Some(_) => Err(format!("“{text}” is not a date; {SHAPES}")),
    };
    let (year, month, day) = (number(4)?.unwrap_or(0), number(2)?, number(2)?);
    let no_such = || format!("there is no such date as {text}; {SHAPES}");
    if parts.next().is_some() || year == 0 {
        return Err(no_such());
    }
    let (from, until, words) = match (month, day) {
        (None, _) => (days(year, 1, 1), days(year + 1, 1, 1), year.to_string()),
        (Some(month), day) => {
            let name = usize::try_from(month - 1).ok().and_then(|m| MONTHS.get(m)).ok_or_else(no_such)?;
            let (first, next) = (days(year, month, 1), days(year + month / 12, month % 12 + 1, 1));
            match day {
                None => (first, next, format!("{name} {year}")),
                Some(day) if day >= 1 && first + day <= next => (first + day - 1, first + day, format!("{day} {name} {year}")),
                Some(_) => return Err(no_such()),
            }
        }
    };
    Ok(Period { from: from * DAY, until: until * DAY, words })
}

/// Days since 1970-01-01, by counting years from March, so that a leap day is the last of its year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The year that this second is in.
pub(crate) fn year(seconds: i64) -> i64 {
    let day = seconds.div_euclid(DAY) + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    // Day 306 counted from 1 March is 1 January.
    era * 400 + year + i64::from(of_year >= 306)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_two_thousand_years_follows_the_one_before_and_lies_in_its_year() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 3, 1), 11_017);
        let mut day = days(1, 1, 1);
        for y in 1..2200 {
            for m in 1..=12 {
                let leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
                let length = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][m as usize - 1];
                assert_eq!((days(y, m, 1), days(y, m, length)), (day, day + length - 1), "{y}-{m}");
                assert_eq!((year(day * DAY), year((day + length) * DAY - 1)), (y, y), "{y}-{m}");
                day += length;
            }
        }
    }
}
