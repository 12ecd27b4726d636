//! Asking for a part of something (RFC 9110 section 14).

/// What a `Range` header asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// All of it: no range, or none that we answer.
    All,
    /// From the first byte up to before the second, both within it.
    Part(u64, u64),
    /// Bytes that it does not have.
    Nothing,
}

/// Reads a `Range` header for something of this length. Several ranges at once, and other units, are answered with all of it, as is allowed.
pub(crate) fn asked(header: Option<&str>, length: u64) -> Asked {
    let Some(range) = header.and_then(|header| header.strip_prefix("bytes=")) else { return Asked::All };
    let Some((first, last)) = range.split_once('-') else { return Asked::All };
    let (Some(first), Some(last)) = (number(first), number(last)) else { return Asked::All };
    match (first, last) {
        (None, None) => Asked::All,
        (None, Some(0)) => Asked::Nothing,
        (None, Some(_)) if length == 0 => Asked::Nothing,
        (None, Some(count)) => Asked::Part(length.saturating_sub(count), length),
        (Some(first), Some(last)) if last < first => Asked::All,
        (Some(first), _) if first >= length => Asked::Nothing,
        (Some(first), last) => Asked::Part(first, last.map_or(length, |last| last.saturating_add(1).min(length))),
    }
}

/// `Some(None)` for nothing, `None` for what is not a number.
fn number(text: &str) -> Option<Option<u64>> {
    let text = text.trim();
    match text.bytes().all(|b| b.is_ascii_digit()) {
        true if text.is_empty() => Some(None),
        true => text.parse().ok().map(Some),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_what_rfc_9110_says() {
        let cases = [
            ("bytes=0-0", 10, Asked::Part(0, 1)),
            ("bytes=5-", 10, Asked::Part(5, 10)),
            ("bytes=-3", 10, Asked::Part(7, 10)),
            ("bytes=-30", 10, Asked::Part(0, 10)),
            ("bytes=8-99", 10, Asked::Part(8, 10)),
            ("bytes=10-", 10, Asked::Nothing),
            ("bytes=-0", 10, Asked::Nothing),
            ("bytes=0-", 0, Asked::Nothing),
            ("bytes=-", 10, Asked::All),
            ("bytes=5-4", 10, Asked::All),
            ("bytes=0-1,3-4", 10, Asked::All),
            ("lines=0-1", 10, Asked::All),
            ("bytes=0-18446744073709551615", 10, Asked::Part(0, 10)),
            ("bytes=0-99999999999999999999", 10, Asked::All),
        ];
        for (header, length, expected) in cases {
            assert_eq!(asked(Some(header), length), expected, "{header}");
        }
        assert_eq!(asked(None, 10), Asked::All);
    }
}
