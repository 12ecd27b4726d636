//! Numbers in cells as a person sees them: by the format code that Excel stores with them (ECMA-376 part 1, section 18.8.31), dates as ISO 8601.

/// How a cell shows its number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Format {
    #[default]
    General,
    /// A day, a time of day, or both.
    Moment {
        date: bool,
        time: bool,
    },
    /// Hours that do not begin anew after 24.
    Elapsed,
    Number {
        decimals: usize,
        grouped: bool,
        percent: bool,
        prefix: String,
        suffix: String,
    },
}

/// A format with one of the numbers that have no code in the file.
pub(super) fn builtin(id: u32) -> Format {
    let plain = |decimals, grouped, percent| Format::Number { decimals, grouped, percent, prefix: String::new(), suffix: String::new() };
    match id {
        1 => plain(0, false, false),
        2 => plain(2, false, false),
        3 | 37 | 38 | 5 | 6 | 41 | 42 => plain(0, true, false),
        4 | 39 | 40 | 7 | 8 | 43 | 44 => plain(2, true, false),
        9 => plain(0, false, true),
        10 => plain(2, false, true),
        14..=17 | 27..=31 | 36 | 50..=58 => Format::Moment { date: true, time: false },
        18..=21 | 32..=35 | 45 | 47 => Format::Moment { date: false, time: true },
        22 => Format::Moment { date: true, time: true },
        46 => Format::Elapsed,
        _ => Format::General,
    }
}

/// Reads a format code. Of its sections the first counts.
pub(super) fn parse(code: &str) -> Format {
    let mut reading = Code::default();
    reading.read(code);
    let Code { date, time, elapsed, decimals, digits, grouped, percent, general, scientific, prefix, suffix, .. } = reading;
    match () {
        () if elapsed => Format::Elapsed,
        () if date || time => Format::Moment { date, time },
        () if general || scientific || !digits => Format::General,
        () => Format::Number { decimals, grouped, percent, prefix, suffix },
    }
}

#[derive(Default)]
struct Code {
    date: bool,
    time: bool,
    month: bool,
    elapsed: bool,
    decimals: usize,
    digits: bool,
    point: bool,
    grouped: bool,
    percent: bool,
    general: bool,
    scientific: bool,
    prefix: String,
    suffix: String,
}

impl Code {
    fn read(&mut self, code: &str) {
        self.general = code.len() >= 7 && code.as_bytes()[..7].eq_ignore_ascii_case(b"general");
        let mut characters = code.chars().take(255).peekable();
        while let Some(character) = characters.next() {
            match character {
                ';' => break,
                '"' => characters.by_ref().take_while(|c| *c != '"').for_each(|c| self.literal(c)),
                '\\' => characters.next().into_iter().for_each(|c| self.literal(c)),
                '_' | '*' => drop(characters.next()),
                '[' => {
                    let bracket: String = characters.by_ref().take_while(|c| *c != ']').collect();
                    self.bracket(&bracket);
                }
                '0' | '#' | '?' => {
                    self.digits = true;
                    self.decimals += usize::from(self.point);
                }
                '.' => self.point = self.digits || characters.peek() == Some(&'0'),
                ',' => self.grouped |= self.digits && matches!(characters.peek(), Some('0' | '#')),
                '%' => self.percent = true,
                'e' | 'E' if self.digits => self.scientific = true,
                'y' | 'Y' | 'd' | 'D' | 'e' | 'E' if !self.general => self.date = true,
                'h' | 'H' | 's' | 'S' if !self.general => self.time = true,
                'm' | 'M' => self.month = true,
                ' ' | '-' | '+' | '(' | ')' | '/' | ':' => (),
                other if !other.is_ascii() || other == '$' => self.literal(other),
                _ => (),
            }
        }
        // `m` is minutes beside hours or seconds and a month elsewhere.
        self.date |= self.month && !self.time && !self.general;
    }

    fn bracket(&mut self, bracket: &str) {
        match bracket.strip_prefix('$') {
            Some(currency) => currency.split('-').next().unwrap_or_default().chars().for_each(|c| self.literal(c)),
            None => {
                self.elapsed |= !bracket.is_empty() && bracket.chars().all(|c| matches!(c, 'h' | 'H' | 'm' | 'M' | 's' | 'S'));
            }
        }
    }

    fn literal(&mut self, character: char) {
        if self.digits { &mut self.suffix } else { &mut self.prefix }.push(character);
    }
}

/// A number as it is shown. `since_1904` says from which day its days are counted.
pub(super) fn show(value: f64, format: &Format, since_1904: bool) -> String {
    match format {
        Format::General => general(value),
        Format::Moment { date, time } => moment(value, *date, *time, since_1904).unwrap_or_else(|| general(value)),
        Format::Elapsed => elapsed(value),
        Format::Number { .. } if value.abs() >= 1e15 => general(value),
        Format::Number { decimals, grouped, percent, prefix, suffix } => {
            let shown = format!("{:.*}", (*decimals).min(30), if *percent { value.abs() * 100.0 } else { value.abs() });
            let shown = if *grouped { group(&shown) } else { shown };
            let sign = if value < 0.0 && shown.bytes().any(|b| matches!(b, b'1'..=b'9')) { "-" } else { "" };
            format!("{sign}{prefix}{shown}{}{suffix}", if *percent { "%" } else { "" })
        }
    }
}

/// The shortest way to write a number of 15 digits, which is as many as Excel keeps.
fn general(value: f64) -> String {
    let rounded = format!("{value:.14e}").parse().unwrap_or(value);
    if rounded != 0.0 && !(1e-9..1e21).contains(&f64::abs(rounded)) { format!("{rounded:e}") } else { format!("{rounded}") }
}

fn group(digits: &str) -> String {
    let whole = digits.find('.').unwrap_or(digits.len());
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && at < whole && (whole - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn moment(value: f64, date: bool, time: bool, since_1904: bool) -> Option<String> {
    // 9999-12-31 is the last day there is.
    if !(0.0..2_958_466.0).contains(&value) {
        return None;
    }
    let seconds = (value * 86_400.0).round() as i64;
    let (mut days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // The days are counted from the last of 1899, and then there is a 29th of February 1900 that never was.
    days += if since_1904 { 1462 } else { i64::from(days < 60) };
    let clock = clock(second);
    let (year, month, day) = civil(days - 25_569);
    Some(match (date, time || second != 0) {
        (true, true) => format!("{year:04}-{month:02}-{day:02} {clock}"),
        (true, false) => format!("{year:04}-{month:02}-{day:02}"),
        (false, _) => clock,
    })
}

fn clock(second: i64) -> String {
    let (hours, minutes, seconds) = (second / 3600, second / 60 % 60, second % 60);
    if seconds == 0 { format!("{hours:02}:{minutes:02}") } else { format!("{hours:02}:{minutes:02}:{seconds:02}") }
}

fn elapsed(value: f64) -> String {
    if value.abs() > 1e9 {
        return general(value);
    }
    let seconds = (value.abs() * 86_400.0).round() as i64;
    format!("{}{}", if value < 0.0 { "-" } else { "" }, clock(seconds))
}

/// Year, month and day of a day counted from 1970-01-01.
pub(super) fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The moment of a Windows file time, 100 nanoseconds from 1601 on, in seconds from 1970 on; `None` for one that was never set.
pub(super) fn from_filetime(ticks: u64) -> Option<i64> {
    (ticks != 0).then(|| i64::try_from(ticks / 10_000_000).unwrap_or(i64::MAX).saturating_sub(11_644_473_600))
}

/// Seconds from 1970 on as ISO 8601.
pub(super) fn iso(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// A truth or an error, and which of both it is.
pub(super) fn truth(value: &[u8]) -> &'static str {
    match value {
        [0, 0] => "FALSE",
        [_, 0] => "TRUE",
        [0x00, _] => "#NULL!",
        [0x07, _] => "#DIV/0!",
        [0x0f, _] => "#VALUE!",
        [0x17, _] => "#REF!",
        [0x1d, _] => "#NAME?",
        [0x24, _] => "#NUM!",
        _ => "#N/A",
    }
}

/// A number in four bytes ([MS-XLS] section 2.5.217, [MS-XLSB] section 2.5.123).
pub(super) fn packed(value: u32) -> f64 {
    let number = if value & 2 != 0 { f64::from(value.cast_signed() >> 2) } else { f64::from_bits(u64::from(value & !3) << 32) };
    if value & 1 == 1 { number / 100.0 } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_as_their_format_says() {
        for (value, code, shown) in [
            (1234.5, "General", "1234.5"),
            (0.1 + 0.2, "General", "0.3"),
            (1234.567, "#,##0.00", "1,234.57"),
            (-1_234_567.0, "#,##0", "-1,234,567"),
            (0.125, "0.0%", "12.5%"),
            (3.0, "0\" pcs\"", "3 pcs"),
            (9.5, "[$€-407] 0.00", "€9.50"),
            (43_831.0, "dd/mm/yyyy", "2020-01-01"),
            (43_831.75, "m/d/yy h:mm", "2020-01-01 18:00"),
            (0.5, "h:mm AM/PM", "12:00"),
            (1.5, "[h]:mm", "36:00"),
            (1.0, "yyyy-mm-dd", "1900-01-01"),
            (61.0, "yyyy-mm-dd", "1900-03-01"),
            (7.0, "@", "7"),
            (1e300, "0.00", "1e300"),
            (f64::NAN, "0", "NaN"),
        ] {
            assert_eq!(show(value, &parse(code), false), shown, "{value} as {code}");
        }
        assert_eq!(show(0.0, &builtin(14), true), "1904-01-01");
        assert_eq!(iso(0), "1970-01-01T00:00:00Z");
    }
}
