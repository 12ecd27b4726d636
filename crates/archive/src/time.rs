//! Times as notes write them.

/// RFC 3339 in UTC to the second, as in `2026-11-22T18:40:35Z`; only years that RFC 3339 can write.
pub fn format_time(seconds: i64) -> Option<String> {
    let written = jiff::Timestamp::from_second(seconds).ok()?.to_string();
    (written.len() == 20).then_some(written)
}

/// Reads such a time, and others that RFC 3339 allows: whoever needs the one form writes it anew and compares.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    Some(text.parse::<jiff::Timestamp>().ok()?.as_second())
}
