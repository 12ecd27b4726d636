//! Dates as people's programs write them: RFC 5322 with all its obsolete forms, asctime, ISO 8601, and what is left to guess.

use daylight_model::{Date, DateDoubt, DateSource, Precision};

/// No date's text is looked at beyond this many bytes.
const LONGEST: usize = 200;
/// 1970-01-02 and 2101-01-01 in seconds: outside of these a clock was never set or somebody lied.
const SANE: std::ops::Range<i64> = 86_400..4_133_980_800;
/// A message that says it was written more than 48 hours from when it was received is doubted.
const FAR: u64 = 48 * 3600;

/// Reads a date in any form that names a day; `None` if it names none.
pub(crate) fn parse(text: &[u8], source: DateSource) -> Option<Date> {
    let mut seen = Seen::default();
    let text = &text[..text.len().min(LONGEST)];
    for token in Tokens(text) {
        seen.take(token);
    }
    seen.date(source)
}

/// The date of a `Received` field: what follows its last semicolon.
pub(crate) fn parse_received(text: &[u8]) -> Option<Date> {
    let semicolon = memchr::memrchr(b';', text)?;
    parse(&text[semicolon + 1..], DateSource::ReceivedHeader)
}

/// The date of a mailbox's `From ` line, which is what follows the address. A moment that is plainly a placeholder is none.
pub(crate) fn parse_from_line(line: &[u8]) -> Option<Date> {
    let rest = line.strip_prefix(b"From ")?.trim_ascii();
    let space = rest.iter().position(|b| *b == b' ')?;
    // Some addresses have spaces in them: the date begins at the weekday, which asctime always writes.
    let rest = &rest[space..];
    let weekday = rest.windows(4).position(|w| w[0] == b' ' && day_name(&w[1..])).unwrap_or(0);
    parse(&rest[weekday..], DateSource::MailboxLine).filter(|date| date.precision >= Precision::Minute)
}

/// Doubts a header's date that is far from when the message was received.
pub(crate) fn compare(date: &mut Date, received: &Date) {
    if date.doubt.is_none() && received.doubt.is_none() && date.seconds.abs_diff(received.seconds) > FAR {
        date.doubt = Some(DateDoubt::FarFromReceived);
    }
}

/// What the tokens of a date have told so far.
#[derive(Default)]
struct Seen {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    time: Option<(i64, i64, i64, bool)>,
    /// Minutes east, and whether the zone was one that RFC 5322 defines.
    zone: Option<(Option<i16>, bool)>,
    afternoon: Option<bool>,
    odd: bool,
}

impl Seen {
    fn take(&mut self, token: &[u8]) {
        if let Some(time) = clock(token) {
            self.time = self.time.or(Some(time));
        } else if let Some((year, month, day)) = iso_day(token) {
            (self.year, self.month, self.day, self.odd) = (Some(year), Some(month), Some(day), true);
        } else if token[0] == b'-' && self.time.is_none() && token[1..].iter().all(u8::is_ascii_digit) && token.len() > 1 {
            // The year of 12-Jan-2004.
            self.odd = true;
            self.take_number(&token[1..]);
        } else if matches!(token[0], b'+' | b'-') && token.len() > 1 {
            self.take_offset(token);
        } else if token.iter().all(u8::is_ascii_digit) {
            self.take_number(token);
        } else {
            self.take_word(token);
        }
    }

    fn take_offset(&mut self, token: &[u8]) {
        let digits: Vec<i64> = token[1..].iter().filter(|b| b.is_ascii_digit()).map(|b| i64::from(b - b'0')).collect();
        let (hours, minutes) = match digits[..] {
            [a, b, c, d] => (a * 10 + b, c * 10 + d),
            [a, b] => (a * 10 + b, 0),
            _ => return self.odd = true,
        };
        self.odd |= digits.len() != 4 || token.len() != 5;
        let east = i16::try_from(hours * 60 + minutes).ok().filter(|m| *m <= 24 * 60);
        let unknown = token == b"-0000";
        let east = east.map(|m| if token[0] == b'-' { -m } else { m }).filter(|_| !unknown);
        // An offset outside of any zone says nothing, nor does a second one.
        let known = self.zone.is_some_and(|(zone, _)| zone.is_some_and(|m| m != 0));
        if !known {
            self.zone = Some((east, east.is_some() || unknown));
        }
    }

    fn take_number(&mut self, token: &[u8]) {
        let number = token.iter().take(9).fold(0, |n, b| n * 10 + i64::from(b - b'0'));
        if self.day.is_none() && token.len() <= 2 && (1..=31).contains(&number) {
            self.day = Some(number);
        } else if self.year.is_none() && token.len() <= 5 {
            // RFC 5322 section 4.3: two digits below 50 are of this century, above and three digits count from 1900.
            self.year = Some(match token.len() {
                1 | 2 if number < 50 => number + 2000,
                1..=3 => number + 1900,
                _ => number,
            });
        } else {
            self.odd = true;
        }
    }

    fn take_word(&mut self, token: &[u8]) {
        if let Some(month) = month_name(token) {
            self.month = self.month.or(Some(month));
        } else if let Some(minutes) = zone_name(token) {
            self.zone = self.zone.or(Some((Some(minutes), true)));
        } else if token.eq_ignore_ascii_case(b"am") || token.eq_ignore_ascii_case(b"pm") {
            (self.afternoon, self.odd) = (Some(token[0].eq_ignore_ascii_case(&b'p')), true);
        } else if !(token.len() >= 3 && day_name(token)) {
            let military = token.len() == 1 && token[0].is_ascii_alphabetic();
            if self.time.is_some() && token[0].is_ascii_alphabetic() {
                // RFC 5322 section 4.3: other words, and letters, which were used both ways round, are zones that say nothing.
                self.zone = self.zone.or(Some((None, military)));
            }
            self.odd |= !military;
        }
    }

    fn date(self, source: DateSource) -> Option<Date> {
        let (year, month) = (self.year?, self.month?);
        let day = self.day.filter(|d| *d <= days_in(year, month))?;
        let (mut hour, minute, second, has_second) = self.time.unwrap_or((0, 0, 0, false));
        match self.afternoon {
            Some(true) if hour < 12 => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            _ => (),
        }
        let offset_minutes = self.zone.and_then(|(minutes, _)| minutes);
        let local = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second.min(59);
        let seconds = local - i64::from(offset_minutes.unwrap_or(0)) * 60;
        let precision = match self.time {
            None => Precision::Day,
            Some(_) if has_second => Precision::Second,
            Some(_) => Precision::Minute,
        };
        // A mailbox's line has no zone and an ISO date its own form by right; of a header these are worth a doubt.
        let stated = self.zone.is_some_and(|(_, known)| known) || source == DateSource::MailboxLine;
        let doubt = match () {
            () if !SANE.contains(&seconds) => Some(DateDoubt::Absurd),
            () if self.time.is_none() || self.odd => Some(DateDoubt::Malformed),
            () if !stated => Some(DateDoubt::ZoneUnknown),
            () => None,
        };
        Some(Date { seconds, offset_minutes, precision, source, doubt })
    }
}

/// Splits a date at white space and commas, leaves out comments, and takes `12-Jan-2004`, `12:00:00+0200` and `T` apart.
struct Tokens<'a>(&'a [u8]);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            match *self.0.first()? {
                b'(' => self.skip_comment(),
                b if b.is_ascii_whitespace() || matches!(b, b',' | b')' | b'"' | b'/' | b'.') => self.0 = &self.0[1..],
                _ => break,
            }
        }
        let token = self.0;
        let end = (1..token.len()).find(|n| ends(token, *n)).unwrap_or(token.len());
        let (token, rest) = token.split_at(end);
        self.0 = rest;
        Some(token)
    }
}

impl Tokens<'_> {
    fn skip_comment(&mut self) {
        let mut depth = 0u32;
        let end = self.0.iter().position(|b| {
            match b {
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => (),
            }
            depth == 0
        });
        self.0 = end.map_or(&[][..], |n| &self.0[n + 1..]);
    }
}

/// Whether the token that begins `text` ends before `text[n]`.
fn ends(text: &[u8], n: usize) -> bool {
    let (before, here) = (&text[..n], text[n]);
    if here.is_ascii_whitespace() || matches!(here, b',' | b'(' | b')' | b'"' | b'/') {
        return true;
    }
    let digit = |b: u8| b.is_ascii_digit();
    let last = before[n - 1];
    match here {
        // 2004-01-12 stays whole, 12-Jan-2004 and 10:00-0700 do not.
        b'-' => {
            let (year, month) = (n == 4 && before.iter().all(|b| digit(*b)), n == 7 && before[4] == b'-');
            !year && !month
        }
        b'+' => true,
        b'.' => !(before.contains(&b':')),
        _ if digit(here) => last.is_ascii_alphabetic() || (last == b'-' && !digit(before[0]) && before.len() > 1),
        _ => digit(last) && here.is_ascii_alphabetic() || (last == b'-' && before.len() == 1),
    }
}

/// `hh:mm` or `hh:mm:ss`, perhaps with fractions, which are dropped; the last value says whether seconds were there.
fn clock(token: &[u8]) -> Option<(i64, i64, i64, bool)> {
    let mut numbers = [0i64; 3];
    let mut count = 0;
    for piece in token.split(|b| matches!(b, b':' | b'.')).take(3) {
        if piece.is_empty() || piece.len() > 2 || !piece.iter().all(u8::is_ascii_digit) {
            break;
        }
        numbers[count] = piece.iter().fold(0, |n, b| n * 10 + i64::from(b - b'0'));
        count += 1;
    }
    let [hour, minute, second] = numbers;
    let fits = count >= 2 && token.contains(&b':') && hour <= 24 && minute < 60 && second <= 60;
    fits.then_some((hour, minute, second, count == 3))
}

fn iso_day(token: &[u8]) -> Option<(i64, i64, i64)> {
    let (year, rest) = token.split_at_checked(4)?;
    let [b'-', m1, m2, b'-', d1, d2] = *rest else { return None };
    let number = |digits: &[u8]| digits.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')));
    let (year, month, day) = (number(year)?, number(&[m1, m2])?, number(&[d1, d2])?);
    (1..=12).contains(&month).then_some((year, month, day)).filter(|(.., day)| *day >= 1)
}

fn month_name(word: &[u8]) -> Option<i64> {
    const NAMES: [&[u8; 3]; 12] = [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
    let start = word.get(..3)?;
    let place = NAMES.iter().position(|name| start.eq_ignore_ascii_case(*name))?;
    Some(place as i64 + 1)
}

fn day_name(word: &[u8]) -> bool {
    const NAMES: [&[u8; 3]; 7] = [b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun"];
    word.get(..3).is_some_and(|start| NAMES.iter().any(|name| start.eq_ignore_ascii_case(*name)))
}

/// The zones that RFC 5322 section 4.3 names, in minutes east.
fn zone_name(word: &[u8]) -> Option<i16> {
    const ZONES: [(&str, i16); 13] = [
        ("UT", 0),
        ("UTC", 0),
        ("GMT", 0),
        ("Z", 0),
        ("EST", -5),
        ("EDT", -4),
        ("CST", -6),
        ("CDT", -5),
        ("MST", -7),
        ("MDT", -6),
        ("PST", -8),
        ("PDT", -7),
        ("UTC0", 0),
    ];
    let zone = ZONES.iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()))?;
    Some(zone.1 * 60)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a day in the Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Option<(i64, Option<i16>, Option<DateDoubt>)> {
        parse(text.as_bytes(), DateSource::DateHeader).map(|date| (date.seconds, date.offset_minutes, date.doubt))
    }

    #[test]
    fn dates_are_read_in_every_form_that_names_a_day() {
        use DateDoubt::*;
        for (text, expected) in [
            ("Fri, 21 Nov 1997 09:55:06 -0600", (880_127_706, Some(-360), None)),
            ("21 Nov 97 09:55:06 GMT", (880_106_106, Some(0), None)),
            ("Thu, 13 Feb 1969 23:32:54 -0330 (Newfoundland Time)", (-27_723_426, Some(-210), Some(Absurd))),
            ("Thu,      13\n      Feb\n  2003\n 23:32 -0330", (1_045_191_720, Some(-210), None)),
            ("Mon, 03 Jan 2005 10:00:00 -0000", (1_104_746_400, None, None)),
            ("Mon, 03 Jan 2005 10:00:00", (1_104_746_400, None, Some(ZoneUnknown))),
            ("Mon, 03 Jan 2005 10:00:00 MESZ", (1_104_746_400, None, Some(Malformed))),
            ("Mon, 03 Jan 2005 10:00:00 A", (1_104_746_400, None, None)),
            ("Mon Jan  3 10:00:00 2005", (1_104_746_400, None, Some(ZoneUnknown))),
            ("2005-01-03T10:00:00+02:00", (1_104_739_200, Some(120), Some(Malformed))),
            ("2005-01-03 10:00:00.123Z", (1_104_746_400, Some(0), Some(Malformed))),
            ("03-Jan-2005 10:00:00+0200", (1_104_739_200, Some(120), Some(Malformed))),
            ("Mon, 3 Jan 2005 10:00:00 PM +0000", (1_104_789_600, Some(0), Some(Malformed))),
            ("Mon, 3 Jan 2105 10:00:00 +0000", (4_260_420_000, Some(0), Some(Absurd))),
            ("Tue, 1 Jan 2002 12:00:00 GMT+0100", (1_009_882_800, Some(60), None)),
        ] {
            assert_eq!(header(text), Some(expected), "{text}");
        }
        for text in ["", "yesterday", "32 Jan 2005 10:00:00 +0000", "30 Feb 2005 10:00:00 +0000", "((((((", "+ - : 99999999999999999999"] {
            assert_eq!(header(text), None, "{text}");
        }
    }

    #[test]
    fn a_mailbox_line_has_a_date_after_its_address() {
        let date = |line: &[u8]| parse_from_line(line).map(|date| (date.seconds, date.doubt));
        assert_eq!(date(b"From a@b Mon Jan  3 10:00:00 2005"), Some((1_104_746_400, None)));
        assert_eq!(date(b"From a b c Mon Jan  3 10:00:00 +0100 2005"), Some((1_104_742_800, None)));
        assert_eq!(date(b"From mboxrd@z Thu Jan  1 00:00:00 1970"), Some((0, Some(DateDoubt::Absurd))));
        assert_eq!(date(b"From here on, May 3 things change in 2005"), None);
    }

    #[test]
    fn a_received_field_has_its_date_at_its_end_and_judges_the_header() {
        let received = parse_received(b"from a; by b; Mon, 03 Jan 2005 10:00:00 +0000").unwrap();
        assert_eq!(received.seconds, 1_104_746_400);
        let mut date = parse(b"Mon, 06 Jan 2005 10:00:00 +0000", DateSource::DateHeader).unwrap();
        compare(&mut date, &received);
        assert_eq!(date.doubt, Some(DateDoubt::FarFromReceived));
    }
}
